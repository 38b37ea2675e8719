// Files that survive a power cut: written aside, synced, then put in place in one step.

import { closeSync, fsyncSync, openSync, renameSync, rmSync } from 'node:fs';
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

/** replaceFile has `write` make a file beside `path`, and puts it in its place: readers see the old or the new one, never a part. What `write` throws goes through, and leaves nothing. */
export function replaceFile(path: string, write: (temporary: string) => void): void {
  const temporary = `${path}.new`;
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
