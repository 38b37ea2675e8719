// One target under fire for a number of inputs or seconds: what was found, and whether memory grew.

import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import fc from 'fast-check';
import type { AnyTarget } from './targets.ts';

/** HuntOptions: a hunt ends at `inputs` or after `seconds`, whichever comes first. `path` leads to one input of a seed, as a finding tells it. */
export interface HuntOptions {
  readonly seed: number;
  readonly inputs: number;
  readonly seconds: number;
  readonly path?: string;
  /** Called after each value with the number of inputs so far, and the seed that made it. */
  readonly onProgress?: (inputs: number, seed: number) => void;
}

/** Finding repeats itself by `seed` and `path`; growth has no path. */
export interface Finding {
  readonly reason: string;
  readonly input: string;
  readonly seed: number;
  readonly path: string;
}

/** HuntReport: `grown` is what memory grew by between the middle of the hunt and its end, in bytes. */
export interface HuntReport {
  readonly inputs: number;
  readonly finding: Finding | null;
  readonly grown: number;
}

/** Values of one seed; the next ones come from the next seed. */
const BATCH = 200;
/** Bytes that may come and go: caches of the runtime, compiled code. */
const NOISE = 8 * 1024 * 1024;
/** Looks at memory, each after a collection of garbage that takes some milliseconds. */
const LOOKS = 20;

/** hunt feeds a target until the bounds or the first finding. What does not throw but makes memory grow is a finding too. */
export async function hunt(target: AnyTarget, options: HuntOptions): Promise<HuntReport> {
  const subject = await target.open();
  const started = performance.now();
  const looks: number[] = [];
  let [inputs, seed] = [0, options.seed];
  const share = () => Math.max(inputs / options.inputs, (performance.now() - started) / 1000 / options.seconds);
  const property = fc.asyncProperty(target.input, async (value) => {
    inputs += await subject.feed(value);
    options.onProgress?.(inputs, seed);
  });
  try {
    for (; share() < 1; seed++) {
      const finding = await runBatch(property, { ...options, seed }, Math.min(BATCH, options.inputs - inputs));
      if (finding !== null || options.path !== undefined) return { inputs, finding, grown: 0 };
      if (share() * LOOKS > looks.length) looks.push(usedMemory());
    }
    const grown = growthIn(looks);
    const reason = `memory grew by ${Math.round(grown / 1024)} KiB in ${inputs} inputs, after each collection of garbage`;
    return { inputs, grown, finding: grown > NOISE ? { reason, input: '', seed: options.seed, path: '' } : null };
  } finally {
    await subject.close();
  }
}

async function runBatch(
  property: fc.IAsyncProperty<[unknown]>,
  { seed, seconds, path }: HuntOptions,
  runs: number,
): Promise<Finding | null> {
  const report = await fc.check(property, {
    seed,
    ...(path === undefined ? {} : { path }),
    numRuns: Math.max(1, runs),
    interruptAfterTimeLimit: seconds * 1000,
    markInterruptAsFailure: false,
  });
  if (!report.failed) return null;
  const { errorInstance, counterexample, counterexamplePath } = report;
  const reason = errorInstance instanceof Error ? String(errorInstance.stack) : String(errorInstance);
  return { reason, input: fc.stringify(counterexample?.[0]), seed, path: counterexamplePath ?? '' };
}

/** Growth is what the least of the last looks has more than the most of the middle ones. */
function growthIn(looks: readonly number[]): number {
  if (looks.length < 8) return 0;
  const quarter = Math.floor(looks.length / 4);
  return Math.max(0, Math.min(...looks.slice(-quarter)) - Math.max(...looks.slice(quarter, 2 * quarter + 1)));
}

function usedMemory(): number {
  setFlagsFromString('--expose-gc');
  (runInNewContext('gc') as () => void)(); // what the flag makes
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}
