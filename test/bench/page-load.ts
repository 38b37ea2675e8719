// The other end of the bench of the page, a process of its own: 50,000 retained topics, 2,000 clients, and so many messages a second.
//
//   40 houses x 50 rooms x 20 sensors    a tree
//   attic/sensor0 ... sensor9999         one wide level
//
// Started by fork() with the port of a broker and the rate: it says 'ready', and then answers each message with the deliveries so far.

import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { encodeFrame, firstByte } from '../../src/broker/message.ts';
import { Decoder } from '../../src/mqtt/decoder.ts';
import { encodeConnect, encodeSubscribe } from '../../src/mqtt/encode-client.ts';
import { PACKET_TYPE } from '../../src/mqtt/packet-types.ts';

const [HOUSES, ROOMS, SENSORS, WIDE, CLIENTS] = [40, 50, 20, 10_000, 2_000];

/** Milliseconds between two looks at what is due, and the most that is sent at once after a pause. */
const STEP_MS = 5;
const MOST_AT_ONCE = 2_000;

/** Coprime to the number of topics, so that neighbours in time are none in the tree. */
const STRIDE = 7_919;

let delivered = 0;
await main(Number(process.argv[2]), Number(process.argv[3]));

async function main(port: number, rate: number): Promise<void> {
  const topics = topicsOf();
  const publisher = await openClient(port, 'publisher', null);
  for (let at = 0; at < topics.length; at += 500) {
    const some = topics.slice(at, at + 500).map((topic, index) => publish(topic, at + index, true));
    if (!publisher.write(Buffer.concat(some))) await once(publisher, 'drain');
  }
  // One hears all, as the hub of a house does; each of the others one topic.
  await openClient(port, 'hub', '#');
  for (let count = 0; count < CLIENTS - 2; count++) await openClient(port, `device-${count}`, topics[count * 25]!); // there are 25 times as many
  process.on('message', () => process.send?.(delivered));
  process.send?.('ready');
  await sendSteadily(publisher, topics, rate);
}

function topicsOf(): string[] {
  const topics = Array.from({ length: WIDE }, (_, index) => `attic/sensor${index}`);
  for (let index = 0; index < HOUSES * ROOMS * SENSORS; index++) {
    const [sensor, room] = [index % SENSORS, Math.floor(index / SENSORS) % ROOMS];
    topics.push(`house${Math.floor(index / SENSORS / ROOMS)}/room${room}/sensor${sensor}`);
  }
  return topics;
}

async function sendSteadily(publisher: Socket, topics: readonly string[], rate: number): Promise<void> {
  const packets = topics.map((topic, index) => publish(topic, index, false));
  let [owed, last, next] = [0, performance.now(), 0];
  for (;;) {
    await sleep(STEP_MS);
    const now = performance.now();
    owed = Math.min(MOST_AT_ONCE, owed + ((now - last) / 1000) * rate);
    last = now;
    const due = Math.floor(owed);
    owed -= due;
    publisher.write(Buffer.concat(Array.from({ length: due }, () => packets[(next++ * STRIDE) % packets.length]!)));
  }
}

function publish(topic: string, value: number, isRetained: boolean): Buffer {
  const payload = Buffer.from(`{"value":${value / 10},"unit":"W","battery":${value % 100}}`);
  const { bytes } = encodeFrame(Buffer.from(topic), payload, null, false);
  bytes[0] = firstByte(0, isRetained, false);
  return bytes;
}

/** Resolves when the broker has taken it in, and has its subscription. */
async function openClient(port: number, clientId: string, topicFilter: string | null): Promise<Socket> {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true });
  const opened = Promise.withResolvers<void>();
  const last = topicFilter === null ? PACKET_TYPE.CONNACK : PACKET_TYPE.SUBACK;
  const onPacket = (buffer: Buffer, start: number): boolean => {
    const type = buffer[start]! >> 4; // a packet has a first byte
    if (type === PACKET_TYPE.PUBLISH) delivered++;
    else if (type === last) opened.resolve();
    return true;
  };
  const decoder = new Decoder({ onPacket }, 1_000_000);
  socket.on('data', (chunk: Buffer) => void decoder.push(chunk));
  socket.on('error', opened.reject); // after that it does nothing: the broker is stopped
  await once(socket, 'connect');
  const nothing = { will: null, username: null, password: null, properties: {} };
  socket.write(encodeConnect({ version: 4, bridge: false, cleanStart: true, keepAlive: 0, clientId, ...nothing }));
  const options = { qos: 0, noLocal: false, retainAsPublished: false, retainHandling: 2 } as const;
  if (topicFilter !== null) socket.write(encodeSubscribe(4, 1, [{ topicFilter, ...options }]));
  await opened.promise;
  return socket;
}
