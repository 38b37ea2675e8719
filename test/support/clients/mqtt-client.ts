// A client of a test, from a library that people use (MQTT.js). It is gone after the test.

import type { TestContext } from 'node:test';
import { connectAsync, type IClientOptions, type MqttClient } from 'mqtt';

/** mqttClient connects to a broker on this machine, with MQTT 5 where nothing is said, and only once. Rejects when the broker refuses it. */
export async function mqttClient(context: TestContext, options: IClientOptions): Promise<MqttClient> {
  const client = await connectAsync({ host: '127.0.0.1', protocolVersion: 5, reconnectPeriod: 0, ...options });
  client.on('error', () => {});
  context.after(() => client.endAsync(true));
  return client;
}
