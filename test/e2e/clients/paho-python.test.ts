// Paho Python of Debian at the running program: each feature of paho_client.py, with MQTT 3.1.1 and 5, over each transport.

import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { runForeign } from '../../support/process/foreign-program.ts';
import { PASSWORD, startClientHouse, TRANSPORTS, USER } from './client-house.ts';

/** Debian's own Python: another one on the PATH has no packages of Debian. */
const PYTHON = '/usr/bin/python3';
const PROGRAM = join(import.meta.dirname, 'paho_client.py');
const isThere = existsSync(PYTHON) && existsSync('/usr/lib/python3/dist-packages/paho/mqtt/client.py');
const skip = isThere ? false : 'Paho Python is not installed (Debian package python3-paho-mqtt)';

const FEATURES = ['messages', 'will', 'session', 'refused', 'denied'];
const FEATURES_5 = ['message_properties', 'topic_alias', 'shared', 'subscriptions', 'session_expiry'];
const VERSIONS = [
  { version: '3.1.1', number: '4', features: FEATURES },
  { version: '5', number: '5', features: [...FEATURES, ...FEATURES_5] },
];

for (const transport of TRANSPORTS) {
  test(`Paho Python over ${transport}`, { skip }, async (context) => {
    const house = await startClientHouse(context);
    const env = { MQTT_USER: USER, MQTT_PASSWORD: PASSWORD };
    for (const { version, number, features } of VERSIONS) {
      for (const feature of features) {
        await context.test(`${feature} with MQTT ${version}`, async () => {
          const words = [PROGRAM, feature, transport, String(house.ports[transport]), house.ca, number];
          const { status, stderr } = await runForeign(PYTHON, words, { env });
          assert.equal(status, 0, stderr);
        });
      }
    }
  });
}
