// The log is cut at any byte, or ends in zeros or noise: what stands before the cut is there, and nothing breaks.

import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { copyFileSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { temporaryFolder } from '../support/disk/temporary-folder.ts';
import { IGNORED, StoreFolder } from '../support/store/open-store.ts';
import { stepFound } from '../support/store/store-steps.ts';
import { takeStep } from '../support/store/store-writer.ts';
import { durably } from '../support/store/stored.ts';

const STEPS = 12;
/** https://www.sqlite.org/fileformat2.html#walformat */
const LOG_HEADER = 32;
const FRAME = 24 + 4096;

/** Tails: what may stand behind the cut, where the file system had set the size before the content came. */
const TAILS: readonly { readonly name: string; tail(rest: Buffer): Buffer }[] = [
  { name: 'nothing', tail: () => Buffer.alloc(0) },
  { name: 'zeros', tail: (rest) => Buffer.alloc(rest.length) },
  { name: 'noise', tail: (rest) => randomBytes(rest.length) },
  { name: 'all but the first 512 bytes', tail: (rest) => Buffer.concat([Buffer.alloc(Math.min(512, rest.length)), rest.subarray(512)]) },
];

for (const { name, tail } of TAILS) {
  test(`DurableStore has every commit before the cut when its log is cut and ${name} follows`, async (t) => {
    const { file, log, ends } = await writeSteps(new StoreFolder(t));
    const folder = temporaryFolder(t);
    for (const [index, cut] of cuts(log.length).entries()) {
      const copy = join(folder, String(index), 'midge.db');
      mkdirSync(join(folder, String(index)));
      copyFileSync(file, copy);
      writeFileSync(`${copy}-wal`, Buffer.concat([log.subarray(0, cut), tail(log.subarray(cut))]));
      const least = ends.filter((end) => end <= cut).length;
      const found = stepFound(copy);
      assert.ok(found >= least, `cut at ${cut}: step ${least} was called durable, step ${found} is there`);
      // A frame whose checksum is right is a frame: with the rest behind the cut missing there can be no more than what was whole.
      if (name !== 'nothing') continue;
      assert.equal(found, least, `cut at ${cut}`);
    }
  });
}

/** Every frame boundary, and places inside: its header, its second sector, its last byte. */
function cuts(length: number): number[] {
  const places = [0, LOG_HEADER - 1];
  for (let frame = LOG_HEADER; frame <= length; frame += FRAME) places.push(frame, frame + 10, frame + 600, frame + FRAME - 1);
  return places.filter((place) => place <= length);
}

/** Gives the file, its log and where in the log each step ends. */
async function writeSteps(folder: StoreFolder): Promise<{ file: string; log: Buffer; ends: readonly number[] }> {
  await (await folder.open()).stop(); // the tables are in the file, the steps in the log
  const store = await folder.open();
  await store.load(IGNORED);
  const ends: number[] = [];
  for (let step = 1; step <= STEPS; step++) {
    takeStep(store, step);
    assert.equal(await durably(store), 'durable');
    ends.push(statSync(`${folder.file}-wal`).size);
  }
  const file = `${folder.file}.copy`;
  copyFileSync(folder.file, file);
  return { file, log: readFileSync(`${folder.file}-wal`), ends };
}
