// Reads a file that a setting names. Who named it may have mistaken a pipe or a device for a file: neither may keep the broker waiting or fill its memory.

import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import { OperatorError } from './errors.ts';

/** Bytes of a password or ACL file of 400,000 lines. */
const MAX_BYTES = 64 << 20;
const CHUNK_BYTES = 64 << 10;

/** readNamedFile gives the whole file. Throws what the system says, and an OperatorError for a FIFO and for more than `maxBytes`. */
export function readNamedFile(path: string, maxBytes = MAX_BYTES): Buffer {
  const file = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK); // the other end of a FIFO is not waited for
  try {
    if (fstatSync(file).isFIFO()) throw new OperatorError('it is a FIFO: name a file');
    return readAll(file, maxBytes);
  } finally {
    closeSync(file);
  }
}

/** readNamedText gives the whole file as text, without a byte order mark; throws as readNamedFile does. */
export function readNamedText(path: string, maxBytes = MAX_BYTES): string {
  return readNamedFile(path, maxBytes)
    .toString('utf8')
    .replace(/^\uFEFF/, '');
}

/** readNamedTextIfThere gives null when there is no such file; throws as readNamedFile does for every other failure. */
export function readNamedTextIfThere(path: string): string | null {
  try {
    return readNamedText(path);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
    throw error;
  }
}

/** The size that the system tells is not that of a device. */
function readAll(file: number, maxBytes: number): Buffer {
  const chunks: Buffer[] = [];
  for (let total = 0; total <= maxBytes; ) {
    const chunk = Buffer.allocUnsafe(CHUNK_BYTES);
    const count = readSync(file, chunk);
    if (count === 0) return Buffer.concat(chunks);
    chunks.push(chunk.subarray(0, count));
    total += count;
  }
  throw new OperatorError(`it is larger than ${maxBytes} bytes: name another file`);
}
