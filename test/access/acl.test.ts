// ACL files: what they mean, which mistakes they hold, and why a verdict is as it is.

import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { createAccess } from '../../src/access/access.ts';
import { AclAuthorizer } from '../../src/access/acl.ts';
import { parseAclFile, readAclFile } from '../../src/access/acl-file.ts';
import type { Action, AskedClient } from '../../src/access/decision.ts';
import { explain, explainSubscription, whoMay } from '../../src/access/explain.ts';
import { isReservedTopic } from '../../src/mqtt/topics.ts';
import { temporaryFolder } from '../support/disk/temporary-folder.ts';
import { heldBytes } from '../support/process/memory.ts';
import { ACL_CASES, readQuestion } from './acl-cases.ts';
import { NO_ACCESS } from './test-access.ts';

function aclOf(text: string): AclAuthorizer {
  const { acl, remarks } = parseAclFile(text, 'acl');
  assert.deepEqual(
    remarks.filter(({ severity }) => severity === 'error'),
    [],
  );
  return new AclAuthorizer(acl);
}

for (const { name, acl, questions } of ACL_CASES) {
  test(`ACL file answers as mosquitto does when it has ${name}`, () => {
    const authorizer = aclOf(acl);
    for (const question of questions) {
      const { text, allowed, action, topicName, ...client } = readQuestion(question);
      const may = () => (action === 'publish' ? authorizer.mayPublish(client, topicName) : authorizer.mayReceive(client, topicName));
      const isReserved = action === 'publish' && isReservedTopic(topicName); // the engine's to refuse
      if (!isReserved) assert.equal(may(), allowed, text);
      if (!isReserved) assert.equal(may(), allowed, `${text}, asked again`);
      assert.equal(explain(authorizer, { ...client, listener: '' }, action, topicName).allowed, allowed, `${text}, explained`);
    }
  });
}

test('ACL cases are more than forty', () => {
  assert(ACL_CASES.flatMap(({ questions }) => questions).length > 55);
});

test('ACL file denies everything when it is empty', () => {
  const authorizer = aclOf('');
  assert.equal(authorizer.mayPublish({ username: 'ann', clientId: 'x' }, 'a'), false);
  assert.equal(authorizer.mayReceive({ username: null, clientId: 'x' }, 'a'), false);
});

test('ACL authorizer accepts every subscription, and asks for the user anew when a client id comes back', () => {
  const authorizer = aclOf('user ann\ntopic readwrite a\n');
  assert.equal(authorizer.maySubscribe(), true);
  assert.equal(authorizer.mayPublish({ username: 'ann', clientId: 'x' }, 'a'), true);
  assert.equal(authorizer.mayPublish({ username: 'bob', clientId: 'x' }, 'a'), false);
  assert.equal(authorizer.mayPublish({ username: null, clientId: 'x' }, 'a'), false);
  assert.equal(authorizer.mayPublish({ username: 'ann', clientId: 'x' }, 'a'), true);
});

test('ACL pattern takes a name as one level, as since mosquitto 2.1, and nothing for one that is empty', () => {
  const authorizer = aclOf('pattern readwrite home/%c/#\npattern readwrite of/%u\npattern readwrite all/#\n');
  const may = (username: string | null, clientId: string, topicName: string) => authorizer.mayPublish({ username, clientId }, topicName);
  assert.equal(may(null, 'jane', 'home/jane/x'), true);
  assert.equal(may(null, 'jane/x', 'home/jane/x'), false);
  assert.equal(may('a/b', 'x', 'of/a/b'), false);
  assert.equal(may('', 'x', 'of/'), false);
  assert.equal(may('a/b', 'jane/x', 'all/a'), true);
});

test('ACL authorizer answers the same when more topics and clients come than it keeps', () => {
  const authorizer = aclOf('topic readwrite even/+/0\npattern readwrite own/%c\n');
  for (let round = 0; round < 2; round++) {
    for (let index = 0; index < 100; index++) {
      assert.equal(authorizer.mayPublish({ username: null, clientId: 'x' }, `even/${index}/${index % 2}`), index % 2 === 0);
    }
    for (let index = 0; index < 20_100; index++) {
      if (!authorizer.mayPublish({ username: null, clientId: `c${index}` }, `own/c${index}`)) assert.fail(`c${index}`);
    }
  }
});

test('ACL authorizer keeps no more than its share of memory of what clients invent', () => {
  const authorizer = aclOf('topic write ok\npattern write of/%c\npattern write of/%u\n');
  const long = (about: string) => Buffer.alloc(60_000, about).toString('latin1');
  const before = heldBytes();
  for (let client = 0; client < 200; client++) {
    for (let index = 0; index < 20; index++) {
      const topicName = `${long('x')}/${client}/${index}`;
      assert.equal(authorizer.mayPublish({ username: null, clientId: `c${client}` }, topicName), false);
      assert.equal(authorizer.mayReceive({ username: null, clientId: `c${client}` }, topicName), false);
    }
    for (let index = 0; index < 10; index++) {
      const requester = { username: long(`u${index}${client}`), clientId: long(`c${index}${client}`) };
      assert.equal(authorizer.mayPublish(requester, 'ok'), false);
    }
  }
  const held = (heldBytes() - before) / 1_048_576;
  assert(held < 48, `${held} MiB`);
  assert.equal(authorizer.mayPublish({ username: null, clientId: 'c0' }, 'of/c0'), true);
});

test('ACL file tells all its mistakes at once, with line and column', () => {
  const text = [
    'user',
    'topics a',
    ' # indented',
    'topic',
    'pattern',
    'topic READ a',
    'topic a b',
    'topic a+',
    'topic read a/#/b',
    'topic read a # comment',
    'topic\tread a',
    'topic read\ta',
    'topic read \ufffd',
    'topic read ok',
  ].join('\n');
  const { remarks } = parseAclFile(text, 'acl');
  assert.deepEqual(
    remarks.map(({ severity, file, line, column, message }) => `${file}:${line}:${column} ${severity}: ${message}`),
    [
      'acl:1:1 error: Missing username',
      'acl:2:1 error: Invalid line "topics"',
      'acl:3:2 error: Invalid line "#"',
      'acl:4:6 error: Empty topic',
      'acl:5:8 error: Empty topic',
      'acl:6:7 error: Invalid topic access type "READ"',
      'acl:7:7 error: Invalid topic access type "a"',
      'acl:8:7 error: Invalid ACL topic "a+"',
      'acl:9:12 error: Invalid ACL topic "a/#/b"',
      'acl:10:12 error: Invalid ACL topic "a # comment"',
      'acl:11:6 error: Invalid line: it holds a tab',
      'acl:12:11 error: Invalid line: it holds a tab',
      'acl:13:12 error: Malformed UTF-8',
    ],
  );
});

test('ACL file warns when a rule hardly means what it says', () => {
  const { remarks } = parseAclFile('topic deny\npattern read a/b\npattern read a/x%u\npattern read a/%u/%c/#\n', 'acl');
  assert.deepEqual(
    remarks.map(({ severity, line, message }) => [severity, line, message]),
    [
      ['warning', 1, 'This is a rule for the topic "deny"'],
      ['warning', 2, 'ACL pattern "a/b" does not contain %c or %u'],
      ['warning', 3, 'ACL pattern "a/x%u" has more than %c or %u in a level'],
    ],
  );
});

test('ACL file is refused as a whole when it has a mistake', (context) => {
  const path = join(temporaryFolder(context), 'acl');
  writeFileSync(path, 'topic readwrite #\nfoo\nbar\n');
  const options = { ...NO_ACCESS, aclFile: path };
  assert.throws(() => createAccess(options), {
    name: 'OperatorError',
    message: new RegExp(`^${path}:2:1: Invalid line "foo" - .*\n${path}:3:1: Invalid line "bar" - `),
  });
  assert.throws(() => readAclFile('/nonexistent/acl'), /^OperatorError: Cannot read acl_file "\/nonexistent\/acl": ENOENT/);
  assert.equal(createAccess(NO_ACCESS).authorizer, null);
});

const EXPLAINED = aclOf(`user ann
topic readwrite house/#
topic deny house/safe
pattern read all/%c/#
pattern write all/%u
`);

test('explain names the line that decided', () => {
  const ann = { username: 'ann', clientId: 'lamp' };
  const line = (client: Pick<AskedClient, 'username' | 'clientId'>, action: Action, topic: string) => {
    const decision = explain(EXPLAINED, { ...client, listener: '' }, action, topic);
    return [decision.allowed, decision.reason, decision.reason === 'rule' ? decision.rule.line : null];
  };
  assert.deepEqual(line(ann, 'publish', 'house/door'), [true, 'rule', 2]);
  assert.deepEqual(line(ann, 'publish', 'house/safe'), [false, 'rule', 3]);
  assert.deepEqual(line(ann, 'receive', 'all/lamp/x'), [true, 'rule', 4]);
  assert.deepEqual(line(ann, 'publish', 'all/ann'), [true, 'rule', 5]);
  assert.deepEqual(line(ann, 'publish', 'other'), [false, 'no rule', null]);
  assert.deepEqual(line(ann, 'publish', '$SYS/x'), [false, 'reserved topic', null]);
  assert.deepEqual(line({ username: 'ann', clientId: 'a#' }, 'publish', 'all/ann'), [false, 'special name', null]);
  assert.deepEqual(line({ username: 'ann', clientId: null }, 'receive', 'all/lamp/x'), [false, 'no rule', null]);
});

test('AclAuthorizer makes no $SYS out of a name when a pattern begins with it', () => {
  const acl = aclOf('pattern read %c/#\npattern read %u/#\npattern read $SYS/%c\n');
  const may = (client: { username: string | null; clientId: string }, topic: string) => acl.mayReceive(client, topic);
  assert.equal(may({ username: null, clientId: '$SYS' }, '$SYS/broker/uptime'), false);
  assert.equal(may({ username: '$SYS', clientId: 'lamp' }, '$SYS/broker/uptime'), false);
  assert.equal(may({ username: null, clientId: '$share' }, '$share/x'), false);
  assert.equal(may({ username: null, clientId: 'lamp' }, 'lamp/on'), true);
  assert.equal(may({ username: null, clientId: 'lamp' }, '$SYS/lamp'), true);
});

test('explainSubscription gives the rules that concern a subscription', () => {
  const lines = (filter: string, clientId: string | null = 'lamp') =>
    explainSubscription(EXPLAINED, { username: 'ann', clientId, listener: '' }, filter).decisions.map((decision) =>
      decision.reason === 'rule' ? decision.rule.line : decision.reason,
    );
  assert.deepEqual(lines('#'), [3, 2, 4]);
  assert.deepEqual(lines('$share/g/#'), [3, 2, 4]);
  assert.deepEqual(lines('+'), [2]);
  assert.deepEqual(lines('house/+/x'), [2]);
  assert.deepEqual(lines('house/safe'), [3, 2]);
  assert.deepEqual(lines('all/+/x'), [4]);
  assert.deepEqual(lines('all/door/x'), []);
  assert.deepEqual(lines('all/lamp/x', null), []);
  assert.deepEqual(lines('$SYS/#'), []);
});

test('whoMay finds users, accounts, client ids and clients without a user name', () => {
  const who = (acl: AclAuthorizer, topic: string, accounts: readonly string[] | null = []) =>
    whoMay(acl, { listener: '', topicName: topic, accounts })?.map(
      ({ who, username, clientId, read, write }) =>
        `${username ?? who}@${clientId ?? '*'} ${read.allowed ? 'r' : ''}${write.allowed ? 'w' : ''}`,
    );
  assert.deepEqual(who(EXPLAINED, 'house/door'), ['ann@* rw']);
  assert.deepEqual(who(EXPLAINED, 'house/safe'), []);
  assert.deepEqual(who(EXPLAINED, 'all/kim', ['kim', 'joe']), ['no user name@kim r', 'ann@kim r', 'kim@* w', 'kim@kim rw', 'joe@kim r']);
  const guests = aclOf('topic read public/#\npattern readwrite public/all\npattern read part/pre-%u-x/#\n');
  assert.deepEqual(who(guests, 'public/all', ['kim']), ['no user name@* rw', 'kim@* rw']);
  assert.deepEqual(who(guests, 'public/b', ['kim']), ['no user name@* r']);
  assert.deepEqual(who(guests, 'public/all', null), ['no user name@* rw', 'any other user@* rw']);
  assert.deepEqual(who(guests, 'part/pre-joe-x'), ['joe@* r']);
  assert.deepEqual(who(guests, 'part/pre-joe-x/y/z'), ['joe@* r']);
  assert.deepEqual(who(guests, 'part/pre-a.b/c'), []);
});
