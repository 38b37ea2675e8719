// Sessions: what is sent again, and what is handed on, in cases that a conversation cannot set up.

import { test } from 'node:test';
import { startTestBroker } from '../support/test-broker.ts';
import { TestClock } from '../support/test-clock.ts';

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
