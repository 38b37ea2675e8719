// What `midge check` finds on this machine, and `midge serve` would be stopped by.

import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { temporaryFolder } from '../support/disk/temporary-folder.ts';
import { runMidge } from '../support/process/command-line.ts';

/** {folder} is the test's own, with a folder `data` in it. */
const MISTAKES: readonly (readonly [text: string, expected: RegExp])[] = [
  [
    'persistence_file {folder}/data',
    /^\S+:2:1: error: Cannot open database "\S+data": it is a folder - name another file with persistence_file$/m,
  ],
  [
    'persistence_file {folder}/data/shadow',
    /:2:1: error: Cannot open database "\S+shadow": it is not a database of midge - name another file/,
  ],
  [
    'persistence_file {folder}/data/mosquitto.db',
    /:2:1: error: Cannot open database "\S+": it is mosquitto's database - name another .+; midge import mosquitto takes over what is in it$/m,
  ],
  [
    'persistence_file {folder}/data/not-of-mosquitto',
    /:2:1: error: Cannot open database "\S+": "\S+not-of-mosquitto-wal" belongs to it, and it is a folder - name another file with persistence_file$/m,
  ],
  [
    'persistence true\npersistence_location /proc/midge',
    /:3:1: error: Cannot make database "\/proc\/midge\/midge\.db": nothing can be made in "\/proc"/,
  ],
  [
    'persistence true\npersistence_location {folder}/data/shadow/x',
    /:3:1: error: Cannot make database "\S+": nothing can be made in "\S+shadow"/,
  ],
  [
    'pid_file /nowhere/midge.pid',
    /:2:1: error: Cannot write pid_file "\/nowhere\/midge\.pid": its folder is not there - make it: mkdir -p \/nowhere$/m,
  ],
  ['log_dest file /nowhere/midge.log', /:2:1: error: Cannot write log_dest "\/nowhere\/midge\.log": its folder is not there/],
  ['log_dest file {folder}/data', /:2:1: error: Cannot write log_dest "\S+data": it is a folder/],
  ['user nosuchuser', /:2:1: (error: Cannot become user "nosuchuser"|warning: There is no user "nosuchuser")/],
  ['bind_interface nosuch0', /:1:1: error: Cannot bind to interface "nosuch0": there is no interface of this name - there are lo/],
  ['listener 18841 nosuch.invalid', /:2:1: error: Cannot find the address of "nosuch\.invalid": /],
  ['listener 18831 0.0.0.0', /:2:1: error: Cannot open two listeners on port 18831, already at \S+:1 - remove one, or give them different/],
  ['listener 18831', /:2:1: error: Cannot open two listeners on port 18831, already at \S+:1/],
];

for (const [text, expected] of MISTAKES) {
  test(`check finds what would stop the start, with its line: ${text.replace('\n', ', ')}`, async (t) => {
    const { file, folder } = prepare(t, text);
    const { stderr } = await runMidge(['check', file], { env: { HOME: folder } });
    assert.match(stderr, expected);
  });
}

test('check finds all of it at once', async (t) => {
  const { file, folder } = prepare(
    t,
    'pid_file /nowhere/a\nlog_dest file /nowhere/b\npersistence_file {folder}/data\nlistener 18841 nosuch.invalid',
  );
  const { status, stderr } = await runMidge(['check', file], { env: { HOME: folder } });
  assert.equal(status, 1);
  assert.deepEqual(stderr.match(/:\d+:1: error/g)?.sort(), [':2:1: error', ':3:1: error', ':4:1: error', ':5:1: error']);
});

test('check takes listeners on the same port of different addresses and interfaces', async (t) => {
  const { file, folder } = prepare(t, 'listener 18831 127.0.0.2');
  const { status, stderr } = await runMidge(['check', file], { env: { HOME: folder } });
  assert.equal(status, 0, stderr);
});

function prepare(t: Parameters<typeof temporaryFolder>[0], text: string) {
  const folder = temporaryFolder(t);
  mkdirSync(join(folder, 'data'));
  mkdirSync(join(folder, 'data/not-of-mosquitto-wal'));
  writeFileSync(join(folder, 'data/shadow'), 'root:*:19000::::::\n');
  writeFileSync(join(folder, 'data/mosquitto.db'), Buffer.from('00b5006d6f7371756974746f20646200000000', 'hex'));
  const file = join(folder, 'midge.conf');
  writeFileSync(file, `listener 18831 127.0.0.1\n${text.replaceAll('{folder}', folder)}\n`);
  return { folder, file };
}
