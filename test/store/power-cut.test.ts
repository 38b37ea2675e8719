// Power cuts at any write, with everything that was not synced lost, kept in part, out of order or torn.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { test } from 'node:test';
import { buildRecorder, NO_COMPILER } from '../support/disk/disk-recorder.ts';
import { Disk, type DiskCall, type Fate, readRecording } from '../support/disk/disk-recording.ts';
import { temporaryFolder } from '../support/disk/temporary-folder.ts';
import { lastConfirmed, stepFound } from '../support/store/store-steps.ts';

const STEPS = 1800;
/** Cuts anywhere, and cuts at a call to the database file itself: within a checkpoint, or while it is made. */
const CUTS = 90;
const CHECKPOINT_CUTS = 90;
const FATES: readonly Fate[] = ['lost', 'torn', 'some', 'kept'];

test('DurableStore has everything it called durable when the power is cut and what was not synced is lost', { skip: NO_COMPILER }, (t) => {
  const folder = temporaryFolder(t);
  const site = join(folder, 'site');
  mkdirSync(site);
  const { env, log } = buildRecorder(folder, site);
  const writer = join(import.meta.dirname, '../support/store/store-writer.ts');
  execFileSync(process.execPath, [writer, join(site, 'state'), String(STEPS)], { env: { ...process.env, ...env } });
  const calls = readRecording(log);
  const checkpoints = calls.flatMap((call, place) => (isOf(call, 'midge.db') ? [place] : []));
  assert.ok(checkpoints.length > 50, 'the recording has no checkpoint');

  const wanted = new Set([...sample(calls.length, CUTS), ...sample(checkpoints.length, CHECKPOINT_CUTS).map((at) => checkpoints[at] ?? 0)]);
  const disk = new Disk();
  let confirmed = '';
  for (const [place, call] of calls.entries()) {
    if (wanted.has(place)) {
      const fate = FATES[place % FATES.length] ?? 'lost';
      const state = join(folder, String(place));
      mkdirSync(state);
      for (const [name, bytes] of disk.cut(fate, Math.random)) writeFileSync(join(state, name), bytes);
      const [found, least] = [stepFound(join(state, 'midge.db')), lastConfirmed(confirmed)];
      assert.ok(
        found >= least,
        `cut at call ${place} of ${calls.length}, ${fate}: step ${least} was called durable, step ${found} is there`,
      );
    }
    if (isOf(call, 'confirmed')) confirmed += call.bytes.toString();
    disk.follow(call);
  }
  assert.equal(lastConfirmed(confirmed), STEPS);
});

function isOf({ kind, path }: DiskCall, name: string): boolean {
  return kind === 'write' && basename(path) === name;
}

function sample(count: number, size: number): number[] {
  return Array.from({ length: size }, () => Math.floor(Math.random() * count));
}
