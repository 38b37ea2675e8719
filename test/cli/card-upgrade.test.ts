// `midge upgrade FILE.raucb` on the image, with rauc's answers recorded.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { OperatorError } from '../../src/base/errors.ts';
import { type CardMachine, isBundle, startTrial, upgradeCard } from '../../src/cli/card-upgrade.ts';
import type { Terminal } from '../../src/terminal/command.ts';

function upgrade(
  version: string,
  change: Partial<CardMachine> & {
    readonly allowDowngrade?: boolean;
    readonly isDry?: boolean;
    readonly bundle?: string;
    readonly trial?: string;
  } = {},
) {
  const calls: string[] = [];
  let text = '';
  const { trial = '' } = change;
  const machine: CardMachine = {
    hasSlots: () => true,
    run: (program, ...words) => {
      if (program !== 'rauc') return words[0] === 'get-current' ? 'A\n' : trial;
      calls.push([program, ...words].join(' '));
      return JSON.stringify({ compatible: 'midge-raspberrypi-arm64', version });
    },
    compatible: () => 'midge-raspberrypi-arm64',
    follow: async (...words) => {
      calls.push(words.join(' '));
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
  assert.match(said(), /Restart the Pi with it, once: \/usr\/libexec\/midge\/slots try/);
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

test('card upgrade asks rauc nothing while the system that runs is on trial, and goes on while another one waits for its trial', async () => {
  const { status, calls } = upgrade('1.3.0', { trial: 'A\n' });
  await assert.rejects(status, /the version that runs is on trial, and the one before is still needed for the way back/);
  assert.deepEqual(calls, []);
  assert.equal(await upgrade('1.3.0', { trial: 'B\n' }).status, 0);
});

test('card upgrade refuses the update of another kind of machine before anything is written', async () => {
  const { status, calls } = upgrade('1.3.0', { compatible: () => 'midge-other-board' });
  await assert.rejects(status, /the update is for "midge-raspberrypi-arm64", and this machine is "midge-other-board"/);
  assert.deepEqual(calls, INSTALLED.slice(0, 1));
});

test('card upgrade says in words why rauc refuses a bundle, and that nothing was changed', async () => {
  const because = (said: string) =>
    upgrade('1.3.0', {
      run: (program) => {
        if (program !== 'rauc') return '';
        throw new OperatorError(said);
      },
    }).status;
  for (const [said, wanted] of [
    [
      'rauc-WARNING **: signature verification failed: Verify error: unable to get local issuer certificate',
      /nobody whom this card trusts/,
    ],
    ['Failed to check bundle: Signature size (3472) exceeds bundle size', /not a whole update: it is truncated or damaged/],
    ['something new', /rauc does not take the update: something new\. Nothing was changed/],
  ] as const)
    await assert.rejects(because(said), wanted);
});

test('card upgrade says why rauc could not write a bundle, and that the system that runs stays', async () => {
  const follow = async () => {
    throw new OperatorError('rauc ended with status 1: No space left on device');
  };
  await assert.rejects(
    upgrade('1.3.0', { follow }).status,
    /could not be written, and the system that runs stays .*No space left on device/,
  );
});

test('card is started again for a trial only when a system waits for it', async () => {
  const calls: string[] = [];
  const machine = (primary: string) =>
    ({
      run: (_: string, word: string) => (word === 'get-primary' ? primary : 'A\n'),
      follow: async (...words: string[]) => calls.push(words.join(' ')),
    }) as unknown as CardMachine; // all that is used of it
  await startTrial(machine('A\n'));
  assert.deepEqual(calls, []);
  await startTrial(machine('B\n'));
  assert.deepEqual(calls, ['systemctl start midge-try.service']);
});

test('card upgrade is for bundles of rauc alone', () => {
  assert.deepEqual(['https://example.org/x.raucb', 'x.raucb', 'midge-linux-arm64'].map(isBundle), [true, true, false]);
});
