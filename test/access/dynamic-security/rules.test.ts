// Whose say comes first when roles disagree, and which topics an ACL is about.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { filterCovers, RoleAuthorizer } from '../../../src/access/dynamic-security/rules.ts';
import { parseSecurityFile } from '../../../src/access/dynamic-security/security-file.ts';
import type { Authorizer } from '../../../src/broker/ports.ts';

const OTHERS: Authorizer = { mayPublish: () => true, mayReceive: () => true, maySubscribe: () => true };

type Acl = readonly [type: string, topic: string, allow: boolean, priority?: number];

function role(rolename: string, acls: readonly Acl[], more: object = {}) {
  return { rolename, ...more, acls: acls.map(([acltype, topic, allow, priority]) => ({ acltype, topic, allow, priority })) };
}

/** rulesOf makes an authorizer from what stands in a file. */
function rulesOf(file: object): RoleAuthorizer {
  return new RoleAuthorizer(parseSecurityFile(JSON.stringify(file)), OTHERS);
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
