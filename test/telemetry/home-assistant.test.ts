// The device of Home Assistant: fields, classes and units that its documentation has, when it comes and goes, and what is left of it.

import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { deviceId, HomeAssistantDevice, takeAwayDevice } from '../../src/telemetry/home-assistant.ts';
import { METRICS } from '../../src/telemetry/metrics.ts';
import { startTestBroker } from '../support/broker/test-broker.ts';
import { TestClock } from '../support/ports/test-clock.ts';

const ID = 'abc123';
const CONFIG = `homeassistant/device/midge_${ID}/config`;
const STATE = `midge/${ID}/state`;
const AVAILABILITY = `midge/${ID}/availability`;

/**
 * What Home Assistant takes by MQTT: https://www.home-assistant.io/integrations/mqtt/#device-discovery-payload, and the schemas of
 * home-assistant/core, homeassistant/components/mqtt/schemas.py at c6ca7f5f41 (device, origin, what all entities have).
 */
const ROOT_FIELDS = ['availability_topic', 'components', 'device', 'origin', 'qos', 'state_topic'];
const DEVICE_FIELDS = [
  ...['configuration_url', 'connections', 'hw_version', 'identifiers', 'manufacturer', 'model', 'model_id', 'name', 'serial_number'],
  ...['suggested_area', 'sw_version', 'via_device'],
];
const ORIGIN_FIELDS = ['name', 'sw_version', 'support_url'];
const COMMON_FIELDS = [
  ...['availability', 'availability_mode', 'availability_template', 'availability_topic', 'default_entity_id', 'device_class'],
  ...['enabled_by_default', 'encoding', 'entity_category', 'entity_picture', 'expire_after', 'force_update', 'icon'],
  ...['json_attributes_template', 'json_attributes_topic', 'name', 'payload_available', 'payload_not_available', 'platform', 'qos'],
  ...['state_topic', 'unique_id', 'value_template'],
];
const FIELDS: Readonly<Record<string, readonly string[]>> = {
  sensor: [...COMMON_FIELDS, 'last_reset_value_template', 'options', 'state_class', 'suggested_display_precision', 'unit_of_measurement'],
  binary_sensor: [...COMMON_FIELDS, 'off_delay', 'payload_off', 'payload_on'],
  update: [
    ...[...COMMON_FIELDS, 'command_topic', 'display_precision', 'latest_version_template', 'latest_version_topic', 'payload_install'],
    ...['release_summary', 'release_url', 'retain', 'title'],
  ],
};

/**
 * Device classes of ours with the units and state classes that go with them: DEVICE_CLASS_UNITS and DEVICE_CLASS_STATE_CLASSES of
 * home-assistant/core, homeassistant/components/sensor/const.py at 00eb6680fb; UnitOfInformation and UnitOfTemperature of homeassistant/const.py.
 */
const UNITS: Readonly<Record<string, readonly string[]>> = {
  data_size: [
    ...['bit', 'kbit', 'Mbit', 'Gbit', 'B', 'kB', 'MB', 'GB', 'TB', 'PB', 'EB', 'ZB', 'YB'],
    ...['KiB', 'MiB', 'GiB', 'TiB', 'PiB', 'EiB', 'ZiB', 'YiB'],
  ],
  temperature: ['°C', '°F', 'K'],
};
const STATE_CLASSES = ['measurement', 'total', 'total_increasing'];
const STATE_CLASSES_OF: Readonly<Record<string, readonly string[]>> = { data_size: STATE_CLASSES, temperature: ['measurement'] };

/** Units that need a device class, and which: whoever uses one without it has a plain number. */
const CLASS_OF_UNIT = new Map(Object.entries(UNITS).flatMap(([kind, units]) => units.map((unit) => [unit, kind] as const)));

async function openHouse(context: TestContext, given = { mayInstall: true }) {
  const clock = new TestClock();
  const house = await startTestBroker({ clock });
  const problems: string[] = [];
  const machine = { cpuTemperature: 47.2, memory: { total: 4, available: 3 }, disk: null, power: null };
  const update: { installed: string; latest: string | null; progress?: number | null } = { installed: '1.2.3', latest: null };
  const orders: string[] = [];
  const device = new HomeAssistantDevice({
    broker: house.broker,
    id: ID,
    deviceName: 'MQTT broker on box',
    title: 'midge version 1.2.3',
    machine: () => machine,
    problems: () => problems,
    update: () => update,
    install: given.mayInstall ? () => orders.push('install') : null,
  });
  context.after(() => house.stop());
  const pass = (seconds: number) => {
    for (let second = 0; second < seconds; second++) {
      clock.advance(1000);
      house.broker.wheel.advance();
    }
  };
  const value = (topic: string) => house.broker.retained.get(topic)?.payload.toString() ?? null;
  return { house, device, problems, update, orders, pass, value };
}

test('device is told with fields, classes and units that Home Assistant documents', async (context) => {
  const { device, value } = await openHouse(context);
  await device.start();
  const config = JSON.parse(value(CONFIG) ?? '');
  assert.deepEqual(Object.keys(config).sort(), ROOT_FIELDS);
  for (const field of Object.keys(config.device)) assert.ok(DEVICE_FIELDS.includes(field), field);
  for (const field of Object.keys(config.origin)) assert.ok(ORIGIN_FIELDS.includes(field), field);
  assert.equal(config.origin.name, 'midge');
  assert.deepEqual(config.device.identifiers, [`midge_${ID}`]);
  const state = JSON.parse(value(STATE) ?? '');
  const ids = new Set<string>();
  for (const [name, { platform, unique_id: id, ...entity }] of Object.entries<Record<string, string>>(config.components)) {
    ids.add(id ?? '');
    for (const field of Object.keys(entity)) assert.ok(FIELDS[platform ?? '']?.includes(field), `${name}: ${field}`);
    assert.match(entity['name'] ?? '', /^[A-Z]/);
    assert.equal(entity['entity_category'], 'diagnostic');
    assert.ok(name in state, `${name} has no value`);
    assert.ok(entity['value_template']?.includes(`value_json.${name} `));
    if (platform === 'binary_sensor') {
      assert.equal(entity['device_class'], 'problem');
      continue;
    }
    if (platform === 'update') {
      assert.equal(entity['device_class'], 'firmware');
      continue;
    }
    const { device_class: kind, unit_of_measurement: unit = '', state_class: stateClass = '' } = entity;
    assert.equal(kind, CLASS_OF_UNIT.get(unit), `${name}: ${kind} in ${unit}`);
    assert.ok((kind === undefined ? STATE_CLASSES : STATE_CLASSES_OF[kind])?.includes(stateClass), `${name}: ${kind} as ${stateClass}`);
  }
  assert.equal(ids.size, Object.keys(config.components).length);
  for (const { name } of METRICS) assert.ok(name in config.components, name);
  assert.equal(state.problem, 'OFF');
  assert.equal(state.temperature, 47.2);
  assert.equal(value(AVAILABILITY), 'online');
});

test('state is told again when a value has changed, with its problems', async (context) => {
  const { house, device, problems, pass, value } = await openHouse(context);
  await device.start();
  await house.connect();
  problems.push('The disk is full.');
  assert.equal(JSON.parse(value(STATE) ?? '').clients_connected, 0);
  pass(30);
  const state = JSON.parse(value(STATE) ?? '');
  assert.deepEqual([state.clients_connected, state.problem, state.problems], [1, 'ON', ['The disk is full.']]);
});

test('device is told again, once, when Home Assistant says that it is back', async (context) => {
  const { house, device, pass } = await openHouse(context);
  await device.start();
  const told: string[] = [];
  house.broker.subscribe(
    '#',
    (packet, done) => {
      told.push(packet.topic);
      done();
    },
    () => {},
  );
  const say = (text: string) =>
    house.broker.publish({ cmd: 'publish', topic: 'homeassistant/status', payload: Buffer.from(text), qos: 0, retain: false, dup: false });
  say('offline');
  pass(5);
  assert.deepEqual(
    told.filter((topic) => topic === CONFIG),
    [],
  );
  for (let count = 0; count < 50; count++) say('online');
  pass(5);
  assert.deepEqual(
    told.filter((topic) => topic !== 'homeassistant/status'),
    [CONFIG, AVAILABILITY, STATE],
  );
});

test('device is away after a stop, and gone when it is not wanted any more', async (context) => {
  const { house, device, pass, value } = await openHouse(context);
  await device.start();
  await device.stop();
  assert.equal(value(AVAILABILITY), 'offline');
  assert.notEqual(value(CONFIG), null, 'it stays known');
  pass(60);
  assert.equal(value(AVAILABILITY), 'offline');
  takeAwayDevice(house.broker, ID);
  assert.deepEqual([value(CONFIG), value(STATE), value(AVAILABILITY)], [null, null, null]);
  await device.start();
  device.takeAway();
  pass(60);
  assert.deepEqual([value(CONFIG), value(STATE), value(AVAILABILITY)], [null, null, null]);
});

test('update is told as Home Assistant reads it, and its order is carried out where it may be', async (context) => {
  const { house, device, update, orders, pass, value } = await openHouse(context);
  await device.start();
  const shown = () => JSON.parse(value(STATE) ?? '').update;
  // MQTT_JSON_UPDATE_SCHEMA of home-assistant/core, homeassistant/components/mqtt/update.py
  assert.deepEqual(shown(), { installed_version: '1.2.3', latest_version: '1.2.3', in_progress: false, update_percentage: null });
  Object.assign(update, { latest: '1.3.0', progress: 40 });
  pass(30);
  assert.deepEqual(shown(), { installed_version: '1.2.3', latest_version: '1.3.0', in_progress: true, update_percentage: 40 });
  const { command_topic: topic, payload_install: payload } = JSON.parse(value(CONFIG) ?? '').components.update;
  const order = (text: string, retain = false) =>
    house.broker.publish({ cmd: 'publish', topic, payload: Buffer.from(text), qos: 1, retain, dup: false });
  order('something else');
  order(payload, true);
  assert.deepEqual(orders, []);
  order(payload);
  assert.deepEqual(orders, ['install']);
  await device.stop();
  order(payload);
  assert.deepEqual(orders, ['install']);
});

test('update has no button where nobody may install by MQTT', async (context) => {
  const { device, value } = await openHouse(context, { mayInstall: false });
  await device.start();
  const { update } = JSON.parse(value(CONFIG) ?? '').components;
  assert.deepEqual([update.platform, update.command_topic], ['update', undefined]);
});

test('id of a device stays the same, differs between brokers, and does not tell the machine', () => {
  const id = deviceId('0123456789abcdef', '/var/lib/midge');
  assert.equal(id, deviceId('0123456789abcdef', '/var/lib/midge'));
  assert.notEqual(id, deviceId('0123456789abcdef', '/home/jane/midge'));
  assert.notEqual(id, deviceId('another', '/var/lib/midge'));
  assert.match(id, /^[0-9a-f]{12}$/);
  assert.ok(!'0123456789abcdef'.includes(id));
});
