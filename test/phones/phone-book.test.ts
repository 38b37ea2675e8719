// Links that open once, for ten minutes, for one phone; and what is kept of phones.

import assert from 'node:assert/strict';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { isSetUp, LINK_MS, PASS_MS, PhoneBook } from '../../src/phones/phone-book.ts';
import { temporaryFolder } from '../support/disk/temporary-folder.ts';

const JANE = { person: 'jane', device: 'phone', use: 'owntracks', groups: ['family'], host: 'pi.local', webSocket: false } as const;

function openBook(context: TestContext) {
  const path = join(temporaryFolder(context), 'phones');
  const clock = { now: Date.parse('2026-07-01') };
  const restart = () => new PhoneBook(path, () => clock.now);
  return { path, clock, restart, book: restart() };
}

test('link is opened once: the phone that did goes on with its pass, and a second one is refused, also after a restart', (context) => {
  const { book, restart } = openBook(context);
  const { phone, token } = book.add(JANE);
  const id = phone.link?.id ?? '';
  assert.match(token, /^[\w-]{22}$/);
  assert.equal(book.open(id, `${token.slice(0, -1)}!`), 'unknown');
  assert.equal(book.open('another', token), 'unknown');
  const later = restart();
  const opened = later.open(id, token);
  assert.ok(typeof opened === 'object');
  assert.equal(later.open(id, token), 'used');
  assert.equal(restart().open(id, token), 'used');
  assert.equal(restart().passes(id, opened.pass)?.person, 'jane');
  assert.equal(later.passes(id, token), null);
  assert.equal(later.passes('another', opened.pass), null);
});

test('link ends after ten minutes when nobody has opened it, and an hour after it was opened', (context) => {
  const { book, clock } = openBook(context);
  const { phone, token } = book.add(JANE);
  const id = phone.link?.id ?? '';
  clock.now += LINK_MS - 1;
  const opened = book.open(id, token);
  assert.ok(typeof opened === 'object');
  clock.now += PASS_MS - 1;
  assert.notEqual(book.passes(id, opened.pass), null);
  clock.now += 1;
  assert.equal(book.passes(id, opened.pass), null);
  assert.equal(book.find('jane/phone')?.link, null);
  const second = book.add(JANE);
  clock.now += LINK_MS;
  assert.equal(book.open(second.phone.link?.id ?? '', second.token), 'unknown');
});

test('new link of a phone ends the one before', (context) => {
  const { book } = openBook(context);
  const first = book.add(JANE);
  const second = book.add(JANE);
  assert.equal(book.list().length, 1);
  assert.equal(book.open(first.phone.link?.id ?? '', first.token), 'unknown');
  assert.equal(typeof book.open(second.phone.link?.id ?? '', second.token), 'object');
});

test('file has neither token nor pass in it, and is for its owner only', (context) => {
  const { book, path } = openBook(context);
  const { phone, token } = book.add(JANE);
  const opened = book.open(phone.link?.id ?? '', token);
  assert.ok(typeof opened === 'object');
  const text = readFileSync(path, 'utf8');
  assert.ok(!text.includes(token) && !text.includes(opened.pass));
  assert.equal(statSync(path).mode & 0o777, 0o600);
});

test('steps are kept with their first time, and tell when a phone is set up', (context) => {
  const { book, clock, restart } = openBook(context);
  book.add(JANE);
  let changes = 0;
  book.onChange(() => changes++);
  const at = clock.now;
  for (const step of ['certificate', 'tls', 'signedIn'] as const) book.note('jane/phone', step);
  clock.now += 1000;
  book.note('jane/phone', 'tls');
  book.note('nobody/phone', 'tls');
  assert.equal(changes, 3);
  const phone = restart().find('jane/phone');
  assert.ok(phone !== null);
  assert.deepEqual(phone.steps, { certificate: at, tls: at, signedIn: at });
  assert.equal(isSetUp(phone), false);
  assert.equal(isSetUp({ ...phone, use: 'mqtt' }), true);
  book.note('jane/phone', 'location');
  assert.equal(isSetUp(book.find('jane/phone') ?? phone), true);
});

test('groups are those of a person, on all phones; a phone that is removed has gone', (context) => {
  const { book, restart } = openBook(context);
  book.add(JANE);
  book.add({ ...JANE, device: 'tablet' });
  book.add({ ...JANE, person: 'john' });
  book.setGroups('jane', ['club']);
  assert.deepEqual(
    restart()
      .list()
      .map(({ person, device, groups }) => [person, device, groups.join()]),
    [
      ['jane', 'phone', 'club'],
      ['jane', 'tablet', 'club'],
      ['john', 'phone', 'family'],
    ],
  );
  assert.equal(book.remove('jane/phone'), true);
  assert.equal(book.remove('jane/phone'), false);
  assert.equal(restart().find('jane/phone'), null);
});

for (const line of [
  '{"person": "jane"}',
  'null',
  'no JSON',
  '{"person":"a","device":"b","use":"x","groups":[],"host":"h","webSocket":false,"added":1,"link":null,"steps":{}}',
]) {
  test(`book is refused with the line that is damaged when it has ${line}`, (context) => {
    const { path, restart, book } = openBook(context);
    book.add(JANE);
    writeFileSync(path, `${readFileSync(path, 'utf8')}${line}\n`);
    assert.throws(restart, /line 2 is damaged/);
  });
}
