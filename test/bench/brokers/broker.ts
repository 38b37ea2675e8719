// What the bench needs of a broker under test.

import type { Child } from '../child.ts';
import type { Transport } from '../loads.ts';

/** Setup is how a broker is to be started: one listener on loopback, anonymous unless `access`. */
export interface Setup {
  readonly transport: Transport;
  readonly access: boolean;
  /** Sessions and queued messages are kept in `folder`, and queues have no limit. */
  readonly persistence: boolean;
  /** Core to run on, or null. */
  readonly core: number | null;
  /** A new folder for configuration and state. */
  readonly folder: string;
}

export interface RunningBroker {
  readonly child: Child;
  readonly port: number;
  /** fsyncs counts since the start; null = it does not tell. */
  readonly fsyncs: (() => Promise<number>) | null;
}

export interface BenchBroker {
  readonly name: string;
  /** version is what the report's header says, or null when the broker is not here; `missing` says what to install then. */
  version(): string | null;
  readonly missing: string;
  /** start resolves when the broker listens. Throws OperatorError when it cannot do what the setup asks. */
  start(setup: Setup): Promise<RunningBroker>;
}
