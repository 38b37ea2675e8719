// A record of writes, made by hand in the form of dm-log-writes.

import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { temporaryFolder } from '../support/disk/temporary-folder.ts';
import { WriteLog } from './write-log.ts';

const SECTOR = 512;

/** A write of a letter to a sector, a flush, or a discard. */
function entry(sector: number, text: string, flags = 0): Buffer {
  const head = Buffer.alloc(SECTOR);
  head.writeBigUInt64LE(BigInt(sector), 0);
  head.writeBigUInt64LE(BigInt(text.length), 8);
  head.writeBigUInt64LE(BigInt(flags), 16);
  return Buffer.concat([head, ...((flags & 4) === 0 ? [...text].map((letter) => Buffer.alloc(SECTOR, letter)) : [])]);
}

test('record of writes gives the card that a power cut leaves: what was flushed, and some of the rest', (t) => {
  const folder = temporaryFolder(t);
  const [path, card] = [join(folder, 'log'), join(folder, 'card')];
  const entries = [entry(0, 'ab'), entry(0, '', 1), entry(1, 'c'), entry(3, 'd', 2), entry(0, '-', 4), entry(0, '', 1), entry(2, 'e')];
  writeFileSync(path, Buffer.concat([Buffer.alloc(SECTOR), ...entries, Buffer.alloc(SECTOR), entry(3, 'f')])); // a hole
  const log = new WriteLog(path);
  t.after(() => log.close());
  assert.equal(log.length, 7);
  assert.deepEqual(
    [0, 1, 2, 5, 6, 7].map((place) => log.lastFlush(place)),
    [0, 0, 2, 2, 6, 6],
  );
  assert.deepEqual(
    [0, 1, 2, 5, 6].map((at) => log.nextFlush(at)),
    [1, 5, 5, 6, 6],
    'the log ends before one',
  );
  assert.deepEqual(log.placesWriting(SECTOR, SECTOR), [0, 2]);
  const firstThree = SECTOR + entries.slice(0, 3).reduce((sum, { length }) => sum + length, 0);
  assert.deepEqual([log.placeOf(firstThree - 1), log.placeOf(firstThree), log.placeOf(1e9)], [2, 3, 7]);

  const letters = () =>
    [0, 1, 2, 3].map((sector) => String.fromCharCode(readFileSync(card)[sector * SECTOR] ?? 0).replace('\0', '-')).join('');
  const cutAt = (place: number, random: number) => {
    writeFileSync(card, Buffer.alloc(4 * SECTOR));
    log.cutAt(card, place, () => random);
    return letters();
  };
  assert.equal(cutAt(2, 0.9), 'ab--');
  assert.equal(cutAt(5, 0.9), 'ab-d', 'none but what was forced');
  assert.equal(cutAt(5, 0.1), '-c-d', 'all');
  assert.equal(cutAt(7, 0.1), '-ced');
  assert.equal(cutAt(7, 0.9), '-c-d');
  const fates = [0.1, 0.6, 0.5, 0]; // the write is kept, in part, half of it; its rank
  writeFileSync(card, Buffer.alloc(4 * SECTOR));
  log.cutAt(card, 1, () => fates.shift() ?? 0);
  assert.equal(letters(), 'a---', 'the first sector of a write');
});
