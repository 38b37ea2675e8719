// What counts as a conflict over a name.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isForeignHost, isForeignService } from '../../src/discovery/conflict.ts';
import { addressSet } from '../../src/discovery/link-plan.ts';
import { addressRecords, serviceRecords } from '../../src/discovery/records.ts';

const HOST = 'kitchen.local';
const serviceAt = (port: number, host: string, instance = 'kitchen') => serviceRecords({ type: 'mqtt', instance, port, txt: {} }, host);
const PUBLICATION = { host: HOST, services: [serviceAt(1883, HOST)] };
const OWN = addressSet(['192.0.2.1', '198.51.100.1']);
const NEIGHBOUR = { address: '192.0.2.9', port: 5353 };
const OURSELVES = { address: '198.51.100.1', port: 5353 };

test('a service name is in conflict when it leads to another port or host, not when it is our own word [RFC 6762 9]', () => {
  const judge = (records: ReturnType<typeof serviceAt>) => records.some((record) => isForeignService(record, PUBLICATION));
  assert.equal(judge(serviceAt(1883, HOST)), false);
  assert.equal(judge(serviceAt(1883, 'KITCHEN.local', 'KITCHEN')), false);
  assert.equal(judge(serviceAt(1884, HOST)), true);
  assert.equal(judge(serviceAt(1883, 'bedroom.local')), true);
  assert.equal(judge(serviceAt(1884, HOST, 'bedroom')), false);
});

test('a host name is in conflict when another machine gives it an address that is not ours [RFC 6762 9]', () => {
  const judge = (address: string, sender: typeof NEIGHBOUR, host = HOST) =>
    addressRecords(host, [address]).some((record) => isForeignHost(record, sender, PUBLICATION, OWN));
  assert.equal(judge('192.0.2.9', NEIGHBOUR), true);
  assert.equal(judge('2001:db8::9', NEIGHBOUR), true);
  assert.equal(judge('192.0.2.9', NEIGHBOUR, 'bedroom.local'), false);
  assert.equal(judge('198.51.100.1', NEIGHBOUR), false, 'a reflector');
  assert.equal(judge('192.0.2.9', OURSELVES), false, 'another responder of this machine');
});
