// What a state folder holds is exchanged whole, wherever the power goes.

import assert from 'node:assert/strict';
import { chmodSync, existsSync, globSync, mkdirSync, readFileSync, renameSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { StateFolder } from '../../src/state/state-folder.ts';
import { mendSwap, StateSwap } from '../../src/state/state-swap.ts';
import { temporaryFolder } from '../support/disk/temporary-folder.ts';

const STAMP = '20260131T235959Z';
const OLD = {
  'midge.db': 'old',
  'midge.db-wal': 'old',
  passwd: 'old',
  'certificates/ca.crt': 'old',
  'conf.d/own.conf': 'old',
  notes: 'mine',
  'metrics-history': 'of this machine',
};
const NEW = {
  'midge.db': 'new',
  passwd: 'new',
  'certificates/ca.crt': 'new',
  'certificates/clients/phone.crt': 'new',
  'conf.d/own.conf': 'new',
};
/** Of what was there, all that is midge's or is replaced. */
const BEFORE = { 'midge.db': 'old', 'midge.db-wal': 'old', passwd: 'old', 'certificates/ca.crt': 'old', 'conf.d/own.conf': 'old' };

function fill(folder: string, files: Readonly<Record<string, string>>): void {
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(join(folder, name, '..'), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
}

function read(folder: string): Record<string, string> {
  const names = globSync('**', { cwd: folder }).filter((name) => statSync(join(folder, name)).isFile());
  return Object.fromEntries(names.map((name) => [name, readFileSync(join(folder, name), 'utf8')]));
}

function inBefore(files: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(files).map(([name, text]) => [`before-${STAMP}/${name}`, text]));
}

/** A rename that works `times` times, and then never again: the power has gone. */
function failingAfter(times: number): typeof renameSync {
  let left = times;
  return (from, to) => {
    if (left-- <= 0) throw new Error('the power is gone');
    renameSync(from, to);
  };
}

/** The first time the power goes again. */
function mendTwice(state: StateFolder): string {
  let said: string | null = null;
  try {
    said = mendSwap(state, failingAfter(1));
  } catch {}
  return said ?? mendSwap(state) ?? '';
}

test('state swap is brought to its end when the power goes at any rename, and mending too', (t) => {
  let cuts = 0;
  for (let times = 0; ; times++) {
    const folder = join(temporaryFolder(t), 'state');
    fill(folder, OLD);
    const state = new StateFolder(folder, 'midge.db');
    const swap = new StateSwap(folder, STAMP, failingAfter(times));
    swap.begin();
    fill(swap.incoming, NEW);
    fill(swap.unpacking, { 'backup.json': '{}' });
    try {
      swap.commit(state);
    } catch {
      cuts++;
      const said = mendTwice(state);
      if (times === 0) {
        assert.match(said, /interrupted before it changed anything: run it again/);
        assert.deepEqual(read(folder), OLD);
        continue;
      }
      assert.match(said, /interrupted\. midge has now completed it; the old files are in ".*before-20260131T235959Z"/);
      assert.deepEqual(
        read(folder),
        { ...NEW, notes: 'mine', 'metrics-history': 'of this machine', ...inBefore(BEFORE) },
        `cut at rename ${times}`,
      );
      assert.equal(mendSwap(state), null);
      continue;
    }
    swap.end();
    assert.deepEqual(read(folder), { ...NEW, notes: 'mine', 'metrics-history': 'of this machine', ...inBefore(BEFORE) });
    break;
  }
  assert.ok(cuts >= 11, `${cuts} cuts`);
});

test('state swap leaves all as it was when something cannot be moved, such as a file that is mounted there', (t) => {
  for (const name of Object.keys(BEFORE).map((path) => path.split('/')[0])) {
    const folder = join(temporaryFolder(t), 'state');
    fill(folder, OLD);
    const state = new StateFolder(folder, 'midge.db');
    const swap = new StateSwap(folder, STAMP, (from, to) => {
      if (from === join(folder, name ?? '')) throw new Error('EBUSY: resource busy or locked');
      renameSync(from, to);
    });
    swap.begin();
    fill(swap.incoming, NEW);
    assert.throws(() => swap.commit(state), /EBUSY/);
    assert.equal(swap.isBegun, false);
    swap.end();
    assert.deepEqual(read(folder), OLD, name);
    assert.ok(!existsSync(swap.before));
    assert.equal(mendSwap(state), null);
  }
});

test('state swap that is taken back leaves what was there, wherever the power goes', (t) => {
  for (const old of [OLD, { notes: 'mine', 'metrics-history': 'of this machine' }]) {
    for (let times = 0; times < 20; times++) {
      const folder = join(temporaryFolder(t), 'state');
      fill(folder, old);
      const state = new StateFolder(folder, 'midge.db');
      const swap = new StateSwap(folder, STAMP);
      swap.begin();
      fill(swap.incoming, NEW);
      writeFileSync(swap.list, '[]');
      swap.commit(state);
      try {
        new StateSwap(folder, STAMP, failingAfter(times)).undo(state);
      } catch {
        mendTwice(state);
      }
      assert.equal(swap.isBegun, false);
      swap.end();
      assert.deepEqual(read(folder), old, `cut at rename ${times}`);
      assert.ok(!existsSync(swap.before));
    }
  }
});

test('state swap makes the state folder where there is none, for its owner only', (t) => {
  const folder = join(temporaryFolder(t), 'state');
  const swap = new StateSwap(folder, STAMP);
  swap.begin();
  fill(swap.incoming, NEW);
  swap.commit(new StateFolder(folder, 'midge.db'));
  swap.end();
  assert.deepEqual(read(folder), NEW);
  assert.equal(statSync(folder).mode & 0o777, 0o700);
  assert.ok(!existsSync(swap.before));
});

test('mending a state folder says nothing when there is nothing to mend, or no folder', (t) => {
  const folder = join(temporaryFolder(t), 'state');
  assert.equal(mendSwap(new StateFolder(folder, 'midge.db')), null);
  fill(folder, { ...OLD, ...inBefore(BEFORE) });
  assert.equal(mendSwap(new StateFolder(folder, 'midge.db')), null);
});

test('state swap touches nothing outside when links stand in the place of its folders', (t) => {
  const folder = temporaryFolder(t);
  const victim = temporaryFolder(t);
  fill(victim, { shadow: 'of the system' });
  chmodSync(victim, 0o755);
  const state = new StateFolder(join(folder, 'midge'), 'midge.db');
  fill(state.path, { passwd: 'old', [`restore-${STAMP}.leaving/passwd`]: 'new' });
  for (const stage of ['entering', 'unpacking']) symlinkSync(victim, join(state.path, `restore-20250101T000000Z.${stage}`));
  symlinkSync(victim, join(state.path, `before-${STAMP}`));
  assert.throws(() => mendSwap(state), /is not a folder/);
  assert.equal(readFileSync(join(victim, 'shadow'), 'utf8'), 'of the system');
  assert.equal(statSync(victim).mode & 0o777, 0o755);
  assert.equal(readFileSync(join(state.path, 'passwd'), 'utf8'), 'old');
});
