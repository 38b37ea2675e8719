// How much memory a program may keep things in on this machine: of the whole, of its control group, and of its own heap.

import { totalmem } from 'node:os';
import { getHeapStatistics } from 'node:v8';

/** The part for what is kept; the rest is for the program itself, for what is on its way, and for others. */
const OF_MEMORY = 0.5;
/** Bytes that a busy program needs besides: where half leaves less, what is kept gets less than half, a quarter at least. */
const PROGRAM = 184_549_376;
const AT_LEAST = 0.25;
/** Objects lie on the heap of V8, which has a limit of its own; payloads do not. */
const OF_HEAP = 0.7;

/** memoryShare gives bytes: half of the machine's memory or of what the service may use (MemoryMax), less where that is small, and no more than the heap can hold. */
export function memoryShare(): number {
  const constrained = process.constrainedMemory(); // 0, or more than there is, without a limit
  const total = constrained > 0 ? Math.min(totalmem(), constrained) : totalmem();
  const beside = Math.max(total - PROGRAM, total * AT_LEAST);
  return Math.floor(Math.min(total * OF_MEMORY, beside, getHeapStatistics().heap_size_limit * OF_HEAP));
}
