// Subscriptions of a broker with a store: SUBACK and UNSUBACK come when a power cut takes nothing back any more.

import { test } from 'node:test';
import { startTestBroker } from '../support/broker/test-broker.ts';
import { HeldStore } from '../support/store/held-store.ts';

test('SUBACK and UNSUBACK wait until a kept session has its subscriptions on the card', async () => {
  const store = new HeldStore();
  await using broker = await startTestBroker({ openStore: async () => store });
  const peer = await broker.connect({ clientId: 'kept', cleanStart: false });
  store.holds = true;
  for (const [packet, answer] of [
    ["82 [ 0001 {} 'a' 01 'b' 02 ]", '90 [ 0001 {} 01 02 ]'],
    ["A2 [ 0002 {} 'a' ]", 'B0 [ 0002 {} 00 ]'],
  ] as const) {
    peer.send(packet);
    await peer.expectSilence();
    store.commit();
    await peer.expect(answer);
  }
});

test('SUBACK and UNSUBACK wait for nothing when the session ends with its connection', async () => {
  const store = new HeldStore();
  await using broker = await startTestBroker({ openStore: async () => store });
  store.holds = true;
  const peer = await broker.connect({ clientId: 'clean' });
  peer.send("82 [ 0001 {} 'a' 01 ]");
  await peer.expect('90 [ 0001 {} 01 ]');
  peer.send("A2 [ 0002 {} 'a' ]");
  await peer.expect('B0 [ 0002 {} 00 ]');
});

test('retained messages come after the SUBACK that waits for the card, and not at all when their subscription has ended by then', async () => {
  const store = new HeldStore();
  await using broker = await startTestBroker({ openStore: async () => store });
  const peer = await broker.connect({ clientId: 'kept', cleanStart: false });
  for (const topic of ['a', 'b']) peer.send(`31 [ '${topic}' {} |old| ]`);
  await peer.settle();
  store.holds = true;
  peer.send("82 [ 0001 {} 'a' 00 'b' 00 ]");
  peer.send("A2 [ 0002 {} 'a' ]");
  await peer.expectSilence();
  store.commit();
  await peer.expect('90 [ 0001 {} 00 00 ]');
  await peer.expect("31 [ 'b' {} |old| ]");
  await peer.expect('B0 [ 0002 {} 00 ]');
  await peer.expectSilence();
});

test('retained messages that are sent for new subscriptions only come also when the connection is lost before SUBACK [MQTT-3.3.1-10]', async () => {
  const store = new HeldStore();
  await using broker = await startTestBroker({ openStore: async () => store });
  const early = await broker.connect({ clientId: 'kept', cleanStart: false });
  early.send("31 [ 'a' {} |old| ]");
  await early.settle();
  store.holds = true;
  early.send("82 [ 0001 {} 'a' 10 ]");
  await early.settle();
  const late = await broker.connect({ clientId: 'kept', cleanStart: false });
  store.commit();
  await late.expect("31 [ 'a' {} |old| ]");
  late.send("82 [ 0002 {} 'a' 10 ]");
  await late.expectSilence();
  store.commit();
  await late.expect('90 [ 0002 {} 00 ]');
  await late.expectSilence();
});

test('SUBACK comes also when the disk is full: what is live goes on', async () => {
  const store = new HeldStore();
  await using broker = await startTestBroker({ openStore: async () => store });
  const peer = await broker.connect({ clientId: 'kept', cleanStart: false });
  store.holds = true;
  peer.send("82 [ 0001 {} 'a' 00 ]");
  await peer.settle();
  store.commit('full');
  await peer.expect('90 [ 0001 {} 00 ]');
  peer.send("30 [ 'a' {} |live| ]");
  await peer.expect("30 [ 'a' {} |live| ]");
});
