// Clients that are in with a certificate of the appliance's own authority, when that is revoked. What foreign programs hear: test/e2e/client-certificates.test.ts.

import assert from 'node:assert/strict';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { connectAsync, type IDisconnectPacket } from 'mqtt';
import { createAppliance } from '../../src/app/app.ts';
import { ClientRegister } from '../../src/certificates/client-certificates.ts';
import { keyToPem } from '../../src/certificates/mint.ts';
import { StateFolder } from '../../src/state/state-folder.ts';
import { temporaryFolder } from '../support/disk/temporary-folder.ts';
import type { TestPair } from '../support/network/test-certificates.ts';
import { recordingLog } from '../support/ports/recording-log.ts';
import { configurationOf } from './test-configuration.ts';

const BUILD_DATE = Date.parse('2026-01-01');
const TEXT = 'listener 8883 127.0.0.1\nsecure true\nrequire_certificate true\nuse_identity_as_username true\nadvertise false\n';

async function open(context: TestContext) {
  const folder = temporaryFolder(context);
  const state = new StateFolder(join(folder, 'state'), 'midge.db');
  const log = recordingLog();
  const setup = { log, state, keepsSessions: false, title: 'midge version 0', buildDate: BUILD_DATE, selfTest: null, keyLog: null };
  const appliance = createAppliance({ ...setup, configuration: configurationOf(folder, TEXT) });
  context.after(() => appliance.stop());
  await appliance.start();
  const register = await ClientRegister.open(state.certificates);
  const issue = async (name: string): Promise<TestPair> => {
    const { certificate, key } = await register.issue(name, { now: Date.now(), buildDate: BUILD_DATE });
    return { cert: certificate.cert, key: keyToPem(key) };
  };
  return { appliance, register, issue, ca: register.authority.cert, port: appliance.listeners[0]!.port };
}

type House = Awaited<ReturnType<typeof open>>;

async function mqttClient(context: TestContext, { port, ca }: House, pair: Partial<TestPair>) {
  const client = await connectAsync({ host: 'localhost', port, protocol: 'mqtts', protocolVersion: 5, reconnectPeriod: 0, ca, ...pair });
  client.on('error', () => {});
  context.after(() => client.endAsync(true));
  return client;
}

test('MQTT.js is let in with a certificate of the appliance, and put out when that is revoked', async (context) => {
  const house = await open(context);
  const client = await mqttClient(context, house, await house.issue('lamp'));
  const other = await mqttClient(context, house, await house.issue('other'));
  assert.deepEqual(Array.from(house.appliance.broker.connections, ({ session }) => session?.username).toSorted(), ['lamp', 'other']);
  const farewell = new Promise<IDisconnectPacket>((resolve) => client.once('disconnect', resolve));
  await house.register.revoke('lamp', Date.now());
  assert.equal((await farewell).reasonCode, 0x87);
  await other.publishAsync('a', 'still there', { qos: 1 });
});
