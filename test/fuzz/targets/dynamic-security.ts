// Dynamic security: any file is taken or refused with a sentence, and any commands leave what can be written and read again.

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { createBounds } from '../../../src/access/access.ts';
import { PasswordAuthenticator } from '../../../src/access/authenticator.ts';
import type { Data } from '../../../src/access/dynamic-security/command.ts';
import { COMMANDS } from '../../../src/access/dynamic-security/commands.ts';
import { DynamicSecurity } from '../../../src/access/dynamic-security/dynamic-security.ts';
import { ACL_TYPES, DEFAULT_TYPES, emptyModel, type SecurityModel } from '../../../src/access/dynamic-security/model.ts';
import { RoleAuthorizer } from '../../../src/access/dynamic-security/rules.ts';
import { parseSecurityFile, securityFileText } from '../../../src/access/dynamic-security/security-file.ts';
import { decisionText, explain, explainSubscription, whoMay } from '../../../src/access/explain.ts';
import { recordingLog } from '../../support/ports/recording-log.ts';
import { damagedText } from '../mutations.ts';
import type { Target } from '../target.ts';

const PASSWORD = 'never to be shown';

/** Few names, so that they meet. */
const name = fc.constantFrom('a', 'b', 'admin', 'é', '__proto__', 'constructor', '', 'x/y', '+', '%u', '\ud800', 'n\0l', 'x'.repeat(300));
const filter = fc.constantFrom('#', '+', 'a/#', 'a/+/b', '%u/%c', '$CONTROL/#', '$SYS/#', '/', '', 'a+', 'a/#/b', '+/'.repeat(100), 'a/%u');
const priority = fc.oneof(fc.integer(), fc.double(), fc.constantFrom(-1, 0, 1e9));
const wrong = fc.constantFrom<unknown>(null, 7, true, [], {}, [null], [[]], 'x');
const type = fc.constantFrom(...ACL_TYPES, ...DEFAULT_TYPES, 'PUBLISHCLIENTSEND', 'fly');

/** or gives now and then something that it is not. */
const or = <T>(value: fc.Arbitrary<T>): fc.Arbitrary<unknown> => fc.oneof({ weight: 9, arbitrary: value }, { weight: 1, arbitrary: wrong });

const links = (word: string) =>
  or(fc.array(or(fc.record({ [word]: or(name), priority: or(priority) }, { requiredKeys: [] })), { maxLength: 3 }));
const acls = or(
  fc.array(or(fc.record({ acltype: or(type), topic: or(filter), priority: or(priority), allow: or(fc.boolean()) }, { requiredKeys: [] })), {
    maxLength: 3,
  }),
);

const FIELDS = {
  username: or(name),
  rolename: or(name),
  groupname: or(name),
  clientid: or(name),
  textname: or(name),
  textdescription: or(name),
  acltype: or(type),
  topic: or(filter),
  priority: or(priority),
  allow: or(fc.boolean()),
  allowwildcardsubs: or(fc.boolean()),
  disabled: or(fc.boolean()),
  verbose: or(fc.boolean()),
  count: or(priority),
  offset: or(priority),
  roles: links('rolename'),
  groups: links('groupname'),
  clients: links('username'),
  acls,
};

const command = fc
  .tuple(
    or(fc.constantFrom(...COMMANDS.keys(), 'fly')),
    fc.record(FIELDS, { requiredKeys: [] }),
    fc.record({ correlationData: or(name) }, { requiredKeys: [] }),
    fc.integer({ min: 0, max: 30 }).map((one) => (one === 0 ? { password: PASSWORD } : {})), // a hash takes 10 ms
  )
  .map(([word, fields, correlation, password]) => ({ command: word, ...fields, ...correlation, ...password }));

export const DYNAMIC_SECURITY_COMMANDS: Target<[unknown[], string, string]> = {
  name: 'dynamic-security-commands',
  what: 'lists of commands of $CONTROL/dynamic-security/v1',
  input: fc.tuple(fc.array(or(command), { maxLength: 12 }), name, filter),
  open: () => {
    const folder = mkdtempSync(join(tmpdir(), 'midge-fuzz-'));
    return {
      async feed([commands, username, topic]) {
        const security = securityIn(folder);
        let answers: readonly Data[] = [];
        await security.run(commands, { clientId: 'phone', username: 'admin' }, (responses) => {
          answers = responses;
        });
        assert.equal(answers.length, commands.length);
        for (const answer of answers) assert.equal(typeof answer['command'], 'string');
        assert.ok(!JSON.stringify(answers).includes(PASSWORD), 'a password is shown');
        mustStand(security.model, username, topic);
        return 1;
      },
      close: () => rmSync(folder, { recursive: true }),
    };
  },
};

function securityIn(folder: string): DynamicSecurity {
  const security = new DynamicSecurity({
    file: join(folder, 'd.json'),
    passwordInitFile: null,
    asOwner: (_path, work) => work(),
    log: recordingLog(),
    checkPasswords: (users) => new PasswordAuthenticator(null, users, null, createBounds()),
    passwordsChanged: () => {},
    addressesOf: () => [],
    changed: () => {},
  });
  security.use(emptyModel());
  return security;
}

const file = fc
  .record(
    {
      defaultACLAccess: or(fc.record(Object.fromEntries(DEFAULT_TYPES.map((each) => [each, or(fc.boolean())])), { requiredKeys: [] })),
      changeIndex: or(priority),
      clients: or(
        fc.array(or(fc.record({ ...FIELDS, password: or(name), encoded_password: or(name) }, { requiredKeys: ['username'] })), {
          maxLength: 3,
        }),
      ),
      groups: or(fc.array(or(fc.record(FIELDS, { requiredKeys: ['groupname'] })), { maxLength: 3 })),
      roles: or(fc.array(or(fc.record(FIELDS, { requiredKeys: ['rolename'] })), { maxLength: 3 })),
      anonymousGroup: or(name),
    },
    { requiredKeys: [] },
  )
  .map((value) => JSON.stringify(value));

export const DYNAMIC_SECURITY_FILE: Target<[string, string, string]> = {
  name: 'dynamic-security-file',
  what: 'files of dynamic security, read and asked',
  input: fc.tuple(damagedText(file), name, filter),
  open: () => ({
    feed([text, username, topic]) {
      let model: SecurityModel;
      try {
        model = parseSecurityFile(text);
      } catch (error) {
        assert.ok(error instanceof Error && error.constructor !== TypeError && error.constructor !== RangeError, String(error));
        return 1;
      }
      mustStand(model, username, topic);
      return 1;
    },
    close: () => {},
  }),
};

/** What is in force is what the next start reads, and answers about any client. */
function mustStand(model: SecurityModel, username: string, topic: string): void {
  const text = securityFileText(model);
  assert.equal(securityFileText(parseSecurityFile(text)), text);
  const rules = new RoleAuthorizer(model, 'd.json', null);
  const client = { username, clientId: username, listener: '' };
  for (const action of ['publish', 'receive'] as const) {
    const decision = explain(rules, client, action, topic);
    const isTold = action === 'publish' ? rules.mayPublish(client, topic) : rules.mayReceive(client, topic);
    if (decision.reason !== 'reserved topic') assert.equal(decision.allowed, isTold);
    assert.notEqual(decisionText(decision), '');
  }
  assert.equal(explainSubscription(rules, client, topic).decision.allowed, rules.maySubscribe(client, topic));
  whoMay(rules, { listener: '', topicName: topic, accounts: [username] });
}
