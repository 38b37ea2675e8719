// Memory of idle connections, and the processor time that they cost.

import { setTimeout as pause } from 'node:timers/promises';
import type { RunningBroker } from '../brokers/broker.ts';
import { processorSeconds, residentBytes } from '../machine.ts';
import { closeAll, type IdleClients, openIdle } from './clients.ts';
import { type Probe, sized } from './probe.ts';

const SIZES = [1_000, 10_000, 30_000];
const WATCH_SECONDS = 5;
const SETTLE_MS = 1_000; // a measured interval, as WATCH_SECONDS: garbage collection may follow

/** connections opens more and more clients that say nothing. */
export const connections: Probe = {
  name: 'connections',
  titles: sized(SIZES, 'idle connections: KiB each; processor'),
  run: (broker) => grow(broker, { tls: false }),
};

/** tlsConnections is the same with TLS and passwords. */
export const tlsConnections: Probe = {
  name: 'connections-tls',
  titles: sized(SIZES, 'idle connections with TLS: KiB each; processor'),
  isSecured: true,
  run: (broker) => grow(broker, { tls: true }),
};

async function* grow({ child, port }: RunningBroker, { tls }: { tls: boolean }): AsyncGenerator<string> {
  await pause(SETTLE_MS);
  const empty = residentBytes(child.pid);
  const clients: IdleClients = [];
  try {
    for (const size of SIZES) {
      await openIdle({ port, tls, count: size - clients.length, prefix: 'idle' }, clients);
      await pause(SETTLE_MS);
      const each = (residentBytes(child.pid) - empty) / size;
      const before = processorSeconds(child.pid);
      await pause(WATCH_SECONDS * 1000);
      const busy = (processorSeconds(child.pid) - before) / WATCH_SECONDS;
      yield `${(each / 1024).toFixed(1)}; ${(busy * 100).toFixed(1)} %`;
    }
  } finally {
    await closeAll(clients);
  }
}
