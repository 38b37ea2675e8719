// `per_listener_settings true`: accounts and rules of each listener, and who obeys which when it is away.

import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { connect, type IClientOptions, type IDisconnectPacket, type MqttClient } from 'mqtt';
import { hashPassword } from '../../src/access/password-hash.ts';
import type { Appliance } from '../../src/app/app.ts';
import { mqttClient } from '../support/clients/mqtt-client.ts';
import { temporaryFolder } from '../support/disk/temporary-folder.ts';
import { openAppliance } from './test-appliance.ts';
import { configurationOf } from './test-configuration.ts';

const [INSIDE, OUTSIDE, OPEN] = [0, 1, 2];

/** makeFolder holds accounts and rules of two listeners: jane comes from inside, ann from outside. */
async function makeFolder(context: TestContext) {
  const folder = temporaryFolder(context);
  const write = (name: string, text: string) => {
    writeFileSync(join(folder, name), text, { mode: 0o600 });
    return join(folder, name);
  };
  const passwords = async (name: string, user: string) => write(name, `${user}:${await hashPassword('secret', 'sha512')}\n`);
  const inside = `listener 1883 127.0.0.1\npassword_file ${await passwords('inside', 'jane')}\nacl_file ${write('rules', 'user jane\ntopic in/#\n')}\n`;
  const outside = `listener 1884 127.0.0.1\npassword_file ${await passwords('outside', 'ann')}\nacl_file ${write('others', 'user ann\ntopic out/#\n')}\n`;
  const all = `per_listener_settings true\n${inside}${outside}listener 1885 127.0.0.1\nallow_anonymous true\n`;
  return { folder, write, all, inside, outside };
}

async function start(context: TestContext, folder: string, text: string): Promise<Appliance> {
  return (await openAppliance(context, folder, { configuration: configurationOf(folder, text), keepsSessions: true })).appliance;
}

function optionsFor(appliance: Appliance, listener: number, options: IClientOptions): IClientOptions {
  const { port } = appliance.listeners[listener]!; // opened
  const password = options.username === undefined ? {} : { password: 'secret' };
  return { host: '127.0.0.1', port, protocolVersion: 5, reconnectPeriod: 0, ...password, ...options };
}

async function client(context: TestContext, appliance: Appliance, listener: number, options: IClientOptions = {}): Promise<MqttClient> {
  return mqttClient(context, optionsFor(appliance, listener, options));
}

/** heard collects topics until one of the given end comes. */
function heard(client: MqttClient, end: string): Promise<string[]> {
  const topics: string[] = [];
  return new Promise((resolve) =>
    client.on('message', (topic) => {
      topics.push(topic);
      if (topic === end) resolve(topics);
    }),
  );
}

/** say publishes as a client that may do everything. */
async function say(context: TestContext, appliance: Appliance, ...topics: string[]): Promise<void> {
  const speaker = await client(context, appliance, OPEN);
  for (const topic of topics) await speaker.publishAsync(topic, 'x', { qos: 1 });
  await speaker.endAsync();
}

const KEPT: IClientOptions = { clientId: 'phone', username: 'jane', clean: false, properties: { sessionExpiryInterval: 3600 } };

test('listener decides by its own accounts and rules, also for sessions from before a restart and for wills', async (context) => {
  const { folder, all } = await makeFolder(context);
  const before = await start(context, folder, all);
  await assert.rejects(client(context, before, OUTSIDE, { username: 'jane' }), /Not authorized/);
  await assert.rejects(client(context, before, INSIDE, { username: 'ann' }), /Not authorized/);
  await assert.rejects(client(context, before, INSIDE), /Not authorized/);
  const jane = await client(context, before, INSIDE, KEPT);
  await jane.subscribeAsync('#', { qos: 1 });
  await assert.rejects(jane.publishAsync('out/x', 'x', { qos: 1 }), /Not authorized/);
  const watcher = await client(context, before, OPEN);
  await watcher.subscribeAsync('#', { qos: 1 });
  const wills = heard(watcher, 'out/gone');
  for (const topic of ['in/gone', 'out/gone']) {
    const ann = await client(context, before, OUTSIDE, { username: 'ann', will: { topic, payload: Buffer.from('x') } });
    ann.stream.destroy();
    if (topic === 'in/gone') await say(context, before, 'in/first');
  }
  assert.deepEqual(await wills, ['in/first', 'out/gone']);
  await jane.endAsync();
  await say(context, before, 'out/a', 'in/a');
  await before.stop();

  const after = await start(context, folder, all);
  await say(context, after, 'out/b', 'in/b');
  const back = connect(optionsFor(after, INSIDE, KEPT));
  context.after(() => back.endAsync(true));
  const topics = heard(back, 'in/end');
  await new Promise((resolve) => back.once('connect', resolve));
  await say(context, after, 'out/end', 'in/end');
  assert.deepEqual(await topics, ['in/a', 'in/b', 'in/end']);
});

test('client that is away hears nothing while its listener is gone, and obeys the one it comes back through', async (context) => {
  const { folder, write, all, outside } = await makeFolder(context);
  const before = await start(context, folder, all);
  const jane = await client(context, before, INSIDE, KEPT);
  await jane.subscribeAsync('#', { qos: 1 });
  await jane.endAsync();
  await before.stop();
  write('outside', `jane:${await hashPassword('secret', 'sha512')}\n`);
  write('others', 'user jane\ntopic out/#\n');
  const elsewhere = 'listener 1886 127.0.0.1\nallow_anonymous true\n';
  const after = await start(
    context,
    folder,
    `per_listener_settings true\n${elsewhere}${outside}listener 1885 127.0.0.1\nallow_anonymous true\n`,
  );
  await say(context, after, 'in/a', 'out/a');
  const back = connect(optionsFor(after, OUTSIDE, KEPT));
  context.after(() => back.endAsync(true));
  const topics = heard(back, 'out/end');
  await new Promise((resolve) => back.once('connect', resolve));
  await say(context, after, 'in/end', 'out/end');
  assert.deepEqual(await topics, ['out/end']);
});

test('reload changes accounts and rules of one listener, or nothing when a file of another is bad', async (context) => {
  const { folder, write, all } = await makeFolder(context);
  const appliance = await start(context, folder, all);
  const jane = await client(context, appliance, INSIDE, { username: 'jane' });
  const ann = await client(context, appliance, OUTSIDE, { username: 'ann' });
  const configuration = configurationOf(folder, all);
  write('others', 'user ann\ntopic out/#\ntopic in/#\n');
  write('inside', 'jane:plain\n');
  await assert.rejects(appliance.reload(configuration), /inside:1:1: Cannot read password of user "jane": it is not hashed/);
  await assert.rejects(ann.publishAsync('in/x', 'x', { qos: 1 }), /Not authorized/);
  write('inside', `joe:${await hashPassword('secret', 'sha512')}\n`);
  const farewell = new Promise<IDisconnectPacket>((resolve) => jane.once('disconnect', resolve));
  await appliance.reload(configuration);
  assert.equal((await farewell).reasonCode, 0x87);
  await ann.publishAsync('in/x', 'x', { qos: 1 });
});
