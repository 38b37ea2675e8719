// The seal at the end of an executable: the checksum of what is before it. A copy that is cut off, or has a wrong bit, is found before it is installed.

import { createHash } from 'node:crypto';
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';

const MARK = '\nmidge sha256 ';

/** `\nmidge sha256 <64 hexadecimal digits>\n` */
const SEAL_BYTES = MARK.length + 65;

const CHUNK = 1_048_576;

/** sealed gives an executable with its seal. ELF knows no bytes behind its sections: nothing reads them but isWhole. */
export function sealed(bytes: Buffer): Buffer {
  const digest = createHash('sha256').update(bytes).digest('hex');
  return Buffer.concat([bytes, Buffer.from(`${MARK}${digest}\n`)]);
}

/** isWhole tells whether a file ends with the seal of all that is before it. */
export function isWhole(path: string): boolean {
  const file = openSync(path, 'r');
  try {
    const end = fstatSync(file).size - SEAL_BYTES;
    if (end < 0) return false;
    const chunk = Buffer.alloc(CHUNK);
    const hash = createHash('sha256');
    for (let at = 0; at < end; ) {
      const count = readSync(file, chunk, 0, Math.min(CHUNK, end - at), at);
      if (count === 0) return false;
      hash.update(chunk.subarray(0, count));
      at += count;
    }
    const count = readSync(file, chunk, 0, SEAL_BYTES, end);
    return chunk.toString('latin1', 0, count) === `${MARK}${hash.digest('hex')}\n`;
  } finally {
    closeSync(file);
  }
}
