// What the scale measurements share: a started broker, the generator beside it, and cells of text as result.

import type { RunningBroker } from '../brokers/broker.ts';
import type { Conditions } from '../rounds.ts';

/** Probe measures one thing on a fresh broker. */
export interface Probe {
  readonly name: string;
  /** What a row of it measures: one title, or one for each size that it grows to. */
  readonly titles: readonly string[];
  /** The clients come with TLS and a password. Absent = neither. */
  readonly isSecured?: boolean;
  /** The null broker is measured too: what it shows is the machine's own. */
  readonly hasCeiling?: boolean;
  /** run gives the texts of the broker's cells, one for each title, in order. Throws OperatorError when it cannot go on; what it gave stands. */
  run(broker: RunningBroker, conditions: Conditions): AsyncIterable<string>;
}

/** ProbeRow is a row of the second table: a cell per broker. */
export interface ProbeRow {
  readonly name: string;
  readonly title: string;
  readonly cells: Readonly<Record<string, string>>;
}

/** sized makes a title for each size: "1,000 idle connections". */
export function sized(sizes: readonly number[], what: string): string[] {
  return sizes.map((size) => `${size.toLocaleString('en-US')} ${what}`);
}
