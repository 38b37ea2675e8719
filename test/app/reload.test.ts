// A reload can't hurt: all of it or nothing, listeners that stay are not touched, and who has lost the right to be there goes.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { IClientOptions, IDisconnectPacket, MqttClient } from 'mqtt';
import { hashPassword } from '../../src/access/password-hash.ts';
import type { Appliance } from '../../src/app/app.ts';
import type { AuthenticationVerdict } from '../../src/broker/ports.ts';
import type { Configuration } from '../../src/config/configuration.ts';
import { until } from '../support/broker/turns.ts';
import { mqttClient } from '../support/clients/mqtt-client.ts';
import { temporaryFolder } from '../support/disk/temporary-folder.ts';
import { connectTemplate } from '../support/protocol/connect-template.ts';
import { hex } from '../support/protocol/hex-template.ts';
import { openAppliance } from './test-appliance.ts';
import { configurationOf } from './test-configuration.ts';

interface House {
  readonly appliance: Appliance;
  readonly folder: string;
  readonly reload: (text: string, change?: Change) => Promise<boolean>;
}

type Change = (configuration: Configuration) => Configuration;

const SAME: Change = (configuration) => configuration;

async function open(context: TestContext, text: string): Promise<House> {
  const folder = temporaryFolder(context);
  const { appliance } = await openAppliance(context, folder, { configuration: configurationOf(folder, text) });
  return { appliance, folder, reload: (next, change = SAME) => appliance.reload(change(configurationOf(folder, next))) };
}

async function client(context: TestContext, { appliance }: House, options: IClientOptions = {}, index = 0): Promise<MqttClient> {
  const { port } = appliance.listeners[index]!;
  return mqttClient(context, { port, ...options });
}

function farewell(client: MqttClient): Promise<number | undefined> {
  return new Promise((resolve) => client.once('disconnect', ({ reasonCode }: IDisconnectPacket) => resolve(reasonCode)));
}

/** onPort gives the last listener a port. */
function onPort(port: number, address = '127.0.0.1'): Change {
  return (configuration) => {
    const [last, ...others] = configuration.listeners.toReversed();
    return { ...configuration, listeners: [...others.reverse(), { ...last!, port, address }] };
  };
}

const FIRST = 'listener 1883 127.0.0.1\nallow_anonymous true\n';

test('reload opens a listener and closes one, and leaves the others alone', async (context) => {
  const house = await open(context, FIRST);
  const staying = await client(context, house);
  await house.reload(`${FIRST}listener 1884 127.0.0.1\nlistener 9001 127.0.0.1\nprotocol websockets\n`);
  assert.equal(house.appliance.listeners.length, 3);
  const going = await client(context, house, {}, 1);
  const web = await client(context, house, { protocol: 'ws' }, 2);
  const words = [farewell(going), farewell(web)];
  await house.reload(FIRST);
  assert.deepEqual(await Promise.all(words), [0x87, 0x87]);
  assert.equal(house.appliance.listeners.length, 1);
  await staying.publishAsync('a', 'still there', { qos: 1 });
});

test('reload turns TLS and WebSocket on for a port without closing what is connected', async (context) => {
  const house = await open(context, FIRST);
  const staying = await client(context, house);
  const { port } = house.appliance.listeners[0]!;
  await house.reload(`${FIRST}secure true\nprotocol websockets\nadvertise false\n`);
  assert.equal(house.appliance.listeners[0]!.port, port);
  await client(context, house, { protocol: 'wss', rejectUnauthorized: false });
  await staying.publishAsync('a', 'still there', { qos: 1 });
});

test('reload changes nothing when a new port is taken', async (context) => {
  const house = await open(context, FIRST);
  const staying = await client(context, house);
  const other = createServer().listen(0, '127.0.0.1');
  context.after(() => other.close());
  await new Promise((resolve) => other.once('listening', resolve));
  const { port } = other.address() as { port: number }; // TCP
  const next = 'allow_anonymous false\nusername a\npassword b\nlistener 1883 127.0.0.1\nlistener 1884 127.0.0.1\n';
  await assert.rejects(house.reload(next, onPort(port)), /Cannot open port "\d+" on 127\.0\.0\.1: address already in use/);
  assert.equal(house.appliance.listeners.length, 1);
  await staying.publishAsync('a', 'still there', { qos: 1 });
  await client(context, house);
});

test('reload moves a listener to another address of its port, and back when that fails', async (context) => {
  const house = await open(context, FIRST);
  const probe = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => probe.once('listening', resolve));
  const { port } = probe.address() as { port: number }; // TCP
  await new Promise((resolve) => probe.close(resolve));
  await house.reload(FIRST, onPort(port, '0.0.0.0'));
  await client(context, house);
  await assert.rejects(house.reload(FIRST, onPort(port, '192.0.2.1')), /this machine does not have that address/);
  await client(context, house);
  await house.reload(FIRST, onPort(port, '127.0.0.1'));
  assert.deepEqual(house.appliance.listeners[0]!.addresses, ['127.0.0.1']);
  await client(context, house);
});

test('reload disconnects a user who is gone or has another password, and no other', async (context) => {
  const house = await open(context, FIRST);
  const passwordFile = join(house.folder, 'passwd');
  const line = async (user: string, password: string) => `${user}:${await hashPassword(password, 'sha512')}\n`;
  const [anna, bert, carl] = await Promise.all([line('anna', 'a'), line('bert', 'b'), line('carl', 'c')]);
  writeFileSync(passwordFile, anna + bert + carl, { mode: 0o600 });
  const text = `listener 1883 127.0.0.1\npassword_file ${passwordFile}\n`;
  await house.reload(text);
  const clients = await Promise.all(
    ['anna', 'bert', 'carl'].map((username) => client(context, house, { username, password: username[0]! })),
  );
  const words = [farewell(clients[1]!), farewell(clients[2]!)];
  writeFileSync(passwordFile, anna + (await line('bert', 'new')));
  await house.reload(text);
  assert.deepEqual(await Promise.all(words), [0x87, 0x87]);
  await clients[0]!.publishAsync('a', 'still there', { qos: 1 });
});

test('reload disconnects clients without a user name when they are not allowed any more', async (context) => {
  const house = await open(context, FIRST);
  const [nameless, named] = [await client(context, house), await client(context, house, { username: 'jane', password: 'never looked at' })];
  const words = [farewell(nameless), farewell(named)];
  await house.reload('listener 1883 127.0.0.1\nusername jane\npassword secret\n');
  assert.deepEqual(await Promise.all(words), [0x87, 0x87]);
});

test('reload lets who has not said CONNECT go on, and judges it by the rules of now', async (context) => {
  const house = await open(context, FIRST);
  const dialled = () => connect(house.appliance.listeners[0]!.port, '127.0.0.1');
  const [nameless, jane] = [dialled(), dialled()];
  await until(() => house.appliance.broker.connections.size === 2);
  await house.reload('listener 1883 127.0.0.1\nusername jane\npassword secret\n');
  const answers = [answer(nameless), answer(jane)];
  nameless.write(hex(connectTemplate(), 5));
  jane.write(hex('10 1f 0004 4d515454 04 c2 003c 0005 6c616d7031 0004 6a616e65 0006 736563726574', 4));
  const [refused, accepted] = await Promise.all(answers);
  assert.equal(refused?.[3], 0x87);
  assert.equal(accepted?.[3], 0);
});

test('reload decides a login anew that is still being checked', async (context) => {
  const house = await open(context, FIRST);
  let conclude: (verdict: AuthenticationVerdict) => void = () => {};
  const pending = { authenticate: () => new Promise<AuthenticationVerdict>((resolve) => (conclude = resolve)) };
  for (const [verdict, text, expected] of [
    ['bad credentials', FIRST, 0],
    ['accepted', 'listener 1883 127.0.0.1\nusername jane\npassword secret\n', 0x87],
  ] as const) {
    house.appliance.broker.authenticator = pending;
    const { connections } = house.appliance.broker.counters;
    const asked = connect(house.appliance.listeners[0]!.port, '127.0.0.1');
    context.after(() => asked.destroy());
    const said = answer(asked);
    asked.write(hex(connectTemplate(), 5));
    await until(() => house.appliance.broker.counters.connections === connections + 1);
    await house.reload(text);
    conclude(verdict);
    assert.equal((await said)[3], expected);
  }
});

async function answer(socket: Socket): Promise<Buffer> {
  const [chunk] = await once(socket, 'data');
  return chunk;
}

test('reloads follow each other when they come at once', async (context) => {
  const house = await open(context, FIRST);
  await Promise.all([
    house.reload(`${FIRST}listener 1884 127.0.0.1\n`),
    house.reload(FIRST),
    house.reload(`${FIRST}listener 1885 127.0.0.1\n`),
  ]);
  assert.equal(house.appliance.listeners.length, 2);
});
