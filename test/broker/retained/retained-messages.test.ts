// Retained messages against a plain map and filterMatches.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Message, NEVER } from '../../../src/broker/message.ts';
import { RetainedMessages } from '../../../src/broker/retained/retained-messages.ts';
import { makeTopic } from '../../../src/broker/topic.ts';
import { filterMatches, isTopicFilter } from '../../../src/mqtt/topics.ts';
import { heldBytes } from '../../support/process/memory.ts';

const level = fc.constantFrom('a', 'b', 'ab', '', '$c');
const name = fc.array(level, { minLength: 1, maxLength: 6 }).map((levels) => levels.join('/'));
const filter = fc
  .array(fc.oneof(level, fc.constantFrom('+', '#')), { minLength: 1, maxLength: 6 })
  .map((levels) => levels.join('/'))
  .filter(isTopicFilter);

function retained(topicName: string, text: string, expiresAt = NEVER): Message {
  const payload = Buffer.from(text);
  return Message.of({ topic: makeTopic(topicName), qos: 0, retain: true, payload, expiresAt });
}

function namesUnder(store: RetainedMessages, topicFilter: string): string[] {
  const cursor = store.matching(topicFilter);
  const names: string[] = [];
  for (let message = cursor.next(); message !== null; message = cursor.next()) names.push(message.topic.name);
  return names.sort();
}

test('RetainedMessages finds what filterMatches says after any sets and clears [MQTT-3.3.1-5] [MQTT-3.3.1-6] [MQTT-4.7.2-1]', () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(name, fc.boolean()), { maxLength: 40 }),
      fc.array(filter, { minLength: 1, maxLength: 8 }),
      (steps, filters) => {
        const store = new RetainedMessages();
        const plain = new Set<string>();
        for (const [topicName, clears] of steps) {
          store.set(retained(topicName, clears ? '' : 'x'));
          if (clears) plain.delete(topicName);
          else plain.add(topicName);
        }
        assert.equal(store.count, plain.size);
        assert.equal(store.bytes, plain.size);
        for (const topicFilter of filters) {
          const expected = [...plain].filter((topicName) => filterMatches(topicFilter, topicName)).sort();
          assert.deepEqual(namesUnder(store, topicFilter), expected, topicFilter);
        }
        for (const topicName of plain) assert.equal(store.get(topicName)?.topic.name, topicName);
        for (const topicName of [...plain]) store.delete(topicName);
        assert.deepEqual([store.count, store.bytes, namesUnder(store, '#')], [0, 0, []]);
      },
    ),
    { numRuns: 2000 },
  );
});

test('RetainedCursor finds the same in many short walks as in one long walk when nothing matches for a long time', () => {
  const store = new RetainedMessages();
  for (let at = 0; at < 1000; at++) store.set(retained(`a${at}/b`, 'x'));
  store.set(retained('z/wanted', 'x'));
  const cursor = store.matching('+/wanted');
  const found: string[] = [];
  let walks = 0;
  while (!cursor.atEnd) {
    const message = cursor.next(cursor.steps + 100);
    if (message !== null) found.push(message.topic.name);
    walks++;
  }
  assert.deepEqual(found, ['z/wanted']);
  assert.ok(walks > 10, `${walks} walks`);
});

test('RetainedMessages keeps a topic of two hundred levels for a few times its text, and gives all back when it is cleared', () => {
  const store = new RetainedMessages();
  const names = Array.from({ length: 2000 }, (_, at) => Buffer.from(`${at}/${'d/'.repeat(198)}${at % 2}`).toString());
  const fillAndClear = () => {
    const before = heldBytes();
    for (const one of names) store.set(retained(one, 'x'));
    const each = (heldBytes() - before) / names.length;
    assert.ok(each < 2000, `${Math.round(each)} bytes each`);
    for (const one of names) store.set(retained(one.replace(/.$/, 'z'), 'x')); // they part at the last level only
    assert.ok((heldBytes() - before) / names.length < 5000);
    for (const one of names) {
      store.delete(one);
      store.delete(one.replace(/.$/, 'z'));
    }
    return heldBytes() - before;
  };
  const left = Math.min(fillAndClear(), fillAndClear()); // the first time V8 keeps what it compiles, too
  assert.ok(left < 300_000, `${left} bytes are left`);
  assert.equal(store.count, 0);
});

test('RetainedCursor counts the levels that it compares, and ends a comparison at the first that differs', () => {
  const store = new RetainedMessages();
  for (let at = 0; at < 100; at++) store.set(retained(`${at}${'/d'.repeat(199)}`, 'x'));
  const stepsOf = (topicFilter: string) => {
    const cursor = store.matching(topicFilter);
    while (cursor.nextValue() !== null);
    return cursor.steps;
  };
  const nodes = stepsOf('#');
  assert.ok(stepsOf(Array(200).fill('+').join('/')) > nodes + 100 * 10);
  assert.ok(stepsOf(`+/x${'/+'.repeat(198)}`) <= nodes + 100);
});
