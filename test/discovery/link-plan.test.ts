// Which addresses are announced on which interface.

import assert from 'node:assert/strict';
import type { NetworkInterfaceInfo } from 'node:os';
import { test } from 'node:test';
import { addressSet, hasAddress, LinkScope, linkPlansOf } from '../../src/discovery/link-plan.ts';

const V4 = (address: string): NetworkInterfaceInfo => ({
  family: 'IPv4',
  address,
  cidr: `${address}/24`,
  netmask: '255.255.255.0',
  mac: '',
  internal: false,
});
const V6 = (address: string): NetworkInterfaceInfo => ({
  family: 'IPv6',
  address,
  cidr: `${address}/64`,
  netmask: 'ffff:ffff:ffff:ffff::',
  mac: '',
  internal: false,
  scopeid: 0,
});

const INTERFACES = {
  eth0: [V4('192.0.2.1'), V4('192.0.2.7'), V6('2001:db8::1'), V6('fe80::1')],
  wlan0: [V4('198.51.100.1')],
  docker0: [V4('203.0.113.1')],
};

test('link plans hold each address on its own interface only [RFC 6762 6.2]', () => {
  const plans = linkPlansOf(['192.0.2.1', '192.0.2.7', '2001:db8::1', '198.51.100.1', '233.252.0.9'], INTERFACES);
  assert.deepEqual(
    plans.map((plan) => [plan.interfaceName, plan.announced, plan.ipv4, plan.ipv6]),
    [
      ['eth0', ['192.0.2.1', '192.0.2.7', '2001:db8::1'], '192.0.2.1', true],
      ['wlan0', ['198.51.100.1'], '198.51.100.1', false],
    ],
  );
});

test('link plans announce a link-local address only when there is no other', () => {
  assert.deepEqual(linkPlansOf(['192.0.2.1', 'fe80::1%eth0'], INTERFACES)[0]?.announced, ['192.0.2.1']);
  assert.deepEqual(linkPlansOf(['fe80::1%eth0'], INTERFACES)[0]?.announced, ['fe80::1']);
});

test('a link scope includes senders of its prefixes and its zone, and nobody else [RFC 6762 11]', () => {
  const scope = new LinkScope(linkPlansOf(['192.0.2.1'], INTERFACES)[0]!);
  for (const sender of ['192.0.2.200', '2001:db8::99', 'fe80::99%eth0']) assert.ok(scope.includes(sender), sender);
  for (const sender of ['198.51.100.9', 'fe80::99%wlan0', '2001:db8:1::9', 'nonsense']) assert.ok(!scope.includes(sender), sender);
});

test('an address set finds an address in another spelling', () => {
  const set = addressSet(['2001:db8::1', 'fe80::1%eth0', '192.0.2.1']);
  for (const address of ['2001:DB8:0:0::1', 'fe80::1', '192.0.2.1']) assert.ok(hasAddress(set, address), address);
  for (const address of ['2001:db8::2', '192.0.2.2', '']) assert.ok(!hasAddress(set, address), address);
});
