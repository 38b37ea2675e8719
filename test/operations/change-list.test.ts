// The list of changes: whole after a power cut, bounded, and no hindrance where it cannot be written.

import assert from 'node:assert/strict';
import { appendFileSync, existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { silentLogger } from '../../src/base/logger.ts';
import { ChangeList } from '../../src/operations/change-list.ts';
import { temporaryFolder } from '../support/disk/temporary-folder.ts';
import { recordingLog } from '../support/ports/recording-log.ts';

const JANE = { who: '"jane" over REST', door: 'page', username: 'jane', address: '192.0.2.7', about: { username: 'tom' } } as const;
const change = (operation: string) => ({ ...JANE, operation, lasts: true });
const openList = (path: string) => new ChangeList(path, () => 1000, silentLogger);
const told = (list: ChangeList) => list.list().map(({ operation }) => operation);

test('changes are there again after a restart, for the owner only, and what was torn or is no change is left out', (t) => {
  const path = join(temporaryFolder(t), 'changes');
  openList(path).add(change('first'));
  appendFileSync(path, 'no JSON\n{"time":1}\n{"time":1000,"who":"x","do');
  const list = openList(path);
  assert.deepEqual(told(list), ['first']);
  list.add(change('second'));
  assert.deepEqual(told(openList(path)), ['first', 'second']);
  assert.equal(statSync(path).mode & 0o777, 0o600);
  assert.deepEqual(openList(path).list()[1], { ...JANE, time: 1000, operation: 'second' });
});

test('the last thousand changes are kept, in a file of twice as many lines at most', (t) => {
  const path = join(temporaryFolder(t), 'changes');
  const list = openList(path);
  let longest = 0;
  for (let count = 0; count < 2500; count++) {
    list.add(change(`change ${count}`));
    if (count % 100 === 0) longest = Math.max(longest, readFileSync(path, 'utf8').split('\n').length);
  }
  for (const each of [list, openList(path)])
    assert.deepEqual([each.list().length, told(each)[0], told(each)[999]], [1000, 'change 1500', 'change 2499']);
  assert.ok(longest <= 2001, `${longest} lines`);
});

test('a list that cannot be written says so once, and is written whole when it can be', (t) => {
  const folder = temporaryFolder(t);
  const log = recordingLog();
  const blocked = join(folder, 'a');
  writeFileSync(blocked, '');
  const list = new ChangeList(join(blocked, 'changes'), () => 0, log);
  for (const what of ['first', 'second']) list.add(change(what));
  assert.deepEqual(told(list), ['first', 'second']);
  assert.equal(log.lines.filter((line) => line.includes('The list of changes is not kept over a restart')).length, 1);
  const later = join(folder, 'later');
  const withoutFolder = openList(join(later, 'changes'));
  withoutFolder.add(change('first'));
  assert.equal(existsSync(later), false);
  mkdirSync(later);
  withoutFolder.add(change('second'));
  assert.deepEqual(told(openList(join(later, 'changes'))), ['first', 'second']);
});
