// The blocks of docs/bridges.md for brokers in a cloud: they are good configuration, and what they make keeps to the limits of that cloud.

import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { BridgeSettings } from '../../src/bridges/options.ts';
import { nameBridge } from '../../src/bridges/options.ts';
import { configurationOf } from '../app/test-configuration.ts';
import { client } from '../bridges/clients.ts';
import { eventually, startNear, tcp } from '../bridges/scene.ts';
import { type Rules, strictServer } from '../bridges/strict-server.ts';
import { temporaryFolder } from '../support/disk/temporary-folder.ts';
import { testAuthority } from '../support/network/test-certificates.ts';
import { readBlocks } from './page.ts';

/** CLOUDS are those of the page by the name of their connection, with what their makers say that they take. Nobody may publish to $SYS. */
const CLOUDS: Readonly<Record<string, Rules>> = {
  hivemq: { connack: { receiveMaximum: 10, topicAliasMaximum: 5, maximumPacketSize: 5_242_880 } },
  aws: {
    connack: { maximumQos: 1, receiveMaximum: 100, maximumPacketSize: 149_504, topicAliasMaximum: 8 },
    mostFilters: 8,
    mostKeepAlive: 1200,
    clientIds: /^home$/,
    closesOnBridgeBit: true,
    closesOnTopic: /^\$|(\/.*){8}/, // it takes 7 slashes
  },
  azure: { connack: { maximumQos: 1, receiveMaximum: 16, topicAliasMaximum: 10 }, mostKeepAlive: 1160, clientIds: /^home$/ },
};

const blocks = readBlocks('docs/bridges.md').filter(({ language, lines }) => language === 'conf' && /mqtts:\/\/NAME/.test(lines));

test('page has a block for each cloud', () => {
  assert.deepEqual(blocks.map(({ lines }) => nameOf(lines)).sort(), Object.keys(CLOUDS).sort());
});

for (const { lines } of blocks) {
  test(`bridge of the block for ${nameOf(lines)} keeps to its limits`, async (context) => {
    const rules = { closesOnTopic: /^\$SYS/, ...CLOUDS[nameOf(lines)] };
    const folder = temporaryFolder(context);
    const { cert, key } = await (await testAuthority()).issue('CN=home');
    for (const name of ['aws', 'azure']) {
      writeFileSync(join(folder, `${name}.crt`), cert);
      writeFileSync(join(folder, `${name}.key`), key, { mode: 0o600 });
    }
    const far = await strictServer(context, rules);
    const [settings] = configurationOf(folder, lines.replaceAll('/etc/midge', folder)).bridges;
    assert.ok(settings !== undefined && settings.tls !== null, 'it has TLS');
    assert.ok(settings.addresses.every(({ scheme, port }) => scheme === 'mqtts' && port === 8883));
    const near = await startNear(context, [overHere(settings, far.port)], { options: { maxQueuedMessages: 0, maxInflightMessages: 0 } });
    await near.connected();
    const publisher = await client(context, near.port, { protocolVersion: 4 });
    const topic = join('home', ...Array.from({ length: 7 }, () => 'x'));
    await Promise.all(
      Array.from({ length: 300 }, (_, at) => publisher.publishAsync(topic, `${at}`, { qos: at % 2 === 0 ? 2 : 1, retain: at % 3 === 0 })),
    );
    await eventually(() => near.state().queued === 0, 'everything is acknowledged');
    assert.deepEqual([far.violations, far.published.length, far.connects.length, near.state().dropped], [[], 300, 1, 0]);
  });
}

function nameOf(lines: string): string {
  return /^connection (\S+)$/m.exec(lines)?.[1] ?? '';
}

/** The same bridge to a server of the test, which has no TLS. */
function overHere(settings: BridgeSettings, port: number) {
  return { ...nameBridge(settings, { hostName: 'pi', unique: 'a' }), addresses: [tcp(port)], tls: null };
}
