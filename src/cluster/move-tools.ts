// What both ends of a move have at one broker.

import type { Logger } from '../base/logger.ts';
import type { Broker } from '../broker/broker.ts';
import type { Doubts } from './doubts.ts';
import type { KnownCopies } from './known-copies.ts';
import type { MarkerPost } from './markers.ts';
import type { Neighbours } from './neighbours.ts';

/** MARKERS_MS are milliseconds that markers may be on their way before it is looked whether their brokers are still there. */
export const MARKERS_MS = 1000;

export interface MoveTools {
  readonly broker: Broker;
  readonly log: Logger;
  readonly neighbours: Neighbours;
  readonly doubts: Doubts;
  readonly post: MarkerPost;
  readonly copies: KnownCopies;
}

/** wordsOfMissing are for the log, when markers are not waited for any more. */
export function wordsOfMissing(clientId: string, sources: readonly string[]): string {
  return `Cluster: the session of client ${clientId} moves before all messages from ${sources.join(', ')} have come.`;
}

/** durable resolves when all so far is on the disk; rejects where that cannot be. */
export function durable({ journal }: Broker): Promise<void> {
  if (journal === null) return Promise.resolve();
  return new Promise((resolve, reject) => {
    journal.whenDurable((outcome) => (outcome === 'durable' ? resolve() : reject(new Error('the database cannot be written'))), true);
  });
}
