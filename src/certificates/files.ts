// Files that survive a power cut: written aside, synced, then put in place in one step.

import { randomBytes } from 'node:crypto';
import { link, open, readFile, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';

export const SECRET = 0o600;
export const PUBLIC = 0o644;

/** readIfThere gives the text of a file, or null when there is none. Throws for every other failure. */
export async function readIfThere(path: string): Promise<string | null> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return null;
    throw error;
  }
}

/** writeSynced makes a new file with exactly this mode. Throws EEXIST when there is one. */
export async function writeSynced(path: string, text: string, mode: number): Promise<void> {
  const file = await open(path, 'wx', mode);
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
}

/** replaceFile puts a whole file in place of whatever is there: readers see the old or the new one, never a part. */
export async function replaceFile(path: string, text: string, mode: number): Promise<void> {
  await viaTemporary(path, text, mode, (temporary) => rename(temporary, path));
}

/** createFile puts a whole file in place if there is none. Gives false, and changes nothing, when there is one. */
export async function createFile(path: string, text: string, mode: number): Promise<boolean> {
  let created = false;
  await viaTemporary(path, text, mode, async (temporary) => {
    created = await linkNew(temporary, path);
  });
  return created;
}

/** linkNew gives a file a second name; false when the new name is taken. */
export async function linkNew(from: string, to: string): Promise<boolean> {
  try {
    await link(from, to);
    return true;
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false;
    throw error;
  }
}

/** syncFolder makes new names in a folder durable. */
export async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

/** codeOf gives the system's error code (ENOENT), or null. */
export function codeOf(error: unknown): string | null {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : null;
}

/** randomSuffix makes names that no other process uses. */
export function randomSuffix(): string {
  return randomBytes(6).toString('hex');
}

async function viaTemporary(path: string, text: string, mode: number, place: (temporary: string) => Promise<void>): Promise<void> {
  const temporary = `${path}.${randomSuffix()}.tmp`;
  try {
    await writeSynced(temporary, text, mode);
    await place(temporary);
  } finally {
    await rm(temporary, { force: true });
  }
  await syncFolder(dirname(path));
}
