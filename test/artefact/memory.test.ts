// What the page and the REST interface cost in memory: nothing but the listener until somebody asks, and little then.

import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { temporaryFolder } from '../support/disk/temporary-folder.ts';
import { freePorts } from '../support/network/free-ports.ts';
import { watchProcess } from '../support/process/watched-process.ts';
import { EXECUTABLES } from './executable.ts';

/** Bytes that the interface may take when it is loaded and has answered. Measured: 7 to 8 MB. */
const MOST = 12 * 1_048_576;

/** Garbage is collected when the process likes to: what it holds is the least that is seen. */
const LOOKS = 60;

const executable = EXECUTABLES.find(({ name }) => name === `midge-linux-${process.arch}`);

test('the REST interface takes at most 12 MB when it is loaded', {
  skip: executable?.skip ?? 'no executable',
  timeout: 300_000,
}, async (t) => {
  const [one = 0, other = 0, page = 0] = await freePorts(3);
  const without = await startBroker(t, [`listener ${one} 127.0.0.1`]);
  const loaded = await startBroker(t, [`listener ${other} 127.0.0.1`, `listener ${page} 127.0.0.1`, 'protocol http']);
  for (const path of ['/health', '/ready', '/', '/api/v1/openapi.json', '/api/v1/welcome'])
    assert.equal((await fetch(`http://127.0.0.1:${page}${path}`)).status, 200, path);
  let least = Number.POSITIVE_INFINITY;
  for (let look = 0; look < LOOKS && least > MOST; look++) {
    least = Math.min(least, ownMemory(loaded) - ownMemory(without));
    await wait(1000);
  }
  assert.ok(least <= MOST, `${(least / 1_048_576).toFixed(1)} MB`);
});

async function startBroker(t: TestContext, lines: readonly string[]): Promise<number> {
  const folder = temporaryFolder(t);
  const [file, passwd, state] = [join(folder, 'midge.conf'), join(folder, 'passwd'), join(folder, 'state')];
  mkdirSync(state, { mode: 0o700 });
  writeFileSync(passwd, '', { mode: 0o600 });
  const user = process.getuid?.() === 0 ? ['user root'] : [];
  writeFileSync(file, [...user, `password_file ${passwd}`, 'advertise false', ...lines, ''].join('\n'));
  const broker = watchProcess(t, [executable?.file ?? '', ['serve', '-c', file, '--state', state]]);
  await broker.line(/ running$/, 0, 60_000);
  return broker.pid;
}

/** Bytes of memory that are this process's own, proc_pid_smaps(5): pages of the executable are shared, or read again. */
function ownMemory(pid: number): number {
  const [, kilobytes = ''] = /^Anonymous:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8')) ?? [];
  return Number(kilobytes) * 1024;
}
