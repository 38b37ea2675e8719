// Which words open a port to the network when a file has no `listener`: every combination of those that people write.

import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, test } from 'node:test';
import { loadConfiguration } from '../../src/config/config.ts';
import type { Configuration } from '../../src/config/configuration.ts';
import { temporaryFolder } from '../support/disk/temporary-folder.ts';

/** By the words of a row: whether they open a port to the network by themselves. */
const ROWS: readonly (readonly [lines: string, opens: boolean])[] = [
  ['port 1884', true],
  ['username jane\npassword correct-horse', true],
  ['secure true', true],
  ['persistence_file kept.db', false],
  ['max_connections 10', false],
  ['allow_anonymous false', false],
  ['password_file passwords', false],
  ['acl_file acl', false],
  ['include_dir conf.d', false],
];

let folder = '';
before((context) => {
  folder = temporaryFolder(context as Parameters<typeof temporaryFolder>[0]);
  writeFileSync(join(folder, 'passwords'), '', { mode: 0o600 });
  writeFileSync(join(folder, 'acl'), 'topic readwrite #\n', { mode: 0o600 });
  mkdirSync(join(folder, 'conf.d'));
  writeFileSync(join(folder, 'conf.d/more.conf'), 'persistence true\nmax_qos 1\n');
});

function load(text: string, lan = false): Configuration {
  const file = join(folder, 'main.conf');
  const placed = text.replace(/(passwords|acl|conf\.d)$/gm, (name) => join(folder, name));
  writeFileSync(file, placed, { mode: 0o600 });
  const { configuration, diagnostics } = loadConfiguration({ file, port: null, verbose: false, lan });
  assert.ok(configuration, `${text}\n${JSON.stringify(diagnostics)}`);
  return configuration;
}

function subsets<Row>(rows: readonly Row[]): Row[][] {
  return Array.from({ length: 2 ** rows.length }, (_, bits) => rows.filter((_, at) => (bits & (1 << at)) !== 0));
}

test(`a file without a listener is open to the network when it says a port, secure or an account, in all ${2 ** ROWS.length} combinations`, () => {
  for (const rows of subsets(ROWS)) {
    const text = rows.map(([lines]) => lines).join('\n');
    const { listeners, localOnly } = load(text);
    const isOpen = rows.some(([, opens]) => opens);
    const isAnonymous = !isOpen && !text.includes('allow_anonymous');
    assert.equal(localOnly, !isOpen, text);
    for (const { address, port, policy, maxConnections, tls } of listeners) {
      assert.equal(policy.allowAnonymous, isAnonymous, text);
      assert.equal(maxConnections, text.includes('max_connections') ? 10 : -1, text);
      assert.equal(policy.maxQos, text.includes('include_dir') ? 1 : 2, text);
      if (isOpen) {
        assert.deepEqual([address, tls !== null], [null, text.includes('secure')], text);
        assert.equal(port, text.includes('port') ? 1884 : text.includes('secure') ? 8883 : 1883, text);
      } else assert(address === '127.0.0.1' || address === '::1', `${address}\n${text}`);
    }
    if (!isOpen) assert.deepEqual(new Set(listeners.map(({ port }) => port)), new Set([1883, 8883, embeddedWebSocket()]), text);
  }
});

function embeddedWebSocket(): number {
  const { configuration } = loadConfiguration({ file: null, port: null, verbose: false, lan: false });
  return configuration?.listeners.find(({ protocol }) => protocol === 'websockets')?.port ?? 0;
}

for (const [line, check] of [
  ['max_topic_alias 3', ({ policy }) => policy.maxTopicAlias === 3],
  ['max_topic_alias_broker 3', ({ policy }) => policy.maxTopicAliasBroker === 3],
  ['maximum_qos 0', ({ policy }) => policy.maxQos === 0],
  ['use_username_as_clientid true', ({ policy }) => policy.useUsernameAsClientid],
  ['protocol websockets', ({ protocol, websocketsOrigins }) => protocol === 'websockets' && websocketsOrigins === 'loopback'],
  ['socket_domain ipv4', ({ address }) => address === '127.0.0.1'],
  ['socket_domain ipv6', ({ address }) => address === '::1'],
  [
    'websockets_origin https://home.example',
    ({ protocol, websocketsOrigins: [first] }) => protocol === 'mqtt' || first === 'https://home.example',
  ],
  ['trusted_proxies 127.0.0.1', ({ protocol, trustedProxies }) => protocol === 'mqtt' || trustedProxies.length === 1],
] as [string, (listener: Configuration['listeners'][number]) => boolean][]) {
  test(`"${line}" alone leaves the broker on this machine and open there, and is in force`, () => {
    const { listeners, localOnly } = load(line);
    assert(localOnly && listeners.length > 0);
    for (const listener of listeners) {
      assert(listener.policy.allowAnonymous && listener.address !== null);
      assert(check(listener), JSON.stringify(listener));
    }
  });
}

for (const line of ['bind_address 192.0.2.1', 'bind_interface lo', 'port 1884']) {
  test(`"${line}" alone opens the default listener`, () => assert.equal(load(line).localOnly, false));
}

test('max_connections holds for the listeners of --lan too', () => {
  const { listeners } = load('max_connections 10', true);
  assert(listeners.length >= 3);
  for (const { maxConnections, address } of listeners) assert.deepEqual([maxConnections, address], [10, null]);
});
