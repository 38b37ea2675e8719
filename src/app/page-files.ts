// The files of the page: the executable carries them, and beside the sources they are in dist/web/ when somebody has built them.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { PageFiles } from '../api/ports.ts';

/** The bundler replaces both: MIDGE_PAGE_FOLDER by the folder beside the program's file, import.meta.dirname by __dirname. */
declare const MIDGE_PAGE_FOLDER: string | undefined;

/** PAGE_INDEX is the file with the names of the others: the files inside an executable can be read, but not listed. */
export const PAGE_INDEX = 'files.json';

/** readPageFiles lists the files; each is read when it is first asked for. Null = the page has not been built. */
export function readPageFiles(folder = ownFolder()): PageFiles | null {
  const names = readNames(folder);
  if (names === null) return null;
  const kept = new Map<string, Uint8Array<ArrayBuffer>>();
  const read = (name: string): Uint8Array<ArrayBuffer> => {
    const bytes = kept.get(name) ?? new Uint8Array(readFileSync(join(folder, `${name}.gz`)));
    kept.set(name, bytes);
    return bytes;
  };
  return { names: new Set(names), read };
}

function ownFolder(): string {
  return join(import.meta.dirname, typeof MIDGE_PAGE_FOLDER === 'undefined' ? '../../dist/web' : MIDGE_PAGE_FOLDER);
}

function readNames(folder: string): string[] | null {
  try {
    return JSON.parse(readFileSync(join(folder, PAGE_INDEX), 'utf8')) as string[]; // build/web.ts has written it
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null; // what readFileSync throws
    throw error;
  }
}
