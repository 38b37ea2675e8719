// The program dies within checkpoints, and the power goes, which takes along what was not synced: what it has acknowledged is there.

import assert from 'node:assert/strict';
import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { MortalBroker } from '../support/broker/mortal-broker.ts';
import { buildRecorder, NO_COMPILER } from '../support/disk/disk-recorder.ts';
import type { Fate } from '../support/disk/disk-recording.ts';
import { ForgetfulDisk } from '../support/disk/forgetful-disk.ts';
import { temporaryFolder } from '../support/disk/temporary-folder.ts';

const KILLS = Number(process.env['MIDGE_POWER_CUTS'] ?? 40);
const CUTS = Number(process.env['MIDGE_POWER_CUTS'] ?? 21);

/** Lives in which the session that is mostly away comes to take its messages. */
const VISIT_EVERY = 4;

const FATES: readonly Fate[] = ['lost', 'torn', 'some', 'kept'];

test(`midge has everything it acknowledged when it is killed ${KILLS} times, half of them within checkpoints`, {
  skip: NO_COMPILER,
}, async (t) => {
  const folder = temporaryFolder(t);
  const { env } = buildRecorder(folder, join(folder, 'state/midge'));
  const broker = new MortalBroker(t, folder, env);
  await broker.warmUp();
  let checkpoints = 0;
  for (let life = 1; life <= KILLS; life++) {
    const moment = life % 4 === 1 ? 'acknowledgements' : 'checkpoint';
    const end = await broker.live({ moment, isVisited: life % VISIT_EVERY === 1, isShaken: life % 3 === 0 });
    if (end === 'checkpoint') checkpoints++;
  }
  await broker.finish();
  broker.check();
  t.diagnostic(`${checkpoints} kills within checkpoints, ${broker.summary()}`);
  assert.ok(checkpoints >= KILLS / 2, `only ${checkpoints} kills were within checkpoints`);
});

test(`midge has everything it acknowledged when the power is cut ${CUTS} times and what was not synced is lost`, {
  skip: NO_COMPILER,
}, async (t) => {
  const folder = temporaryFolder(t);
  const state = join(folder, 'state/midge');
  mkdirSync(state, { recursive: true, mode: 0o700 });
  const disk = new ForgetfulDisk(state, folder);
  const broker = new MortalBroker(t, folder, disk.env);
  await broker.warmUp();
  const found = { checkpoint: 0, commit: 0, acknowledgements: 0, deletion: 0, start: 0 };
  for (let life = 1; life <= CUTS; life++) {
    disk.begin();
    const moment = life % 3 === 1 ? 'commit' : 'checkpoint';
    const end = await broker.live({ moment, isVisited: life % VISIT_EVERY === 1, isShaken: life % 3 === 0 });
    const unsynced = disk.cut(FATES[life % FATES.length] ?? 'lost', end === 'checkpoint' ? 'midge.db' : 'midge.db-wal');
    if (end !== 'acknowledgements') assert.ok(unsynced > 0, `the broker died in a ${end}, so something is not synced`);
    found[end]++;
    assert.ok(existsSync(join(state, 'midge.db')), 'the database is a name on the disk');
  }
  await broker.finish();
  broker.check();
  t.diagnostic(`${JSON.stringify(found)}, ${broker.summary()}`);
  assert.ok(found.checkpoint >= CUTS / 5, `only ${found.checkpoint} cuts were within checkpoints`);
  assert.ok(found.commit >= CUTS / 5, `only ${found.commit} cuts were within commits`);
});
