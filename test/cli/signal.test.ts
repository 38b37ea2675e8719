// `midge signal`: the words of mosquitto_signal, and which processes are meant.

import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { isBroker } from '../../src/cli/signal.ts';
import { COMMAND_TABLE } from '../../src/commands.ts';
import { temporaryFolder } from '../support/disk/temporary-folder.ts';
import { runMidge } from '../support/process/command-line.ts';
import { openPort, startMidge } from '../support/process/midge-process.ts';

test('signal reaches the broker that -p names, by the name of what it does', async (context) => {
  const folder = temporaryFolder(context);
  mkdirSync(folder, { recursive: true });
  const file = join(folder, 'midge.conf');
  writeFileSync(file, 'advertise false\n');
  const broker = startMidge(context, folder, ['serve', '-c', file, '-p', '0']);
  await openPort(broker);
  const send = (signal: string) => runMidge(['-p', `${broker.pid}`, signal], { program: 'mosquitto_signal' });
  for (const [signal, line] of [
    ['config-reload', /Reloading config/],
    ['tree-print', /SIGUSR2: 0 connections are open/],
    ['shutdown', /terminating/],
  ] as const) {
    const { status, stderr } = await send(signal);
    assert.deepEqual([status, stderr], [0, ''], signal);
    await broker.line(line);
  }
  await broker.ended;
  const late = await send('config-reload');
  assert.deepEqual([late.status, late.stderr], [0, `Error sending signal to process ${broker.pid}: No such process\n`]);
  assert.equal((await runMidge(['signal', '-p', `${broker.pid}`, 'config-reload'])).status, 1);
});

const MISTAKES: readonly (readonly [words: readonly string[], sentence: RegExp])[] = [
  [['config-reload'], /^Error: One of -a or -p must be used\.\n/],
  [['-p'], /^Error: -p argument given, but no pid specified\.\n/],
  [['-p', '0', 'shutdown'], /^Error: Process ID must be >0\.\n/],
  [['-p', 'x', 'shutdown'], /^Error: Process ID must be >0\.\n/],
  [['-p', '1'], /^Error: No signal given\.\n/],
  [['-p', '1', 'fly'], /^Error: Unknown signal 'fly'\.\n/],
  [['-p', '1', 'xtreport'], /^Error: xtreport is not supported/],
];

for (const [words, sentence] of MISTAKES) {
  test(`signal refuses "${words.join(' ')}"`, async () => {
    const { status, stderr } = await runMidge(words, { program: 'mosquitto_signal' });
    assert.match(stderr, sentence);
    assert.equal(status, 1);
  });
}

const PROCESSES: readonly (readonly [words: readonly string[], isBroker: boolean])[] = [
  [['/usr/sbin/mosquitto', '-c', '/etc/mosquitto/mosquitto.conf'], true],
  [['mosquitto'], true],
  [['/usr/bin/midge', 'serve', '-c', '/etc/midge/midge.conf'], true],
  [['midge', '-p', '1883'], true],
  [['midge', 'sub', '-t', '#'], false],
  [['midge pub'], false], // hidden words
  [['midge'], false],
  [['mosquitto_sub', '-t', '#'], false],
  [['/usr/bin/vi', 'mosquitto'], false],
  [[], false],
];

for (const [words, expected] of PROCESSES) {
  test(`signal -a ${expected ? 'means' : 'leaves alone'} the process "${words.join(' ')}"`, () => {
    assert.equal(isBroker(words, COMMAND_TABLE), expected);
  });
}
