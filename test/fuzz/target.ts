// What can be fuzzed: a grammar that makes inputs, and a subject that takes them.

import type { Arbitrary } from 'fast-check';

/** Target is one grammar and what reads it. */
export interface Target<T = unknown> {
  readonly name: string;
  /** What the inputs are, for the list of targets. */
  readonly what: string;
  readonly input: Arbitrary<T>;
  /** open makes what reads the inputs, once for a run. */
  open(): Promise<Subject<T>> | Subject<T>;
}

/** Subject reads inputs; `feed` throws when one does harm, and gives how many inputs the value held. */
export interface Subject<T> {
  feed(value: T): number | Promise<number>;
  close(): void | Promise<void>;
}
