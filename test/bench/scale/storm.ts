// Everybody comes back at once after the broker was away: clients with TLS and a password, and a pair that goes on talking.

import { BENCH_USER } from '../brokers/configuration.ts';
import { firstLine, startChild } from '../child.ts';
import type { Probe } from './probe.ts';

const CLIENTS = 2_000;
const CROWD = new URL('./crowd.ts', import.meta.url).pathname;

/** storm measures how long the crowd takes, and what the pair notices. */
export const storm: Probe = {
  name: 'storm',
  titles: [
    `${CLIENTS.toLocaleString('en-US')} TLS clients with a password come at once: seconds until the last is connected and subscribed; refused; p50 / p99 in microseconds of a pair (TLS, one message at a time) meanwhile`,
  ],
  isSecured: true,
  run: async function* ({ child, port }, { generator, seconds, warmup, generatorCore }) {
    const crowd = await startChild('nice', ['-n', '19', process.execPath, CROWD, String(port), String(CLIENTS)], generatorCore);
    try {
      const core = generatorCore === null ? {} : { core: generatorCore };
      const settings = { window: 1, tls: 1, port, broker: child.pid, seconds: Math.max(seconds, 5), warmup, ...core, ...BENCH_USER };
      const beside = generator.run(settings);
      const outcome = await firstLine(crowd, 'crowd.ts');
      const { p50, p99 } = await beside;
      yield `${outcome}; ${Math.round(p50)} / ${Math.round(p99)}`;
    } finally {
      await crowd.stop();
    }
  },
};
