// A box of a house in which people live: sensors, the phones of a family, a bridge to a friend's broker that cannot be reached, and a sensor with an old password.

import type { TestContext } from 'node:test';
import type { MqttClient } from 'mqtt';
import type { Locator, Page } from 'playwright-core';
import { mqttClient } from '../../support/clients/mqtt-client.ts';
import { freePorts } from '../../support/network/free-ports.ts';
import { ask, type Box, OWNER, openBox, type Session } from './box.ts';

/** Passwords of the accounts of the house. */
const SECRET = 'a long enough password';

/** Seconds since 1970. */
const NOW = Math.floor(Date.now() / 1000);

/** RETAINED are the last words of the devices. */
export const RETAINED: Readonly<Record<string, string>> = {
  'home/kitchen/temperature': '21.4',
  'home/kitchen/humidity': '48',
  'home/kitchen/window': 'closed',
  'home/living-room/temperature': '22.1',
  'home/living-room/lamp': 'on',
  'home/living-room/blind': '{"position":70,"moving":false}',
  'home/bedroom/temperature': '18.9',
  'home/bathroom/humidity': '61',
  'home/porch/door': 'closed',
  'home/porch/motion': 'off',
  'home/cellar/water-meter': '{"litres":184213,"flow":0}',
  'garden/soil/moisture': '33',
  'garden/pump/state': 'off',
  'energy/solar/power': '1840',
  'energy/solar/today': '9.7 kWh',
  'energy/grid/power': '-620',
  'zigbee2mqtt/bridge/state': '{"state":"online"}',
  'zigbee2mqtt/porch motion': '{"battery":84,"illuminance":41,"linkquality":112,"occupancy":false}',
  'zigbee2mqtt/kitchen window': '{"battery":97,"contact":true,"linkquality":76,"voltage":3000}',
  'owntracks/jane/phone': `{"_type":"location","acc":12,"batt":76,"lat":48.1374,"lon":11.5755,"tid":"JA","tst":${NOW - 240}}`,
  'owntracks/john/phone': `{"_type":"location","acc":30,"batt":41,"lat":48.1486,"lon":11.5681,"tid":"JO","tst":${NOW - 1500}}`,
  'homeassistant/sensor/kitchen/config': '{"name":"Kitchen","state_topic":"home/kitchen/temperature","unit_of_measurement":"°C"}',
};

/** SeededBox is a box with its devices. */
export interface SeededBox {
  readonly box: Box;
  /** Of OWNER. */
  readonly session: Session;
  /** hub is one of its clients, which may publish everything. */
  readonly hub: MqttClient;
}

/** openSeededBox starts it. */
export async function openSeededBox(context: TestContext): Promise<SeededBox> {
  const [nobody = 0] = await freePorts(1);
  const bridge = ['connection anna', `address 127.0.0.1:${nobody}`, 'restart_timeout 30', 'topic family/# both 1'];
  const box = await openBox(context, { after: bridge });
  const session = await box.claim();
  for (const username of ['john', 'hub', 'kitchen-sensor', 'porch-sensor'])
    await ask(box, session, '/users', { method: 'POST', body: { username, password: SECRET } });
  const connect = (clientId: string, username: string, more: object = {}) =>
    mqttClient(context, { port: box.port, clientId, username, password: SECRET, ...more });
  const hub = await connect('home-hub', 'hub', {
    will: { topic: 'home/hub/state', payload: Buffer.from('offline'), qos: 1, retain: true },
  });
  await hub.subscribeAsync(['home/#', 'zigbee2mqtt/#'], { qos: 1 });
  await connect('kitchen-sensor-4f21', 'kitchen-sensor', { protocolVersion: 4 });
  await connect('johns-phone', 'john', { keepalive: 600 });
  await mqttClient(context, { port: box.port, clientId: 'janes-phone', ...OWNER });
  for (const [topic, payload] of Object.entries(RETAINED)) await hub.publishAsync(topic, payload, { qos: 1, retain: true });
  await connect('porch-7c', 'porch-sensor', { password: 'the old one', protocolVersion: 4 }).then(
    () => Promise.reject(new Error('the sensor with the old password was let in')),
    () => {},
  );
  await ask(box, session, '/tokens', { method: 'POST', body: { name: 'prometheus', days: 365 } });
  for (const name of ['porch-camera', 'johns-tablet']) await ask(box, session, '/certificates/clients', { method: 'POST', body: { name } });
  await ask(box, session, '/certificates/clients/johns-tablet', { method: 'DELETE' });
  return { box, session, hub };
}

/** topicLine is the line of a topic in the tree, by its level. */
export function topicLine(page: Page, level: string): Locator {
  return page.getByRole('treeitem').filter({ has: page.locator('.topic-level', { hasText: new RegExp(`^${level}$`) }) });
}
