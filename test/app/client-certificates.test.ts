// Clients that are in with a certificate of the appliance's own authority, when that is revoked. What foreign programs hear: test/e2e/client-certificates.test.ts.

import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { IDisconnectPacket, MqttClient } from 'mqtt';
import { ClientRegister } from '../../src/certificates/client-certificates.ts';
import { keyToPem } from '../../src/certificates/issue.ts';
import { mqttClient } from '../support/clients/mqtt-client.ts';
import { temporaryFolder } from '../support/disk/temporary-folder.ts';
import type { TestPair } from '../support/network/test-certificates.ts';
import { BUILD_DATE, openAppliance } from './test-appliance.ts';
import { configurationOf } from './test-configuration.ts';

const TEXT = 'listener 8883 127.0.0.1\nsecure true\nrequire_certificate true\nuse_identity_as_username true\nadvertise false\n';

async function open(context: TestContext) {
  const folder = temporaryFolder(context);
  const { appliance, state } = await openAppliance(context, folder, { configuration: configurationOf(folder, TEXT) });
  const register = await ClientRegister.open(state.certificates);
  const issue = async (name: string): Promise<TestPair> => {
    const { certificate, key } = await register.issue(name, { now: Date.now(), buildDate: BUILD_DATE });
    return { cert: certificate.cert, key: keyToPem(key) };
  };
  return { appliance, register, issue, ca: register.authority.cert, port: appliance.listeners[0]!.port };
}

type House = Awaited<ReturnType<typeof open>>;

function certified(context: TestContext, { port, ca }: House, pair: TestPair): Promise<MqttClient> {
  return mqttClient(context, { host: 'localhost', port, protocol: 'mqtts', ca, ...pair });
}

test('MQTT.js is let in with a certificate of the appliance, and put out when that is revoked', async (context) => {
  const house = await open(context);
  const client = await certified(context, house, await house.issue('lamp'));
  const other = await certified(context, house, await house.issue('other'));
  assert.deepEqual(Array.from(house.appliance.broker.connections, ({ session }) => session?.username).toSorted(), ['lamp', 'other']);
  const farewell = new Promise<IDisconnectPacket>((resolve) => client.once('disconnect', resolve));
  await house.register.revoke('lamp', Date.now());
  assert.equal((await farewell).reasonCode, 0x87);
  await other.publishAsync('a', 'still there', { qos: 1 });
});
