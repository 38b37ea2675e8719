// Files that survive a power cut: written aside, synced, then put in place in one step.

import { chmodSync, closeSync, existsSync, fsyncSync, mkdirSync, openSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';

/** syncPath makes a file, or the names in a folder, durable (fsync(2)). */
export function syncPath(path: string): void {
  const handle = openSync(path, 'r');
  try {
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}

/**
 * makeFolders makes a folder with those above it, and gives the first that it made, or null. Throws what the system says. The recursive
 * mkdirSync of Node never returns where a folder such as /proc says that it is not there.
 */
export function makeFolders(path: string, mode: number): string | null {
  const missing: string[] = [];
  for (let at = path; !existsSync(at) && at !== dirname(at); at = dirname(at)) missing.unshift(at);
  for (const folder of missing) if (!existsSync(folder)) mkdirSync(folder, { mode });
  if (!statSync(path).isDirectory()) mkdirSync(path); // which says why it can't
  return missing[0] ?? null;
}

/** replaceFile has `write` make a file beside `path`, and puts it in its place: readers see the old or the new one, never a part. What `write` throws goes through, and leaves nothing. */
export function replaceFile(path: string, write: (temporary: string) => void): void {
  const temporary = `${path}.midge.new`; // a name that nobody else gives to a file of his own
  rmSync(temporary, { force: true });
  try {
    write(temporary);
    syncPath(temporary);
    renameSync(temporary, path);
  } finally {
    rmSync(temporary, { force: true });
  }
  syncPath(dirname(path));
}

/** replaceSecret puts a text into the place of a file, for its owner only (0600). Throws what the system says. */
export function replaceSecret(path: string, text: string): void {
  replaceFile(path, (temporary) => {
    writeFileSync(temporary, text, { flag: 'wx', mode: 0o600 });
    chmodSync(temporary, 0o600); // whatever the umask
  });
}
