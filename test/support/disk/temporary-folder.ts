// A folder for one test, gone after it.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';

/** Folders of this process: a broker that has not ended yet when its test removes them writes its database anew. */
const made: string[] = [];

/** temporaryFolder makes an empty folder and removes it with all it holds when the test ends, and once more when the process does. */
export function temporaryFolder(test: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'midge-test-'));
  if (made.length === 0)
    process.once('exit', () => {
      for (const each of made) remove(each);
    });
  made.push(folder);
  test.after(() => {
    try {
      remove(folder);
    } catch (error) {
      if (!String(error).includes('ENOTEMPTY')) throw error;
    }
  });
  return folder;
}

function remove(folder: string): void {
  rmSync(folder, { recursive: true, force: true });
}
