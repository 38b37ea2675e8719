// Sessions: what is sent again, and what is handed on, in cases that a conversation cannot set up.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { AuthenticationVerdict } from '../../../src/broker/ports.ts';
import { MemoryStore } from '../../store/memory-store.ts';
import { startTestBroker } from '../../support/broker/test-broker.ts';
import { until } from '../../support/broker/turns.ts';
import { TestClock } from '../../support/ports/test-clock.ts';

test('session sends everything in flight again when it is more than max_inflight_bytes [MQTT-4.4.0-1]', async () => {
  await using broker = await startTestBroker({ options: { maxInflightBytes: 4 } });
  const first = await broker.connect({ clientId: 'kept', cleanStart: false });
  first.send("82 [ 0001 {} 't' 01 ]");
  await first.expect('90 [ 0001 {} 01 ]');
  const publisher = await broker.connect({ clientId: 'pub' });
  publisher.send("30 [ 't' {} |0| ] 32 [ 't' 0001 {} |123| ] 32 [ 't' 0002 {} |456| ] 32 [ 't' 0003 {} |789| ]");
  await first.expect("30 [ 't' {} |0| ]");
  await first.expect("32 [ 't' 0001 {} |123| ]");
  await first.expect("32 [ 't' 0002 {} |456| ]");
  await first.expectSilence();
  first.abort();
  const second = await broker.connect({ clientId: 'kept', cleanStart: false });
  await second.expect("3A [ 't' 0001 {} |123| ]");
  await second.expect("3A [ 't' 0002 {} |456| ]");
  second.send('40 [ 0001 ]');
  await second.expect("32 [ 't' 0003 {} |789| ]");
});

test('shared group alone gets what its leaving member had not acknowledged when other groups match as well [MQTT-4.8.2-4]', async () => {
  await using broker = await startTestBroker();
  const leaving = await broker.connect({ clientId: 'leaving' });
  leaving.send("82 [ 0001 {} '$share/g/t' 01 ]");
  await leaving.expect('90 [ 0001 {} 01 ]');
  const other = await broker.connect({ clientId: 'other group' });
  other.send("82 [ 0001 {} '$share/h/t' 01 ]");
  await other.expect('90 [ 0001 {} 01 ]');
  const publisher = await broker.connect({ clientId: 'pub' });
  publisher.send("32 [ 't' 0001 {} |m| ]");
  await leaving.expect("32 [ 't' 0001 {} |m| ]");
  await other.expect("32 [ 't' 0001 {} |m| ]");
  const staying = await broker.connect({ clientId: 'staying' });
  staying.send("82 [ 0001 {} '$share/g/t' 01 ]");
  await staying.expect('90 [ 0001 {} 01 ]');
  leaving.send('E0 00');
  await leaving.expectClosed();
  await staying.expect("32 [ 't' 0001 {} |m| ]");
  await other.expectSilence();
});

test('shared group does not get an expired message when its member leaves [MQTT-3.3.2-5]', async () => {
  const clock = new TestClock();
  await using broker = await startTestBroker({ clock });
  const leaving = await broker.connect({ clientId: 'leaving' });
  leaving.send("82 [ 0001 {} '$share/g/t' 01 ]");
  await leaving.expect('90 [ 0001 {} 01 ]');
  const publisher = await broker.connect({ clientId: 'pub' });
  publisher.send("32 [ 't' 0001 { 02 00000005 } |m| ]");
  await leaving.expect("32 [ 't' 0001 { 02 00000005 } |m| ]");
  const staying = await broker.connect({ clientId: 'staying' });
  staying.send("82 [ 0001 {} '$share/g/t' 01 ]");
  await staying.expect('90 [ 0001 {} 01 ]');
  clock.advance(6000);
  leaving.send('E0 00');
  await leaving.expectClosed();
  await staying.expectSilence();
});

test('client gets a message without a topic alias when only the alias would make it too large [MQTT-3.1.2-25]', async () => {
  await using broker = await startTestBroker();
  const client = broker.open();
  client.send("10 [ PROTOCOL 02 0000 { 22 000A, 27 00000040 } 'small' ]");
  await client.expect('20 [ 00 00 { ... } ]');
  client.send("82 [ 0001 {} '#' 00 ]");
  await client.expect('90 [ 0001 {} 00 ]');
  const publisher = await broker.connect({ clientId: 'pub' });
  publisher.send("30 [ 't' {} 'x'*56 ]"); // 64 bytes
  await client.expect("30 [ 't' {} 'x'*56 ]");
  publisher.send("30 [ 't' {} |y| ]");
  await client.expect("30 [ 't' { 23 0001 } |y| ]");
  publisher.send("30 [ 't' {} |z| ]");
  await client.expect('30 [ 0000 { 23 0001 } |z| ]');
});

test('session that is resumed without expiry is not kept any more when the power goes [MQTT-3.1.2-23]', async () => {
  const store = new MemoryStore();
  await using broker = await startTestBroker({ openStore: async () => store });
  const first = await broker.connect({ clientId: 'kept', cleanStart: false });
  first.send("34 [ 't' 0001 {} |m| ]");
  await first.expect('50 [ 0001 * ]');
  first.send('E0 00');
  await first.expectClosed();
  const second = await broker.connect({ clientId: 'kept', cleanStart: false, sessionExpiryInterval: 0 });
  second.send('62 [ 0001 ]');
  await second.expect('70 [ 0001 * ]');
  assert.deepEqual([...store.sessions.keys()], []);
});

test('packets that come while the authenticator thinks are counted once', async () => {
  let decide: (verdict: AuthenticationVerdict) => void = () => {};
  const asked = new Promise<AuthenticationVerdict>((resolve) => {
    decide = resolve;
  });
  await using broker = await startTestBroker({ authenticator: { authenticate: () => asked } });
  const client = broker.open();
  client.send("10 [ PROTOCOL 02 0000 {} 'c' ] C0 00 C0 00");
  await until(() => broker.broker.counters.bytesReceived > 0);
  decide('accepted');
  await client.expect('20 [ 00 00 { ... } ]');
  await client.expect('D0 00');
  await client.expect('D0 00');
  assert.equal(broker.broker.counters.packetsReceived, 3);
});

test('session does not send again what the client acknowledges meanwhile, and keeps the order of the rest [MQTT-4.4.0-1]', async () => {
  await using broker = await startTestBroker({ options: { maxInflightMessages: 0 } });
  const first = await broker.connect({ clientId: 'kept', cleanStart: false });
  first.send("82 [ 0001 {} 't' 01 ]");
  await first.expect('90 [ 0001 {} 01 ]');
  const publisher = await broker.connect({ clientId: 'pub' });
  for (let id = 1; id <= 5; id++) publisher.send(`32 [ 't' 000${id} {} |${id}| ]`);
  for (let id = 1; id <= 5; id++) await first.expect(`32 [ 't' 000${id} {} |${id}| ]`);
  first.abort();
  const second = broker.open();
  second.send("10 [ PROTOCOL 00 0000 { 11 FFFFFFFF, 21 0001 } 'kept' ]"); // one at a time
  await second.expect('20 [ 01 00 { ... } ]');
  await second.expect("3A [ 't' 0001 {} |1| ]");
  second.send('40 [ 0004 ] 40 [ 0001 ]');
  await second.expect("3A [ 't' 0002 {} |2| ]");
  second.send('40 [ 0002 ]');
  await second.expect("3A [ 't' 0003 {} |3| ]");
  second.send('40 [ 0003 ]');
  await second.expect("3A [ 't' 0005 {} |5| ]");
  second.send('40 [ 0005 ]');
  await second.expectSilence();
});

test('session drops what waited for its client when that may not receive it any more', async () => {
  await using broker = await startTestBroker();
  const first = await broker.connect({ clientId: 'kept', cleanStart: false });
  first.send("82 [ 0001 {} '#' 01 ]");
  await first.expect('90 [ 0001 {} 01 ]');
  first.send('E0 00');
  await first.expectClosed();
  const publisher = await broker.connect({ clientId: 'pub' });
  publisher.send("32 [ 'a' 0001 {} |1| ] 32 [ 'b' 0002 {} |2| ] 32 [ 'a' 0003 {} |3| ]");
  for (const packetId of ['0001', '0002', '0003']) await publisher.expect(`40 [ ${packetId} ]`);
  const yes = () => true;
  broker.broker.setAuthorizer({ mayPublish: yes, mayReceive: (_, topicName) => topicName !== 'b', maySubscribe: yes });
  const second = await broker.connect({ clientId: 'kept', cleanStart: false });
  await second.expect("32 [ 'a' 0001 {} |1| ]");
  await second.expect("32 [ 'a' 0003 {} |3| ]");
  second.send('40 [ 0001 ] 40 [ 0003 ]');
  await second.expectSilence();
});
