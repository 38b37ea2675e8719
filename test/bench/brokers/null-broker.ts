// The null broker: a C program that answers and copies frames, nothing else. What it reaches is the generator's own ceiling.

import { OperatorError } from '../../../src/base/errors.ts';
import { firstLine, startChild } from '../child.ts';
import type { BenchBroker } from './broker.ts';

/** NULL_BROKER is its name in the results. */
export const NULL_BROKER = 'ceiling';

/** nullBroker makes the entry for the compiled program; null = there is none. */
export function nullBroker(program: string | null): BenchBroker {
  return {
    name: NULL_BROKER,
    missing: 'install a C compiler (Debian package gcc with libc6-dev)',
    version: () => (program === null ? null : 'built here'),
    start: async (setup) => {
      if (program === null || setup.transport !== 'tcp') throw new OperatorError('Cannot start the null broker: it speaks plain TCP only');
      const child = await startChild(program, [], setup.core);
      return { child, port: Number(await firstLine(child, 'the null broker')), fsyncs: null };
    },
  };
}
