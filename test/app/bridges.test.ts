// Bridges from a configuration's text to a message at the other broker, by every kind of TLS, against a second midge and Debian's mosquitto.

import assert from 'node:assert/strict';
import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, type TestContext, test } from 'node:test';
import type { Appliance } from '../../src/app/app.ts';
import { readBridgeTls } from '../../src/bridges/tls-material.ts';
import { eventually, startMosquitto } from '../bridges/scene.ts';
import { findMosquitto } from '../conversations/mosquitto-target.ts';
import { mqttClient } from '../support/clients/mqtt-client.ts';
import { temporaryFolder } from '../support/disk/temporary-folder.ts';
import { freePort } from '../support/network/free-ports.ts';
import { testAuthority } from '../support/network/test-certificates.ts';
import { openAppliance } from './test-appliance.ts';
import { configurationOf } from './test-configuration.ts';

const files = new Map<string, string>();

before(async () => {
  const authority = await testAuthority();
  const [server, client] = [await authority.issue('CN=server'), await authority.issue('CN=pi')];
  const stranger = await testAuthority('CN=Stranger');
  files.set('ca.crt', authority.cert).set('stranger.crt', stranger.cert).set('keys', 'pi:00ff11\n');
  files.set('server.crt', server.cert).set('server.key', server.key).set('client.crt', client.cert).set('client.key', client.key);
});

const LOCAL = 'listener 1883 127.0.0.1\nallow_anonymous true\n';

/** Rows of TLS: what the other side has below its listener, and the block. `$` is the folder, PORT the other side's. */
const WAYS: readonly (readonly [name: string, listener: string, block: string])[] = [
  ['TCP', '', 'address 127.0.0.1:PORT'],
  ['TLS with an authority', 'certfile $/server.crt\nkeyfile $/server.key', 'address localhost:PORT\nbridge_cafile $/ca.crt'],
  ['TLS to an address', 'certfile $/server.crt\nkeyfile $/server.key', 'address 127.0.0.1:PORT\nbridge_cafile $/ca.crt'],
  [
    'TLS with a client certificate',
    'certfile $/server.crt\nkeyfile $/server.key\ncafile $/ca.crt\nrequire_certificate true\nuse_identity_as_username true',
    'address mqtts://localhost:PORT\nbridge_cafile $/ca.crt\nbridge_certfile $/client.crt\nbridge_keyfile $/client.key',
  ],
  [
    'TLS with a pre-shared key',
    'psk_file $/keys\npsk_hint home\nuse_identity_as_username true',
    'address localhost:PORT\nbridge_identity pi\nbridge_psk 00ff11',
  ],
  ['WebSocket', 'protocol websockets', 'address ws://127.0.0.1:PORT'],
  [
    'WebSocket with TLS',
    'protocol websockets\ncertfile $/server.crt\nkeyfile $/server.key',
    'address wss://localhost:PORT/mqtt\nbridge_cafile $/ca.crt',
  ],
];

interface Far {
  readonly port: number;
  /** A port without TLS, for a client that looks. */
  readonly plainPort: number;
}

async function farMidge(context: TestContext, folder: string, listener: string): Promise<Far> {
  const text = `${LOCAL}listener 1884 127.0.0.1\n${listener.replaceAll('$', folder)}\n`;
  const { appliance } = await openAppliance(context, temporaryFolder(context), { configuration: configurationOf(folder, text) });
  return { plainPort: appliance.listeners[0]!.port, port: appliance.listeners[1]!.port };
}

async function farMosquitto(context: TestContext, folder: string, listener: string): Promise<Far> {
  const port = await freePort();
  const { port: plainPort } = await startMosquitto(context, `listener ${port} 127.0.0.1\n${listener.replaceAll('$', folder)}`);
  return { port, plainPort };
}

const FARS = [
  ['a second midge', farMidge, false],
  ['mosquitto', farMosquitto, findMosquitto() === null ? 'mosquitto is not installed (Debian package mosquitto)' : false],
] as const;

function folderOf(context: TestContext): string {
  const folder = temporaryFolder(context);
  for (const [name, text] of files) writeFileSync(join(folder, name), text, { mode: 0o600 });
  chmodSync(folder, 0o755);
  return folder;
}

function blockOf(block: string, folder: string, port: number, topics = 'topic # both 1'): string {
  const fast = 'restart_timeout 1 1\nnotifications false\n';
  return `connection far\n${block.replaceAll('$', folder).replace('PORT', String(port))}\n${topics}\n${fast}`;
}

async function untilPhase(appliance: Appliance, phase: string): Promise<void> {
  const of = () => appliance.bridges[0];
  await eventually(
    () => of()?.phase === phase,
    () => `the bridge is ${phase}: ${JSON.stringify(of())}`,
  );
}

for (const [far, start, skip] of FARS) {
  for (const [way, listener, block] of WAYS) {
    test(`bridge carries messages both ways to ${far} by ${way}`, { skip }, async (context) => {
      const folder = folderOf(context);
      const other = await start(context, folder, listener);
      const configuration = configurationOf(temporaryFolder(context), `${LOCAL}${blockOf(block, folder, other.port)}`);
      const { appliance } = await openAppliance(context, temporaryFolder(context), { configuration });
      await untilPhase(appliance, 'connected');
      const here = await mqttClient(context, { port: appliance.listeners[0]!.port });
      const there = await mqttClient(context, { port: other.plainPort });
      const heard: string[] = [];
      for (const [client, side] of [
        [here, 'here'],
        [there, 'there'],
      ] as const) {
        client.on('message', (topicName, payload) => heard.push(`${side} ${topicName} ${payload}`));
        await client.subscribeAsync('+/from', { qos: 1 });
      }
      await here.publishAsync('here/from', 'a', { qos: 1 });
      await there.publishAsync('there/from', 'b', { qos: 1 });
      await eventually(
        () => heard.length >= 4,
        () => `four messages: ${heard}`,
      );
      assert.deepEqual(heard.sort(), ['here here/from a', 'here there/from b', 'there here/from a', 'there there/from b']);
    });
  }
}

/** Rows of what goes wrong: listener, block, fault, words. */
const FAILURES: readonly (readonly [string, string, string, string, RegExp])[] = [
  ['nobody listens there', '', 'address 127.0.0.1:1', 'network', /^no broker listens at 127\.0\.0\.1:1$/],
  [
    'the authority is another one',
    'certfile $/server.crt\nkeyfile $/server.key',
    'address localhost:PORT\nbridge_cafile $/stranger.crt',
    'tls',
    /not of an authority that this bridge trusts/,
  ],
  [
    'the name is another one',
    'certfile $/server.crt\nkeyfile $/server.key',
    'address localhost:PORT\nbridge_cafile $/ca.crt\nbridge_tls_server_name broker.example',
    'tls',
    /certificate is for another name/,
  ],
  ['the other side speaks no TLS', '', 'address localhost:PORT\nbridge_cafile $/ca.crt', 'tls', /TLS to localhost:\d+ fails/],
  ['the other side speaks no WebSocket', '', 'address ws://localhost:PORT', 'websocket', /does not open a WebSocket for MQTT/],
  [
    'the key is another one',
    'psk_file $/keys\npsk_hint home',
    'address localhost:PORT\nbridge_identity pi\nbridge_psk ffff',
    'tls',
    /TLS to localhost:\d+ fails/,
  ],
];

for (const [what, listener, block, fault, words] of FAILURES) {
  test(`bridge says so when ${what}`, async (context) => {
    const folder = folderOf(context);
    const other = await farMidge(context, folder, listener);
    const configuration = configurationOf(temporaryFolder(context), `${LOCAL}${blockOf(block, folder, other.port)}`);
    const { appliance } = await openAppliance(context, temporaryFolder(context), { configuration });
    await eventually(() => appliance.bridges[0]?.lastError !== null, 'the bridge has an error');
    const { lastError } = appliance.bridges[0]!;
    assert.equal(lastError?.fault, fault, lastError?.words);
    assert.match(lastError.words, words);
  });
}

test('bridge accepts a certificate for another name when bridge_insecure is true', async (context) => {
  const folder = folderOf(context);
  const other = await farMidge(context, folder, 'certfile $/server.crt\nkeyfile $/server.key');
  const block = 'address localhost:PORT\nbridge_cafile $/ca.crt\nbridge_tls_server_name broker.example\nbridge_insecure true';
  const configuration = configurationOf(temporaryFolder(context), `${LOCAL}${blockOf(block, folder, other.port)}`);
  const { appliance } = await openAppliance(context, temporaryFolder(context), { configuration });
  await untilPhase(appliance, 'connected');
});

test('bridge carries messages with per_listener_settings true, which lets nobody in but at the listener', async (context) => {
  const folder = folderOf(context);
  const other = await farMidge(context, folder, '');
  const topics = 'topic # in 0 local/topic/ remote/topic/\ntopic clients/total in 0 test/mosquitto/org $SYS/broker/';
  const text = `per_listener_settings true\n${LOCAL}${blockOf('address 127.0.0.1:PORT', folder, other.port, topics)}`;
  const { appliance } = await openAppliance(context, temporaryFolder(context), { configuration: configurationOf(folder, text) });
  await untilPhase(appliance, 'connected');
  const here = await mqttClient(context, { port: appliance.listeners[0]!.port });
  const heard: string[] = [];
  here.on('message', (topicName) => heard.push(topicName));
  await here.subscribeAsync(['local/#', 'test/#'], { qos: 0 });
  const there = await mqttClient(context, { port: other.plainPort });
  await there.publishAsync('remote/topic/something', '', { qos: 1 });
  await eventually(() => heard.includes('local/topic/something') && heard.includes('test/mosquitto/orgclients/total'), 'both come');
});

test('reload keeps the connection of a bridge that has not changed, and makes a changed one anew', async (context) => {
  const folder = folderOf(context);
  const other = await farMidge(context, folder, '');
  const own = temporaryFolder(context);
  const text = (topics: string) => configurationOf(own, `${LOCAL}${blockOf('address 127.0.0.1:PORT', folder, other.port, topics)}`);
  const { appliance } = await openAppliance(context, temporaryFolder(context), { configuration: text('topic a/# out 1') });
  await untilPhase(appliance, 'connected');
  const { since } = appliance.bridges[0]!;
  await appliance.reload({ ...text('topic a/# out 1'), broker: { ...appliance.configuration.broker, maxKeepalive: 7 } });
  assert.equal(appliance.bridges[0]?.since, since);
  await appliance.reload(text('topic b/# out 1'));
  await untilPhase(appliance, 'connected');
  const there = await mqttClient(context, { port: other.plainPort });
  const heard: string[] = [];
  there.on('message', (topicName) => heard.push(topicName));
  await there.subscribeAsync('#', { qos: 1 });
  const here = await mqttClient(context, { port: appliance.listeners[0]!.port });
  await here.publishAsync('a/1', '', { qos: 1 });
  await here.publishAsync('b/1', '', { qos: 1 });
  await eventually(() => heard.includes('b/1'), 'the new topic comes');
  assert.deepEqual(heard, ['b/1']);
});

test('reload starts the first bridge and ends the last one', async (context) => {
  const folder = folderOf(context);
  const other = await farMidge(context, folder, '');
  const own = temporaryFolder(context);
  const { appliance } = await openAppliance(context, temporaryFolder(context), { configuration: configurationOf(own, LOCAL) });
  assert.deepEqual(appliance.bridges, []);
  await appliance.reload(configurationOf(own, `${LOCAL}${blockOf('address 127.0.0.1:PORT', folder, other.port)}`));
  await untilPhase(appliance, 'connected');
  assert.equal(appliance.broker.sessions.count, 1);
  await appliance.reload(configurationOf(own, LOCAL));
  assert.deepEqual(appliance.bridges, []);
  await eventually(() => appliance.broker.sessions.count === 0, 'the session of the bridge goes');
});

test('bridge that was taken out while the broker did not run leaves no session behind', async (context) => {
  const folder = folderOf(context);
  const home = temporaryFolder(context);
  const open = (text: string) => openAppliance(context, home, { configuration: configurationOf(folder, text), keepsSessions: true });
  const away = blockOf('address 127.0.0.1:PORT', folder, 1);
  const { appliance } = await open(`${LOCAL}persistence true\n${away}`);
  await eventually(() => appliance.broker.sessions.count === 1, 'the bridge has a session');
  await appliance.stop();
  const again = await open(`${LOCAL}persistence true\n${away}`);
  assert.equal(again.appliance.broker.sessions.count, 1, 'it outlives the broker');
  await again.appliance.stop();
  const without = await open(`${LOCAL}persistence true\n`);
  assert.equal(without.appliance.broker.sessions.count, 0);
});

test('bridge knows after a restart since when messages wait', async (context) => {
  const folder = folderOf(context);
  const home = temporaryFolder(context);
  const configuration = configurationOf(folder, `${LOCAL}persistence true\n${blockOf('address 127.0.0.1:PORT', folder, 1)}`);
  const { appliance } = await openAppliance(context, home, { configuration, keepsSessions: true });
  const here = await mqttClient(context, { port: appliance.listeners[0]!.port });
  await here.publishAsync('a', 'waits', { qos: 1 });
  await appliance.stop();
  const stopped = Date.now();
  const again = await openAppliance(context, home, { configuration, keepsSessions: true });
  const { queued, oldestQueued } = again.appliance.bridges[0]!;
  assert.equal(queued, 1);
  assert.ok(oldestQueued !== null && oldestQueued <= stopped, `${oldestQueued}`);
});

test('bridge keeps its client id from everybody else', async (context) => {
  const folder = folderOf(context);
  const text = `${LOCAL}${blockOf('address 127.0.0.1:PORT\nlocal_clientid mine', folder, 1)}`;
  const { appliance } = await openAppliance(context, temporaryFolder(context), { configuration: configurationOf(folder, text) });
  const { port } = appliance.listeners[0]!;
  await assert.rejects(mqttClient(context, { port, clientId: 'mine', clean: false }), { code: 0x87 });
  await mqttClient(context, { port, clientId: 'other' });
  assert.equal(appliance.broker.sessions.get('mine')?.listener, 'bridge far');
});

test('reload is refused as a whole when a file of a bridge is bad', async (context) => {
  const folder = folderOf(context);
  const own = temporaryFolder(context);
  const text = `${LOCAL}${blockOf('address mqtts://127.0.0.1:PORT\nbridge_cafile $/ca.crt', folder, 1)}`;
  const configuration = configurationOf(own, text);
  const { appliance } = await openAppliance(context, temporaryFolder(context), { configuration: configurationOf(own, LOCAL) });
  writeFileSync(join(folder, 'ca.crt'), 'no certificate');
  await assert.rejects(appliance.reload(configuration), /Cannot use bridge_cafile ".+\/ca\.crt": it holds no PEM certificate/);
  assert.deepEqual(appliance.bridges, []);
});

test('bridge may do here what its topics say, and with local_username what the rules of that user say', async (context) => {
  const folder = folderOf(context);
  writeFileSync(join(folder, 'acl'), 'topic readwrite #\nuser bridge\ntopic read open/#\n');
  const heard = async (block: string): Promise<string[]> => {
    const other = await farMidge(context, folder, '');
    const text = `${LOCAL}acl_file ${join(folder, 'acl')}\n${blockOf(block, folder, other.port)}`;
    const { appliance } = await openAppliance(context, temporaryFolder(context), {
      configuration: configurationOf(temporaryFolder(context), text),
    });
    await untilPhase(appliance, 'connected');
    const there = await mqttClient(context, { port: other.plainPort });
    const names: string[] = [];
    there.on('message', (topicName) => names.push(topicName));
    await there.subscribeAsync('#', { qos: 1 });
    const here = await mqttClient(context, { port: appliance.listeners[0]!.port });
    await here.publishAsync('closed/1', '', { qos: 1 });
    await here.publishAsync('open/1', '', { qos: 1 });
    await eventually(() => names.includes('open/1'), 'what is allowed comes');
    return names;
  };
  assert.deepEqual(await heard('address 127.0.0.1:PORT'), ['closed/1', 'open/1']);
  assert.deepEqual(await heard('address 127.0.0.1:PORT\nlocal_username bridge'), ['open/1']);
});

test('bridge trusts the authorities of the machine when nothing else is said', () => {
  const tls = { cafile: null, capath: null, certificate: null, psk: null, checksName: true, serverName: null, alpn: 'mqtt' };
  const material = readBridgeTls({ ...tls, usesOsCertificates: true, minVersion: 'TLSv1.2', ciphers: null, ciphersTls13: null });
  const options = material.for({ scheme: 'mqtts', host: 'fe80::1%eth0', port: 8883, path: '' });
  assert.match(String(options?.ca), /BEGIN CERTIFICATE/);
  assert.equal(options?.host, 'fe80::1');
  assert.equal(options.servername, undefined);
  assert.deepEqual(options.ALPNProtocols, ['mqtt']);
  assert.equal(material.for({ scheme: 'mqtt', host: 'a', port: 1883, path: '' }), null);
});
