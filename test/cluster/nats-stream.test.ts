// A byte stream over messages that may be lost: it carries every byte in order, or it ends.

import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { type Carrier, NatsStream } from '../../src/cluster/nats-stream.ts';

/** Bytes that may be under way, as nats-stream.ts has it. */
const WINDOW = 1_048_576;
const HEADER = 5;

/** Wire is NATS: messages come when the test delivers them, as the test wants. */
class Wire implements Carrier {
  readonly #listeners = new Map<string, (bytes: Buffer) => void>();
  readonly way: { readonly subject: string; readonly bytes: Buffer }[] = [];
  published = 0;

  publish(subject: string, bytes: Buffer): void {
    this.published += bytes.length;
    this.way.push({ subject, bytes });
  }

  listen(subject: string, heard: (bytes: Buffer) => void): () => void {
    this.#listeners.set(subject, heard);
    return () => this.#listeners.delete(subject);
  }

  get listeners(): number {
    return this.#listeners.size;
  }

  deliver(message = this.way.shift()): void {
    if (message !== undefined) this.#listeners.get(message.subject)?.(Buffer.from(message.bytes));
  }

  /** flow delivers all that is under way, and what that leads to. */
  async flow(): Promise<void> {
    for (let quiet = 0; quiet < 3; quiet++) {
      for (; this.way.length > 0; quiet = 0) this.deliver();
      await turn();
    }
  }
}

function pair(wire = new Wire()): { wire: Wire; near: NatsStream; far: NatsStream } {
  const near = new NatsStream(wire, 'near', 'far');
  const far = new NatsStream(wire, 'far', 'near');
  return { wire, near, far };
}

function gather(stream: NatsStream): Buffer[] {
  const chunks: Buffer[] = [];
  stream.on('data', (chunk: Buffer) => chunks.push(chunk));
  return chunks;
}

test('stream carries every byte in order in both directions, whatever the sizes', async () => {
  const { wire, near, far } = pair();
  const [there, back] = [gather(far), gather(near)];
  const pieces = [1, 0, 70_000, 131_072, 131_073, 3 * WINDOW + 17, 5].map((size) => randomBytes(size));
  for (const piece of pieces) {
    near.write(piece);
    far.write(piece);
  }
  await wire.flow();
  assert.ok(Buffer.concat(pieces).equals(Buffer.concat(there)));
  assert.ok(Buffer.concat(pieces).equals(Buffer.concat(back)));
});

test('stream ends when the other end sends more than it may, or takes back more than it was sent', async () => {
  for (const [kind, body, count] of [
    [0, Buffer.alloc(131_072), 2 * (WINDOW / 131_072)],
    [1, Buffer.from('00000001', 'hex'), 1],
  ] as const) {
    const { wire, far } = pair();
    const failed = once(far, 'error');
    for (let number = 1; number <= count; number++) {
      const header = Buffer.of(kind, 0, 0, 0, number);
      wire.deliver({ subject: 'far', bytes: Buffer.concat([header, body]) });
    }
    assert.equal(far.destroyed, true);
    assert.ok(far.readableLength <= WINDOW + 131_072);
    await failed;
  }
});

test('stream copies what is written: its writer uses the buffer again', async () => {
  const { wire, near, far } = pair();
  const there = gather(far);
  const own = Buffer.from('first');
  near.write(own);
  own.write('other');
  await wire.flow();
  assert.equal(Buffer.concat(there).toString(), 'first');
});

test('stream has no more than its window under way while nobody reads at the other end', async () => {
  const { wire, near, far } = pair();
  const all = randomBytes(4 * WINDOW);
  let isDone = false;
  near.write(all, () => {
    isDone = true;
  });
  await wire.flow();
  assert.ok(wire.published >= WINDOW && wire.published < WINDOW + 131_072 + 20 * HEADER + far.readableHighWaterMark, `${wire.published}`);
  assert.equal(isDone, false);
  const there = gather(far);
  await wire.flow();
  assert.ok(all.equals(Buffer.concat(there)));
  assert.equal(isDone, true);
});

for (const [what, spoil] of [
  ['is lost', ({ way }: Wire) => void way.splice(1, 1)],
  ['comes twice', ({ way }: Wire) => void way.splice(1, 0, way[1]!)],
  ['overtakes another', ({ way }: Wire) => void way.splice(0, 2, way[1]!, way[0]!)],
] as const) {
  test(`stream ends with an error, and gives nothing that is wrong, when a message ${what}`, async () => {
    const { wire, near, far } = pair();
    const there = gather(far);
    gather(near);
    const failed = once(far, 'error');
    for (const text of ['one', 'two', 'three']) near.write(text);
    await turn();
    assert.equal(wire.way.length, 3);
    spoil(wire);
    await wire.flow();
    const [error] = await failed;
    assert.match((error as Error).message, /NATS has lost a message on the way/);
    assert.ok('onetwothree'.startsWith(Buffer.concat(there).toString()));
    await wire.flow();
    assert.equal(near.destroyed, true, 'the other end is told');
    assert.equal(wire.listeners, 0);
  });
}

test('stream ends with an error when the credit for what was taken is lost', async () => {
  const { wire, near, far } = pair();
  gather(far);
  gather(near);
  const failed = once(near, 'error');
  near.write(randomBytes(WINDOW));
  for (let left = 200; left > 0 && !wire.way.some(({ subject }) => subject === 'near'); left--) {
    wire.deliver();
    await turn();
  }
  const credit = wire.way.findIndex(({ subject }) => subject === 'near');
  assert.notEqual(credit, -1, 'a credit is under way');
  wire.way.splice(credit, 1);
  far.write('behind it');
  await wire.flow();
  assert.match(((await failed)[0] as Error).message, /has lost a message/);
});

test('stream tells the other end when it ends in order, behind all that was written', async () => {
  const { wire, near, far } = pair();
  const there = gather(far);
  gather(near);
  const ended = once(far, 'end');
  near.end('last words');
  await wire.flow();
  await ended;
  assert.equal(Buffer.concat(there).toString(), 'last words');
  await wire.flow();
  assert.equal(wire.listeners, 0, 'nobody listens any more');
});

test('stream begun again takes nothing of the one before', async () => {
  const wire = new Wire();
  const before = pair(wire);
  before.near.on('error', () => {});
  before.near.write('old');
  await turn();
  const late = [...wire.way];
  wire.way.length = 0;
  before.near.destroy();
  before.far.destroy();
  await turn();
  wire.way.length = 0;
  const near = new NatsStream(wire, 'near-2', 'far-2');
  const far = new NatsStream(wire, 'far-2', 'near-2');
  const there = gather(far);
  for (const message of late) wire.deliver(message);
  near.write('new');
  await wire.flow();
  assert.equal(Buffer.concat(there).toString(), 'new');
});

for (const [what, message] of [
  ['a kind that this version does not know', Buffer.from([9, 0, 0, 0, 1, 1])],
  ['less than a header', Buffer.from([0, 0, 0])],
  ['a credit without its number', Buffer.from([1, 0, 0, 0, 1])],
  ['nothing', Buffer.alloc(0)],
] as const) {
  test(`stream ends with an error when there comes ${what}`, async () => {
    const { wire, far } = pair();
    const failed = once(far, 'error');
    wire.deliver({ subject: 'far', bytes: message });
    assert.match(((await failed)[0] as Error).message, /what is no part of a stream|has lost a message/);
    assert.equal(far.destroyed, true);
  });
}
