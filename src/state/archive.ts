// One compressed file of many: tar (POSIX.1-1988 ustar, plain files only) behind gzip. `tar -tzf` reads what is written here.

import { closeSync, createWriteStream, fstatSync, readSync } from 'node:fs';
import { Readable, type Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip, createGzip } from 'node:zlib';
import { OperatorError } from '../base/errors.ts';

const BLOCK = 512;
/** RFC 1952 2.3.1: how each gzip file begins. */
const GZIP = Buffer.from([0x1f, 0x8b]);
/** Bytes that are read at once. */
const CHUNK = 262_144;
/** Field widths of the header; the size has eleven octal digits. */
const MAX_NAME = 100;
const MAX_SIZE = 8 ** 11;

/** ArchiveEntry is one file: `open` gives a descriptor of its content, which is closed here. */
export interface ArchiveEntry {
  readonly name: string;
  readonly content: Buffer | { open(): number };
}

/** packArchive writes a new file of mode 0600, and syncs it. Rejects when it is there already. */
export async function packArchive(file: string, entries: readonly ArchiveEntry[]): Promise<void> {
  await pipeline(Readable.from(archiveChunks(entries)), createWriteStream(file, { flags: 'wx', mode: 0o600, flush: true }));
}

/** archiveChunks gives the bytes of an archive as they are wanted. */
export async function* archiveChunks(entries: readonly ArchiveEntry[]): AsyncGenerator<Buffer> {
  const source = Readable.from(blocks(entries));
  const gzip = createGzip();
  source.once('error', (error) => gzip.destroy(error));
  try {
    yield* source.pipe(gzip);
  } finally {
    source.destroy();
  }
}

/** Place gives where the content of a file goes, or null to leave it out; it may throw to end everything. `mode` has permissions only. */
export type Place = (name: string, size: number, mode: number) => Writable | null;

/** noBackup is for a file of another kind. */
export function noBackup(): OperatorError {
  return new OperatorError('it is no backup of midge - choose the file of a backup, usually called midge-HOST-TIME.tar.gz');
}

/** unpackArchive reads an open file from its start, and leaves it open. Rejects with an OperatorError when the archive is none, damaged or cut. */
export async function unpackArchive(archive: number, place: Place): Promise<void> {
  const start = Buffer.alloc(GZIP.length);
  readSync(archive, start, 0, start.length, 0);
  if (!start.equals(GZIP)) throw noBackup();
  const source = Readable.from(chunksOf(archive, Number.POSITIVE_INFINITY));
  const gunzip = createGunzip();
  source.once('error', (error) => gunzip.destroy(error));
  const reader = new BlockReader(source.pipe(gunzip));
  try {
    for (let header = await reader.take(BLOCK); header.some((byte) => byte !== 0); header = await reader.take(BLOCK)) {
      const { name, size, mode } = parseHeader(header);
      const target = place(name, size, mode);
      const content = reader.stream(size);
      if (target === null) for await (const _ of content);
      else await pipeline(Readable.from(content), target);
      await reader.take(padding(size));
    }
  } catch (error) {
    if (isOfZlib(error)) throw new OperatorError('the archive is damaged or not complete', { cause: error });
    throw error;
  } finally {
    source.destroy();
  }
}

async function* blocks(entries: readonly ArchiveEntry[]): AsyncGenerator<Buffer> {
  for (const { name, content } of entries) {
    if (Buffer.isBuffer(content)) yield* [makeHeader(name, content.length, 0o600), content, Buffer.alloc(padding(content.length))];
    else yield* fileBlocks(name, content.open());
  }
  yield Buffer.alloc(2 * BLOCK);
}

/** What is appended meanwhile is left out. */
async function* fileBlocks(name: string, fd: number): AsyncGenerator<Buffer> {
  try {
    const { size, mode } = fstatSync(fd);
    yield makeHeader(name, size, mode & 0o777);
    let left = size;
    for (const chunk of chunksOf(fd, size)) {
      left -= chunk.length;
      yield chunk;
    }
    if (left > 0) throw new OperatorError(`Cannot pack "${name}": it became shorter while midge read it`);
    yield Buffer.alloc(padding(size));
  } finally {
    closeSync(fd);
  }
}

/** Descriptors are of the caller, who closes them: a ReadStream would, in its own time. */
function* chunksOf(fd: number, size: number): Generator<Buffer> {
  for (let at = 0; at < size; ) {
    const chunk = Buffer.allocUnsafe(Math.min(CHUNK, size - at));
    const length = readSync(fd, chunk, 0, chunk.length, at);
    if (length === 0) return;
    at += length;
    yield chunk.subarray(0, length);
  }
}

function padding(size: number): number {
  return (BLOCK - (size % BLOCK)) % BLOCK;
}

/** POSIX.1-1988 10.1.1: name, mode, owner, group, size, time, checksum, type. */
function makeHeader(name: string, size: number, mode: number): Buffer {
  if (Buffer.byteLength(name) > MAX_NAME || size >= MAX_SIZE)
    throw new OperatorError(`Cannot pack "${name}": its name or content is too long`);
  const header = Buffer.alloc(BLOCK);
  header.write(name, 0);
  header.write(`${octal(mode, 7)}\0${octal(0, 7)}\0${octal(0, 7)}\0`, 100, 'latin1');
  header.write(`${octal(size, 11)}\0${octal(Math.floor(Date.now() / 1000), 11)}\0`, 124, 'latin1');
  header.write(' '.repeat(8), 148, 'latin1'); // the checksum counts as blanks
  header.write('0', 156, 'latin1');
  header.write('ustar\x0000', 257, 'latin1');
  header.write(`${octal(checksum(header), 6)}\0 `, 148, 'latin1');
  return header;
}

function parseHeader(header: Buffer): { name: string; size: number; mode: number } {
  const text = (at: number, length: number) => header.toString('utf8', at, at + length).replace(/\0.*$/s, '');
  if (text(257, 5) !== 'ustar') throw noBackup();
  const blank = Buffer.from(header).fill(' ', 148, 156);
  if (Number.parseInt(text(148, 8), 8) !== checksum(blank)) throw new OperatorError('the archive is damaged: a checksum is wrong');
  if (text(156, 1) !== '0' || text(345, 1) !== '')
    throw new OperatorError('the archive holds more than plain files: midge did not write it');
  if (!/^[0-7]+$/.test(text(124, 12)) || !/^[0-7]+$/.test(text(100, 8)))
    throw new OperatorError('the archive is damaged: a size or mode is no number');
  return { name: text(0, MAX_NAME), size: Number.parseInt(text(124, 12), 8), mode: Number.parseInt(text(100, 8), 8) & 0o777 };
}

function octal(value: number, digits: number): string {
  return value.toString(8).padStart(digits, '0');
}

function checksum(header: Buffer): number {
  return header.reduce((sum, byte) => sum + byte, 0);
}

function isOfZlib(error: unknown): boolean {
  return error instanceof Error && 'code' in error && String(error.code).startsWith('Z_');
}

/** BlockReader gives the bytes of a stream in pieces as they are wanted. */
class BlockReader {
  readonly #chunks: AsyncIterator<Buffer>;
  #rest: Buffer;

  constructor(stream: AsyncIterable<Buffer>) {
    this.#chunks = stream[Symbol.asyncIterator]();
    this.#rest = Buffer.alloc(0);
  }

  async take(length: number): Promise<Buffer> {
    const parts: Buffer[] = [];
    for await (const part of this.stream(length)) parts.push(part);
    return Buffer.concat(parts);
  }

  async *stream(length: number): AsyncGenerator<Buffer> {
    for (let left = length; left > 0; ) {
      if (this.#rest.length === 0) this.#rest = await this.#more();
      const part = this.#rest.subarray(0, left);
      this.#rest = this.#rest.subarray(part.length);
      left -= part.length;
      yield part;
    }
  }

  async #more(): Promise<Buffer> {
    const { value, done } = await this.#chunks.next();
    if (done === true) throw new OperatorError('the archive ends too early');
    return value;
  }
}
