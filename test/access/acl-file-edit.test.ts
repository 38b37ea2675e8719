// Rules in the text of an ACL file, changed as a person would.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseAclFile } from '../../src/access/acl-file.ts';
import { addRule, hasRule, type RuleLine, removeRule, removeUserRules } from '../../src/access/acl-file-edit.ts';

const TEXT = `# for everybody
topic read news/#

# my son
user bob
# his room
topic bob/#
pattern write devices/%c

user anna
topic deny anna/private
`;

const read = (filter: string): RuleLine => ({ kind: 'topic', access: 'read', filter });

test('rules are added behind those of their user, and nothing else changes', () => {
  assert.equal(addRule(TEXT, 'bob', read('home/#')), TEXT.replace('devices/%c\n', 'devices/%c\ntopic read home/#\n'));
  assert.equal(addRule(TEXT, 'anna', read('home/#')), `${TEXT}topic read home/#\n`);
  assert.equal(addRule(TEXT, null, read('home/#')), TEXT.replace('news/#\n', 'news/#\ntopic read home/#\n'));
  assert.equal(addRule(TEXT, 'carl', read('home/#')), `${TEXT}\nuser carl\ntopic read home/#\n`);
  const pattern: RuleLine = { kind: 'pattern', access: 'write', filter: 'a/%u' };
  assert.equal(addRule(TEXT, 'carl', pattern), TEXT.replace('news/#\n', 'news/#\npattern write a/%u\n'));
});

test('rules that are there stay once, however they are written', () => {
  assert.equal(addRule(TEXT, 'bob', { kind: 'topic', access: 'readwrite', filter: 'bob/#' }), TEXT);
  assert.equal(addRule(TEXT, 'carl', { kind: 'pattern', access: 'write', filter: 'devices/%c' }), TEXT);
});

test('rules are removed from their user only', () => {
  assert.equal(removeRule(TEXT, 'bob', { kind: 'topic', access: 'readwrite', filter: 'bob/#' }), TEXT.replace('topic bob/#\n', ''));
  assert.equal(removeRule(TEXT, 'anna', read('news/#')), TEXT);
  assert.equal(hasRule(TEXT, 'anna', read('news/#')), false);
  assert.equal(hasRule(TEXT, null, read('news/#')), true);
});

test('rules of a user go with its name, and patterns, comments and the rules of others stay', () => {
  assert.equal(removeUserRules(TEXT, 'anna'), TEXT.replace('\nuser anna\ntopic deny anna/private\n', ''));
  assert.equal(removeUserRules(TEXT, 'bob'), TEXT.replace('user bob\n', '').replace('topic bob/#\n', ''));
  assert.equal(removeUserRules(TEXT, 'carl'), TEXT);
  const added = addRule(TEXT, 'jane/phone', read('home/#'));
  assert.equal(removeUserRules(added, 'jane/phone'), TEXT);
});

test('rules are added above the comment of the first user when there are none before, to empty texts and to those of Windows', () => {
  assert.equal(addRule('# son\nuser bob\n', null, read('a')), 'topic read a\n\n# son\nuser bob\n');
  assert.equal(addRule('', 'bob', read('a')), 'user bob\ntopic read a\n');
  assert.equal(addRule('', null, read('a b')).trim(), 'topic read a b');
  assert.equal(addRule('user bob\r\ntopic x\r\n', 'bob', read('a')), 'user bob\r\ntopic x\r\ntopic read a\r\n');
});

test('rules mean what was asked once they are read', () => {
  for (const user of [null, 'bob', 'anna', 'carl']) {
    const { acl, remarks } = parseAclFile(addRule(TEXT, user, read('a b/#')), 'acl');
    assert.deepEqual(remarks, []);
    assert.ok(acl.users.get(user)?.some(({ access, filter }) => access === 'read' && filter === 'a b/#'));
  }
});
