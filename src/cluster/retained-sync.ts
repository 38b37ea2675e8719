// Finds out whether another broker has retained values that this one has not, and asks for them: after a partition, for a newcomer, and
// when NATS has lost something. Each broker asks for what it lacks, so that both have all in the end.
//
//   sign of life with digest -> another than ours -> hashes of our buckets -> pages of what differs -> taken where newer
//
// Digests differ for a moment whenever something is published. An answer that brought nothing new makes the next question wait longer.

import { reasonOf } from '../base/errors.ts';
import { BUCKETS, type Page, type SharedRetained } from './retained.ts';

/** Signs of life that are let pass at most before the next question. */
const PATIENCE_MAX = 15;
/** Bytes of one NATS message. */
const PIECE_MAX = 131_072;
const HEADER = 8;
/** Bytes of a question: the bucket at which to begin, then all hashes. */
const QUESTION = 4 + BUCKETS * 4;

/** Asking is how things stand with one broker. */
interface Asking {
  isUnderWay: boolean;
  /** Signs of life to let pass. */
  pause: number;
  patience: number;
}

export interface RetainedSyncDeps {
  readonly values: SharedRetained;
  /** ask gives the pieces of an answer; throws. */
  ask(peer: string, question: Buffer): Promise<Buffer[]>;
  /** failed is told why an answer did not come. */
  failed(peer: string, reason: string): void;
}

/** RetainedSync is for all other brokers. */
export class RetainedSync {
  readonly #deps: RetainedSyncDeps;
  readonly #peers = new Map<string, Asking>();

  constructor(deps: RetainedSyncDeps) {
    this.#deps = deps;
  }

  /** restart has all be asked at once where they differ: who knows what was lost. */
  restart(): void {
    for (const asking of this.#peers.values()) asking.pause = asking.patience = 0;
  }

  /** heard takes the digest of a sign of life. */
  heard(peer: string, digest: string): void {
    const asking = this.#peers.get(peer) ?? { isUnderWay: false, pause: 0, patience: 0 };
    this.#peers.set(peer, asking);
    if (asking.isUnderWay) return;
    if (digest === this.#deps.values.digest) asking.pause = asking.patience = 0;
    else if (asking.pause > 0) asking.pause--;
    else void this.#pull(peer, asking);
  }

  /** forget has nothing be left of a broker that never comes back. */
  forget(peer: string): void {
    this.#peers.delete(peer);
  }

  async #pull(peer: string, asking: Asking): Promise<void> {
    const { values, ask, failed } = this.#deps;
    let taken = 0;
    asking.isUnderWay = true;
    try {
      const hashes = values.hashes();
      for (let from = 0; from < BUCKETS; ) {
        const page = pageOf(await ask(peer, questionOf(from, hashes)));
        taken += values.take(page.records);
        from = Math.max(page.next, from + 1);
      }
    } catch (error) {
      failed(peer, reasonOf(error));
    }
    asking.patience = taken > 0 ? 1 : Math.min(asking.patience * 2 + 1, PATIENCE_MAX);
    asking.pause = asking.patience;
    asking.isUnderWay = false;
  }
}

function questionOf(from: number, hashes: Buffer): Buffer {
  const begin = Buffer.allocUnsafe(4);
  begin.writeUInt32BE(from);
  return Buffer.concat([begin, hashes]);
}

/** answerPieces gives the NATS messages that answer a question: what is next and how long the records are, then these in pieces. None = it is no question. */
export function answerPieces(values: SharedRetained, question: Buffer): Buffer[] {
  if (question.length !== QUESTION || question.readUInt32BE(0) >= BUCKETS) return [];
  const { records, next } = values.page(question.subarray(4), question.readUInt32BE(0));
  const header = Buffer.allocUnsafe(HEADER);
  header.writeUInt32BE(next, 0);
  header.writeUInt32BE(records.length, 4);
  const pieces: Buffer[] = [header];
  for (let at = 0; at < records.length; at += PIECE_MAX) pieces.push(records.subarray(at, at + PIECE_MAX));
  return pieces;
}

/** Throws where a piece was lost. */
function pageOf([header, ...pieces]: Buffer[]): Page {
  const records = Buffer.concat(pieces);
  if (header?.length !== HEADER || header.readUInt32BE(4) !== records.length) throw new Error('its answer is not whole');
  return { records, next: header.readUInt32BE(0) };
}
