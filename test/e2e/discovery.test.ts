// Discovery as foreign eyes see it: Debian's avahi in a second network namespace, on the other end of a wire.

import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { AdvertisedListener } from '../../src/discovery/options.ts';
import { temporaryFolder } from '../support/disk/temporary-folder.ts';
import { avahiObstacle, startAvahi } from '../support/network/avahi.ts';
import { namespaceObstacle, type TestHost, twoHosts, WIRE } from '../support/network/network-namespaces.ts';
import { runMidge } from '../support/process/midge-process.ts';
import { type WatchedProcess, watchProcess } from '../support/process/watched-process.ts';

const skip = namespaceObstacle() || avahiObstacle();
const ADVERTISE = fileURLToPath(new URL('../support/network/advertise.ts', import.meta.url));

const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url));

const LISTENERS: readonly AdvertisedListener[] = [
  { protocol: 'mqtt', tls: false, port: 1883, anonymous: false },
  { protocol: 'mqtt', tls: true, port: 8883, anonymous: false },
  { protocol: 'websockets', tls: false, port: 9001, anonymous: true },
  { protocol: 'websockets', tls: true, port: 8084, anonymous: false },
];

const SERVICES = [
  { type: '_mqtt._tcp', port: 1883, txt: ['tls=0', 'anon=0'] },
  { type: '_secure-mqtt._tcp', port: 8883, txt: ['tls=1', 'anon=0'] },
  { type: '_mqtt-ws._tcp', port: 9001, txt: ['tls=0', 'anon=1', 'path=/mqtt'] },
  { type: '_mqtt-wss._tcp', port: 8084, txt: ['tls=1', 'anon=0', 'path=/mqtt'] },
];

function advertise(context: TestContext, host: TestHost, hostName: string, name: string | null = null): WatchedProcess {
  return watchProcess(context, host.command(process.execPath, ADVERTISE, JSON.stringify({ hostName, name, listeners: LISTENERS })));
}

test('avahi-browse sees all four services with port, TXT and address, and their goodbye [RFC 6762 10.1, RFC 6763 4]', {
  skip,
}, async (t) => {
  const [near, far] = twoHosts(t);
  near.addAddress('192.0.2.1/24');
  near.addAddress('2001:db8::1/64');
  far.addAddress('192.0.2.2/24');
  far.addAddress('2001:db8::2/64');
  const avahi = await startAvahi(t, far, temporaryFolder(t), 'far');
  const browser = avahi.client('avahi-browse', '--all', '--resolve', '--parsable', '--no-db-lookup');
  const advertiser = advertise(t, near, 'kitchen', 'Kitchen broker');
  for (const { type, port, txt } of SERVICES) {
    const line = await browser.line(new RegExp(`^=;${WIRE};IPv4;Kitchen\\\\032broker;${type.replaceAll('.', '\\.')};local;`));
    const [host, address, foundPort] = line.split(';').slice(6, 9);
    assert.deepEqual([host, foundPort], ['kitchen.local', String(port)]);
    assert.ok(address === '192.0.2.1' || address === '2001:db8::1', line);
    const common = ['txtvers=1', 'protocol=mqtt', 'versions=3.1,3.1.1,5.0', 'auth=password', 'fp=sha256:00112233445566778899aabbccddeeff'];
    for (const item of [...common, 'vendor=Made-up Works', 'model=Model 1', ...txt])
      assert.ok(line.includes(`"${item}"`), `${item} in ${line}`);
    assert.equal(line.includes('path='), type.includes('ws'));
    await browser.line(new RegExp(`^=;${WIRE};IPv6;Kitchen\\\\032broker;${type.replaceAll('.', '\\.')};local;`));
  }
  assert.equal(await advertiser.end(), 0);
  for (const { type } of SERVICES) await browser.line(new RegExp(`^-;${WIRE};IPv4;Kitchen\\\\032broker;${type.replaceAll('.', '\\.')};`));
});

test('avahi-resolve finds HOST.local, and a second and a changed address [RFC 6762 6.2, 8.4]', { skip }, async (t) => {
  const [near, far] = twoHosts(t);
  near.addAddress('192.0.2.1/24');
  far.addAddress('192.0.2.2/24');
  const avahi = await startAvahi(t, far, temporaryFolder(t), 'far');
  const advertiser = advertise(t, near, 'kitchen.example.org');
  await advertiser.line(/Announced by mDNS as "kitchen" at kitchen\.local on wire0/);
  await avahi.client('avahi-resolve', '-4', '--name', 'kitchen.local').line(/^kitchen\.local\t192\.0\.2\.1$/);

  near.addAddress('192.0.2.77/24');
  await announcedAgain(advertiser, 1);
  await inCache(avahi.daemon, /^kitchen\.local\tIN\tA 192\.0\.2\.77 /);
  await inCache(avahi.daemon, /^kitchen\.local\tIN\tA 192\.0\.2\.1 /);

  near.removeAddress('192.0.2.1/24'); // its subnet's second address goes with it
  near.addAddress('192.0.2.99/24');
  await announcedAgain(advertiser, 2);
  await avahi.client('avahi-resolve', '-4', '--name', 'kitchen.local').line(/^kitchen\.local\t192\.0\.2\.99$/);
});

test('a name that another machine has is left to it: HOST-2.local and "name (2)" [RFC 6762 9, RFC 6763 D]', { skip }, async (t) => {
  const [near, far] = twoHosts(t);
  near.addAddress('192.0.2.1/24');
  far.addAddress('192.0.2.2/24');
  const first = advertise(t, far, 'kitchen');
  await first.line(/Announced by mDNS as "kitchen" at kitchen\.local/);
  const second = advertise(t, near, 'kitchen');
  await second.line(/Announced by mDNS as "kitchen \(2\)" at kitchen-2\.local/);
  await first.end();
  const log = first.lines.filter((line) => line.startsWith('Announced'));
  assert.deepEqual(new Set(log), new Set(log.slice(0, 1)), 'the first keeps its name');
});

test('midge carries the name that the network gave in certificate and status when another machine has its own', { skip }, async (t) => {
  const [near, far] = twoHosts(t);
  near.addAddress('192.0.2.1/24');
  far.addAddress('192.0.2.2/24');
  const own = hostname().split('.')[0] ?? '';
  await advertise(t, far, own).line(/Announced by mDNS/);
  const folder = temporaryFolder(t);
  writeFileSync(join(folder, 'midge.conf'), 'listener 8883\nsecure true\nallow_anonymous true\nadvertise true\n', { mode: 0o600 });
  const words = ['serve', '-c', join(folder, 'midge.conf'), '--state', join(folder, 'state')];
  const serve = () => watchProcess(t, near.command(process.execPath, MAIN, ...words));
  const first = serve();
  await first.line(new RegExp(`Announced by mDNS as .* at ${own}-2\\.local`));
  await first.line(new RegExp(`Issued a server certificate \\(it lacks ${own}-2\\.local\\)`));
  await first.end();
  const second = serve();
  await second.line(new RegExp(`Announced by mDNS as .* at ${own}-2\\.local`));
  const { stdout } = await runMidge(folder, ['status', '--json', '--state', join(folder, 'state')]);
  const status = JSON.parse(stdout) as { machine: { announced: string }; certificates: { serverNames: string[] } };
  assert.equal(status.machine.announced, `${own}-2.local`);
  assert.ok(status.certificates.serverNames.includes(`${own}-2.local`), stdout);
  assert.ok(!second.lines.some((line) => line.includes('Issued a server certificate')), second.lines.join('\n'));
  const table = await runMidge(folder, ['status', '--state', join(folder, 'state')]);
  assert.match(table.stdout, new RegExp(`^Announced +${own}-2\\.local: another machine is ${own}\\.local$`, 'm'));
});

test('avahi on the same machine keeps its host name, whoever starts first [RFC 6762 15]', { skip }, async (t) => {
  const [near, far] = twoHosts(t);
  near.addAddress('192.0.2.1/24');
  far.addAddress('192.0.2.2/24');
  const neighbour = await startAvahi(t, far, temporaryFolder(t), 'far');
  const advertiser = advertise(t, near, 'kitchen');
  await advertiser.line(/Announced by mDNS as "kitchen" at kitchen\.local/);
  const local = await startAvahi(t, near, temporaryFolder(t), 'kitchen');
  await local.daemon.line(/Server startup complete\. Host name is kitchen\.local/);
  await neighbour.client('avahi-resolve', '-4', '--name', 'kitchen.local').line(/^kitchen\.local\t192\.0\.2\.1$/);
  await local.client('avahi-browse', '-rp', '_mqtt._tcp').line(/^=;wire0;IPv4;kitchen;_mqtt\._tcp;local;kitchen\.local;192\.0\.2\.1;1883;/);
  await advertiser.end();
  const again = advertise(t, near, 'kitchen');
  await again.line(/Announced by mDNS as "kitchen" at kitchen\.local/);
  await neighbour
    .client('avahi-browse', '-rp', '_mqtt._tcp')
    .line(/^=;wire0;IPv4;kitchen;_mqtt\._tcp;local;kitchen\.local;192\.0\.2\.1;1883;/);
  await local.daemon.end();
  await announcedAgain(again, 1); // the host name is ours now
  await neighbour.client('avahi-resolve', '-4', '--name', 'kitchen.local').line(/^kitchen\.local\t192\.0\.2\.1$/);
  assert.equal(local.daemon.lines.filter((line) => /conflict|kitchen-2/i.test(line)).join('\n'), '');
});

test('a port that another program keeps to itself is one warning, and announcing begins when it is free', { skip }, async (t) => {
  const [near, far] = twoHosts(t);
  near.addAddress('192.0.2.1/24');
  far.addAddress('192.0.2.2/24');
  const keep = "require('node:dgram').createSocket('udp4').bind(5353, '0.0.0.0', () => console.log('kept'))";
  const keeper = watchProcess(t, near.command(process.execPath, '-e', keep));
  await keeper.line(/^kept$/);
  const advertiser = advertise(t, near, 'kitchen');
  await advertiser.line(/^Warning: Cannot announce the broker by mDNS: wire0: .*EADDRINUSE/);
  await keeper.end();
  await advertiser.line(/^Announced by mDNS as "kitchen" at kitchen\.local on wire0 \(IPv4/);
  const avahi = await startAvahi(t, far, temporaryFolder(t), 'far');
  await avahi.client('avahi-resolve', '-4', '--name', 'kitchen.local').line(/^kitchen\.local\t192\.0\.2\.1$/);
  const warnings = advertiser.lines.filter((line) => line.startsWith('Warning'));
  assert.equal(warnings.length, 1, advertiser.lines.join('\n'));
});

test('advertiser stops although the network is gone', { skip }, async (t) => {
  const [near] = twoHosts(t);
  near.addAddress('192.0.2.1/24');
  const advertiser = advertise(t, near, 'kitchen');
  await advertiser.line(/^Announced by mDNS/);
  near.cutWire();
  assert.equal(await advertiser.end(), 0);
  assert.equal(advertiser.lines.at(-1), 'stopped');
});

async function announcedAgain(advertiser: WatchedProcess, times: number): Promise<void> {
  let from = 0;
  for (let i = 0; i <= times; i++) {
    const line = await advertiser.line(/^Announced by mDNS/, from);
    from = advertiser.lines.indexOf(line, from) + 1;
  }
}

/** inCache asks avahi-daemon(8) for a dump of its cache and waits for a record in it. */
async function inCache(daemon: WatchedProcess, record: RegExp): Promise<void> {
  const from = daemon.lines.length;
  process.kill(daemon.pid, 'SIGUSR1');
  await daemon.line(record, from);
}
