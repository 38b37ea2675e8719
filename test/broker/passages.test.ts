// Marks on messages that go to bridges.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { asksForMarks, BRIDGE_PROPERTY, Passages, userProperty } from '../../src/broker/passages.ts';
import { PacketReader } from '../../src/mqtt/packet-reader.ts';
import { PACKET_TYPE } from '../../src/mqtt/packet-types.ts';
import { readProperties } from '../../src/mqtt/properties.ts';

const message = () => ({ properties: Buffer.alloc(0), passage: 0 });

test('mark is a whole User Property of PUBLISH, the same for every bridge, and another for each message', () => {
  const passages = new Passages();
  const first = message();
  const mark = passages.markFor(first)!;
  assert.deepEqual(passages.markFor(first), mark);
  assert.notDeepEqual(passages.markFor(message()), mark);
  const packet = Buffer.concat([Buffer.of(mark.length), mark]);
  const { userProperty: read } = readProperties(new PacketReader(packet, 0, packet.length), PACKET_TYPE.PUBLISH);
  assert.deepEqual(read, mark);
});

test('message that has a mark keeps it', () => {
  const marked = { properties: new Passages().markFor(message())!, passage: 0 };
  assert.equal(new Passages().markFor(marked), null);
});

test('message is repeated when it was marked here, or came before under its topic', () => {
  const [here, there] = [new Passages(), new Passages()];
  const mark = there.markFor(message())!;
  assert.equal(there.isRepeated('t', mark), true, 'it comes back');
  assert.equal(here.isRepeated('t', mark), false);
  assert.equal(here.isRepeated('t', mark), true);
  assert.equal(here.isRepeated('another', mark), false, 'nobody keeps away what is not theirs to publish');
  assert.equal(here.isRepeated('t', userProperty('unit', 'C')), false);
});

test('client asks for marks by the User Property of a bridge', () => {
  assert.equal(asksForMarks(undefined), false);
  assert.equal(asksForMarks(userProperty('unit', 'C')), false);
  assert.equal(asksForMarks(Buffer.concat([userProperty('unit', 'C'), userProperty(BRIDGE_PROPERTY, '1')])), true);
});
