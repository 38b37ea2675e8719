// Copies of wills while brokers start again and words are lost: each will is said by one broker, once.

import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { silentLogger } from '../../src/base/logger.ts';
import type { ClientsWord, SaidWord } from '../../src/cluster/session-words.ts';
import { WILLS_VERSION, type WillCopy } from '../../src/cluster/will-words.ts';
import { Wills } from '../../src/cluster/wills.ts';
import type { Alive } from '../../src/cluster/words.ts';
import { encodeProperties } from '../../src/mqtt/properties.ts';
import { startTestBroker } from '../support/broker/test-broker.ts';
import type { WirePeer } from '../support/clients/wire-peer.ts';

/** Milliseconds after which the first of the others says the wills of a broker, and after which all have had their turn. */
const SILENT = 6500;
const LONG = 60_000;

interface End {
  readonly id: string;
  readonly wills: Wills;
  /** Gets all wills that this broker says. */
  readonly watcher: WirePeer;
  /** Brokers that it hears. */
  heard: string[];
  /** What it asks the others; false = it gets no answer. */
  asked(peer: string, word: ClientsWord): boolean;
}

/** scene is brokers with one clock, which ask each other by calls. */
async function scene(t: TestContext, ids: readonly string[]) {
  let now = 0;
  const ends = new Map<string, End>();
  for (const id of ids) {
    const midge = await startTestBroker();
    t.after(midge.stop);
    const watcher = await midge.connect({ clientId: `watcher of ${id}` });
    watcher.send("82 [ 0001 {} 'will/#' 00 ]");
    await watcher.expect('90 [ 0001 {} 00 ]');
    const ask = async (peer: string, word: ClientsWord): Promise<Buffer> => {
      if (!end.asked(peer, word)) throw new Error('no answer');
      return Buffer.from(JSON.stringify(ends.get(peer)!.wills.hearSaid(word as SaidWord))); // nothing else is asked for here
    };
    const neighbours = { id, known: () => ids, heard: () => end.heard, mayBeThere: () => end.heard, ask, carry: async () => false };
    const clock = { now: () => now, monotonic: () => now };
    const wills = new Wills({ broker: midge.broker, clock, log: silentLogger, neighbours, run: '1', tell: () => {} });
    const end: End = { id, wills, watcher, heard: ids.filter((one) => one !== id), asked: () => true };
    wills.connected();
    ends.set(id, end);
  }
  const all = [...ends.values()];
  return {
    ends: all,
    /** hear has all hear of clients of "a". */
    hear: (run: string, ...clients: readonly string[]) => {
      for (const { wills } of all) {
        wills.heard(alive(run));
        wills.hear(Buffer.from(JSON.stringify({ v: WILLS_VERSION, id: 'a', run, set: clients.map((one) => copy(one)), gone: [] })));
      }
    },
    pass: async (milliseconds: number, ...some: readonly End[]) => {
      now += milliseconds;
      for (const { wills } of some.length === 0 ? all : some) wills.beat();
      await turn();
    },
  };
}

function alive(run: string, remembers?: boolean): Alive {
  const word = { protocol: 1, id: 'a', run, version: '0.0.0', revision: 1, retained: '' };
  return remembers === undefined ? word : { ...word, remembers };
}

/** A will of a client; of one whose name begins with "late", with a delay of an hour. */
function copy(clientId: string): WillCopy {
  const properties = encodeProperties(clientId.startsWith('late') ? { willDelayInterval: 3600 } : {}).toString('base64');
  const rest = { username: null, listener: '', version: 5, expiryInterval: 7200, qos: 0, retain: false } as const;
  return { ...rest, clientId, properties, topicName: `will/${clientId}`, payload: 'Z29uZQ==' };
}

test('cluster says the wills of a broker that was started again at once and remembers none of them', async (t) => {
  const { ends, hear, pass } = await scene(t, ['b', 'c']);
  const [b] = ends as [End, End];
  hear('1', 'one', 'late');
  for (const { wills } of ends) wills.heard(alive('2', false));
  for (const { wills } of ends) assert.equal(wills.count, 2);
  await pass(1000);
  await b.watcher.expect("30 [ 'will/one' {} |gone| ]");
  await pass(LONG);
  for (const { watcher, wills } of ends) {
    await watcher.expectSilence();
    assert.equal(wills.count, 0);
  }
});

test('cluster leaves the wills of a broker that was started again to itself where it remembers them', async (t) => {
  const { ends, hear, pass } = await scene(t, ['b']);
  const [b] = ends as [End];
  hear('1', 'one');
  b.wills.heard(alive('2', true));
  assert.equal(b.wills.count, 0);
  b.heard = ['a'];
  await pass(LONG);
  await b.watcher.expectSilence();
});

test('cluster keeps copies of a new run apart from those of the run before, whose wills are said', async (t) => {
  const { ends, hear, pass } = await scene(t, ['b']);
  const [b] = ends as [End];
  hear('1', 'one');
  b.heard = ['a'];
  b.wills.hear(Buffer.from(JSON.stringify({ v: WILLS_VERSION, id: 'a', run: '2', set: [copy('one'), copy('two')], gone: [] })));
  b.wills.heard(alive('2', false));
  await pass(1000);
  await b.watcher.expect("30 [ 'will/one' {} |gone| ]");
  await b.watcher.expectSilence();
  assert.equal(b.wills.count, 2);
});

test('cluster says no will with a delay of a client that is back where nobody remembers it', async (t) => {
  const { ends, hear, pass } = await scene(t, ['b']);
  const [b] = ends as [End];
  hear('1', 'one', 'late');
  b.wills.heard(alive('2', false));
  b.wills.claimed('one');
  b.wills.claimed('late');
  assert.equal(b.wills.count, 1);
  await pass(1000);
  await b.watcher.expect("30 [ 'will/one' {} |gone| ]");
});

test('cluster tells another broker again which wills have been said until that has heard it', async (t) => {
  const { ends, hear, pass } = await scene(t, ['b', 'c']);
  const [b, c] = ends as [End, End];
  hear('1', 'one');
  let asked = 0;
  b.asked = () => asked++ > 0;
  await pass(SILENT, b);
  await b.watcher.expect("30 [ 'will/one' {} |gone| ]");
  assert.deepEqual([asked, c.wills.count], [1, 1], 'it has not heard it');
  await pass(1000, b);
  assert.deepEqual([asked, c.wills.count], [2, 0]);
  await pass(LONG);
  await c.watcher.expectSilence();
  assert.equal(asked, 2);
});

test('cluster tells a broker that comes back which wills were said while it was away', async (t) => {
  const { ends, hear, pass } = await scene(t, ['b', 'c']);
  const [b, c] = ends as [End, End];
  hear('1', 'one');
  c.wills.lost();
  b.heard = [];
  await pass(SILENT);
  await b.watcher.expect("30 [ 'will/one' {} |gone| ]");
  b.heard = ['c'];
  c.wills.connected();
  b.wills.back('c');
  await pass(LONG);
  await c.watcher.expectSilence();
  assert.equal(c.wills.count, 0);
});

test('cluster does not take copies of a new run away when it hears late what was said of the run before', async (t) => {
  const { ends, hear } = await scene(t, ['b']);
  const [b] = ends as [End];
  hear('2', 'one');
  b.wills.hearSaid({ ask: 'said', from: 'c', of: 'a', run: '1', clients: ['one'] });
  assert.equal(b.wills.count, 1);
});

test('cluster says the wills of a broker that is forgotten before their time, once, and keeps nothing of it', async (t) => {
  const { ends, hear, pass } = await scene(t, ['b', 'c']);
  const [b, c] = ends as [End, End];
  hear('1', 'one', 'late');
  for (const { wills } of ends) wills.forget('a');
  await b.watcher.expect("30 [ 'will/one' {} |gone| ]");
  await pass(LONG);
  for (const { wills, watcher } of [b, c]) {
    await watcher.expectSilence();
    assert.equal(wills.count, 0);
    assert.deepEqual(wills.saidOf('a', '2', 0), { said: [], more: false });
  }
});

test('cluster keeps nothing of what was said in the place of a broker that is forgotten', async (t) => {
  const { ends, hear, pass } = await scene(t, ['b', 'c']);
  hear('1', 'one');
  await pass(SILENT);
  for (const { wills } of ends) assert.deepEqual(wills.saidOf('a', '2', 0).said, ['one']);
  for (const { wills } of ends) wills.forget('a');
  for (const { wills } of ends) assert.deepEqual(wills.saidOf('a', '2', 0).said, []);
});

test('cluster keeps copies of a broker when a word of its run before comes late', async (t) => {
  const { ends, hear, pass } = await scene(t, ['b']);
  const [b] = ends as [End];
  hear('1', 'old');
  hear('2', 'one');
  b.wills.heard(alive('1'));
  b.wills.hear(Buffer.from(JSON.stringify({ v: WILLS_VERSION, id: 'a', run: '1', begins: true, set: [copy('old')], gone: [] })));
  await pass(SILENT);
  await b.watcher.expect("30 [ 'will/one' {} |gone| ]");
  await pass(LONG);
  await b.watcher.expectSilence();
});
