// The device of Home Assistant comes and goes with the configuration, also over a restart.

import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { temporaryFolder } from '../support/disk/temporary-folder.ts';
import { openAppliance } from './test-appliance.ts';
import { configurationOf } from './test-configuration.ts';

const LISTENER = 'listener 0 {folder}/broker.sock\nallow_anonymous true\n';
const WITH = `${LISTENER}homeassistant_discovery true\n`;

/** A Unix socket of its own: no port is needed. */
function readIn(folder: string, text: string) {
  return configurationOf(folder, text.replace('{folder}', folder));
}

async function open(context: TestContext, folder: string, text: string) {
  const { appliance } = await openAppliance(context, folder, { configuration: readIn(folder, text), keepsSessions: true });
  const count = (filter: string) => {
    const found = appliance.broker.retained.matching(filter);
    let messages = 0;
    while (found.next() !== null) messages++;
    return messages;
  };
  return { appliance, count };
}

test('device is there after a reload that wants it, and gone after one that does not', async (context) => {
  const folder = temporaryFolder(context);
  const { appliance, count } = await open(context, folder, LISTENER);
  assert.equal(count('homeassistant/#'), 0);
  await appliance.reload(readIn(folder, WITH));
  assert.deepEqual([count('homeassistant/device/+/config'), count('midge/+/state')], [1, 1]);
  await appliance.reload(readIn(folder, WITH));
  await appliance.reload(readIn(folder, LISTENER));
  assert.deepEqual([count('homeassistant/#'), count('midge/#')], [0, 0]);
});

test('device that an earlier start has left is taken away when it is not wanted any more, and no other', async (context) => {
  const folder = temporaryFolder(context);
  const first = await open(context, folder, WITH);
  const lamp = {
    cmd: 'publish',
    topic: 'homeassistant/device/lamp/config',
    payload: Buffer.from('{}'),
    qos: 1,
    retain: true,
    dup: false,
  } as const;
  first.appliance.broker.publish(lamp);
  await first.appliance.stop();
  const second = await open(context, folder, WITH);
  assert.equal(second.count('homeassistant/device/+/config'), 2, 'the same device, and the lamp');
  await second.appliance.stop();
  const third = await open(context, folder, LISTENER);
  assert.deepEqual([third.count('homeassistant/device/+/config'), third.count('midge/#')], [1, 0]);
});

test('update_account alone may order an update, whatever the rules let others do', async (context) => {
  const folder = temporaryFolder(context);
  const text = (account: string) => `${WITH}update_account ${account}\n`;
  const { appliance, log } = await openAppliance(context, folder, { configuration: readIn(folder, text('ha')), keepsSessions: true });
  const { broker } = appliance;
  const found = broker.retained.matching('homeassistant/device/+/config').next();
  const { components } = JSON.parse(found?.payload.toString() ?? '');
  const topic: string = components.update.command_topic;
  const may = (username: string | null, name = topic) =>
    broker.authorizer === null || broker.authorizer.mayPublish({ clientId: 'x', username, listener: '' }, name);
  assert.deepEqual([may('ha'), may('jane'), may(null), may('jane', 'another/topic')], [true, false, false, true]);
  await appliance.reload(readIn(folder, text('jane')));
  assert.deepEqual([may('ha'), may('jane')], [false, true]);
  broker.publish({ cmd: 'publish', topic, payload: Buffer.from('install'), qos: 1, retain: false, dup: false });
  await log.line(/Account "jane" has ordered the newest version by MQTT/);
  await log.line(/Cannot install the update: midge is not a service of this machine/);
  await appliance.reload(readIn(folder, WITH));
  assert.equal(may('ha'), true, 'nobody listens there');
  broker.publish({ cmd: 'publish', topic, payload: Buffer.from('install'), qos: 1, retain: false, dup: false });
  assert.equal(log.lines.filter((line) => line.includes('has ordered')).length, 1);
});
