// Memory of idle connections, and the processor time that they cost.

import { setTimeout as pause } from 'node:timers/promises';
import { processorSeconds, residentBytes } from '../machine.ts';
import { closeAll, openIdle } from './clients.ts';
import type { Probe } from './probe.ts';

const FEW = 1_000;
const MANY = 10_000;
const WATCH_SECONDS = 5;
const SETTLE_MS = 1_000; // a measured interval, as WATCH_SECONDS: garbage collection may follow

/** idle opens 1,000 clients and watches the CPU, then 10,000 and looks at the memory. */
export const idle: Probe = {
  name: 'idle',
  title: `${MANY.toLocaleString('en-US')} idle connections: RSS each; CPU with ${FEW.toLocaleString('en-US')}; RSS without any`,
  run: async ({ child, port }) => {
    await pause(SETTLE_MS);
    const empty = residentBytes(child.pid);
    const sockets = await openIdle(port, FEW, 'idle');
    try {
      await pause(SETTLE_MS);
      const before = processorSeconds(child.pid);
      await pause(WATCH_SECONDS * 1000);
      const busy = (processorSeconds(child.pid) - before) / WATCH_SECONDS;
      sockets.push(...(await openIdle(port, MANY - FEW, 'more')));
      await pause(SETTLE_MS);
      const each = (residentBytes(child.pid) - empty) / MANY;
      return `${(each / 1024).toFixed(1)} KiB; ${(busy * 100).toFixed(1)} % of a core; ${(empty / 2 ** 20).toFixed(0)} MiB`;
    } finally {
      await closeAll(sockets);
    }
  },
};
