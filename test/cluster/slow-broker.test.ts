// A broker that is there but slow: nothing that it sends is lost, and nobody is let in for it.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Message } from '../../src/broker/message.ts';
import { CLUSTER_LISTENER } from '../../src/broker/options.ts';
import { eventually } from '../bridges/scene.ts';
import type { TestBroker } from '../support/broker/test-broker.ts';
import { TestClock } from '../support/ports/test-clock.ts';
import { type End, type Network, PRESENT, type Third, twoEnds, WANDERER } from './two-ends.ts';

/** Questions to the third broker that get no answer in time. */
const UNANSWERED = 3;
/** Milliseconds for a question that gets none, some of which a client waits. */
const LONG = 6000;

/** Third broker "c", to which a client publishes each time that the other two speak with each other. */
class Publishing implements Third {
  readonly id = 'c';
  readonly texts: string[] = [];
  /** What the links of "c" carry to, by the name of the broker. */
  readonly ends = new Map<string, TestBroker>();
  #hasCut = false;
  #unanswered = UNANSWERED;

  publish(): void {
    if (this.ends.size === 0) return;
    const text = String(this.texts.length);
    this.texts.push(text);
    this.#send('a', 'x', 1, text);
    if (this.#hasCut) this.#send('b', 'x', 1, text);
  }

  answer({ ask, ...word }: { ask: string; move?: string }): object {
    if (ask === 'claim') return { is: 'none' };
    if (ask !== 'cut') throw new Error(`nobody asks for ${ask}`);
    if (this.#unanswered-- > 0) throw new Error('no answer in time');
    this.#hasCut = true;
    for (const end of ['a', 'b']) for (const qos of [1, 2] as const) this.#send(end, `$cluster/moves/${word.move}`, qos, '');
    return { isCut: true };
  }

  #send(end: string, topicName: string, qos: 1 | 2, text: string): void {
    const { broker } = this.ends.get(end)!; // both are there
    const requester = { clientId: `cluster.from.${this.id}`, username: null, listener: CLUSTER_LISTENER };
    const publisher = { ...requester, requester, account: broker.budget.own, connection: null };
    broker.accept(Message.of({ topic: broker.topics.named(topicName), qos, retain: false, payload: Buffer.from(text), publisher }));
  }
}

/** A client goes from one broker to another, which has its session then. */
async function moveTo(end: End, from: End): Promise<void> {
  const client = end.midge.open();
  client.send("10 [ PROTOCOL 00 0000 { 11 FFFFFFFF } 'wanderer' ]");
  await client.expect(PRESENT);
  client.abort();
  await eventually(() => end.midge.broker.sessions.get('wanderer')?.connection === null, 'it is away');
  assert.equal(from.midge.broker.sessions.get('wanderer'), null);
}

test('cluster does not wait again at once for a broker that has not answered for as long as a client waits', async (t) => {
  const clock = new TestClock();
  let asked = 0;
  const third: Third = {
    id: 'c',
    answer: ({ ask }) => {
      if (ask === 'claim') return { is: 'none' };
      asked++;
      clock.advance(LONG);
      throw new Error('no answer in time');
    },
  };
  const [a, b] = await twoEnds(t, { third, now: () => null }, () => ({ clock }));
  const first = await a.midge.connect(WANDERER);
  first.send("82 [ 0001 {} 'x' 01 ]");
  await first.expect('90 [ 0001 {} 01 ]');
  first.abort();
  await eventually(() => a.midge.broker.sessions.get('wanderer')?.connection === null, 'it is away');
  await moveTo(b, a);
  const patient = asked;
  assert.ok(patient > 1, 'it is asked again');
  await moveTo(a, b);
  assert.equal(asked, 2 * patient, 'the other broker has not waited for it yet');
  await moveTo(b, a);
  assert.equal(asked, 2 * patient + 1);
});

test('cluster waits for a broker that is slow to send elsewhere what a session gets, and loses none of its messages', async (t) => {
  const third = new Publishing();
  const network: Network = {
    third,
    now: () => {
      third.publish();
      return null;
    },
  };
  const [a, b] = await twoEnds(t, network);
  const first = await a.midge.connect(WANDERER);
  first.send("82 [ 0001 {} 'x' 01 ]");
  await first.expect('90 [ 0001 {} 01 ]');
  first.abort();
  await eventually(() => a.midge.broker.sessions.get('wanderer')?.connection === null, 'it is away');
  third.ends.set('a', a.midge).set('b', b.midge);
  const again = b.midge.open();
  again.send("10 [ PROTOCOL 00 0000 { 11 FFFFFFFF } 'wanderer' ]");
  await again.expect(PRESENT);
  assert.ok(third.texts.length > UNANSWERED);
  for (const text of third.texts) await again.expect(`32 [ 'x' ???? {} |${text}| ]`);
  await again.expectSilence();
});
