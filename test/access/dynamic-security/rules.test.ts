// Whose say comes first when roles disagree, and which topics an ACL is about.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Action, EVERYTHING } from '../../../src/access/decision.ts';
import { filterCovers, RoleAuthorizer } from '../../../src/access/dynamic-security/rules.ts';
import { parseSecurityFile } from '../../../src/access/dynamic-security/security-file.ts';
import { decisionText, explain, explainSubscription, whoMay } from '../../../src/access/explain.ts';

type Acl = readonly [type: string, topic: string, allow: boolean, priority?: number];

function role(rolename: string, acls: readonly Acl[], more: object = {}) {
  return { rolename, ...more, acls: acls.map(([acltype, topic, allow, priority]) => ({ acltype, topic, allow, priority })) };
}

/** rulesOf makes an authorizer from what stands in a file. */
function rulesOf(file: object): RoleAuthorizer {
  return new RoleAuthorizer(parseSecurityFile(JSON.stringify(file)), 'd.json', EVERYTHING);
}

const JANE = { clientId: 'phone', username: 'jane', listener: '' };

test('rules ask the role of the greatest priority first, then by name, and groups after the roles of the client itself', () => {
  const file = {
    roles: [
      role('a', [['publishClientSend', 'x', false]]),
      role('b', [['publishClientSend', 'x', true]]),
      role('c', [
        ['publishClientSend', 'x', false],
        ['publishClientSend', 'y', true],
      ]),
    ],
    groups: [{ groupname: 'g', roles: [{ rolename: 'c' }], clients: [{ username: 'jane' }, { username: 'joe' }] }],
    clients: [
      {
        username: 'jane',
        roles: [
          { rolename: 'a', priority: 1 },
          { rolename: 'b', priority: 2 },
        ],
      },
      { username: 'joe', roles: [{ rolename: 'b' }, { rolename: 'a' }] },
    ],
  };
  const rules = rulesOf(file);
  const may = (username: string, topic: string) => rules.mayPublish({ ...JANE, username }, topic);
  assert.deepEqual([may('jane', 'x'), may('joe', 'x')], [true, false]);
  assert.deepEqual([may('jane', 'y'), may('joe', 'z')], [true, false]); // by the group; by the default
});

test('rules of one role are asked by the priority of the ACL', () => {
  const acls: Acl[] = [
    ['publishClientSend', 'a/#', false, 1],
    ['publishClientSend', 'a/b', true, 2],
  ];
  const rules = rulesOf({ roles: [role('r', acls)], clients: [{ username: 'jane', roles: [{ rolename: 'r' }] }] });
  assert.deepEqual([rules.mayPublish(JANE, 'a/b'), rules.mayPublish(JANE, 'a/c')], [true, false]);
});

test('rules fill in client id and user name, and not one that is more than a level', () => {
  const acls: Acl[] = [
    ['publishClientSend', 'own/%u/%c', true],
    ['publishClientSend', '%c/x', true],
  ];
  const rules = rulesOf({
    roles: [role('r', acls)],
    clients: ['jane', 'j/x', '+'].map((username) => ({ username, roles: [{ rolename: 'r' }] })),
  });
  assert.equal(rules.mayPublish(JANE, 'own/jane/phone'), true);
  assert.equal(rules.mayPublish({ ...JANE, username: 'j/x' }, 'own/j/x/phone'), false);
  assert.equal(rules.mayPublish({ ...JANE, username: '+' }, 'own/other/phone'), false);
  assert.equal(rules.mayPublish({ ...JANE, clientId: '$SYS' }, '$SYS/x'), false);
});

test('rules for subscriptions: literal ACLs first, then patterns that cover the filter, and no wildcard where the role forbids them', () => {
  const acls: Acl[] = [
    ['subscribeLiteral', 'a/#', false],
    ['subscribePattern', 'a/#', true],
    ['unsubscribeLiteral', 'a/b', false],
  ];
  const roles = [role('r', acls), role('plain', acls, { allowwildcardsubs: false })];
  const clients = [
    { username: 'jane', roles: [{ rolename: 'r' }] },
    { username: 'joe', roles: [{ rolename: 'plain' }] },
  ];
  const rules = rulesOf({ roles, clients });
  const filters = ['a/#', 'a/+/c', 'a/b', 'b'];
  const ask = (username: string) => filters.map((filter) => rules.maySubscribe({ ...JANE, username }, filter));
  assert.deepEqual(ask('jane'), [false, true, true, false]);
  assert.deepEqual(ask('joe'), [false, false, true, false]);
  assert.deepEqual([rules.mayUnsubscribe(JANE, 'a/b'), rules.mayUnsubscribe(JANE, 'a/c')], [false, true]);
});

test('rules leave users whom they do not know to others, give the anonymous group to clients without a name, and $CONTROL no default', () => {
  const file = {
    defaultACLAccess: { publishClientSend: true, publishClientReceive: true, subscribe: true, unsubscribe: true },
    roles: [role('r', [['publishClientSend', 'a', false]])],
    groups: [{ groupname: 'guests', roles: [{ rolename: 'r' }] }],
    anonymousGroup: 'guests',
    clients: [{ username: 'jane' }],
  };
  const rules = rulesOf(file);
  assert.equal(rules.mayPublish({ ...JANE, username: 'stranger' }, '$CONTROL/x'), true);
  assert.deepEqual(
    [null, 'jane'].map((username) => rules.mayPublish({ ...JANE, username }, 'a')),
    [false, true],
  );
  const topic = '$CONTROL/dynamic-security/v1';
  assert.deepEqual(
    [rules.mayPublish(JANE, topic), rules.mayReceive(JANE, topic), rules.maySubscribe(JANE, '$CONTROL/#')],
    [false, false, false],
  );
});

test('filterCovers tells whether all of a filter lies within another', () => {
  const cases: readonly (readonly [wide: string, narrow: string, covers: boolean])[] = [
    ['#', 'a/b', true],
    ['#', '#', true],
    ['#', '$SYS/x', false],
    ['a/#', 'a', true],
    ['a/#', 'a/+/#', true],
    ['a/+', 'a/+', true],
    ['a/+', 'a/#', false],
    ['a/+', 'a', false],
    ['a/b', 'a/+', false],
    ['+/+', 'a/b', true],
    ['+', 'a/b', false],
  ];
  for (const [wide, narrow, covers] of cases) assert.equal(filterCovers(wide, narrow), covers, `${wide} over ${narrow}`);
});

/** A house with a role for everything that can decide. */
const HOUSE = {
  defaultACLAccess: { publishClientSend: false, publishClientReceive: true, subscribe: false, unsubscribe: true },
  roles: [
    role('sensor', [
      ['publishClientSend', 'home/%u/%c', true, 3],
      ['publishClientSend', 'home/#', false, 1],
      ['subscribeLiteral', 'home/+/state', true],
      ['subscribePattern', 'cellar/#', true],
      ['publishClientReceive', 'cellar/secret/#', false],
    ]),
    role('plain', [['subscribePattern', 'plain/#', true]], { allowwildcardsubs: false }),
    role('silent', [['publishClientReceive', '#', false, 9]]),
  ],
  groups: [
    { groupname: 'outdoors', roles: [{ rolename: 'sensor' }], clients: [{ username: 'joe', priority: 2 }] },
    { groupname: 'guests', roles: [{ rolename: 'plain' }], clients: [] },
  ],
  anonymousGroup: 'guests',
  clients: [
    { username: 'jane', clientid: 'phone', roles: [{ rolename: 'sensor' }] },
    { username: 'joe' },
    { username: 'mute', roles: [{ rolename: 'silent' }, { rolename: 'sensor' }] },
  ],
};

const EXPLAINED: readonly (readonly [
  username: string | null,
  clientId: string | null,
  action: Action,
  topic: string,
  allowed: boolean,
  text: string,
])[] = [
  ['jane', 'phone', 'publish', 'home/jane/phone', true, 'role "sensor" of d.json: publishClientSend allow home/%u/%c (priority 3)'],
  ['jane', null, 'publish', 'home/jane/phone', true, 'role "sensor" of d.json: publishClientSend allow home/%u/%c (priority 3)'],
  ['jane', 'phone', 'publish', 'home/joe/phone', false, 'role "sensor" of d.json: publishClientSend deny home/# (priority 1)'],
  ['jane', 'phone', 'publish', 'x', false, 'no ACL of its roles matches, and the default of d.json for publishClientSend is deny'],
  ['jane', 'phone', 'publish', '$CONTROL/x', false, 'no ACL of its roles matches, and $CONTROL has no default (d.json)'],
  ['jane', 'phone', 'publish', '$SYS/x', false, 'nobody but the broker itself writes there'],
  [
    'joe',
    null,
    'publish',
    'home/joe/pc',
    false,
    'role "sensor" (by group "outdoors") of d.json: publishClientSend deny home/# (priority 1)',
  ],
  [
    'joe',
    'pc',
    'publish',
    'home/joe/pc',
    true,
    'role "sensor" (by group "outdoors") of d.json: publishClientSend allow home/%u/%c (priority 3)',
  ],
  ['jane', 'phone', 'receive', 'cellar/secret/1', false, 'role "sensor" of d.json: publishClientReceive deny cellar/secret/# (priority 0)'],
  ['jane', 'phone', 'receive', 'x', true, 'no ACL of its roles matches, and the default of d.json for publishClientReceive is allow'],
  ['jane', 'phone', 'subscribe', 'home/+/state', true, 'role "sensor" of d.json: subscribeLiteral allow home/+/state (priority 0)'],
  ['jane', 'phone', 'subscribe', '$share/g/cellar/+', true, 'role "sensor" of d.json: subscribePattern allow cellar/# (priority 0)'],
  ['jane', 'phone', 'subscribe', 'home/a/state', false, 'no ACL of its roles matches, and the default of d.json for subscribe is deny'],
  [
    null,
    null,
    'subscribe',
    'plain/+',
    false,
    'role "plain" (by group "guests") of d.json forbids filters with + and # (allowwildcardsubs)',
  ],
  [null, null, 'subscribe', 'plain/a', true, 'role "plain" (by group "guests") of d.json: subscribePattern allow plain/# (priority 0)'],
  ['nobody', null, 'publish', 'a', true, 'there is no acl_file, so every client may read and write every topic'],
];

for (const [username, clientId, action, topic, allowed, text] of EXPLAINED) {
  test(`explain says that ${username} ${allowed ? 'may' : 'may not'} ${action} ${topic}, which is what the engine is told`, () => {
    const rules = rulesOf(HOUSE);
    const decision = explain(rules, { username, clientId, listener: '' }, action, topic);
    assert.deepEqual([decision.allowed, decisionText(decision)], [allowed, text]);
    if (clientId === null || decision.reason === 'reserved topic') return;
    const requester = { username, clientId, listener: '' };
    const ask = { publish: 'mayPublish', receive: 'mayReceive', subscribe: 'maySubscribe' } as const;
    const asked = action === 'subscribe' ? topic.replace('$share/g/', '') : topic;
    assert.equal(rules[ask[action]](requester, asked), allowed);
  });
}

test('explainSubscription tells what may arrive by roles', () => {
  const rules = rulesOf(HOUSE);
  const arriving = (username: string | null, filter: string) => {
    const { decision, arrives, decisions } = explainSubscription(rules, { username, clientId: null, listener: '' }, filter);
    return [decision.allowed, arrives, decisions.map(({ reason, allowed }) => `${reason} ${allowed}`)];
  };
  assert.deepEqual(arriving('jane', 'cellar/#'), [true, true, ['role false', 'default true']]);
  assert.deepEqual(arriving('jane', 'cellar/secret/+'), [true, false, ['role false']]);
  assert.deepEqual(arriving('jane', 'x'), [false, false, []]);
  assert.deepEqual(arriving('mute', 'cellar/#'), [true, false, ['role false', 'role false']]);
});

test('whoMay names clients of dynamic security who can read and write a topic', () => {
  const rules = rulesOf(HOUSE);
  const who = (topicName: string, accounts: readonly string[] = []) =>
    whoMay(rules, { listener: '', topicName, accounts })?.map(
      ({ who, username, clientId, read, write }) =>
        `${username ?? who}@${clientId ?? '*'} ${read.allowed ? 'r' : ''}${write.allowed ? 'w' : ''}`,
    );
  assert.deepEqual(who('home/joe/pc'), ['joe@pc w']);
  assert.deepEqual(who('home/jane/phone'), ['jane@* w']);
  assert.deepEqual(who('home/x/state'), ['jane@* r', 'joe@* r']); // by subscribing to the literal filter
  assert.deepEqual(who('plain/a'), ['no user name@* r']);
  assert.deepEqual(who('cellar/secret/1'), []);
  assert.deepEqual(who('y', ['fred']), ['fred@* rw']); // of a password file
});
