// Which changes of files are told, and that none is missed while a reload is on its way.

import assert from 'node:assert/strict';
import { appendFileSync, mkdirSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { type Contents, FileWatch } from '../../src/config/file-watch.ts';
import { temporaryFolder } from '../support/disk/temporary-folder.ts';

interface Watched {
  readonly files: FileWatch;
  readonly watch: (contents: Contents) => void;
  readonly folder: string;
  /** look passes as much time as a settled change needs, and gives how often changes have been told so far. */
  readonly look: () => number;
}

function watched(context: TestContext): Watched {
  context.mock.timers.enable({ apis: ['setInterval'] });
  let changes = 0;
  const files = new FileWatch();
  context.after(() => files.stop());
  const watch = (contents: Contents) => files.watch(contents, () => changes++);
  const look = () => {
    context.mock.timers.tick(1500);
    return changes;
  };
  return { files, watch, folder: temporaryFolder(context), look };
}

test('file watch tells each change of content once, and nothing of what was only touched', (context) => {
  const { files, watch, folder, look } = watched(context);
  const file = join(folder, 'a');
  writeFileSync(file, 'one');
  watch(files.look([file]));
  assert.equal(look(), 0);
  utimesSync(file, 1, 1);
  assert.equal(look(), 0);
  appendFileSync(file, ', two');
  assert.equal(look(), 1);
  assert.equal(look(), 1);
});

test('file watch tells what changed after it was looked at, before it was watched', (context) => {
  const { files, watch, folder, look } = watched(context);
  const [old, added] = [join(folder, 'old'), join(folder, 'added')];
  writeFileSync(old, 'one');
  writeFileSync(added, 'one');
  const before = files.look([old]);
  appendFileSync(old, ', two'); // it was read, or not, in this moment
  const contents = files.look([old, added], before);
  appendFileSync(added, ', two');
  watch(contents);
  assert.equal(look(), 1);
  assert.equal(look(), 1);
  watch(files.look([old, added]));
  assert.equal(look(), 1);
});

test('file watch tells that a folder has another file', (context) => {
  const { files, watch, folder, look } = watched(context);
  mkdirSync(join(folder, 'd'));
  watch(files.look([join(folder, 'd')]));
  writeFileSync(join(folder, 'd', 'x'), '');
  assert.equal(look(), 1);
});
