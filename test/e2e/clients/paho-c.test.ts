// Paho C of Debian at the running program: each feature of paho-client.c, with MQTT 3.1.1 and 5, over each transport.

import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { temporaryFolder } from '../../support/disk/temporary-folder.ts';
import { missing, runForeign } from '../../support/process/foreign-program.ts';
import { PASSWORD, startClientHouse, TRANSPORTS, USER } from './client-house.ts';

const SOURCE = join(import.meta.dirname, 'paho-client.c');
const isThere = existsSync('/usr/include/MQTTClient.h');
const skip = isThere ? missing(['gcc'], 'gcc') : 'Paho C is not installed (Debian package libpaho-mqtt-dev)';

/** Paho C calls TLS by another scheme. */
const SCHEMES = { tcp: 'tcp', tls: 'ssl', ws: 'ws', wss: 'wss' } as const;

const FEATURES = ['messages', 'session', 'will', 'refused'];
const VERSIONS = [
  { version: '3.1.1', number: '4', features: FEATURES },
  { version: '5', number: '5', features: [...FEATURES, 'message_properties', 'shared'] },
];

test('Paho C', { skip }, async (context) => {
  const program = join(temporaryFolder(context), 'paho-client');
  const made = await runForeign('gcc', ['-Wall', '-Werror', '-o', program, SOURCE, '-lpaho-mqtt3cs']);
  assert.equal(made.status, 0, made.stderr);
  const house = await startClientHouse(context);
  const env = { MQTT_USER: USER, MQTT_PASSWORD: PASSWORD };
  for (const transport of TRANSPORTS) {
    for (const { version, number, features } of VERSIONS) {
      for (const feature of features) {
        await context.test(`${feature} over ${transport} with MQTT ${version}`, async () => {
          const uri = `${SCHEMES[transport]}://localhost:${house.ports[transport]}`;
          const { status, stderr } = await runForeign(program, [feature, uri, house.ca, number], { env });
          assert.equal(status, 0, stderr);
        });
      }
    }
  }
});
