// What small messages notice while images flow and somebody does not read: 20 pairs at a steady pace beside them.

import { OperatorError } from '../../../src/base/errors.ts';
import { firstLine, startChild } from '../child.ts';
import type { Probe } from './probe.ts';

const PAIRS = { publishers: 20, subscribers: 20, topics: 20, window: 1000, pace: 20_000 };
const IMAGES = new URL('./images.ts', import.meta.url).pathname;

/** mixed measures the pairs while images.ts runs. */
export const mixed: Probe = {
  name: 'mixed',
  titles: [
    '20 pairs, 64 bytes, 20,000 messages a second, beside an image of 1 MiB every 100 ms to 5 subscribers and one that reads slowly: p50 / p99 / p99.9 in microseconds; images delivered',
  ],
  hasCeiling: true,
  run: async function* ({ child, port }, { generator, seconds, warmup, generatorCore }) {
    if (generator.language !== 'C') throw new OperatorError('needs the C generator');
    // The generator must not wait for them where they share its core.
    const images = await startChild('nice', ['-n', '19', process.execPath, IMAGES, String(port)], generatorCore);
    try {
      const core = generatorCore === null ? {} : { core: generatorCore };
      const began = await firstLine(images, 'images.ts');
      if (began !== 'ready') throw new OperatorError(`Cannot send images: ${began}`);
      const { p50, p99, p999 } = await generator.run({ ...PAIRS, port, broker: child.pid, seconds: Math.max(seconds, 1), warmup, ...core });
      images.process.stdin?.end();
      yield `${[p50, p99, p999].map(Math.round).join(' / ')}; ${await firstLine(images, 'images.ts')}`;
    } finally {
      await images.stop();
    }
  },
};
