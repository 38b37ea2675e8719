// What a disk may hold after a power cut, made from a recording of everything that was written to it (disk-recorder.c).
//
//   write, write, [fsync], write, write | cut      before the fsync: there. After it: all, none, some, in any order, torn at sectors
//   create, [fsync of folder], unlink   | cut      names: those after the last fsync of the folder only up to some point

import { readFileSync } from 'node:fs';
import { basename } from 'node:path';

const SECTOR = 512;

/** DiskCall is one call that changed a file or made changes durable. */
export interface DiskCall {
  readonly kind: 'write' | 'sync' | 'sync folder' | 'truncate' | 'create' | 'unlink';
  readonly path: string;
  /** Of a write; the new size of a truncate. */
  readonly offset: number;
  readonly bytes: Buffer;
}

const KINDS: Readonly<Record<string, DiskCall['kind']>> = {
  w: 'write',
  s: 'sync',
  d: 'sync folder',
  t: 'truncate',
  c: 'create',
  u: 'unlink',
};

/** readRecording parses what the recorder wrote. A call at the end that is not whole was cut off by the death of the program, which has not gone on after it. */
export function readRecording(file: string): DiskCall[] {
  const log = readFileSync(file);
  const calls: DiskCall[] = [];
  for (let at = 0; at + 3 <= log.length; ) {
    const kind = KINDS[String.fromCharCode(log.readUInt8(at))];
    const end = at + 3 + log.readUInt16LE(at + 1);
    if (end + 16 > log.length) break;
    const [offset, length] = [Number(log.readBigUInt64LE(end)), Number(log.readBigUInt64LE(end + 8))];
    if (end + 16 + length > log.length) break;
    if (kind === undefined) throw new Error(`Cannot read recording "${file}": no call at ${at}`);
    calls.push({ kind, path: log.toString('utf8', at + 3, end), offset, bytes: log.subarray(end + 16, end + 16 + length) });
    at = end + 16 + length;
  }
  return calls;
}

interface Content {
  durable: Buffer;
  volatile: DiskCall[];
}

/** Fate decides what becomes of what was not synced. */
export type Fate = 'lost' | 'kept' | 'some' | 'torn';

/** Disk follows a recording call by call and gives what might be found after a cut. */
export class Disk {
  readonly #names: Map<string, Content>;
  /** The names as the program sees them. */
  readonly #seen: Map<string, Content>;
  #volatileNames: { readonly path: string; readonly content: Content | null }[];

  /** `files` by path are there, and durable, at the beginning. */
  constructor(files: ReadonlyMap<string, Buffer> = new Map()) {
    this.#names = new Map([...files].map(([path, durable]) => [path, { durable, volatile: [] }]));
    this.#seen = new Map(this.#names);
    this.#volatileNames = [];
  }

  /** unsynced counts the calls to a file that a cut may undo. */
  unsynced(name: string): number {
    const [, content] = [...this.#seen].find(([path]) => basename(path) === name) ?? [];
    return content?.volatile.length ?? 0;
  }

  follow(call: DiskCall): void {
    switch (call.kind) {
      case 'create':
        return this.#rename(call.path, { durable: Buffer.alloc(0), volatile: [] });
      case 'unlink':
        return this.#rename(call.path, null);
      case 'sync folder':
        for (const { path, content } of this.#volatileNames.splice(0)) setName(this.#names, path, content);
        return;
      case 'sync':
        return this.#sync(this.#seen.get(call.path));
      default:
        this.#seen.get(call.path)?.volatile.push(call);
    }
  }

  /** cut gives the files by name; `random` gives numbers from 0 to 1. */
  cut(fate: Fate, random: () => number): Map<string, Buffer> {
    const names = new Map(this.#names);
    const kept =
      fate === 'lost' ? 0 : fate === 'kept' ? this.#volatileNames.length : Math.floor(random() * (this.#volatileNames.length + 1));
    for (const { path, content } of this.#volatileNames.slice(0, kept)) setName(names, path, content);
    return new Map([...names].map(([path, content]) => [basename(path), contentAfter(content, fate, random)]));
  }

  #rename(path: string, content: Content | null): void {
    setName(this.#seen, path, content);
    this.#volatileNames.push({ path, content });
  }

  #sync(content: Content | undefined): void {
    if (content === undefined) return;
    content.durable = content.volatile.splice(0).reduce(apply, content.durable);
  }
}

function setName(names: Map<string, Content>, path: string, content: Content | null): void {
  if (content === null) names.delete(path);
  else names.set(path, content);
}

function contentAfter({ durable, volatile }: Content, fate: Fate, random: () => number): Buffer {
  let bytes: Buffer = Buffer.from(durable);
  for (const call of volatile) {
    if (fate === 'kept') bytes = apply(bytes, call);
    if ((fate === 'some' || fate === 'torn') && random() < 0.5) bytes = apply(bytes, fate === 'torn' ? torn(call, random) : call);
  }
  return bytes;
}

/** Some sectors in a row of a write. */
function torn(call: DiskCall, random: () => number): DiskCall {
  if (call.kind !== 'write') return call;
  const from = Math.floor((random() * call.bytes.length) / SECTOR) * SECTOR;
  const to = Math.min(call.bytes.length, from + Math.ceil((random() * call.bytes.length) / SECTOR) * SECTOR);
  return { ...call, offset: call.offset + from, bytes: call.bytes.subarray(from, to) };
}

function apply(bytes: Buffer, { kind, offset, bytes: written }: DiskCall): Buffer {
  if (kind === 'truncate') return offset <= bytes.length ? bytes.subarray(0, offset) : Buffer.concat([bytes], offset);
  const end = offset + written.length;
  const larger = end <= bytes.length ? bytes : Buffer.concat([bytes], end); // concat fills up with zeros
  written.copy(larger, offset);
  return larger;
}
