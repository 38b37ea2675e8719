// What an emulated machine has written to its card, in order, as QEMU's blklogwrites records it: the power can be cut at any place afterwards.
//
//   superblock | entry, data | entry, data | ...      sectors of 512 bytes; the form is that of dm-log-writes of Linux
//
// At a cut all is on the card that came before the last flush. Of what came after it a card keeps some, in any order, and some of that in part.

import { closeSync, fstatSync, openSync, readSync, writeSync } from 'node:fs';

const SECTOR = 512;
const HEAD_BYTES = 32;
/** Flags of an entry. */
const FLUSH = 1;
const FORCED = 2;
const DISCARD = 4;

/** Places and lengths are bytes. */
interface Entry {
  /** Place on the card. */
  readonly to: number;
  readonly size: number;
  readonly flags: number;
  /** Place of the data in the log, and of the next entry. */
  readonly from: number;
  readonly end: number;
}

/** WriteLog reads a log as far as it is whole. */
export class WriteLog {
  readonly #file: number;
  readonly #entries: readonly Entry[];

  constructor(path: string) {
    this.#file = openSync(path, 'r');
    this.#entries = readEntries(this.#file);
  }

  get length(): number {
    return this.#entries.length;
  }

  close(): void {
    closeSync(this.#file);
  }

  /** placeOf gives how many entries were whole when the log had so many bytes. */
  placeOf(bytes: number): number {
    const next = this.#entries.findIndex(({ end }) => end > bytes);
    return next === -1 ? this.#entries.length : next;
  }

  /** placesWriting gives the entries that touch a part of the card. */
  placesWriting(start: number, size: number): number[] {
    return this.#entries.flatMap((entry, at) => (entry.size > 0 && entry.to < start + size && entry.to + entry.size > start ? [at] : []));
  }

  /** lastFlush gives the place after the last flush before `place`: what came before it is on the card. */
  lastFlush(place: number): number {
    return this.#entries.slice(0, place).findLastIndex(({ flags }) => (flags & FLUSH) !== 0) + 1;
  }

  /** nextFlush gives the first flush after an entry; the place after it is one at which the entry is on the card. Without one the log ends before. */
  nextFlush(entry: number): number {
    const next = this.#entries.findIndex(({ flags }, at) => at > entry && (flags & FLUSH) !== 0);
    return next === -1 ? this.#entries.length - 1 : next;
  }

  /** cutAt makes of a card what it was before the log what a power cut at a place leaves; `random` gives numbers from 0 to 1. */
  cutAt(card: string, place: number, random: () => number): void {
    const flushed = this.lastFlush(place);
    const out = openSync(card, 'r+');
    for (const entry of this.#entries.slice(0, flushed)) this.#write(out, entry);
    for (const entry of survivors(this.#entries.slice(flushed, place), random)) this.#write(out, entry);
    closeSync(out);
  }

  #write(card: number, { to, size, flags, from }: Entry): void {
    if (size === 0) return;
    const bytes = Buffer.alloc(size); // what is discarded reads as zeros
    if ((flags & DISCARD) === 0) readSync(this.#file, bytes, 0, size, from);
    writeSync(card, bytes, 0, size, to);
  }
}

/** A machine whose plug was pulled leaves a hole where it was still writing: nothing after that is known. */
function readEntries(file: number): Entry[] {
  const entries: Entry[] = [];
  const { size: total } = fstatSync(file);
  const head = Buffer.alloc(HEAD_BYTES);
  for (let at = SECTOR; at + SECTOR <= total; ) {
    readSync(file, head, 0, HEAD_BYTES, at);
    const [sector = 0, sectors = 0, flags = 0] = [0, 8, 16].map((offset) => Number(head.readBigUInt64LE(offset)));
    const [from, size] = [at + SECTOR, sectors * SECTOR];
    const end = from + ((flags & DISCARD) === 0 ? size : 0);
    const isHole = sectors === 0 && flags === 0;
    if (isHole || end > total) break;
    entries.push({ to: sector * SECTOR, size, flags, from, end });
    at = end;
  }
  return entries;
}

/** Half of what was not flushed, in an order of chance; of the half of that the first sectors only. What was forced through is whole. */
function survivors(entries: readonly Entry[], random: () => number): Entry[] {
  return entries
    .filter(({ flags }) => (flags & FORCED) !== 0 || random() < 0.5)
    .map((entry) => ((entry.flags & FORCED) !== 0 || random() < 0.5 ? entry : { ...entry, size: firstSectors(entry.size, random()) }))
    .map((entry) => ({ entry, rank: random() }))
    .sort((one, other) => one.rank - other.rank)
    .map(({ entry }) => entry);
}

function firstSectors(size: number, share: number): number {
  return Math.floor((size / SECTOR) * share) * SECTOR;
}
