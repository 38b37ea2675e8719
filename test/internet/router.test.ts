// What a real router says (Debian's miniupnpd), in network namespaces of its own.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { isPublicAddress, isSharedAddress } from '../../src/internet/public-address.ts';
import { defaultGateway } from '../../src/internet/router.ts';
import { temporaryFolder } from '../support/disk/temporary-folder.ts';
import { namespaceObstacle, type TestHost, twoHosts, WIRE } from '../support/network/network-namespaces.ts';
import { missing } from '../support/process/foreign-program.ts';
import { watchProcess } from '../support/process/watched-process.ts';

const skip = namespaceObstacle() || missing(['miniupnpd'], 'miniupnpd');
const ROUTER = join(import.meta.dirname, '../../src/internet/router.ts');

/** A house: our machine, whose default route is the router, which has `external` on its other side. */
async function house(context: TestContext, external: string, settings: readonly string[]): Promise<TestHost> {
  const [router, machine] = twoHosts(context);
  router.addAddress('192.168.7.1/24');
  machine.addAddress('192.168.7.2/24');
  execFileSync('ip', ['-n', machine.namespace, 'route', 'add', 'default', 'via', '192.168.7.1']);
  execFileSync('ip', ['-n', router.namespace, 'link', 'add', 'outer0', 'type', 'veth', 'peer', 'name', 'outer1']);
  execFileSync('ip', ['-n', router.namespace, 'address', 'add', `${external}/24`, 'dev', 'outer0']);
  execFileSync('ip', ['-n', router.namespace, 'link', 'set', 'outer0', 'up']);
  const file = join(temporaryFolder(context), 'miniupnpd.conf');
  const lines = ['ext_ifname=outer0', `listening_ip=${WIRE}`, 'http_port=5000', 'uuid=00000000-0000-0000-0000-000000000000', ...settings];
  writeFileSync(file, `${lines.join('\n')}\n`);
  const [program, words] = router.command('/usr/sbin/miniupnpd', '-d', '-f', file, '-P', `${file}.pid`);
  const running = watchProcess(context, [program, words]);
  await running.line(/HTTP listening|Listening for NAT-PMP/);
  return machine;
}

function ask(machine: TestHost): unknown {
  const script = `import(${JSON.stringify(ROUTER)}).then(async ({ askRouter }) => console.log(JSON.stringify(await askRouter())))`;
  const [program, words] = machine.command(process.execPath, '--input-type=module', '--eval', script);
  return JSON.parse(execFileSync(program, words, { encoding: 'utf8' }));
}

test('router tells the address by NAT-PMP', { skip }, async (context) => {
  const machine = await house(context, '81.2.69.142', ['enable_natpmp=yes', 'enable_upnp=no']);
  assert.deepEqual(ask(machine), { address: '81.2.69.142', by: 'NAT-PMP' });
});

test('router tells the address by UPnP where it has no NAT-PMP', { skip }, async (context) => {
  const machine = await house(context, '81.2.69.142', ['enable_natpmp=no', 'enable_upnp=yes']);
  assert.deepEqual(ask(machine), { address: '81.2.69.142', by: 'UPnP' });
});

test('nobody answers, and nothing hangs', { skip }, (context) => {
  const [router, machine] = twoHosts(context);
  router.addAddress('192.168.7.1/24');
  machine.addAddress('192.168.7.2/24');
  assert.equal(ask(machine), null); // without a route
  execFileSync('ip', ['-n', machine.namespace, 'route', 'add', 'default', 'via', '192.168.7.1']);
  assert.equal(ask(machine), null);
});

test('default route is found in the table of the kernel', (context) => {
  const file = join(temporaryFolder(context), 'route');
  writeFileSync(file, 'Iface\tDestination\tGateway\tFlags\neth0\t0007A8C0\t00000000\t0001\neth0\t00000000\t0107A8C0\t0003\n');
  assert.equal(defaultGateway(file), '192.168.7.1');
  writeFileSync(file, 'Iface\tDestination\tGateway\tFlags\n');
  assert.equal(defaultGateway(file), null);
  assert.equal(defaultGateway('/nowhere'), null);
});

test('addresses of the Internet are told from others', () => {
  for (const address of ['203.0.113.7', '8.8.8.8', '100.128.0.1', '2a02::1']) assert.ok(isPublicAddress(address), address);
  for (const address of ['192.168.7.1', '10.0.0.1', '100.64.3.4', '169.254.0.1', '127.0.0.1', 'fd00::1', 'fe80::1', 'home'])
    assert.ok(!isPublicAddress(address), address);
  assert.deepEqual(['100.64.0.1', '100.127.255.255', '100.128.0.0'].map(isSharedAddress), [true, true, false]);
});
