// What the scale measurements share: a started broker, the generator beside it, and a cell of text as result.

import type { RunningBroker } from '../brokers/broker.ts';
import type { Conditions } from '../rounds.ts';

/** Probe measures one thing on a fresh broker. */
export interface Probe {
  readonly name: string;
  readonly title: string;
  /** The clients come with TLS and a password. Absent = neither. */
  readonly isSecured?: boolean;
  /** run returns the text of the broker's cell. Throws OperatorError when it cannot be measured. */
  run(broker: RunningBroker, conditions: Conditions): Promise<string>;
}

/** ProbeRow is a row of the second table: a cell per broker. */
export interface ProbeRow {
  readonly name: string;
  readonly title: string;
  readonly cells: Readonly<Record<string, string>>;
}
