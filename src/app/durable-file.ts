// What was written stays written when the power goes.

import { closeSync, fsyncSync, openSync } from 'node:fs';

/** syncPath makes a file, or the names in a folder, durable. */
export function syncPath(path: string): void {
  const handle = openSync(path, 'r');
  try {
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}
