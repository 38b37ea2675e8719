// `midge discover`: what it makes of what was found.

import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { test } from 'node:test';
import { type Browse, discover } from '../../src/cli/discover.ts';
import { COMMAND_TABLE } from '../../src/commands.ts';
import type { DiscoveredBroker } from '../../src/discovery/discovery.ts';
import { findCommand } from '../../src/terminal/command.ts';

const MIDGE: DiscoveredBroker = {
  id: 'midge._mqtt._tcp.local',
  name: 'midge',
  host: 'pi.local',
  addresses: ['192.0.2.5', 'fe80::1%eth0'],
  port: 1883,
  kind: 'mqtt',
  txt: {},
};
const WEB: DiscoveredBroker = { ...MIDGE, id: 'midge._mqtt-ws._tcp.local', port: 9001, kind: 'ws', txt: { path: '/mqtt' } };
const OTHER: DiscoveredBroker = { ...MIDGE, id: 'a._mqtt._tcp.local', name: 'attic', host: 'attic.local', addresses: [] };

test('discover prints a table by name and port when there are brokers', async () => {
  const { status, stdout } = await look([], async ({ onFound }) => [WEB, MIDGE, OTHER].forEach(onFound));
  assert.equal(
    stdout,
    'NAME   URL                      ADDRESS\n' +
      'attic  mqtt://attic.local:1883\n' +
      'midge  mqtt://pi.local:1883     192.0.2.5 fe80::1%eth0\n' +
      'midge  ws://pi.local:9001/mqtt  192.0.2.5 fe80::1%eth0\n',
  );
  assert.equal(status, 0);
});

test('discover prints JSON for machines when asked', async () => {
  const { stdout } = await look([['json', ['']]], async ({ onFound }) => onFound(WEB));
  assert.deepEqual(JSON.parse(stdout), [
    {
      name: 'midge',
      url: 'ws://pi.local:9001/mqtt',
      protocol: 'ws',
      host: 'pi.local',
      port: 9001,
      addresses: WEB.addresses,
      txt: { path: '/mqtt' },
    },
  ]);
});

test('discover leaves out a broker when it has said goodbye', async () => {
  const { status, stdout, stderr } = await look([], async ({ onFound, onLost }) => {
    onFound(MIDGE);
    onLost(MIDGE);
  });
  assert.deepEqual([status, stdout], [1, '']);
  assert.match(stderr, /No broker announces itself/);
});

test('discover listens as long as it is told when a timeout is given', async () => {
  const started = performance.now();
  await look([['timeout', ['0.05']]], ({ signal }) => new Promise((resolve) => signal.addEventListener('abort', () => resolve())));
  assert.ok(performance.now() - started >= 45);
});

async function look(flags: [string, string[]][], browse: Browse): Promise<{ status: number; stdout: string; stderr: string }> {
  const [stdout, stderr, stdin] = [new PassThrough(), new PassThrough(), new PassThrough()];
  const command = findCommand(COMMAND_TABLE, 'discover')!; // it stands in the table
  const terminal = { stdin, stdout, stderr, env: {} };
  const status = await discover(
    { table: COMMAND_TABLE, command, argv: [], flags: new Map(flags), operands: [], program: 'midge discover', terminal },
    browse,
  );
  stdout.end();
  stderr.end();
  return { status, stdout: (await buffer(stdout)).toString(), stderr: (await buffer(stderr)).toString() };
}
