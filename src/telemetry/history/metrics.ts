// The numbers of which a history is kept, for charts: one row each.

import type { Broker } from '../../broker/broker.ts';
import type { MachineFacts } from '../prometheus.ts';

/** HistorySubject is what is measured. It is asked once a second, so each answer is cheap. */
export interface HistorySubject {
  readonly broker: Broker;
  /** Messages of clients since the start, without the broker's test of itself. */
  readonly traffic: { readonly received: number; readonly sent: number; readonly connectedClients: number; readonly retained: number };
  /** machine gives what was known last, or null. */
  machine(): MachineFacts | null;
}

/** HistoryMetric is one curve. Of a counter the history has the rate per second. */
export interface HistoryMetric {
  readonly name: string;
  readonly kind: 'counter' | 'gauge';
  /** Of the values in the history. */
  readonly unit: 'messages/s' | 'bytes/s' | 'clients' | 'messages' | 'percent' | 'bytes' | 'degrees Celsius';
  readonly help: string;
  /** Null = it is not known. */
  readonly read: (subject: HistorySubject) => number | null;
}

/** HISTORY_METRICS are all of them, in the order of their columns. */
export const HISTORY_METRICS: readonly HistoryMetric[] = [
  {
    name: 'messages_received',
    kind: 'counter',
    unit: 'messages/s',
    help: 'Messages that clients published.',
    read: ({ traffic }) => traffic.received,
  },
  {
    name: 'messages_sent',
    kind: 'counter',
    unit: 'messages/s',
    help: 'Messages that went to subscribers.',
    read: ({ traffic }) => traffic.sent,
  },
  {
    name: 'messages_dropped',
    kind: 'counter',
    unit: 'messages/s',
    help: 'Messages that were dropped because of a limit.',
    read: ({ broker }) => broker.counters.publishDropped,
  },
  {
    name: 'bytes_received',
    kind: 'counter',
    unit: 'bytes/s',
    help: 'Bytes from clients.',
    read: ({ broker }) => broker.counters.bytesReceived,
  },
  {
    name: 'bytes_sent',
    kind: 'counter',
    unit: 'bytes/s',
    help: 'Bytes to clients.',
    read: ({ broker }) => broker.counters.bytesSent,
  },
  {
    name: 'clients',
    kind: 'gauge',
    unit: 'clients',
    help: 'Clients that are connected.',
    read: ({ traffic }) => traffic.connectedClients,
  },
  { name: 'retained', kind: 'gauge', unit: 'messages', help: 'Retained messages.', read: ({ traffic }) => traffic.retained },
  {
    name: 'cpu',
    kind: 'counter',
    unit: 'percent',
    help: 'Processor time of the broker; 100 = one core is busy all the time.',
    read: () => cpuSeconds() * 100,
  },
  {
    name: 'memory',
    kind: 'gauge',
    unit: 'bytes',
    help: 'Memory of the broker.',
    read: () => process.memoryUsage.rss(),
  },
  {
    name: 'machine_memory_available',
    kind: 'gauge',
    unit: 'bytes',
    help: 'Memory of the machine that programs can still have.',
    read: ({ machine }) => machine()?.memory.available ?? null,
  },
  {
    name: 'temperature',
    kind: 'gauge',
    unit: 'degrees Celsius',
    help: 'Temperature of the processor.',
    read: ({ machine }) => machine()?.cpuTemperature ?? null,
  },
  {
    name: 'disk_free',
    kind: 'gauge',
    unit: 'bytes',
    help: 'Free space where the state folder is.',
    read: ({ machine }) => machine()?.disk?.free ?? null,
  },
];

function cpuSeconds(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}
