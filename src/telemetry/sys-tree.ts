// The topics of mosquitto 2.1's $SYS tree (mosquitto(8), sys_tree.c) and where their numbers are.
//
// The engine counts; here the counts are read, once per interval. What it does not count is summed up over sessions and connections.

import type { Clock } from '../base/clock.ts';
import type { Broker } from '../broker/broker.ts';
import type { Counters } from '../broker/counters.ts';
import { LoadAverage } from './load-average.ts';

const ROOT = '$SYS/broker/';

/** Sums are what one walk over sessions and connections finds. */
interface Sums {
  /** Retained messages, and messages queued or in flight to a client, once per client. mosquitto counts a message to many clients once. */
  readonly storedMessages: number;
  /** Their payload. */
  readonly storedBytes: number;
  /** Bytes that wait for slow clients, in and above their sockets. */
  readonly outBytes: number;
  readonly heap: number;
  readonly heapMaximum: number;
}

type Gauge = readonly [topics: readonly string[], read: (broker: Broker, sums: Sums) => number];

const GAUGES: readonly Gauge[] = [
  [['clients/total'], ({ sessions }) => sessions.count],
  [['clients/maximum'], ({ counters }) => counters.clientsMaximum],
  [['clients/connected', 'clients/active'], ({ connectedClients }) => connectedClients],
  [['clients/disconnected', 'clients/inactive'], ({ sessions, connectedClients }) => sessions.count - connectedClients],
  [['clients/expired'], ({ counters }) => counters.clientsExpired],
  [['messages/received'], ({ counters }) => counters.packetsReceived],
  [['messages/sent'], ({ counters }) => counters.packetsSent],
  [['messages/stored', 'store/messages/count'], (_, { storedMessages }) => storedMessages],
  [['store/messages/bytes'], (_, { storedBytes }) => storedBytes],
  [['subscriptions/count'], ({ tree }) => tree.count - tree.sharedCount],
  [['shared_subscriptions/count'], ({ tree }) => tree.sharedCount],
  [['retained messages/count'], ({ retained }) => retained.count],
  [['heap/current'], (_, { heap }) => heap],
  [['heap/maximum'], (_, { heapMaximum }) => heapMaximum],
  [['bytes/received'], ({ counters }) => counters.bytesReceived],
  [['bytes/sent'], ({ counters }) => counters.bytesSent],
  [['publish/messages/dropped'], ({ counters }) => counters.publishDropped],
  [['publish/messages/received'], ({ counters }) => counters.publishReceived],
  [['publish/messages/sent'], ({ counters }) => counters.publishSent],
  [['publish/bytes/received'], ({ counters }) => counters.publishBytesReceived],
  [['publish/bytes/sent'], ({ counters }) => counters.publishBytesSent],
  [['packet/out/count'], ({ counters }, { outBytes }) => packetsIn(outBytes, counters)],
  [['packet/out/bytes'], (_, { outBytes }) => outBytes],
  [['connections/socket/count'], ({ counters }) => counters.sockets],
];

const LOADS: readonly (readonly [topic: string, read: (counters: Counters) => number])[] = [
  ['load/messages/received', (counters) => counters.packetsReceived],
  ['load/messages/sent', (counters) => counters.packetsSent],
  ['load/publish/dropped', (counters) => counters.publishDropped],
  ['load/publish/received', (counters) => counters.publishReceived],
  ['load/publish/sent', (counters) => counters.publishSent],
  ['load/bytes/received', (counters) => counters.bytesReceived],
  ['load/bytes/sent', (counters) => counters.bytesSent],
  ['load/sockets', (counters) => counters.sockets],
  ['load/connections', (counters) => counters.connections],
];

/** SysTree reads the numbers of one broker. Loads are averaged from its creation on. */
export class SysTree {
  readonly #broker: Broker;
  readonly #clock: Clock;
  /** Monotonic milliseconds. */
  readonly #startedAt: number;
  readonly #loads: readonly LoadAverage[];
  #readAt: number;
  #heapMaximum = 0;

  constructor(broker: Broker, clock: Clock, startedAt: number) {
    this.#broker = broker;
    this.#clock = clock;
    this.#startedAt = startedAt;
    this.#readAt = clock.monotonic();
    this.#loads = LOADS.map(([, read]) => new LoadAverage(read(broker.counters)));
  }

  /** read gives the text of every topic that changes, all of one instant. Call it once per interval: the loads move. */
  read(): [topic: string, text: string][] {
    const now = this.#clock.monotonic();
    const sums = this.#sum();
    const texts = this.#readLoads((now - this.#readAt) / 1000);
    this.#readAt = now;
    texts.unshift([`${ROOT}uptime`, `${Math.floor((now - this.#startedAt) / 1000)} seconds`]);
    for (const [topics, read] of GAUGES) {
      const text = String(read(this.#broker, sums));
      for (const topic of topics) texts.push([ROOT + topic, text]);
    }
    return texts;
  }

  #readLoads(seconds: number): [topic: string, text: string][] {
    return LOADS.flatMap(([topic, read], at) => {
      const average = this.#loads[at]!; // one per row
      if (seconds > 0) average.update(read(this.#broker.counters), seconds);
      return average.texts().map(([span, text]): [string, string] => [`${ROOT}${topic}/${span}`, text]);
    });
  }

  #sum(): Sums {
    const { sessions, connections, retained } = this.#broker;
    let storedMessages = retained.count;
    let storedBytes = retained.bytes;
    let outBytes = 0;
    for (const session of sessions) {
      storedMessages += session.outgoing.inflightCount + session.outgoing.queuedCount;
      storedBytes += session.outgoing.keptBytes;
    }
    for (const connection of connections) outBytes += connection.output.pending;
    const { heapUsed, external } = process.memoryUsage();
    const heap = heapUsed + external;
    this.#heapMaximum = Math.max(this.#heapMaximum, heap);
    return { storedMessages, storedBytes, outBytes, heap, heapMaximum: this.#heapMaximum };
  }
}

/** Packets are gathered into one write and not told apart afterwards: what waits is taken to be of average size. */
function packetsIn(bytes: number, { packetsSent, bytesSent }: Counters): number {
  return bytes === 0 ? 0 : Math.max(1, Math.round((bytes * packetsSent) / Math.max(bytes, bytesSent)));
}
