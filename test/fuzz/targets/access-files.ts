// Password and ACL files: every line is taken or named with its number, and what was taken answers any client.

import assert from 'node:assert/strict';
import fc from 'fast-check';
import { AclAuthorizer } from '../../../src/access/acl.ts';
import { parseAclFile } from '../../../src/access/acl-file.ts';
import { whoMay } from '../../../src/access/explain.ts';
import type { FileDiagnostic } from '../../../src/access/file-diagnostic.ts';
import { parsePasswordFile } from '../../../src/access/password-file.ts';
import { removeUser, setUser } from '../../../src/access/password-file-edit.ts';
import { damagedText } from '../mutations.ts';
import type { Target } from '../target.ts';

const name = fc.constantFrom('jane', 'joe', '', '#', '$SYS', '%u', '%c', 'a/b', '+', '__proto__', 'é', 'a b', '\ufeffx', 'x'.repeat(300));
const hash = fc.constantFrom(
  '$7$101$yOrxTTA2YxLLbWYr$oF3pYzxvFxiD0Rrji62UnkaeZKP6xE7D04M6KcWBXJBRC/sdCOsS5cSHhxNlFbsSTAs5xBrPqaGpoEcXjAf5pg==',
  '$6$Rw6oj+5kbXjBUoBM$LhwpBP8BzD43AuLkYtHmCU7p4ykNkmQuDE1SexnmyGsGBbSXTpDm0sWJhaYrfLd/rzCuAkSlRyobR1dmjTw5Tg==',
  '$argon2id$v=19$m=47104,t=1,p=1$c2FsdHNhbHRzYWx0$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA',
  '$7$99999999999$$',
  'plain',
  '',
);
const passwordLine = fc.oneof(
  fc.tuple(name, hash).map((words) => words.join(':')),
  fc.constantFrom('', '# comment', ':', 'jane', 'jane:'),
);

const filter = fc.constantFrom(
  '#',
  '+',
  'a/#',
  'owntracks/%u/#',
  '$SYS/#',
  '%c/#',
  'a//b',
  'a/#/b',
  '/'.repeat(300),
  '+/+/+',
  'é/ü',
  'a b c',
);
const aclLine = fc.oneof(
  fc
    .tuple(
      fc.constantFrom('topic', 'pattern', 'topics', 'Topic'),
      fc.constantFrom('', 'read ', 'write ', 'readwrite ', 'deny ', 'x '),
      filter,
    )
    .map(([word, access, topic]) => `${word} ${access}${topic}`),
  name.map((user) => `user ${user}`),
  fc.constantFrom('', '# comment', 'user', 'topic', 'pattern'),
);

function file(line: fc.Arbitrary<string>): fc.Arbitrary<string> {
  return fc.tuple(fc.array(line, { maxLength: 8 }), fc.constantFrom('\n', '\r\n', '\r')).map(([lines, end]) => lines.join(end));
}

export const PASSWORD_FILE: Target<[string, string]> = {
  name: 'password-file',
  what: 'password files, read and edited',
  input: fc.tuple(damagedText(file(passwordLine)), name),
  open: () => ({
    feed([text, user]) {
      haveLines(parsePasswordFile(text, 'passwd').remarks, text);
      const without = removeUser(setUser(text, user, 'hash'), user);
      assert.equal(parsePasswordFile(without, 'passwd').users.has(user), false);
      return 1;
    },
    close: () => {},
  }),
};

export const ACL_FILE: Target<[string, string, string, string]> = {
  name: 'acl-file',
  what: 'ACL files, read and asked',
  input: fc.tuple(damagedText(file(aclLine)), name, name, filter),
  open: () => ({
    feed([text, clientId, username, topic]) {
      const { acl, remarks } = parseAclFile(text, 'acl');
      haveLines(remarks, text);
      const authorizer = new AclAuthorizer(acl);
      whoMay(authorizer, { listener: '', topicName: topic, accounts: ['jane', clientId, username] });
      return 1;
    },
    close: () => {},
  }),
};

function haveLines(remarks: readonly FileDiagnostic[], text: string): void {
  const lines = text.split('\n').length;
  for (const { line } of remarks) assert.ok(line >= 1 && line <= lines, `line ${line} of ${lines}`);
}
