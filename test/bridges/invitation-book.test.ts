// What is kept of invitations to bridges.

import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { InvitationBook } from '../../src/bridges/invitation-book.ts';
import { temporaryFolder } from '../support/disk/temporary-folder.ts';
import { recordingLog } from '../support/ports/recording-log.ts';

const TOPICS = [{ filter: 'family/#', direction: 'both' }] as const;

test('invitation is accepted by the first sign-in of its account, and known after a restart', (context) => {
  const file = join(temporaryFolder(context), 'invitations');
  let now = 1000;
  const open = () => {
    const book = new InvitationBook(file, recordingLog(), () => now++);
    book.read();
    return book;
  };
  const book = open();
  book.add('eva', TOPICS);
  book.add('tom', TOPICS);
  book.noteSignIn('somebody');
  book.noteSignIn('eva');
  const after = readFileSync(file, 'utf8');
  book.noteSignIn('eva');
  assert.equal(readFileSync(file, 'utf8'), after, 'only the first time is written');
  const known = [
    { name: 'eva', invited: 1000, accepted: 1002, topics: [...TOPICS] },
    { name: 'tom', invited: 1001, accepted: null, topics: [...TOPICS] },
  ];
  assert.deepEqual(open().list(), known);
  open().remove('eva');
  assert.deepEqual(open().list(), known.slice(1));
});

test('invitation of the same name takes the place of the one before', (context) => {
  const book = new InvitationBook(join(temporaryFolder(context), 'invitations'), recordingLog(), () => 7);
  book.add('eva', TOPICS);
  book.noteSignIn('eva');
  book.add('eva', []);
  assert.deepEqual(book.list(), [{ name: 'eva', invited: 7, accepted: null, topics: [] }]);
});

test('damaged line of the invitations is left out, and a file that cannot be written is said', (context) => {
  const folder = temporaryFolder(context);
  const file = join(folder, 'invitations');
  const good = { name: 'eva', invited: 1, accepted: null, topics: [] };
  const bad = [
    '{',
    '[]',
    'null',
    '{"name":"x"}',
    JSON.stringify({ ...good, topics: [null] }),
    JSON.stringify({ ...good, topics: [{ filter: 1 }] }),
  ];
  writeFileSync(file, [...bad, JSON.stringify(good), ''].join('\n'));
  const book = new InvitationBook(file, recordingLog(), () => 7);
  book.read();
  assert.deepEqual(book.list(), [good]);
  const log = recordingLog();
  const lost = new InvitationBook(join(folder, 'not there', 'invitations'), log, () => 7);
  lost.read();
  lost.add('eva', []);
  assert.equal(lost.list().length, 1);
  assert.match(log.lines.join('\n'), /Cannot write the invitations to bridges/);
});
