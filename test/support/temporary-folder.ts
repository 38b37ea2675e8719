// A folder for one test, gone after it.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';

/** temporaryFolder makes an empty folder and removes it with all it holds when the test ends. */
export function temporaryFolder(test: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'midge-test-'));
  test.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}
