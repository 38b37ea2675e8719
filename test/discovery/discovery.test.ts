// Advertising and browsing with real packets, on the loopback interface.

import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { networkInterfaces } from 'node:os';
import { type TestContext, test } from 'node:test';
import { type AdvertiserSubject, browse, createAdvertiser, type DiscoveredBroker } from '../../src/discovery/discovery.ts';
import type { AdvertisedListener } from '../../src/discovery/options.ts';
import { multicastObstacle } from '../support/network/loopback-multicast.ts';
import { recordingLog } from '../support/ports/recording-log.ts';

const MQTT: AdvertisedListener = { protocol: 'mqtt', tls: false, port: 1883, anonymous: false };
const WSS: AdvertisedListener = { protocol: 'websockets', tls: true, port: 8084, anonymous: true };
let serial = 0;

interface Advertised {
  readonly log: ReturnType<typeof recordingLog>;
  readonly listeners: AdvertisedListener[];
  readonly advertiser: ReturnType<typeof createAdvertiser>;
}

function advertise(t: TestContext, name: string, changes: Partial<AdvertiserSubject> = {}): Advertised {
  const log = recordingLog();
  const listeners = [MQTT];
  const advertiser = createAdvertiser({
    options: { advertise: true, name },
    listeners: () => listeners,
    hostName: name,
    machine: null,
    caFingerprint: null,
    addresses: () => ['127.0.0.1'],
    log,
    ...changes,
  });
  t.after(() => advertiser.stop());
  return { log, listeners, advertiser };
}

interface Sightings {
  found(predicate: (broker: DiscoveredBroker) => boolean): Promise<DiscoveredBroker>;
  lost(id: string): Promise<unknown>;
}

/** watch browses on loopback until the test ends. */
function watch(t: TestContext): Sightings {
  const events: { readonly lost: boolean; readonly broker: DiscoveredBroker }[] = [];
  const wakers = new Set<() => void>();
  const note = (lost: boolean) => (broker: DiscoveredBroker) => {
    events.push({ lost, broker });
    for (const waker of wakers) waker();
  };
  const ending = new AbortController();
  const interfaces = () => ({ lo: networkInterfaces()['lo'] });
  const browsing = browse({ signal: ending.signal, onFound: note(false), onLost: note(true), interfaces });
  t.after(() => {
    ending.abort();
    return browsing;
  });
  const event = (matches: (event: (typeof events)[number]) => boolean) =>
    new Promise<DiscoveredBroker>((resolve) => {
      const look = () => {
        const found = events.find(matches);
        if (found === undefined) return;
        wakers.delete(look);
        resolve(found.broker);
      };
      wakers.add(look);
      look();
    });
  return {
    found: (predicate) => event(({ lost, broker }) => !lost && predicate(broker)),
    lost: (id) => event(({ lost, broker }) => lost && broker.id === id),
  };
}

function uniqueName(): string {
  return `midge-test-${process.pid}-${++serial}`;
}

async function skipWithoutMulticast(t: TestContext): Promise<boolean> {
  const obstacle = await multicastObstacle();
  if (obstacle !== null) t.skip(obstacle);
  return obstacle !== null;
}

test('browse finds what an advertiser announces, follows its listeners, and loses it when it stops', async (t) => {
  if (await skipWithoutMulticast(t)) return;
  const name = uniqueName();
  const sightings = watch(t);
  const { advertiser, listeners } = advertise(t, name);
  await advertiser.start();
  const broker = await sightings.found((each) => each.name === name);
  assert.deepEqual(broker, {
    id: `${name}._mqtt._tcp.local`,
    name,
    host: `${name}.local`,
    addresses: ['127.0.0.1'],
    port: 1883,
    kind: 'mqtt',
    txt: { txtvers: '1', protocol: 'mqtt', versions: '3.1,3.1.1,5.0', tls: '0', auth: 'password', anon: '0' },
  });
  listeners.splice(0, 1, WSS);
  advertiser.refresh();
  await sightings.lost(`${name}._mqtt._tcp.local`);
  const secure = await sightings.found((each) => each.name === name && each.kind === 'wss');
  assert.equal(secure.txt['path'], '/mqtt');
  await advertiser.stop();
  await sightings.lost(`${name}._mqtt-wss._tcp.local`);
});

test('an advertiser tells under which host name it is announced, and when it no longer is', async (t) => {
  if (await skipWithoutMulticast(t)) return;
  const name = uniqueName();
  const told: (string | null)[] = [];
  const withdrawn = Promise.withResolvers<void>();
  const onHost = (host: string | null) => {
    told.push(host);
    if (host === null) withdrawn.resolve();
  };
  const { advertiser, listeners, log } = advertise(t, name, { onHost });
  await advertiser.start();
  await log.line(/^Announced by mDNS/);
  listeners.splice(0, 1, WSS);
  advertiser.refresh();
  await watch(t).found((broker) => broker.name === name && broker.kind === 'wss');
  listeners.splice(0);
  advertiser.refresh();
  await withdrawn.promise;
  assert.deepEqual(told, [`${name}.local`, null]);
});

test('an advertiser takes "name (2)" when its name is in use, and both are found [RFC 6762 9]', async (t) => {
  if (await skipWithoutMulticast(t)) return;
  const name = uniqueName();
  const first = advertise(t, name);
  await first.advertiser.start();
  await first.log.line(/^Announced by mDNS/);
  const second = advertise(t, name, { listeners: () => [{ ...MQTT, port: 1884 }] });
  await second.advertiser.start();
  await second.log.line(new RegExp(`^Announced by mDNS as "${name} \\(2\\)" at ${name}\\.local on lo`));
  const sightings = watch(t);
  assert.equal((await sightings.found((each) => each.name === name)).port, 1883);
  assert.equal((await sightings.found((each) => each.name === `${name} (2)`)).port, 1884);
  assert.equal(first.log.lines.length, 1, first.log.lines.join('\n'));
});

test('a resolver that asks from another port gets a unicast answer [RFC 6762 6.7]', async (t) => {
  if (await skipWithoutMulticast(t)) return;
  const name = uniqueName();
  const { advertiser, log } = advertise(t, name);
  await advertiser.start();
  await log.line(/^Announced by mDNS/);
  const socket = createSocket('udp4');
  t.after(() => socket.close());
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  socket.setMulticastInterface('127.0.0.1');
  const labels = [name, 'local'].map((label) => String.fromCharCode(label.length) + label).join('');
  const question = Buffer.concat([Buffer.from(`${labels}\0`), Buffer.from([0, 1, 0, 1])]);
  socket.send(Buffer.concat([Buffer.from([0x12, 0x34, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0]), question]), 5353, '224.0.0.251');
  const [answer] = (await once(socket, 'message')) as [Buffer];
  assert.equal(answer.subarray(0, 2).toString('hex'), '1234');
  assert.deepEqual(answer.subarray(12, 12 + question.length), question);
  assert.ok(answer.includes(Buffer.from([0, 1, 0, 1, 0, 0, 0, 10, 0, 4, 127, 0, 0, 1])), 'A IN 10 s 127.0.0.1');
});

test('packets that are no DNS messages do not disturb the advertiser', async (t) => {
  if (await skipWithoutMulticast(t)) return;
  const name = uniqueName();
  const { advertiser, log } = advertise(t, name);
  await advertiser.start();
  await log.line(/^Announced by mDNS/);
  const socket = createSocket({ type: 'udp4', reuseAddr: true });
  t.after(() => socket.close());
  socket.bind(5353, '0.0.0.0');
  await once(socket, 'listening');
  socket.setMulticastInterface('127.0.0.1');
  for (const hex of ['', '00', `0000840000000001${'00000000'}c00c`, `000000000001${'000000000000'}03`, 'ff'.repeat(600)]) {
    socket.send(Buffer.from(hex, 'hex'), 5353, '224.0.0.251');
  }
  assert.equal((await watch(t).found((each) => each.name === name)).port, 1883);
});

test('an advertiser without network warns once, and stops at once', async (t) => {
  const { advertiser, log } = advertise(t, uniqueName(), { addresses: () => [] });
  await advertiser.start();
  assert.match(await log.line(/Cannot announce/), /^Warning: Cannot announce the broker by mDNS: no network interface is up - /);
  advertiser.refresh();
  advertiser.refresh();
  await advertiser.stop();
  assert.equal(log.lines.length, 1);
});

test('an advertiser opens nothing when it is turned off', async () => {
  const refuse = () => assert.fail('was asked');
  const advertiser = createAdvertiser({
    options: { advertise: false, name: null },
    listeners: refuse,
    hostName: 'kitchen',
    machine: null,
    caFingerprint: null,
    addresses: refuse,
  });
  await advertiser.start();
  advertiser.refresh();
  await advertiser.stop();
});

test('browse rejects with what to do when there is no network', async () => {
  const browsing = browse({ signal: AbortSignal.timeout(1000), onFound: () => {}, interfaces: () => ({}) });
  await assert.rejects(browsing, /^OperatorError: Cannot look for brokers by mDNS: no network interface is up - connect to a network/);
});
