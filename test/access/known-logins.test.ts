// Who has signed in is known after a restart, whatever lies in the file's place.

import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { KnownLogins } from '../../src/access/known-logins.ts';
import { temporaryFolder } from '../support/disk/temporary-folder.ts';
import { recordingLog } from '../support/ports/recording-log.ts';

test('known logins are known after a restart, and their file tells no names', (context) => {
  const path = join(temporaryFolder(context), 'known-logins');
  const log = recordingLog();
  const before = new KnownLogins(path, log);
  before.add('192.0.2.1', 'jane');
  before.save();
  const after = new KnownLogins(path, log);
  assert.equal(after.has('192.0.2.1', 'jane'), true);
  assert.equal(after.has('192.0.2.2', 'jane'), false);
  assert.equal(after.has('192.0.2.1', 'joe'), false);
  assert.doesNotMatch(readFileSync(path, 'utf8'), /jane|192/);
  assert.equal(statSync(path).mode & 0o777, 0o600);
  assert.deepEqual(log.lines, []);
});

test('known logins write nothing when nobody new has come', (context) => {
  const path = join(temporaryFolder(context), 'known-logins');
  const logins = new KnownLogins(path, recordingLog());
  logins.add('192.0.2.1', 'jane');
  logins.save();
  writeFileSync(path, 'untouched');
  logins.add('192.0.2.1', 'jane');
  logins.save();
  assert.equal(readFileSync(path, 'utf8'), 'untouched');
});

test('known logins begin anew when their file is damaged, a link or a folder', (context) => {
  const folder = temporaryFolder(context);
  const [damaged, link, directory] = ['damaged', 'link', 'directory'].map((name) => join(folder, name)) as [string, string, string];
  writeFileSync(damaged, '\0'.repeat(5000));
  symlinkSync('/dev/zero', link);
  mkdirSync(directory);
  for (const path of [damaged, link, directory]) {
    const log = recordingLog();
    assert.equal(new KnownLogins(path, log).has('192.0.2.1', 'jane'), false);
    assert.equal(log.lines.length, 1);
    assert.match(log.lines[0] ?? '', /^Warning: cannot read ".*": .+\. midge does not know which users have signed in before\.$/);
  }
});

test('known logins keep a bounded number', () => {
  const logins = new KnownLogins(null, recordingLog());
  for (let index = 0; index <= 10_000; index++) logins.add('192.0.2.1', `user${index}`);
  assert.equal(logins.has('192.0.2.1', 'user0'), false);
  assert.equal(logins.has('192.0.2.1', 'user1'), true);
});
