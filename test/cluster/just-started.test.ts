// A broker that has been started just now has not heard all others yet: a session that moves waits for those too.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { connect } from '@nats-io/transport-node';
import { type Clock, systemClock } from '../../src/base/clock.ts';
import { silentLogger } from '../../src/base/logger.ts';
import { Peer } from '../../src/cluster/peer.ts';
import { client } from '../bridges/clients.ts';
import { eventually } from '../bridges/scene.ts';
import { startTestBroker } from '../support/broker/test-broker.ts';
import { TestClock } from '../support/ports/test-clock.ts';
import { StoreFolder } from '../support/store/open-store.ts';
import { startMember, startNats } from './scene.ts';

/** It stays the moment at which NATS was reached. */
const STANDING: Clock = { now: () => systemClock.now(), monotonic: () => 0 };
const WANDERER = { clientId: 'wanderer', clean: false, properties: { sessionExpiryInterval: 600 } };
/** Milliseconds of a peer. */
const EXPECTED = 5000;

test('cluster asks a broker that has said nothing yet, too, when a session moves to one that was started just now', async (t) => {
  const nats = await startNats(t);
  const folder = new StoreFolder(t);
  const store = await folder.open();
  const [a, c] = [await startMember(t, nats, 'a'), await startMember(t, nats, 'c')];
  const b = await startMember(t, nats, 'b', { openStore: async () => store });
  await b.knows('c', 0);
  await b.knows('a', 0);
  const wanderer = await client(t, a.port, WANDERER);
  await wanderer.subscribeAsync('x', { qos: 1 });
  await wanderer.endAsync();
  await b.end();
  await store.stop();
  await c.end();
  const stranger = await connect({ servers: [...nats.servers] }); // in the place of "c", which takes b for the one from before
  t.after(() => stranger.close());
  const asked: string[] = [];
  stranger.subscribe('midge.test.c.clients', {
    callback: (_, message) => {
      const { ask } = message.json<{ ask: string }>();
      asked.push(ask);
      message.respond(JSON.stringify(ask === 'claim' ? { is: 'none' } : { isCut: false }));
    },
  });
  await stranger.flush();
  const again = await startMember(t, nats, 'b', { openStore: () => folder.open(), clock: STANDING });
  await eventually(() => again.peer('a')?.phase === 'connected', 'it has heard one of the two');
  assert.equal(again.peer('c')?.phase, 'away');
  await client(t, again.port, WANDERER);
  assert.deepEqual(asked, ['claim', 'cut']);
  assert.equal(a.broker.sessions.get('wanderer'), null);
});

test('cluster expects a broker for some seconds only, and not when it has said farewell', async (t) => {
  const clock = new TestClock();
  const { broker, stop } = await startTestBroker({ clock });
  t.after(stop);
  const newLink = () => Promise.reject(new Error('none is needed'));
  const peer = new Peer('c', { broker, clock, log: silentLogger, newLink, interestOf: async () => [], back: () => {} });
  assert.equal(peer.mayBeThere, false);
  peer.expect();
  assert.equal(peer.mayBeThere, true);
  assert.equal(peer.isHeard, false);
  clock.advance(EXPECTED);
  assert.equal(peer.mayBeThere, false);
  peer.expect();
  peer.heard({ protocol: 1, id: 'c', run: '1', version: '0', revision: 1, retained: '', leaves: true });
  assert.equal(peer.mayBeThere, false);
  await peer.stop();
});
