// The loops over the parts: their order, and a reload in which each part fails in turn.

import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { Appliance } from '../../src/app/app.ts';
import { type AppliancePart, Parts, row } from '../../src/app/parts.ts';
import { until } from '../support/broker/turns.ts';
import { mqttClient } from '../support/clients/mqtt-client.ts';
import { temporaryFolder } from '../support/disk/temporary-folder.ts';
import { recordingLog } from '../support/ports/recording-log.ts';
import { type OpenedAppliance, openAppliance } from './test-appliance.ts';
import { configurationOf } from './test-configuration.ts';

const ANY = configurationOf('/', 'listener 1883 127.0.0.1\n');

/** written notes what is done to it; `faults` are the names of what throws. */
function written(name: string, steps: string[], faults: readonly string[] = []): AppliancePart {
  const note = (what: string): void => {
    steps.push(`${what} ${name}`);
    if (faults.includes(`${what} ${name}`)) throw new Error(`no ${what}`);
  };
  return row(name, {
    start: async () => note('start'),
    stop: async () => note('stop'),
    prepare: async () => {
      note('prepare');
      return { commit: () => note('commit'), undo: () => note('undo') };
    },
  });
}

function three(steps: string[], faults: readonly string[] = [], log = recordingLog()): Parts {
  return new Parts(
    'all',
    ['a', 'b', 'c'].map((name) => written(name, steps, faults)),
    log,
  );
}

test('parts start and are put in force in order, and stop backwards', async () => {
  const steps: string[] = [];
  const parts = three(steps);
  await parts.start();
  assert.equal(await parts.reload(ANY), true);
  await parts.stop();
  const want = 'start a,start b,start c,prepare a,prepare b,prepare c,commit a,commit b,commit c,stop c,stop b,stop a';
  assert.deepEqual(steps, want.split(','));
});

test('parts undo backwards what was prepared when one can not be, also where an undo fails', async () => {
  const steps: string[] = [];
  const log = recordingLog();
  await assert.rejects(three(steps, ['prepare c', 'undo b'], log).reload(ANY), /no prepare/);
  assert.deepEqual(steps, ['prepare a', 'prepare b', 'prepare c', 'undo b', 'undo a']);
  assert.deepEqual(log.lines, ['Error: The b could not be put back after a failed reload: no undo.']);
});

test('parts stop all when one fails to, and when the start has failed', async () => {
  const steps: string[] = [];
  const parts = three(steps, ['start b', 'stop c']);
  await assert.rejects(parts.start(), /no start/);
  await assert.rejects(parts.stop(), /no stop/);
  assert.deepEqual(steps, ['start a', 'start b', 'stop c', 'stop b', 'stop a']);
});

test('parts put nothing in force when a stop has come first', async () => {
  const steps: string[] = [];
  const parts = three(steps);
  const [reloaded] = await Promise.all([parts.reload(ANY), parts.stop()]);
  assert.equal(reloaded, false);
  assert.deepEqual(steps, ['prepare a', 'prepare b', 'prepare c', 'undo c', 'undo b', 'undo a', 'stop c', 'stop b', 'stop a']);
});

const BEFORE = 'listener 1883 127.0.0.1\nusername jane\npassword first\nsys_interval 7\n';
const AFTER =
  'listener 1884 127.0.0.1\nsecure true\nlistener 9001 127.0.0.1\nprotocol websockets\nusername jane\npassword second\nsys_interval 9\nmax_queued_messages 5\n';

async function open(context: TestContext): Promise<OpenedAppliance> {
  const folder = temporaryFolder(context);
  return openAppliance(context, folder, { configuration: configurationOf(folder, BEFORE), keepsSessions: true });
}

/** inForce is what a reload changes, by identity where there is one. */
function inForce({ configuration, access, listeners, certificates, broker }: Appliance) {
  return { configuration, access, listeners, certificates, options: broker.options, authenticator: broker.authenticator };
}

function signIn(context: TestContext, port: number, password: string) {
  return mqttClient(context, { port, username: 'jane', password });
}

/** openPorts counts the sockets of this process that listen. */
function openPorts(): number {
  return process.getActiveResourcesInfo().filter((kind) => kind === 'TCPServerWrap').length;
}

test('appliance is as it was after a reload in which any of its parts fails, and takes the next one', async (context) => {
  const { appliance, folder } = await open(context);
  const { port } = appliance.listeners[0]!;
  const staying = await signIn(context, port, 'first');
  const next = configurationOf(folder, AFTER);
  const [before, ports] = [inForce(appliance), openPorts()];
  assert.ok(appliance.parts.length >= 8);
  for (const part of appliance.parts) {
    const { prepare } = part;
    part.prepare = async (configuration) => {
      await (await prepare.call(part, configuration))?.undo();
      throw new Error(`${part.name} can not`);
    };
    await assert.rejects(appliance.reload(next), new RegExp(`${part.name} can not`));
    part.prepare = prepare;
    const after = inForce(appliance);
    for (const [name, value] of Object.entries(before))
      assert.ok(after[name as keyof typeof after] === value, `${name} after ${part.name}`);
    await until(() => openPorts() === ports); // a port is free a turn after it was closed
    await (await signIn(context, port, 'first')).endAsync();
    await assert.rejects(signIn(context, port, 'second'), part.name);
    assert.equal(staying.connected, true, part.name);
  }
  assert.equal(await appliance.reload(next), true);
  assert.equal(appliance.listeners.length, 2);
  assert.equal(appliance.broker.options.maxQueuedMessages, 5);
  assert.notEqual(appliance.certificates, null);
});
