// The contract against the database, random changes against the reference, and what the thread's death changes: nothing.

import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import fc from 'fast-check';
import type { DeliveryState, SessionStore } from '../../src/broker/ports.ts';
import { StoreFolder } from '../support/store/open-store.ts';
import { durably, loadState, storedDelivery, storedMessage, storedSession, storedSubscription } from '../support/store/stored.ts';
import { MemoryStore } from './memory-store.ts';
import { testStore } from './store-contract.ts';

const SQLITE_FULL = 13;
const SQLITE_IOERR_WRITE = 778;

testStore('DurableStore', async (t) => {
  const folder = new StoreFolder(t);
  const store = await folder.open();
  const reopen = async () => {
    await store.stop();
    return folder.open();
  };
  return { store, reopen };
});

/** Step does the same to both stores, or something to the world around the real one. */
type Step =
  | { readonly kind: 'change'; readonly text: string; apply(store: SessionStore, place: number): void }
  | { readonly kind: 'ask' | 'durable' | 'reopen' | 'kill' | 'full' | 'broken' | 'mended' };

const client = fc.constantFrom('phone', 'tablet', 'cam');
/** How many steps ago the delivery was saved that a step is about: orders are never used twice. */
const MOST_BACK = 12;
const back = fc.integer({ min: 1, max: MOST_BACK });
const packetId = fc.integer({ min: 1, max: 4 });
const topic = fc.constantFrom('a', 'b', 'c');
const qos = fc.constantFrom<0 | 1 | 2>(0, 1, 2);
const state = fc.constantFrom<DeliveryState>('queued', 'sent', 'released');
const payload = fc.constantFrom('', 'on', 'off', 'x'.repeat(5000));
const key = fc.integer({ min: 1, max: 5 });

const changes = fc.oneof(
  {
    weight: 4,
    arbitrary: fc
      .tuple(client, fc.nat(9))
      .map(([c, n]) => change(`saveSession ${c}`, (s) => s.saveSession(storedSession(c, { expiryInterval: n })))),
  },
  { weight: 1, arbitrary: client.map((c) => change(`dropSession ${c}`, (s) => s.dropSession(c))) },
  {
    weight: 2,
    arbitrary: fc
      .tuple(client, topic, qos)
      .map(([c, f, q]) => change(`saveSubscription ${c} ${f} ${q}`, (s) => s.saveSubscription(c, storedSubscription(f, { qos: q })))),
  },
  { weight: 1, arbitrary: fc.tuple(client, topic).map(([c, f]) => change(`dropSubscription ${c} ${f}`, (s) => s.dropSubscription(c, f))) },
  {
    weight: 6,
    arbitrary: fc
      .tuple(client, state, key)
      .map(([c, st, k]) =>
        change(`saveDelivery ${c} ${st} ${k}`, (s, place) => s.saveDelivery(c, storedDelivery(place, { state: st }), storedMessage(k))),
      ),
  },
  {
    weight: 2,
    arbitrary: fc.tuple(client, back, packetId, state).map(([c, b, p, st]) =>
      // no two deliveries of a session have one identifier: the place is one that no other has
      change(`updateDelivery ${c} ${b} ${p} ${st}`, (s, place) => s.updateDelivery(c, place - b, p === 0 ? 0 : place - b, st)),
    ),
  },
  {
    weight: 4,
    arbitrary: fc.tuple(client, back).map(([c, b]) => change(`dropDelivery ${c} ${b}`, (s, place) => s.dropDelivery(c, place - b))),
  },
  {
    weight: 2,
    arbitrary: fc.tuple(client, packetId).map(([c, p]) => change(`saveIncoming ${c} ${p}`, (s, place) => s.saveIncoming(c, p, place))),
  },
  { weight: 1, arbitrary: fc.tuple(client, packetId).map(([c, p]) => change(`dropIncoming ${c} ${p}`, (s) => s.dropIncoming(c, p))) },
  {
    weight: 3,
    arbitrary: fc
      .tuple(topic, payload, fc.boolean())
      .map(([n, p, u]) =>
        change(`saveRetained ${n} ${p.length} ${u}`, (s) => s.saveRetained(storedMessage(9, { topicName: n, payload: Buffer.from(p) }), u)),
      ),
  },
  { weight: 1, arbitrary: fc.tuple(topic, fc.boolean()).map(([n, u]) => change(`dropRetained ${n} ${u}`, (s) => s.dropRetained(n, u))) },
);

function change(text: string, apply: (store: SessionStore, place: number) => void): Step {
  return { kind: 'change', text, apply };
}

const events = (kinds: readonly Exclude<Step['kind'], 'change'>[]) => fc.constantFrom(...kinds).map((kind): Step => ({ kind }));

async function play(t: TestContext, steps: readonly Step[]): Promise<void> {
  const folder = new StoreFolder(t, { writeBehind: 5, gather: 1 });
  const model = new MemoryStore();
  let store = await folder.openTroubled();
  for (const [place, step] of steps.entries()) {
    if (step.kind === 'change') {
      const [method, clientId = ''] = step.text.split(' ');
      if (/^save(Sub|Del|Inc)/.test(method ?? '') && !model.sessions.has(clientId)) continue; // the engine saves the session first
      step.apply(model, place + MOST_BACK);
      step.apply(store, place + MOST_BACK);
    } else if (step.kind === 'ask') store.whenDurable(() => {});
    else if (step.kind === 'durable') await durably(store);
    else if (step.kind === 'kill') await folder.killWorker();
    else if (step.kind === 'reopen') {
      folder.trouble.set(0);
      await store.stop();
      store = await folder.openTroubled();
      assert.deepEqual(await loadState(store), await loadState(model));
    } else folder.trouble.set(step.kind === 'full' ? SQLITE_FULL : step.kind === 'broken' ? SQLITE_IOERR_WRITE : 0);
  }
  folder.trouble.set(0);
  await store.stop();
  assert.deepEqual(await loadState(await folder.openTroubled()), await loadState(model));
}

test('DurableStore has what the reference has when changes come in any order and it is opened again', async (t) => {
  const steps = fc.array(fc.oneof({ weight: 12, arbitrary: changes }, { weight: 3, arbitrary: events(['ask', 'durable', 'reopen']) }), {
    size: 'medium',
    maxLength: 80,
  });
  await fc.assert(
    fc.asyncProperty(steps, (list) => play(t, list)),
    { numRuns: 10 },
  );
});

test('DurableStore has what the reference has when its thread dies, the disk is full or broken in between', async (t) => {
  const trouble = events(['ask', 'durable', 'kill', 'full', 'broken', 'mended', 'reopen']);
  const steps = fc.array(fc.oneof({ weight: 8, arbitrary: changes }, { weight: 3, arbitrary: trouble }), { size: 'medium', maxLength: 60 });
  await fc.assert(
    fc.asyncProperty(steps, (list) => play(t, list)),
    { numRuns: 12 },
  );
});
