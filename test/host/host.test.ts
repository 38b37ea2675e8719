// The machine under the test, and boards laid out in a folder.

import assert from 'node:assert/strict';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { hostname } from 'node:os';
import { dirname, join } from 'node:path';
import { type TestContext, test } from 'node:test';

import { machineModel, machineNames, systemDate, systemName, uniqueMark } from '../../src/host/host.ts';
import { temporaryFolder } from '../support/disk/temporary-folder.ts';

test('machine names are the host name and plain addresses without loopback', () => {
  const { hostName, addresses } = machineNames();
  assert.equal(hostName, hostname());
  for (const address of addresses) assert.ok(isIP(address) !== 0 && !address.includes('%'), address);
  assert.ok(!addresses.includes('127.0.0.1') && !addresses.includes('::1'));
  assert.equal(new Set(addresses).size, addresses.length);
});

test('a Raspberry Pi is read from its device tree', async (t) => {
  const tree = deviceTree(t, { model: 'Raspberry Pi 4 Model B Rev 1.4\0', compatible: 'raspberrypi,4-model-b\0brcm,bcm2711\0' });
  assert.deepEqual(await machineModel(tree), { vendor: 'Raspberry Pi', model: 'Raspberry Pi 4 Model B Rev 1.4' });
});

test('another board has the vendor of its device tree', async (t) => {
  const tree = deviceTree(t, { model: 'Pine64 Rock64\0', compatible: 'pine64,rock64\0rockchip,rk3328\0' });
  assert.deepEqual(await machineModel(tree), { vendor: 'pine64', model: 'Pine64 Rock64' });
});

test('a board that names no vendor has none', async (t) => {
  assert.deepEqual(await machineModel(deviceTree(t, { model: 'Board\0' })), { vendor: '', model: 'Board' });
});

test('a machine without a device tree is asked otherwise and never called "Computer"', async (t) => {
  const found = await machineModel(join(temporaryFolder(t), 'none'));
  if (found === null) return;
  assert.equal(typeof found.vendor, 'string');
  assert.notEqual(found.model, '');
  assert.notEqual(found.model, 'Computer');
});

test('unique mark of a machine is not on its card', (t) => {
  const root = temporaryFolder(t);
  const write = (path: string, text: string) => {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  };
  assert.equal(uniqueMark(root), hostname());
  write('etc/machine-id', 'b08dfa6083e7567a1921a715000001fb\n');
  assert.equal(uniqueMark(root), 'b08dfa6083e7567a1921a715000001fb');
  const card = (name: string, device: string, address: string) => {
    mkdirSync(join(root, 'devices', device), { recursive: true });
    write(`sys/class/net/${name}/address`, `${address}\n`);
    symlinkSync(join(root, 'devices', device), join(root, `sys/class/net/${name}/device`));
  };
  write('sys/class/net/br0/address', 'dc:a6:32:00:00:01\n');
  card('eth0', 'usb1/1-1', 'dc:a6:32:00:00:02');
  card('eth1', 'pci0', '02:a6:32:00:00:03');
  card('wlan0', 'mmc1', 'dc:a6:32:00:00:04');
  assert.equal(uniqueMark(root), 'dc:a6:32:00:00:04');
  write('proc/device-tree/serial-number', '10000000abcdef01\0');
  assert.equal(uniqueMark(root), '10000000abcdef01');
});

function deviceTree(t: TestContext, properties: Record<string, string>): string {
  const folder = temporaryFolder(t);
  for (const [name, value] of Object.entries(properties)) writeFileSync(join(folder, name), value);
  return folder;
}

test('system has a date when it is that of the card image', (t) => {
  const root = temporaryFolder(t);
  assert.equal(systemDate(root), null);
  mkdirSync(join(root, 'usr/lib'), { recursive: true });
  const release = join(root, 'usr/lib/os-release');
  writeFileSync(release, 'PRETTY_NAME="Debian GNU/Linux 13 (trixie)"\nIMAGE_ID=midge\nMIDGE_PACKAGES_DATE=2026-01-31\n');
  assert.equal(systemDate(root), '2026-01-31');
  assert.equal(systemName(root), 'Debian GNU/Linux 13 (trixie)');
  writeFileSync(release, 'MIDGE_PACKAGES_DATE=soon\n');
  assert.equal(systemDate(root), null);
});
