// Dynamic security as mosquitto's users know it: their own program, the answers of their own broker, and a file that goes there and back.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { type EventEmitter, once } from 'node:events';
import { copyFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { promisify } from 'node:util';
import { connectAsync, type MqttClient } from 'mqtt';
import { temporaryFolder } from '../support/disk/temporary-folder.ts';
import { freePorts } from '../support/network/free-ports.ts';
import { openPort, runMidge, startMidge } from '../support/process/midge-process.ts';
import { type Broker, firstFile, midge, mosquitto, NEEDS_MOSQUITTO, PASSWORD } from './dynamic-security-brokers.ts';

const TOPIC = '$CONTROL/dynamic-security/v1';
/** Milliseconds before a test gives up on an answer. */
const PATIENCE = 20_000;

const runFile = promisify(execFile);

async function signIn(context: TestContext, { port }: Broker, username: string, password: string, clientId?: string): Promise<MqttClient> {
  const options = clientId === undefined ? {} : { clientId };
  const client = await connectAsync({ host: '127.0.0.1', port, protocolVersion: 5, reconnectPeriod: 0, username, password, ...options });
  client.on('error', () => {});
  context.after(() => client.endAsync(true));
  return client;
}

/** asking gives what a broker answers to a payload. */
async function asking(context: TestContext, broker: Broker): Promise<(payload: string) => Promise<unknown>> {
  const admin = await signIn(context, broker, 'admin', PASSWORD);
  await admin.subscribeAsync(`${TOPIC}/response`);
  return async (payload) => {
    const answered = once(admin as unknown as EventEmitter, 'message', { signal: AbortSignal.timeout(PATIENCE) });
    admin.publish(TOPIC, payload, { qos: 1 });
    const [, answer] = await answered.catch((cause: unknown) => assert.fail(`no answer to ${payload} on port ${broker.port}: ${cause}`));
    return JSON.parse(String(answer));
  };
}

/** What mosquitto 2.0 has not: its 2.1 and midge say it. */
function asIn20(answer: unknown): unknown {
  return JSON.parse(JSON.stringify(answer), (key, value) => (key === 'allowwildcardsubs' || key === 'connections' ? undefined : value));
}

/** One message each, on what the ones before have left. Without deleteGroup and deleteRole of what is in use: mosquitto 2.0 reads freed memory then. */
const MESSAGES: readonly (readonly object[])[] = [
  [
    {
      command: 'createRole',
      rolename: 'reader',
      textname: 'Reads',
      acls: [{ acltype: 'subscribePattern', topic: 'a/#', priority: 2, allow: true }],
    },
  ],
  [
    { command: 'createRole', rolename: 'reader', correlationData: 'mine' },
    { command: 'createRole' },
    { command: 'createRole', rolename: 5 },
  ],
  [
    { command: 'createRole', rolename: 'writer' },
    { command: 'getRole', rolename: 'writer' },
  ],
  [{ command: 'addRoleACL', rolename: 'writer', acltype: 'publishClientSend', topic: 'b/+', allow: true, priority: 300 }],
  [{ command: 'addRoleACL', rolename: 'writer', acltype: 'publishClientSend', topic: 'b/+', allow: false }],
  [
    { command: 'addRoleACL', rolename: 'writer', acltype: 'fly', topic: 'b' },
    { command: 'addRoleACL', rolename: 'writer', acltype: 'publishClientSend' },
  ],
  [{ command: 'addRoleACL', rolename: 'writer', acltype: 'publishClientSend', topic: 'a+', allow: true }],
  [
    { command: 'addRoleACL', rolename: 'writer', acltype: 'publishClientReceive', topic: '#' },
    { command: 'getRole', rolename: 'writer' },
  ],
  [{ command: 'removeRoleACL', rolename: 'writer', acltype: 'publishClientReceive', topic: '#' }],
  [
    { command: 'removeRoleACL', rolename: 'writer', acltype: 'publishClientReceive', topic: '#' },
    { command: 'removeRoleACL', rolename: 'x' },
  ],
  [{ command: 'createClient', username: 'jane', password: 'secret', textname: 'Jane', roles: [{ rolename: 'reader', priority: 3 }] }],
  [
    { command: 'createClient', username: 'jane' },
    { command: 'createClient', username: 'joe', roles: [{ rolename: 'none' }] },
  ],
  [
    { command: 'createClient', username: 'joe', roles: 'reader' },
    { command: 'createClient', username: 'joe', roles: [{}] },
  ],
  [{ command: 'createClient', username: 'joe', groups: [{ groupname: 'none' }] }],
  [
    { command: 'createClient', username: 'joe', clientid: 'joes' },
    { command: 'getClient', username: 'joe' },
  ],
  [
    { command: 'createGroup', groupname: 'home', roles: [{ rolename: 'writer' }] },
    { command: 'createGroup', groupname: 'home' },
  ],
  [
    { command: 'addGroupClient', groupname: 'home', username: 'joe', priority: 4 },
    { command: 'addGroupClient', groupname: 'home', username: 'joe' },
  ],
  [
    { command: 'addGroupClient', groupname: 'home', username: 'nobody' },
    { command: 'addGroupClient', groupname: 'none', username: 'joe' },
  ],
  [
    { command: 'addGroupRole', groupname: 'home', rolename: 'reader', priority: 9 },
    { command: 'addGroupRole', groupname: 'home', rolename: 'reader' },
  ],
  [{ command: 'getGroup', groupname: 'home' }, { command: 'getGroup', groupname: 'none' }, { command: 'getGroup' }],
  [{ command: 'listGroups' }, { command: 'listGroups', verbose: true }, { command: 'listGroups', offset: 5 }],
  [{ command: 'modifyGroup', groupname: 'home', textdescription: 'Ours', clients: [{ username: 'jane' }], roles: [] }],
  [
    { command: 'modifyGroup', groupname: 'none' },
    { command: 'getGroup', groupname: 'home' },
    { command: 'getClient', username: 'joe' },
  ],
  [
    { command: 'modifyClient', username: 'jane', textname: 'J', groups: [{ groupname: 'home', priority: 1 }] },
    { command: 'modifyClient', username: 'x' },
  ],
  [
    { command: 'setClientId', username: 'jane', clientid: 'phone' },
    { command: 'setClientId', username: 'x', clientid: 'y' },
  ],
  [
    { command: 'setClientPassword', username: 'jane', password: '' },
    { command: 'setClientPassword', username: 'jane' },
  ],
  [
    { command: 'setClientPassword', username: 'jane', password: 'other' },
    { command: 'setClientPassword', username: 'x', password: 'y' },
  ],
  [
    { command: 'addClientRole', username: 'jane', rolename: 'writer' },
    { command: 'addClientRole', username: 'jane', rolename: 'writer' },
  ],
  [
    { command: 'addClientRole', username: 'jane', rolename: 'none' },
    { command: 'addClientRole', username: 'x', rolename: 'writer' },
  ],
  [
    { command: 'removeClientRole', username: 'jane', rolename: 'writer' },
    { command: 'removeClientRole', username: 'jane', rolename: 'none' },
  ],
  [
    { command: 'disableClient', username: 'jane' },
    { command: 'getClient', username: 'jane' },
    { command: 'enableClient', username: 'jane' },
  ],
  [{ command: 'listClients' }, { command: 'listClients', verbose: true }, { command: 'listClients', count: 1, offset: 1 }],
  [{ command: 'setDefaultACLAccess', acls: [{ acltype: 'subscribe', allow: true }] }, { command: 'getDefaultACLAccess' }],
  [{ command: 'setDefaultACLAccess' }, { command: 'setAnonymousGroup', groupname: 'none' }, { command: 'setAnonymousGroup' }],
  [{ command: 'setAnonymousGroup', groupname: 'home' }, { command: 'getAnonymousGroup' }],
  [{ command: 'modifyRole', rolename: 'writer', textname: 'W', acls: [{ acltype: 'unsubscribeLiteral', topic: 'c', allow: true }] }],
  [
    { command: 'modifyRole', rolename: 'none' },
    { command: 'getRole', rolename: 'writer' },
    { command: 'getRole', rolename: 'none' },
  ],
  [{ command: 'listRoles' }, { command: 'listRoles', verbose: true, count: 2 }],
  [
    { command: 'removeGroupRole', groupname: 'home', rolename: 'reader' },
    { command: 'removeGroupClient', groupname: 'home', username: 'jane' },
  ],
  [
    { command: 'deleteClient', username: 'joe' },
    { command: 'deleteClient', username: 'joe' },
    { command: 'deleteRole', rolename: 'none' },
  ],
  [
    { command: 'deleteRole', rolename: 'none' },
    { command: 'listClients', verbose: true },
  ],
  [{ command: 'fly' }, { command: 7 }, {}, { command: 'listRoles', correlationData: 7 }],
];

/** Payloads that are no list of commands. */
const NO_LISTS = ['no json', '{}', '{"commands": 5}', '[]', '{"commands": [7]}', '{"commands": []}'];

test("midge answers each command of dynamic security as mosquitto's plugin does", { skip: NEEDS_MOSQUITTO }, async (context) => {
  const folder = temporaryFolder(context);
  const first = await firstFile(folder);
  const copy = join(folder, 'copy.json');
  copyFileSync(first, copy);
  const ours = await asking(context, await midge(context, folder, first));
  const theirs = await asking(context, await mosquitto(context, folder, copy));
  for (const payload of [...NO_LISTS, ...MESSAGES.map((commands) => JSON.stringify({ commands }))]) {
    assert.deepEqual(asIn20(await ours(payload)), asIn20(await theirs(payload)), payload);
  }
});

test('a file that midge has changed is read by mosquitto, and one that mosquitto has changed by midge', {
  skip: NEEDS_MOSQUITTO,
}, async (context) => {
  const folder = temporaryFolder(context);
  const file = await firstFile(folder);
  const change = async (broker: Broker, commands: readonly object[]): Promise<void> => {
    const ask = await asking(context, broker);
    const answer = JSON.stringify(await ask(JSON.stringify({ commands })));
    assert.doesNotMatch(answer, /error/);
    await broker.stop();
  };
  await change(await midge(context, folder, file), [
    { command: 'createRole', rolename: 'all', acls: [{ acltype: 'publishClientSend', topic: '#', allow: true }] },
    { command: 'createClient', username: 'jane', password: 'janes', roles: [{ rolename: 'all' }] },
    { command: 'createGroup', groupname: 'home' },
  ]);
  const there = await mosquitto(context, folder, file);
  await signIn(context, there, 'jane', 'janes');
  await change(there, [
    { command: 'createClient', username: 'joe', password: 'joes' },
    { command: 'addGroupClient', groupname: 'home', username: 'joe', priority: 5 },
  ]);
  const back = await midge(context, folder, file);
  for (const name of ['jane', 'joe']) await signIn(context, back, name, `${name}s`);
  await assert.rejects(signIn(context, back, 'joe', 'wrong'));
  const ask = await asking(context, back);
  const answer = await ask(JSON.stringify({ commands: [{ command: 'getGroup', groupname: 'home' }] }));
  const group = { groupname: 'home', clients: [{ username: 'joe' }], roles: [] };
  assert.deepEqual(answer, { responses: [{ command: 'getGroup', data: { group } }] });
});

test('mosquitto_ctrl does with midge what it does with mosquitto, from the first start on', { skip: NEEDS_MOSQUITTO }, async (context) => {
  const folder = temporaryFolder(context);
  const broker = await midge(context, folder, join(folder, 'new.json'), 'enable_control_api true\n');
  const [, password] = /^admin (\S+)$/m.exec(readFileSync(join(folder, 'new.json.pw'), 'utf8'))!;
  const ctrl = async (...words: string[]): Promise<string> => {
    const { stdout } = await runFile('mosquitto_ctrl', ['-p', String(broker.port), '-u', 'admin', '-P', password!, 'dynsec', ...words]);
    return stdout;
  };
  for (const words of [
    'createRole sensor',
    'addRoleACL sensor publishClientSend home/# allow',
    'addRoleACL sensor subscribePattern home/# allow 5',
    'removeRoleACL sensor subscribePattern home/#',
    'createClient hall -p halls -c hall-1',
    'addClientRole hall sensor 2',
    'createGroup home',
    'addGroupRole home sensor',
    'addGroupClient home hall',
    'setAnonymousGroup home',
    'setClientPassword hall other',
    'disableClient hall',
    'enableClient hall',
  ]) {
    await ctrl(...words.split(' '));
  }
  assert.match(await ctrl('getClient', 'hall'), /Username: hall\nClientid: hall-1\nRoles: {4}sensor \(priority: 2\)\nGroups: {3}home/);
  assert.match(await ctrl('listClients'), /admin\ndemoclient\nhall/);
  assert.match(await ctrl('getRole', 'sensor'), /publishClientSend {4}: allow : home\/#/);
  assert.match(await ctrl('listRoles'), /super-admin/);
  assert.match(await ctrl('listGroups'), /home\nunauthenticated/);
  assert.match(await ctrl('getGroup', 'home'), /Clients: {3}hall/);
  assert.match(await ctrl('getAnonymousGroup'), /home/);
  assert.match(await ctrl('getDefaultACLAccess'), /unsubscribe {10}: allow/);
  await signIn(context, broker, 'hall', 'other', 'hall-1');
  await assert.rejects(signIn(context, broker, 'hall', 'other', 'another'));
  for (const words of ['setClientId hall', 'removeGroupClient home hall', 'removeGroupRole home sensor', 'removeClientRole hall sensor']) {
    await ctrl(...words.split(' '));
  }
  await signIn(context, broker, 'hall', 'other', 'another');
  for (const words of ['deleteClient hall', 'deleteRole sensor', 'setAnonymousGroup unauthenticated', 'deleteGroup home'])
    await ctrl(...words.split(' '));
  await assert.rejects(signIn(context, broker, 'hall', 'other'));
});

test('a change disconnects who has lost something, and what comes next is judged by it', async (context) => {
  const folder = temporaryFolder(context);
  writeFileSync(join(folder, 'init'), PASSWORD);
  const running = await midge(context, folder, join(folder, 'new.json'), `dynamic_security_password_file ${join(folder, 'init')}\n`);
  const ask = await asking(context, running);
  const does = async (...commands: object[]) => assert.doesNotMatch(JSON.stringify(await ask(JSON.stringify({ commands }))), /error/);
  await does(
    { command: 'createRole', rolename: 'in', acls: [{ acltype: 'publishClientSend', topic: 'in/#', allow: true }] },
    { command: 'createClient', username: 'jane', password: 'janes', roles: [{ rolename: 'in' }] },
  );
  const jane = await signIn(context, running, 'jane', 'janes');
  await jane.publishAsync('in/a', '1', { qos: 1 });
  await assert.rejects(jane.publishAsync('out/a', '1', { qos: 1 }), /Not authorized/);
  const gone = new Promise<number | undefined>((resolve) => jane.once('disconnect', ({ reasonCode }) => resolve(reasonCode)));
  await does({ command: 'removeClientRole', username: 'jane', rolename: 'in' });
  assert.equal(await gone, 0x98); // 3.14.2.1: Administrative action
  const again = await signIn(context, running, 'jane', 'janes');
  await assert.rejects(again.publishAsync('in/a', '1', { qos: 1 }), /Not authorized/);
});

test('a change that cannot be written is answered with the reason, and is none', async (context) => {
  const folder = temporaryFolder(context);
  const place = join(folder, 'place');
  mkdirSync(place);
  writeFileSync(join(folder, 'init'), PASSWORD);
  const broker = await midge(context, folder, join(place, 'new.json'), `dynamic_security_password_file ${join(folder, 'init')}\n`);
  const ask = await asking(context, broker);
  rmSync(place, { recursive: true });
  const commands = [
    { command: 'createRole', rolename: 'r' },
    { command: 'getRole', rolename: 'admin' },
  ];
  const answer = JSON.stringify(await ask(JSON.stringify({ commands })));
  assert.match(answer, /"createRole","error":"Cannot write the file of dynamic security: ENOENT[^"]*Nothing was changed"/);
  assert.match(JSON.stringify(await ask('{"commands":[{"command":"getRole","rolename":"r"}]}')), /Role not found/);
});

test('midge check names what is wrong with a file of dynamic security', async (context) => {
  const folder = temporaryFolder(context);
  const [file, configuration] = [join(folder, 'd.json'), join(folder, 'm.conf')];
  writeFileSync(file, '{"clients": [{}]}');
  writeFileSync(configuration, `listener 1883 127.0.0.1\ndynamic_security_file ${file}\n`);
  const { status, stdout, stderr } = await runMidge(folder, ['check', configuration]);
  assert.notEqual(status, 0);
  assert.match(stdout + stderr, /m\.conf:2:\d+: .*d\.json": entry 1 of clients has no username/);
});

test('a request to the broker goes to nobody and is not kept, and its answer to whoever subscribes', async (context) => {
  const folder = temporaryFolder(context);
  const own = join(folder, 'midge');
  mkdirSync(own);
  const configuration = join(own, 'midge.conf');
  writeFileSync(configuration, 'enable_control_api true\nallow_anonymous true\nadvertise false\n');
  const port = await openPort(startMidge(context, own, ['serve', '-c', configuration, '-p', '0']));
  const client = await connectAsync({ host: '127.0.0.1', port, protocolVersion: 5, reconnectPeriod: 0 });
  context.after(() => client.endAsync(true));
  await client.subscribeAsync('$CONTROL/#');
  const messages: [topic: string, payload: unknown][] = [];
  client.on('message', (topic, payload) => messages.push([topic, JSON.parse(String(payload))]));
  const commands = [{ command: 'listListeners' }, { command: 'listPlugins' }, { command: 'fly', correlationData: 'x' }];
  await client.publishAsync('$CONTROL/broker/v1', JSON.stringify({ commands }), { qos: 2, retain: true });
  await client.publishAsync('$CONTROL/other/v1', '{}', { qos: 0 });
  await client.publishAsync('$CONTROL/dynamic-security/v1', '{}', { qos: 1 });
  await client.subscribeAsync('$CONTROL/broker/v1'); // would bring what was retained
  await client.publishAsync('$CONTROL/last/v1', '{}', { qos: 1 });
  while (!messages.some(([topic]) => topic === '$CONTROL/last/v1/response')) await once(client as unknown as EventEmitter, 'message');
  const missing = { error: 'endpoint not available' };
  const listeners = [{ port, protocol: 'mqtt', 'bind-address': '127.0.0.1', tls: false }];
  const [topic, first] = messages[0]!;
  const others = messages.slice(1);
  assert.equal(topic, '$CONTROL/broker/v1/response');
  const { responses } = first as { responses: { data?: { listeners?: object[] } }[] };
  assert.deepEqual(responses[0]?.data?.listeners?.slice(0, 1), listeners);
  assert.deepEqual(responses.slice(1), [
    { command: 'listPlugins', data: { plugins: [] } },
    { command: 'fly', error: 'Unknown command', correlationData: 'x' },
  ]);
  const topics = ['other', 'dynamic-security', 'last'].map((name): [string, unknown] => [`$CONTROL/${name}/v1/response`, missing]);
  assert.deepEqual(others, topics);
});

test('a REST session of a client of dynamic security ends when its password is changed', async (context) => {
  const folder = temporaryFolder(context);
  const [http] = await freePorts(1);
  const state = join(folder, 'midge/state/midge');
  mkdirSync(state, { recursive: true });
  writeFileSync(join(state, 'api-roles'), 'admin:admin\n', { mode: 0o600 });
  writeFileSync(join(folder, 'init'), PASSWORD);
  const [mqtt] = await freePorts(1);
  const listeners = `dynamic_security_password_file ${join(folder, 'init')}\nlistener ${mqtt} 127.0.0.1\nlistener ${http} 127.0.0.1\nprotocol http\n`;
  const broker = await midge(context, folder, join(folder, 'new.json'), listeners, []);
  const url = `http://127.0.0.1:${http}/api/v1/session`;
  const body = JSON.stringify({ username: 'admin', password: PASSWORD });
  const signedIn = await fetch(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body });
  assert.equal(signedIn.status, 200, await signedIn.text());
  const cookie = signedIn.headers.get('set-cookie')?.split(';')[0] ?? '';
  const session = async () => (await fetch(url, { headers: { cookie } })).status;
  assert.equal(await session(), 200);
  const ask = await asking(context, { ...broker, port: mqtt! });
  await ask(JSON.stringify({ commands: [{ command: 'setClientPassword', username: 'admin', password: 'another one' }] }));
  assert.equal(await session(), 401);
});
