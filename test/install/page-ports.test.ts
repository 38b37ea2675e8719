// The page of a new installation goes to ports that are free.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { installFiles } from '../../src/install/files.ts';
import { hasPages, withFreePages } from '../../src/install/page-ports.ts';

const { configuration } = installFiles(null);
const portsIn = (text: string) => Array.from(text.matchAll(/^listener (\d+)\nprotocol http$/gm), ([, port]) => Number(port));

for (const [taken, ports] of [
  [[], [443, 80]],
  [[80], [443]],
  [[443], [8443, 80]],
  [[443, 80, 8443], [8444]],
  [
    [443, 8443, 8444, 9443],
    [443, 80],
  ], // the installation names who has it, and changes nothing
] as const) {
  test(`page is on ${ports.join(' and ')} when ${taken.join(', ') || 'no port'} is taken`, () => {
    assert.ok(hasPages(configuration), 'the blocks are those of midge.conf');
    const text = withFreePages(configuration, (port) => (taken as readonly number[]).includes(port));
    assert.deepEqual(portsIn(text), ports);
    const others = (each: string) =>
      each.split('\n').filter((line) => !/listener (443|80|\d443|8444)$|protocol http$|secure false|http:/.test(line));
    assert.deepEqual(others(text), others(configuration), 'nothing else is changed');
  });
}
