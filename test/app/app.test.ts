// The whole house in one process: every transport, access, reload, stop.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { type AddressInfo, connect as connectSocket, createServer } from 'node:net';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { connect as connectTls } from 'node:tls';
import { type IDisconnectPacket, MqttClient } from 'mqtt';
import type { Configuration } from '../../src/config/configuration.ts';
import { settingsNeedingRestart } from '../../src/config/restart-settings.ts';
import type { Listener } from '../../src/listeners/listeners.ts';
import { mqttClient } from '../support/clients/mqtt-client.ts';
import { temporaryFolder } from '../support/disk/temporary-folder.ts';
import { connectTemplate } from '../support/protocol/connect-template.ts';
import { hex } from '../support/protocol/hex-template.ts';
import { type OpenedAppliance, openAppliance } from './test-appliance.ts';
import { configurationOf } from './test-configuration.ts';

const EVERY_TRANSPORT = `
allow_anonymous true
advertise false
listener 1883 127.0.0.1
listener 8883 127.0.0.1
secure true
listener 9001 127.0.0.1
protocol websockets
listener 8084 127.0.0.1
protocol websockets
secure true
`;

async function open(
  context: TestContext,
  text: string,
  change: (configuration: Configuration) => Configuration = (same) => same,
): Promise<OpenedAppliance> {
  const folder = temporaryFolder(context);
  return openAppliance(context, folder, { configuration: change(configurationOf(folder, text)) });
}

test('appliance carries a message between every two transports when clients use the standard library', async (context) => {
  const { appliance, state } = await open(context, EVERY_TRANSPORT);
  const ca = readFileSync(join(state.certificates, 'ca.crt'));
  const [tcp, tls, ws, wss] = appliance.listeners.toSorted((a, b) => order(a) - order(b)).map((listener) => listener.port);
  const clients = await Promise.all([
    mqttClient(context, { protocol: 'mqtt', port: tcp! }),
    mqttClient(context, { protocol: 'mqtts', port: tls!, ca, host: 'localhost' }),
    mqttClient(context, { protocol: 'ws', port: ws! }),
    mqttClient(context, { protocol: 'wss', port: wss!, ca, host: 'localhost' }),
  ]);
  for (const publisher of clients) {
    for (const subscriber of clients) {
      await subscriber.subscribeAsync('a/b', { qos: 1 });
      const arrived = new Promise((resolve) => subscriber.once('message', (topic, payload) => resolve([topic, String(payload)])));
      await publisher.publishAsync('a/b', 'hello', { qos: 1 });
      assert.deepEqual(await arrived, ['a/b', 'hello']);
      await subscriber.unsubscribeAsync('a/b');
    }
  }
});

/** Plain before TLS, MQTT before WebSocket: the order of EVERY_TRANSPORT. */
function order({ options }: Listener): number {
  return (options.protocol === 'websockets' ? 2 : 0) + (options.tls === null ? 0 : 1);
}

test('appliance serves a Unix socket when a listener has a path', async (context) => {
  const path = join(temporaryFolder(context), 'm.sock');
  await open(context, `listener 0 ${path}\nallow_anonymous true\n`);
  const connected = new MqttClient(() => connectSocket(path), { protocolVersion: 4, reconnectPeriod: 0 });
  context.after(() => connected.endAsync(true));
  await new Promise<void>((resolve) => connected.once('connect', () => resolve()));
});

/** taken opens a port as another program would, and gives a configuration in which the second of two ports, in both families, is that one. */
async function taken(context: TestContext, host: string, change: Partial<Configuration>) {
  const other = createServer().listen(0, host);
  context.after(() => other.close());
  await once(other, 'listening');
  const { port } = other.address() as AddressInfo; // listens on TCP
  const words = ['127.0.0.1', '::1'].map((address) => `listener 1 ${address}\nlistener 2 ${address}\n`).join('');
  const configure = (configuration: Configuration): Configuration => {
    const places = configuration.listeners.map((each) => ({ ...each, port: each.policy.port === 2 ? port : 0 }));
    return { ...configuration, ...change, listeners: places };
  };
  return { port, house: () => open(context, `allow_anonymous true\n${words}`, configure) };
}

for (const host of ['127.0.0.1', '::1']) {
  test(`appliance leaves a default port out and names who has it when ${host} is taken, and opens the others`, async (context) => {
    const { port, house } = await taken(context, host, { hasDefaultPorts: true });
    const { appliance, log } = await house();
    assert.deepEqual(
      appliance.listeners.map((listener) => [listener.port === port, listener.addresses[0]]),
      [
        [false, '127.0.0.1'],
        [false, '::1'],
      ],
    );
    const program = readFileSync('/proc/self/comm', 'utf8').trim();
    assert.deepEqual(
      log.lines.filter((line) => line.startsWith('Warning: midge does not listen')),
      [
        `Warning: midge does not listen on port ${port}, because ${program} (process ${process.pid}) uses it - stop that program, or choose another port with -p or in a configuration file.`,
      ],
    );
    await mqttClient(context, { port: appliance.listeners[0]!.port });
  });
}

test('appliance does not start when a port is taken that the configuration names', async (context) => {
  const { port, house } = await taken(context, '127.0.0.1', {});
  await assert.rejects(house(), new RegExp(`Cannot open port "${port}" on 127\\.0\\.0\\.1: address already in use`));
});

test('appliance does not start when all of its default ports are taken', async (context) => {
  const { port, house } = await taken(context, '127.0.0.1', { hasDefaultPorts: true });
  const { appliance } = await house();
  const listeners = appliance.listeners.map(({ options, port: opened }) => ({ ...options, port: opened }));
  const again = open(context, 'allow_anonymous true\n', (configuration) => ({ ...configuration, hasDefaultPorts: true, listeners }));
  await assert.rejects(again, new RegExp(`Cannot open port "(?!${port})\\d+"`));
});

test('appliance makes no certificates and no folder when no listener wants them', async (context) => {
  const { state } = await open(context, 'listener 1883 127.0.0.1\nallow_anonymous true\n');
  assert.equal(existsSync(state.path), false);
});

test('appliance tells MQTT 5 clients that the server shuts down when it stops [MQTT-4.13.1]', async (context) => {
  const { appliance } = await open(context, 'listener 1883 127.0.0.1\nallow_anonymous true\n');
  const connected = await mqttClient(context, { port: appliance.listeners[0]!.port });
  const said = new Promise<IDisconnectPacket>((resolve) => connected.once('disconnect', resolve));
  await appliance.stop();
  assert.equal((await said).reasonCode, 0x8b);
});

test('appliance stops in time when a client does not read', async (context) => {
  const { appliance, log } = await open(context, 'listener 1883 127.0.0.1\nallow_anonymous true\n');
  const { port } = appliance.listeners[0]!;
  const frozen = connectSocket(port, '127.0.0.1').pause();
  frozen.write(hex(connectTemplate()));
  frozen.write(hex("82 [ 0001 {} '#' 00 ]"));
  await log.line(/^test 0 #$/);
  const publisher = await mqttClient(context, { port });
  await publisher.publishAsync('big', Buffer.alloc(1_000_000), { qos: 1 });
  await appliance.stop();
  assert.equal(appliance.listeners[0]!.connections, 0);
});

test('appliance refuses strangers and takes new users when the configuration is reloaded', async (context) => {
  const house = await open(context, 'listener 1883 127.0.0.1\nusername jane\npassword first\n');
  const { port } = house.appliance.listeners[0]!;
  await assert.rejects(mqttClient(context, { port }), /Not authorized/i);
  await assert.rejects(mqttClient(context, { port, username: 'jane', password: 'second' }), /user name|Not authorized/i);
  await mqttClient(context, { port, username: 'jane', password: 'first' });
  const next = configurationOf(house.folder, 'listener 1883 127.0.0.1\nusername jane\npassword second\n');
  await house.appliance.reload(next);
  assert.deepEqual(settingsNeedingRestart(house.appliance.configuration, next), []);
  await mqttClient(context, { port, username: 'jane', password: 'second' });
});

test('appliance lets anonymous clients in from now on when a reload allows them', async (context) => {
  const house = await open(context, 'listener 1883 127.0.0.1\nusername jane\npassword first\n');
  const { port } = house.appliance.listeners[0]!;
  await assert.rejects(mqttClient(context, { port }));
  await house.appliance.reload(configurationOf(house.folder, 'listener 1883 127.0.0.1\nallow_anonymous true\n'));
  await mqttClient(context, { port });
});

test('appliance names what a reload can not change', async (context) => {
  const house = await open(context, 'listener 1883 127.0.0.1\nallow_anonymous true\n');
  const next = configurationOf(
    house.folder,
    'listener 1883 127.0.0.1\nmax_connections 3\nallow_anonymous true\npid_file /run/x\nuser root\n',
  );
  assert.deepEqual(settingsNeedingRestart(house.appliance.configuration, next), ['user', 'pid_file']);
  assert.equal(await house.appliance.reload(next), true);
  assert.equal(house.appliance.listeners[0]!.options.maxConnections, 3);
});

test('appliance changes nothing when the password file of a reload is bad', async (context) => {
  const house = await open(context, 'listener 1883 127.0.0.1\nusername jane\npassword first\n');
  const passwordFile = join(house.folder, 'passwd');
  writeFileSync(passwordFile, 'jane:plain text\n');
  const next = configurationOf(house.folder, 'listener 1883 127.0.0.1\nallow_anonymous true\n');
  await assert.rejects(house.appliance.reload({ ...next, access: { ...next.access, account: null, passwordFile } }), /passwd:1/);
  await mqttClient(context, { port: house.appliance.listeners[0]!.port, username: 'jane', password: 'first' });
});

test('appliance shows a certificate file that has changed when it is reloaded', async (context) => {
  const source = await open(context, EVERY_TRANSPORT);
  const other = await open(context, EVERY_TRANSPORT);
  const pair = (house: OpenedAppliance) => ['server.crt', 'server.key'].map((name) => readFileSync(join(house.state.certificates, name)));
  const folder = temporaryFolder(context);
  const [certfile, keyfile] = [join(folder, 'tls.crt'), join(folder, 'tls.key')];
  const install = (house: OpenedAppliance) =>
    pair(house).forEach((content, index) => void writeFileSync([certfile, keyfile][index]!, content, { mode: 0o600 }));
  install(source);
  const text = `listener 8883 127.0.0.1\ncertfile ${certfile}\nkeyfile ${keyfile}\nallow_anonymous true\nadvertise false\n`;
  const house = await open(context, text);
  const { port } = house.appliance.listeners[0]!;
  const shown = async () => {
    const socket = connectTls({ port, host: '127.0.0.1', rejectUnauthorized: false });
    await once(socket, 'secureConnect');
    const { fingerprint256 } = socket.getPeerCertificate();
    socket.destroy();
    return fingerprint256;
  };
  const before = await shown();
  install(other);
  await house.appliance.reload(configurationOf(house.folder, text));
  assert.notEqual(await shown(), before);
  const next = configurationOf(house.folder, text);
  writeFileSync(keyfile, 'damaged');
  const damaged = await shown();
  await assert.rejects(house.appliance.reload(next), /Cannot use keyfile/);
  assert.equal(await shown(), damaged);
});

test('appliance serves the client behind a proxy when header and CONNECT come together', async (context) => {
  const { appliance, log } = await open(context, 'listener 1883 127.0.0.1\nallow_anonymous true\nenable_proxy_protocol 1\n');
  const socket = connectSocket(appliance.listeners[0]!.port, '127.0.0.1');
  context.after(() => socket.destroy());
  socket.write(Buffer.concat([Buffer.from('PROXY TCP4 192.0.2.7 198.51.100.1 51234 1883\r\n'), hex(connectTemplate())]));
  await log.line(/^New client connected from 192\.0\.2\.7:51234 as test /);
  assert.equal((await once(socket, 'data'))[0][0], 0x20, 'CONNACK');
});

test('appliance stops what it has started when a port is in use', async (context) => {
  const first = await open(context, 'listener 1883 127.0.0.1\nallow_anonymous true\n');
  const { port } = first.appliance.listeners[0]!;
  const taken = (configuration: Configuration) => ({
    ...configuration,
    listeners: configuration.listeners.map((each) => ({ ...each, port })),
  });
  await assert.rejects(open(context, 'listener 1883 127.0.0.1\nallow_anonymous true\n', taken), new RegExp(`Cannot open port "${port}"`));
});
