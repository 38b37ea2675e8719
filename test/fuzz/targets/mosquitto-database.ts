// mosquitto.db as an import reads it: what can be read is read, and what comes of it can be kept, and shown.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { dumpDatabase } from '../../../src/import/database-dump.ts';
import { keptState } from '../../../src/import/kept-state.ts';
import { parseMosquittoDatabase } from '../../../src/import/mosquitto-database.ts';
import { damaged, hexOf } from '../mutations.ts';
import type { Target } from '../target.ts';

const SOUND = readFileSync(join(import.meta.dirname, '../../import/mosquitto-2.0.11.db'));

/** Chunks are taken out, doubled and put elsewhere before bytes are damaged. */
const shuffled = fc.array(fc.nat(1000), { maxLength: 20 }).map((picks) => {
  const { head, chunks } = chunksOf(SOUND);
  return picks.length === 0 ? SOUND : Buffer.concat([head, ...picks.map((pick) => chunks[pick % chunks.length]!)]);
});

export const MOSQUITTO_DATABASE: Target<Buffer> = {
  name: 'mosquitto-database',
  what: 'mosquitto.db, its chunks in any order',
  input: hexOf(damaged(shuffled)),
  open: () => ({
    feed(bytes) {
      const database = parseMosquittoDatabase(bytes);
      if (typeof database !== 'string')
        keptState(database, { now: 1_700_000_000_000, writtenAt: 1_700_000_000_000, mountPoints: ['', 'mount/'] });
      for (const form of ['text', 'json', 'stats', 'client stats'] as const) dumpDatabase(bytes, form);
      return 1;
    },
    close: () => {},
  }),
};

/** A file is a head of 24 bytes and chunks of type (4), length (4) and content. */
function chunksOf(bytes: Buffer): { head: Buffer; chunks: Buffer[] } {
  const start = 24;
  const chunks: Buffer[] = [];
  for (let at = start; at < bytes.length; ) {
    const end = at + 8 + bytes.readUInt32BE(at + 4);
    chunks.push(bytes.subarray(at, end));
    at = end;
  }
  return { head: bytes.subarray(0, start), chunks };
}
