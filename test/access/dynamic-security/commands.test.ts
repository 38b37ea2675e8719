// Commands of dynamic security where mosquitto 2.0 is no measure: its 2.1 differs, or it fails.

import assert from 'node:assert/strict';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { createBounds } from '../../../src/access/access.ts';
import { PasswordAuthenticator } from '../../../src/access/authenticator.ts';
import type { Data } from '../../../src/access/dynamic-security/command.ts';
import { DynamicSecurity } from '../../../src/access/dynamic-security/dynamic-security.ts';
import { firstModel } from '../../../src/access/dynamic-security/first-file.ts';
import { readSecurityFile, writeSecurityFile } from '../../../src/access/dynamic-security/security-file.ts';
import { temporaryFolder } from '../../support/disk/temporary-folder.ts';
import { recordingLog } from '../../support/ports/recording-log.ts';

async function open(context: TestContext) {
  const file = join(temporaryFolder(context), 'd.json');
  const kicked: (string | null)[][] = [];
  const log = recordingLog();
  const security = new DynamicSecurity({
    file,
    passwordInitFile: null,
    asOwner: (_path, work) => work(),
    log,
    checkPasswords: (users) => new PasswordAuthenticator(null, users, null, createBounds()),
    passwordsChanged: () => {},
    addressesOf: (username) => (username === 'admin' ? ['192.0.2.1'] : []),
    changed: (names) => kicked.push([...names]),
  });
  security.use(await firstModel('the password', null));
  kicked.length = 0;
  const run = async (...commands: unknown[]): Promise<readonly Data[]> => {
    let answers: readonly Data[] = [];
    await security.run(commands, { clientId: 'phone', username: 'admin' }, (responses) => {
      answers = responses;
    });
    return answers;
  };
  return { security, file, log, kicked, run };
}

test('commands are asked for without regard to case: an answer repeats the name as it was sent, and has its own where it has data', async (context) => {
  const { run } = await open(context);
  const answers = await run({ command: 'CREATEROLE', rolename: 'r', correlationData: 'x' }, { command: 'getdetails' }, { command: 'FLY' });
  assert.deepEqual(answers, [
    { command: 'CREATEROLE', correlationData: 'x' },
    { command: 'getDetails', data: { clientCount: 1, groupCount: 1, roleCount: 8, changeIndex: 1 } },
    { command: 'FLY', error: 'Unknown command' },
  ]);
  const wrong = await run({ command: 'getDetails', correlationData: 7 });
  assert.deepEqual(wrong, [{ command: 'getDetails', error: 'Invalid correlationData data type.' }]);
});

test('commands that delete what others have take it from them, and disconnect whom it concerns', async (context) => {
  const { run, security, kicked } = await open(context);
  await run(
    { command: 'createRole', rolename: 'r' },
    { command: 'createGroup', groupname: 'g', roles: [{ rolename: 'r' }] },
    { command: 'createClient', username: 'jane', groups: [{ groupname: 'g' }] },
    { command: 'createClient', username: 'joe', roles: [{ rolename: 'r' }] },
  );
  kicked.length = 0;
  await run({ command: 'deleteRole', rolename: 'r' });
  assert.deepEqual(
    [kicked, security.model.groups.get('g')?.roles, security.model.clients.get('joe')?.roles],
    [[['jane', 'joe']], new Map(), new Map()],
  );
  await run({ command: 'deleteGroup', groupname: 'g' });
  assert.deepEqual(security.model.clients.get('jane')?.groups, new Map());
});

test('commands refuse to delete the group of clients without a name, and links to what is not there', async (context) => {
  const { run } = await open(context);
  const answers = await run(
    { command: 'deleteGroup', groupname: 'unauthenticated' },
    { command: 'modifyClient', username: 'admin', groups: [{ groupname: 'none' }] },
    { command: 'modifyClient', username: 'admin', groups: [{}] },
    { command: 'modifyGroup', groupname: 'unauthenticated', clients: [{ username: 'none' }] },
    { command: 'createRole', rolename: '' },
    { command: 'createClient', username: '\ud800' },
  );
  assert.deepEqual(
    answers.map(({ error }) => error),
    [
      'Deleting the anonymous group is forbidden',
      "'groups' contains an object with a 'groupname' that does not exist",
      "'groups' contains an object with an invalid 'groupname'",
      "'clients' contains an object with a 'username' that does not exist",
      'Empty rolename',
      'Username not valid UTF-8',
    ],
  );
});

test('commands keep priorities within the limits, and say where a client is connected', async (context) => {
  const { run, security } = await open(context);
  await run({ command: 'createRole', rolename: 'r' }, { command: 'addClientRole', username: 'admin', rolename: 'r', priority: 300_000 });
  assert.equal(security.model.clients.get('admin')?.roles.get('r'), 100_000);
  const [answer] = await run({ command: 'getClient', username: 'admin' });
  assert.match(JSON.stringify(answer), /"connections":\[\{"address":"192\.0\.2\.1"\}\]/);
});

test('commands of one message are written once, and logged without a password and without lines of their own', async (context) => {
  const { run, file, log, kicked } = await open(context);
  await run(
    { command: 'createClient', username: 'a\nb', password: 'a secret' },
    { command: 'createRole', rolename: 'r' },
    { command: 'createRole', rolename: 'r' },
  );
  assert.equal(readSecurityFile(file).changeIndex, 2);
  assert.equal(kicked.length, 1);
  assert.deepEqual(log.lines, [
    'dynsec: phone/admin | createClient | username=a?b | password=******',
    'dynsec: phone/admin | createRole | rolename=r',
  ]);
});

test('a user signs in with the password and, where one is set, with the client id', async (context) => {
  const { run, security } = await open(context);
  await run({ command: 'createClient', username: 'jane', password: 'janes', clientid: 'phone' });
  const authenticator = security.authenticator({ authenticate: () => 'not authorised' }, false);
  const origin = { address: '192.0.2.1', identity: null, policy: { allowAnonymous: true } } as never;
  const signIn = (clientId: string, password: string) =>
    authenticator.authenticate({ clientId, username: 'jane', password: Buffer.from(password), origin });
  assert.equal(await signIn('phone', 'janes'), 'accepted');
  assert.equal(await signIn('phone', 'other'), 'bad credentials');
  assert.equal(await signIn('tablet', 'janes'), 'not authorised');
  await run({ command: 'setClientPassword', username: 'jane', password: 'changed' });
  assert.equal(await signIn('phone', 'janes'), 'bad credentials');
  await run({ command: 'disableClient', username: 'jane' });
  assert.equal(await signIn('phone', 'changed'), 'locked');
});

test('a file that cannot be written is told at the start', async (context) => {
  const { security, log, file } = await open(context);
  security.warnIfFixed();
  assert.match(log.lines.at(-1) ?? '', /Warning: Clients, groups and roles cannot be changed: .*d\.json and its folder cannot be written/);
  writeSecurityFile(file, security.model);
  log.lines.length = 0;
  security.warnIfFixed();
  assert.deepEqual(log.lines, []);
});
