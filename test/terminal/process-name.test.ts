// What other programs call the process.

import assert from 'node:assert/strict';
import { readFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { temporaryFolder } from '../support/disk/temporary-folder.ts';
import { freePorts } from '../support/network/free-ports.ts';
import { openPort, startMidge } from '../support/process/midge-process.ts';

const MAIN = join(import.meta.dirname, '../../src/main.ts');

for (const [link, words] of [
  ['midge', ['serve']],
  ['mosquitto', []],
] as const) {
  test(`process is called ${link} when it is started as ${link}, and its command line stays`, async (t) => {
    const folder = temporaryFolder(t);
    symlinkSync(MAIN, join(folder, link));
    const [port = 0] = await freePorts(1);
    const broker = startMidge(t, folder, [...words, '-p', String(port)], { program: join(folder, link) });
    await openPort(broker);
    assert.equal(readFileSync(`/proc/${broker.pid}/comm`, 'utf8'), `${link}\n`);
    assert.match(readFileSync(`/proc/${broker.pid}/cmdline`, 'utf8'), new RegExp(`\0-p\0${port}\0$`));
  });
}
