// MQTT.js clients of the tests of bridges, and what they have received.

import type { TestContext } from 'node:test';
import { connectAsync, type IClientOptions, type IClientPublishOptions, type MqttClient } from 'mqtt';
import { eventually } from './scene.ts';

/** Received is one message, as a line of text too. */
export interface Received {
  readonly topic: string;
  readonly text: string;
  readonly qos: number;
  readonly retain: boolean;
}

/** Listening is a client with what it has got. */
export interface Listening {
  readonly client: MqttClient;
  readonly received: readonly Received[];
  /** texts are the payloads, in order. */
  texts(): string[];
  /** got resolves when so many messages have come. */
  got(count: number): Promise<readonly Received[]>;
}

/** client connects with MQTT 5 and is ended after the test. */
export async function client(test: TestContext, port: number, options: IClientOptions = {}): Promise<MqttClient> {
  const connected = await connectAsync(`mqtt://127.0.0.1:${port}`, { protocolVersion: 5, reconnectPeriod: 0, ...options });
  connected.on('error', () => {});
  test.after(() => connected.endAsync(true));
  return connected;
}

/** listening is a client that has subscribed. */
export async function listening(test: TestContext, port: number, filter: string, qos: 0 | 1 | 2 = 2, rap = true): Promise<Listening> {
  const subscriber = await client(test, port);
  const received: Received[] = [];
  subscriber.on('message', (topic, payload, packet) => {
    received.push({ topic, text: payload.toString(), qos: packet.qos, retain: packet.retain });
  });
  await subscriber.subscribeAsync(filter, { qos, rap });
  return {
    client: subscriber,
    received,
    texts: () => received.map(({ text }) => text),
    got: async (count) => {
      await eventually(
        () => received.length >= count,
        () => `${count} messages come, there are ${received.length}`,
      );
      return received;
    },
  };
}

/** publish sends one message with a client of its own. */
export async function publish(test: TestContext, port: number, topic: string, text: string, options: IClientPublishOptions): Promise<void> {
  const publisher = await client(test, port);
  await publisher.publishAsync(topic, text, options);
  await publisher.endAsync();
}
