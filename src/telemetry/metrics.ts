// The one table of what can be measured about a broker. $SYS is a view on it.

import type { Broker } from '../broker/broker.ts';
import type { Counters } from '../broker/counters.ts';

/** Sums are what one walk over sessions and connections finds. */
export interface Sums {
  /** Retained messages, and messages queued or in flight to a client, once per client. mosquitto counts a message to many clients once. */
  readonly storedMessages: number;
  /** Their payload. */
  readonly storedBytes: number;
  /** Bytes that wait for slow clients, in and above their sockets. */
  readonly outBytes: number;
  readonly heap: number;
  readonly heapMaximum: number;
}

/** Metric is a number of a broker. A counter only grows, from 0 at the start; a gauge goes up and down. */
export interface Metric {
  /** In snake case, without prefix. */
  readonly name: string;
  readonly kind: 'counter' | 'gauge';
  readonly unit: 'bytes' | 'clients' | 'connections' | 'messages' | 'packets' | 'subscriptions';
  /** One sentence. */
  readonly help: string;
  /** Its topics below $SYS/broker/, as mosquitto 2.1 has them. mosquitto(8), sys_tree.c */
  readonly sysTopics: readonly string[];
  /** Above its moving averages per minute, below $SYS/broker/; absent = there are none. */
  readonly loadTopic?: string;
  /** Cheap: it is called on the event loop of the broker. */
  readonly read: (broker: Broker, sums: Sums) => number;
}

/** METRICS in the order in which $SYS publishes them. */
export const METRICS: readonly Metric[] = [
  {
    name: 'sessions',
    kind: 'gauge',
    unit: 'clients',
    help: 'Clients with a session, connected or away.',
    sysTopics: ['clients/total'],
    read: ({ sessions }) => sessions.clientCount,
  },
  {
    name: 'clients_maximum',
    kind: 'gauge',
    unit: 'clients',
    help: 'Most clients with a session at once so far.',
    sysTopics: ['clients/maximum'],
    read: ({ counters }) => counters.clientsMaximum,
  },
  {
    name: 'clients_connected',
    kind: 'gauge',
    unit: 'clients',
    help: 'Clients that are connected.',
    sysTopics: ['clients/connected', 'clients/active'],
    read: ({ sessions }) => sessions.connectedClients,
  },
  {
    name: 'clients_disconnected',
    kind: 'gauge',
    unit: 'clients',
    help: 'Clients that are away, whose session is kept.',
    sysTopics: ['clients/disconnected', 'clients/inactive'],
    read: ({ sessions }) => sessions.clientCount - sessions.connectedClients,
  },
  {
    name: 'clients_expired',
    kind: 'counter',
    unit: 'clients',
    help: 'Sessions that have expired.',
    sysTopics: ['clients/expired'],
    read: ({ counters }) => counters.clientsExpired,
  },
  {
    name: 'packets_received',
    kind: 'counter',
    unit: 'packets',
    help: 'Control packets of any kind received.',
    sysTopics: ['messages/received'],
    loadTopic: 'load/messages/received',
    read: ({ counters }) => counters.packetsReceived,
  },
  {
    name: 'packets_sent',
    kind: 'counter',
    unit: 'packets',
    help: 'Control packets of any kind sent.',
    sysTopics: ['messages/sent'],
    loadTopic: 'load/messages/sent',
    read: ({ counters }) => counters.packetsSent,
  },
  {
    name: 'stored_messages',
    kind: 'gauge',
    unit: 'messages',
    help: 'Retained messages, and messages queued or in flight, once per client.',
    sysTopics: ['messages/stored', 'store/messages/count'],
    read: (_, { storedMessages }) => storedMessages,
  },
  {
    name: 'stored_bytes',
    kind: 'gauge',
    unit: 'bytes',
    help: 'Payload of stored messages.',
    sysTopics: ['store/messages/bytes'],
    read: (_, { storedBytes }) => storedBytes,
  },
  {
    name: 'subscriptions',
    kind: 'gauge',
    unit: 'subscriptions',
    help: 'Subscriptions that are not shared.',
    sysTopics: ['subscriptions/count'],
    read: ({ tree }) => tree.count - tree.sharedCount,
  },
  {
    name: 'shared_subscriptions',
    kind: 'gauge',
    unit: 'subscriptions',
    help: 'Shared subscriptions.',
    sysTopics: ['shared_subscriptions/count'],
    read: ({ tree }) => tree.sharedCount,
  },
  {
    name: 'retained_messages',
    kind: 'gauge',
    unit: 'messages',
    help: 'Retained messages.',
    sysTopics: ['retained messages/count'],
    read: ({ retained }) => retained.count,
  },
  {
    name: 'heap_bytes',
    kind: 'gauge',
    unit: 'bytes',
    help: 'Memory of the heap and of buffers outside it.',
    sysTopics: ['heap/current'],
    read: (_, { heap }) => heap,
  },
  {
    name: 'heap_maximum_bytes',
    kind: 'gauge',
    unit: 'bytes',
    help: 'Most of that so far.',
    sysTopics: ['heap/maximum'],
    read: (_, { heapMaximum }) => heapMaximum,
  },
  {
    name: 'received_bytes',
    kind: 'counter',
    unit: 'bytes',
    help: 'Bytes received from clients.',
    sysTopics: ['bytes/received'],
    loadTopic: 'load/bytes/received',
    read: ({ counters }) => counters.bytesReceived,
  },
  {
    name: 'sent_bytes',
    kind: 'counter',
    unit: 'bytes',
    help: 'Bytes sent to clients.',
    sysTopics: ['bytes/sent'],
    loadTopic: 'load/bytes/sent',
    read: ({ counters }) => counters.bytesSent,
  },
  {
    name: 'publish_dropped',
    kind: 'counter',
    unit: 'messages',
    help: 'Messages dropped because of a limit.',
    sysTopics: ['publish/messages/dropped'],
    loadTopic: 'load/publish/dropped',
    read: ({ counters }) => counters.publishDropped,
  },
  {
    name: 'publish_received',
    kind: 'counter',
    unit: 'messages',
    help: 'Messages received.',
    sysTopics: ['publish/messages/received'],
    loadTopic: 'load/publish/received',
    read: ({ counters }) => counters.publishReceived,
  },
  {
    name: 'publish_sent',
    kind: 'counter',
    unit: 'messages',
    help: 'Messages sent.',
    sysTopics: ['publish/messages/sent'],
    loadTopic: 'load/publish/sent',
    read: ({ counters }) => counters.publishSent,
  },
  {
    name: 'publish_received_bytes',
    kind: 'counter',
    unit: 'bytes',
    help: 'Payload of messages received.',
    sysTopics: ['publish/bytes/received'],
    read: ({ counters }) => counters.publishBytesReceived,
  },
  {
    name: 'publish_sent_bytes',
    kind: 'counter',
    unit: 'bytes',
    help: 'Payload of messages sent.',
    sysTopics: ['publish/bytes/sent'],
    read: ({ counters }) => counters.publishBytesSent,
  },
  {
    name: 'waiting_packets',
    kind: 'gauge',
    unit: 'packets',
    help: 'Packets that wait for slow clients, taken to be of average size.',
    sysTopics: ['packet/out/count'],
    read: ({ counters }, { outBytes }) => packetsIn(outBytes, counters),
  },
  {
    name: 'waiting_bytes',
    kind: 'gauge',
    unit: 'bytes',
    help: 'Bytes that wait for slow clients, in and above their sockets.',
    sysTopics: ['packet/out/bytes'],
    read: (_, { outBytes }) => outBytes,
  },
  {
    name: 'sockets_opened',
    kind: 'counter',
    unit: 'connections',
    help: 'Network connections opened.',
    sysTopics: ['connections/socket/count'],
    loadTopic: 'load/sockets',
    read: ({ counters }) => counters.sockets,
  },
  {
    name: 'connects',
    kind: 'counter',
    unit: 'packets',
    help: 'CONNECT packets, refused ones included.',
    sysTopics: [],
    loadTopic: 'load/connections',
    read: ({ counters }) => counters.connections,
  },
];

/** Packets are gathered into one write and not told apart afterwards: what waits is taken to be of average size. */
function packetsIn(bytes: number, { packetsSent, bytesSent }: Counters): number {
  return bytes === 0 ? 0 : Math.max(1, Math.round((bytes * packetsSent) / Math.max(bytes, bytesSent)));
}

/** SumUp walks over sessions and connections, and remembers how large the heap has been. */
export class SumUp {
  #heapMaximum = 0;

  of({ sessions, connections, retained }: Broker): Sums {
    let storedMessages = retained.count;
    let storedBytes = retained.bytes;
    let outBytes = 0;
    for (const session of sessions) {
      storedMessages += session.outgoing.inflightCount + session.outgoing.backlog.length;
      storedBytes += session.outgoing.keptBytes;
    }
    for (const connection of connections) outBytes += connection.output.pending;
    const { heapUsed, external } = process.memoryUsage();
    const heap = heapUsed + external;
    this.#heapMaximum = Math.max(this.#heapMaximum, heap);
    return { storedMessages, storedBytes, outBytes, heap, heapMaximum: this.#heapMaximum };
  }
}
