// A hunt in a thread of its own: an input that hangs it or takes all memory ends the thread, not the fuzzer.

import { parentPort, workerData } from 'node:worker_threads';
import { type HuntOptions, hunt } from './hunt.ts';
import { TARGETS } from './targets.ts';

/** HunterData is what the fuzzer gives to the thread; in `progress` stand the inputs so far and the seed of the newest. */
export interface HunterData {
  readonly target: string;
  readonly options: HuntOptions;
  readonly progress: SharedArrayBuffer;
}

const { target: name, options, progress } = workerData as HunterData; // given by fuzz.ts
const counters = new Int32Array(progress);
const target = TARGETS.find((each) => each.name === name);
if (target === undefined) throw new Error(`There is no target "${name}"`);

const onProgress = (inputs: number, seed: number) => {
  Atomics.store(counters, 1, seed);
  Atomics.store(counters, 0, inputs);
};
hunt(target, { ...options, onProgress }).then((report) => parentPort?.postMessage(report));
