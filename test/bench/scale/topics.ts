// Topics that are used once: does a broker keep something of each?

import { residentBytes } from '../machine.ts';
import { Loader } from './loader.ts';
import { type Probe, sized } from './probe.ts';

const SIZES = [10_000, 100_000, 1_000_000];

/** topics publishes to more and more topics, without the retain flag and to nobody. */
export const topics: Probe = {
  name: 'topics',
  titles: sized(SIZES, 'topics, a QoS 1 message to each: MiB more; seconds'),
  run: async function* ({ child, port }) {
    const empty = residentBytes(child.pid);
    const loader = await Loader.open(port, { retain: false });
    try {
      for (const size of SIZES) {
        const seconds = await loader.loadTo(size);
        yield `${((residentBytes(child.pid) - empty) / 2 ** 20).toFixed(0)}; ${seconds.toFixed(1)}`;
      }
    } finally {
      loader.close();
    }
  },
};
