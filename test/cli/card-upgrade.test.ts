// `midge upgrade FILE.raucb` on the image, with rauc's answers recorded.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { OperatorError } from '../../src/base/errors.ts';
import { type CardMachine, isBundle, upgradeCard } from '../../src/cli/card-upgrade.ts';
import type { Terminal } from '../../src/terminal/command.ts';

function upgrade(
  version: string,
  change: Partial<CardMachine> & { readonly allowDowngrade?: boolean; readonly isDry?: boolean; readonly bundle?: string } = {},
) {
  const calls: string[] = [];
  let text = '';
  const machine: CardMachine = {
    hasSlots: () => true,
    run: (...words) => {
      calls.push(words.join(' '));
      return JSON.stringify({ compatible: 'midge-raspberrypi-arm64', version });
    },
    follow: async (...words) => {
      calls.push(words.join(' '));
      return 0;
    },
    ...change,
  };
  const terminal = { stdout: { write: (words: string) => (text += words) } } as unknown as Terminal; // all that is used of it
  const { allowDowngrade = false, isDry = false, bundle = '/x.raucb' } = change;
  const status = upgradeCard({ bundle, current: '1.2.0', allowDowngrade, isDry, terminal, machine });
  return { status, calls, said: () => text };
}

const INSTALLED = ['rauc info --output-format=json /x.raucb', 'rauc install /x.raucb'];

test('card upgrade has rauc install a newer version, and says when it is tried', async () => {
  const { status, calls, said } = upgrade('1.3.0');
  assert.equal(await status, 0);
  assert.deepEqual(calls, INSTALLED);
  assert.match(said(), /tried with the next start: \/usr\/libexec\/midge\/slots try/);
});

test('card upgrade refuses an older version before anything is written, unless it may', async () => {
  const older = upgrade('1.1.9');
  await assert.rejects(older.status, /older than 1\.2\.0 - to go back, add --allow-downgrade/);
  assert.deepEqual(older.calls, INSTALLED.slice(0, 1));
  const allowed = upgrade('1.1.9', { allowDowngrade: true });
  assert.equal(await allowed.status, 0);
  assert.deepEqual(allowed.calls, INSTALLED);
});

test('card upgrade writes nothing when the version is in place, or with --dry-run', async () => {
  for (const { status, calls } of [upgrade('1.2.0'), upgrade('1.3.0', { isDry: true })]) {
    assert.equal(await status, 0);
    assert.deepEqual(calls, INSTALLED.slice(0, 1));
  }
});

test('card upgrade says how to move when the card has no second system', async () => {
  await assert.rejects(
    upgrade('1.3.0', { hasSlots: () => false }).status,
    /make a backup, write the new image to the card, and restore the backup/,
  );
});

test('card upgrade asks for a file when it is given an address', async () => {
  const { status, calls } = upgrade('1.3.0', { bundle: 'https://example.org/x.raucb' });
  await assert.rejects(status, /download it first/);
  assert.deepEqual(calls, []);
});

test('card upgrade passes on why rauc refuses a bundle', async () => {
  const run = () => {
    throw new OperatorError('Cannot upgrade: signature verification failed');
  };
  await assert.rejects(upgrade('1.3.0', { run }).status, /signature verification failed/);
});

test('card upgrade is for bundles of rauc alone', () => {
  assert.deepEqual(['https://example.org/x.raucb', 'x.raucb', 'midge-linux-arm64'].map(isBundle), [true, true, false]);
});
