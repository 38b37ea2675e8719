// What root tells the broker that has asked for an update: how it ended, or that it was not begun because of another one.

import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { OperatorError } from '../../src/base/errors.ts';
import { recordUpgrade, type UpgradeWatch } from '../../src/cli/requested-upgrade.ts';
import { withUpgradeLock } from '../../src/cli/upgrade-lock.ts';
import { readAttempt, readRefusal, type UpdateAttempt, writeAttempt } from '../../src/updates/update-record.ts';
import { temporaryFolder } from '../support/disk/temporary-folder.ts';

const ON_TRIAL: UpdateAttempt = {
  at: '2026-01-01T00:00:00.000Z',
  from: '1.0.0',
  to: '1.1.0',
  outcome: 'on trial',
  reason: null,
  hasBegun: true,
};
const OLD = 'Cannot upgrade to midge 0.9.0: it is older than 1.0.0, which is in place';

test('request that is refused because another upgrade is at work leaves the record of that one alone', async (t) => {
  const { lock, places, answer } = placesOf(t);
  const { promise: ended, resolve: end } = Promise.withResolvers<void>();
  const first = withUpgradeLock(() => ended, lock);
  writeAttempt(places.last, { ...ON_TRIAL, outcome: 'installed' });
  await assert.rejects(
    answer(() => withUpgradeLock(async () => 0, lock)),
    /another upgrade is at work/,
  );
  end();
  await first;
  assert.deepEqual(readAttempt(places.last), { ...ON_TRIAL, outcome: 'installed' });
  assert.match(readRefusal(places.refused)?.reason ?? '', /another upgrade is at work on this machine/);
});

test('request that comes to nothing before anything was changed leaves the record of a trial alone', async (t) => {
  const { places, answer } = placesOf(t);
  writeAttempt(places.last, ON_TRIAL);
  await assert.rejects(
    answer((watch) => {
      watch.found('1.0.0', '0.9.0');
      throw new OperatorError(OLD);
    }),
    /older than/,
  );
  assert.deepEqual([readAttempt(places.last), readRefusal(places.refused)?.reason], [ON_TRIAL, OLD]);
  assert.equal(await answer(async () => 0), 0);
  assert.equal(readAttempt(places.last)?.outcome, 'on trial');
  assert.match(readRefusal(places.refused)?.reason ?? '', /midge 1\.1\.0 is on trial/);
});

test('request that has begun takes the place of a trial in the record', async (t) => {
  const { places, answer } = placesOf(t);
  writeAttempt(places.last, ON_TRIAL);
  await assert.rejects(
    answer((watch) => {
      watch.found('1.0.0', '1.2.0');
      watch.installing('on trial');
      throw new OperatorError('the card is full');
    }),
    /the card is full/,
  );
  const { to, outcome, reason, hasBegun } = readAttempt(places.last) ?? assert.fail();
  assert.deepEqual([to, outcome, reason, hasBegun], ['1.2.0', 'failed', 'the card is full', true]);
  assert.equal(readRefusal(places.refused), null);
  assert.equal(existsSync(places.progress), false);
});

test('request that is refused tells which release was refused, and that it was not begun', async (t) => {
  const { places, answer } = placesOf(t);
  await assert.rejects(
    answer((watch) => {
      watch.found('1.0.0', '0.9.0');
      throw new OperatorError(OLD);
    }),
    /older than/,
  );
  const { from, to, outcome, reason, hasBegun } = readAttempt(places.last) ?? assert.fail();
  assert.deepEqual([from, to, outcome, reason, hasBegun], ['1.0.0', '0.9.0', 'failed', OLD, false]);
});

function placesOf(context: TestContext) {
  const folder = temporaryFolder(context);
  const at = (name: string) => join(folder, name);
  const places = { progress: at('progress.json'), last: at('last.json'), refused: at('refused.json') };
  const answer = (upgrade: (watch: UpgradeWatch) => Promise<number>) => recordUpgrade(places, () => '1.0.0', upgrade);
  return { lock: at('lock'), places, answer };
}
