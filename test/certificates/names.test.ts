// Which texts are names that a certificate can carry.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { normaliseName, serverNames } from '../../src/certificates/names.ts';

const GOOD: readonly [given: string, normal: string][] = [
  ['Broker.Example.ORG', 'broker.example.org'],
  ['broker.example.', 'broker.example'],
  [' spaced ', 'spaced'],
  ['bücher.example', 'xn--bcher-kva.example'],
  ['*.home.example', '*.home.example'],
  ['my_pi', 'my_pi'],
  ['3d-printer', '3d-printer'],
  ['192.0.2.1', '192.0.2.1'],
  ['2001:0DB8:0:0:0:0:0:1', '2001:db8::1'],
];

const BAD = [
  '',
  ' ',
  'https://pi',
  'pi:8883',
  'pi/mqtt',
  'pi?',
  'pi#1',
  'user@pi',
  'p%69',
  'two words',
  '*',
  '*.example',
  'a.*.example',
  '-pi',
  'pi-',
  'a..b',
  '10.1',
  '0x7f.1',
  '300.1.1.1',
  '[::1]',
  'fe80::1%eth0',
  `${'a'.repeat(64)}.example`,
  `${'a.'.repeat(127)}toolong`,
];

for (const [given, normal] of GOOD) {
  test(`certificate name "${given}" is read as "${normal}"`, () => assert.equal(normaliseName(given), normal));
}

for (const given of BAD) {
  test(`certificate name "${given.slice(0, 20)}" is refused`, () => {
    assert.throws(() => normaliseName(given), {
      name: 'OperatorError',
      message: /^Cannot use certificate name ".*": it is neither a host name nor/,
    });
  });
}

test('a fully qualified host name stands with its short and its .local form', () => {
  const { dns } = serverNames({ hostName: 'Pi.example.org', addresses: [] }, []);
  assert.deepEqual(dns, ['pi.example.org', 'pi', 'pi.local', 'localhost']);
});

test('a host name that no certificate can carry is left out', () => {
  for (const hostName of ['', 'my pi', '*.x.example', '192.0.2.1', 'localhost']) {
    assert.deepEqual(serverNames({ hostName, addresses: [] }, []).dns, ['localhost'], hostName);
  }
});
