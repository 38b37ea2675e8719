// The process is killed at any moment: everything that was called durable is there.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { stat, watch, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { temporaryFolder } from '../support/disk/temporary-folder.ts';
import { lastConfirmed, stepFound } from '../support/store/store-steps.ts';

const KILLS = 15;
/** Lives until it is killed. */
const ENDLESS = '1000000';

test('DurableStore has everything it called durable when its process is killed at random moments', async (t) => {
  const folder = temporaryFolder(t);
  const confirmed = join(folder, 'confirmed');
  const writer = join(import.meta.dirname, '../support/store/store-writer.ts');
  await writeFile(confirmed, '');
  let before = 0;
  for (let kill = 1; kill <= KILLS; kill++) {
    const child = spawn(process.execPath, [writer, join(folder, 'state'), ENDLESS], { stdio: ['ignore', 'inherit', 'inherit'] });
    const exited = once(child, 'exit');
    await Promise.race([grown(confirmed, before + Math.floor(Math.random() ** 3 * 20_000)), exited]);
    child.kill('SIGKILL');
    await exited;
    const text = readFileSync(confirmed, 'utf8');
    assert.ok(text.length > before, 'nothing was confirmed in this life');
    before = text.length;
    const [found, least] = [stepFound(join(folder, 'state/midge.db')), lastConfirmed(text)];
    assert.ok(found >= least, `kill ${kill}: step ${least} was called durable, step ${found} is there`);
  }
});

async function grown(file: string, size: number): Promise<void> {
  const changes = watch(file);
  for await (const _ of changes) if ((await stat(file)).size > size) return;
}
