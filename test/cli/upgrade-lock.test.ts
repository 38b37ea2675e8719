// Two upgrades of one machine at a time.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { withUpgradeLock } from '../../src/cli/upgrade-lock.ts';
import { temporaryFolder } from '../support/disk/temporary-folder.ts';

const NOBODY = 65_534;

test('upgrade is refused while another one is at work, and goes on when that has ended', async (t) => {
  const lock = join(temporaryFolder(t), 'lock');
  const { promise: ended, resolve: end } = Promise.withResolvers<string>();
  const { promise: begun, resolve: begin } = Promise.withResolvers<void>();
  const first = withUpgradeLock(() => {
    begin();
    return ended;
  }, lock);
  await begun;
  await assert.rejects(
    withUpgradeLock(async () => 'second', lock),
    /another upgrade is at work on this machine - wait until it has ended/,
  );
  end('first');
  assert.equal(await first, 'first');
  assert.equal(await withUpgradeLock(async () => 'third', lock), 'third');
  await assert.rejects(
    withUpgradeLock(() => Promise.reject(new Error('failed')), lock),
    /failed/,
  );
  assert.equal(await withUpgradeLock(async () => 'fourth', lock), 'fourth');
});

test('upgrade that was killed holds no other one up', async (t) => {
  const lock = join(temporaryFolder(t), 'lock');
  const script = `require('node:net').createServer().listen(${JSON.stringify(lock)}, () => process.kill(process.pid, 'SIGKILL'))`;
  spawnSync(process.execPath, ['-e', script]);
  assert.ok(existsSync(lock), 'the killed one has left its lock');
  assert.equal(await withUpgradeLock(async () => 'next', lock), 'next');
});

test('upgrade by another user than root says that only root may', async (t) => {
  const folder = temporaryFolder(t);
  chmodSync(folder, 0o555);
  const isRoot = process.getuid?.() === 0;
  if (isRoot) process.seteuid?.(NOBODY);
  try {
    await assert.rejects(
      withUpgradeLock(async () => 'never', join(folder, 'lock')),
      /^OperatorError: Cannot upgrade: only root may - use sudo$/,
    );
  } finally {
    if (isRoot) process.seteuid?.(0);
  }
  await assert.rejects(
    withUpgradeLock(async () => 'never', join(folder, 'missing', 'lock')),
    /its folder does not exist/,
  );
});
