// The broker's test of itself: through which listener, past passwords and ACL, and what happens when the broker does not answer.

import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { Listener } from '../../src/listeners/listeners.ts';
import { createSelfTest, ways } from '../../src/service/self-test.ts';
import { SelfTestLogin } from '../../src/service/self-test-login.ts';
import { watchdogInterval } from '../../src/service/service-manager.ts';
import { openAppliance } from '../app/test-appliance.ts';
import { configurationOf } from '../app/test-configuration.ts';
import { PLAIN, TLS } from '../listeners/test-listener.ts';
import { mqttClient } from '../support/clients/mqtt-client.ts';
import { temporaryFolder } from '../support/disk/temporary-folder.ts';
import { recordingLog } from '../support/ports/recording-log.ts';

const INTERVAL = 10;
const PATIENCE = 20_000;

async function house(context: TestContext, listeners: string, hasAccess = true) {
  const folder = temporaryFolder(context);
  const [acl, passwords] = [join(folder, 'acl'), join(folder, 'passwd')];
  writeFileSync(acl, '');
  writeFileSync(passwords, '', { mode: 0o600 });
  const pass = new SelfTestLogin();
  const files = hasAccess ? `password_file ${passwords}\nacl_file ${acl}\n` : '';
  const configuration = configurationOf(folder, `advertise false\n${files}${listeners}`);
  const { appliance, log } = await openAppliance(context, folder, { configuration, selfTest: pass });
  return { appliance, pass, log };
}

/** counted is a self-test whose passes can be waited for. */
function counted(context: TestContext, pass: SelfTestLogin, listeners: readonly Listener[], patience = PATIENCE) {
  const log = recordingLog();
  let passes = 0;
  const waiting: { count: number; resolve: () => void }[] = [];
  const passed = () => {
    passes++;
    for (const { count, resolve } of waiting) if (passes >= count) resolve();
  };
  const part = createSelfTest({ pass, listeners: () => listeners, interval: INTERVAL, patience, log, passed });
  context.after(() => part.stop());
  const times = (count: number) => new Promise<void>((resolve) => (passes >= count ? resolve() : waiting.push({ count, resolve })));
  return { part, log, times, count: () => passes };
}

for (const [name, listeners, protocol] of [
  ['TLS where there is TLS', 'listener 1883 127.0.0.1\nlistener 8883 127.0.0.1\nsecure true\n', 'TLSv1.3'],
  ['a plain port where there is none', 'listener 1883 127.0.0.1\n', undefined],
  ['a port with a mount point', 'listener 1883 127.0.0.1\nmount_point house/\n', undefined],
] as const) {
  test(`self-test passes by ${name}, whatever passwords and ACL say`, async (context) => {
    const { appliance, pass } = await house(context, listeners);
    const { part, times, log } = counted(context, pass, appliance.listeners);
    await part.start();
    await times(3);
    const connections = [...appliance.broker.connections];
    assert.equal(connections.length, 1, 'one connection for all tests');
    assert.equal(connections[0]?.id, pass.clientId);
    assert.equal(connections[0]?.origin.tls?.version, protocol);
    assert.deepEqual(log.lines, []);
    assert.equal(appliance.broker.counters.publishReceived, appliance.broker.counters.publishSent);
  });
}

test('the traffic of clients is counted without the self-test and without what $SYS sends by itself', async (context) => {
  const { appliance, pass } = await house(context, 'sys_interval 1\nallow_anonymous true\nlistener 1883 127.0.0.1\n', false);
  const { traffic, listeners, broker } = appliance;
  const { part, times } = counted(context, pass, listeners);
  await part.start();
  await times(3);
  await part.stop();
  assert.ok(broker.counters.publishReceived >= 3 && broker.retained.count > 30);
  const { received, sent, retained } = traffic;
  assert.deepEqual({ received, sent, retained }, { received: 0, sent: 0, retained: 0 });
  const client = await mqttClient(context, { port: listeners[0]!.port, protocolVersion: 4 });
  const arrived = (topic: string) =>
    new Promise<void>((resolve) => client.on('message', (name, _, { retain }) => name === topic && !retain && resolve()));
  const uptime = arrived('$SYS/broker/uptime');
  await client.subscribeAsync(['$SYS/#', 'lamp']);
  await uptime;
  const snapshot = traffic.sent; // retained messages of $SYS, for who has asked
  const again = arrived('$SYS/broker/uptime');
  await again;
  assert.equal(traffic.sent, snapshot);
  const on = arrived('lamp');
  await client.publishAsync('lamp', 'on', { retain: true });
  await on;
  assert.deepEqual([traffic.received, traffic.sent, traffic.retained], [1, snapshot + 1, 1]);
  assert.deepEqual([traffic.connectedClients, traffic.clientsAway, traffic.connections, traffic.subscriptions], [1, 0, 1, 2]);
  assert.equal(traffic.connectionsOf(listeners[0]!), 1);
});

test('self-test passes when the broker lives but turns its client away', async (context) => {
  const { appliance, pass } = await house(context, 'clientid_prefixes home-\nlistener 1883 127.0.0.1\n');
  const { part, times } = counted(context, pass, appliance.listeners);
  await part.start();
  await times(3);
});

test('self-test fails and says so when a listener that worked no longer answers', async (context) => {
  const { appliance, pass } = await house(context, 'listener 1883 127.0.0.1\n');
  const { part, log, count } = counted(context, pass, appliance.listeners, 1000);
  await part.start();
  const before = count();
  appliance.broker.tree.routeOf = () => assert.fail('the engine is broken');
  await log.line(/^Error: The self-test through listener \d+ failed/);
  assert.ok(count() <= before + 1, `${count() - before} passed`); // one may have been under way
});

test('self-test tells that the program lives when no listener is one for it', async (context) => {
  const { part, times, log } = counted(context, new SelfTestLogin(), []);
  await part.start();
  await times(2);
  assert.match(log.lines[0] ?? '', /finds no listener/);
});

test('self-test leaves out listeners that want a certificate or a proxy, or speak WebSocket, and takes TLS first', () => {
  const listener = (name: string, options: object) => ({ name, options: { ...PLAIN, ...options } }) as Listener; // what `ways` reads
  const all = [
    listener('plain', {}),
    listener('websockets', { protocol: 'websockets' }),
    listener('proxy', { tls: TLS, proxyProtocol: 2 }),
    listener('certificates', { tls: { ...TLS, requireCertificate: true } }),
    listener('names', { tls: { ...TLS, identity: 'common name' } }),
    listener('tls', { tls: TLS }),
  ];
  assert.deepEqual(
    ways(all).map(({ name }) => name),
    ['tls', 'plain'],
  );
});

test('self-test pass keeps its topic to itself', () => {
  const pass = new SelfTestLogin();
  const everything = { mayPublish: () => true, mayReceive: () => true, maySubscribe: () => true };
  const authorizer = pass.authorizer(everything);
  const [ours, other] = [
    { clientId: pass.clientId, username: null, listener: '1883' },
    { clientId: 'x', username: null, listener: '1883' },
  ];
  for (const ask of [authorizer?.mayPublish, authorizer?.mayReceive]) {
    assert.equal(ask?.(ours, pass.topicName), true);
    assert.equal(ask?.(other, pass.topicName), false);
    assert.equal(ask?.(other, 'a'), true);
  }
  assert.equal(pass.authorizer(null), null);
});

test('watchdog interval is that of systemd when it watches this process', () => {
  const env = { NOTIFY_SOCKET: '/run/x', WATCHDOG_USEC: '60000000', WATCHDOG_PID: '7' };
  assert.equal(watchdogInterval(env, 7), 60_000);
  assert.equal(watchdogInterval(env, 8), null);
  assert.equal(watchdogInterval({ ...env, WATCHDOG_USEC: '0' }, 7), null);
  assert.equal(watchdogInterval({ WATCHDOG_USEC: '60000000' }, 7), null);
});
