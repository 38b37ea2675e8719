// The subscription tree against the plain meaning of 4.7: for any filters and names, both find the same subscriptions.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Subscription } from '../../../src/broker/delivery/subscription.ts';
import { SubscriptionTree } from '../../../src/broker/delivery/subscription-tree.ts';
import type { Session } from '../../../src/broker/session/session.ts';
import { filterMatches, isTopicFilter } from '../../../src/mqtt/topics.ts';
import { heldBytes } from '../../support/process/memory.ts';

const level = fc.constantFrom('a', 'b', 'c', '', '$d');
const name = fc.array(level, { minLength: 1, maxLength: 6 }).map((levels) => levels.join('/'));
const filterLevel = fc.oneof({ weight: 3, arbitrary: level }, { weight: 2, arbitrary: fc.constant('+') });
const filter = fc
  .tuple(fc.array(filterLevel, { minLength: 1, maxLength: 6 }), fc.boolean())
  .map(([levels, all]) => [...levels, ...(all ? ['#'] : [])].join('/'))
  .filter(isTopicFilter);

/** One session per filter, so that nothing is merged; the tree looks at no more of a session than its identity. */
function subscribe(tree: SubscriptionTree, topicFilter: string): Subscription {
  const session = { upgradesQos: false } as Session;
  const subscription = new Subscription(
    session,
    topicFilter,
    { qos: 0, noLocal: false, retainAsPublished: false, identifier: 0 },
    null,
    null,
  );
  tree.add(subscription);
  return subscription;
}

test('SubscriptionTree finds what filterMatches says, for any filters and names [MQTT-4.7.1-1] [MQTT-4.7.2-1]', () => {
  fc.assert(
    fc.property(fc.array(filter, { maxLength: 30 }), fc.array(name, { minLength: 1, maxLength: 10 }), (filters, names) => {
      const tree = new SubscriptionTree();
      const all = filters.map((one) => subscribe(tree, one));
      for (const topicName of names) {
        const found = new Set(tree.match(topicName).subscribers);
        for (const one of all) assert.equal(found.has(one), filterMatches(one.topicFilter, topicName), `${one.topicFilter} ~ ${topicName}`);
      }
    }),
    { numRuns: 500 },
  );
});

test('SubscriptionTree finds the same when others have come and gone, where filters part and where they part no more', () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(filter, fc.boolean()), { maxLength: 30 }),
      fc.array(name, { minLength: 1, maxLength: 10 }),
      (filters, names) => {
        const tree = new SubscriptionTree();
        const all = filters.map(([one, stays]) => ({ subscription: subscribe(tree, one), stays }));
        for (const { subscription, stays } of all) if (!stays) tree.remove(subscription);
        for (const topicName of names) {
          const found = new Set(tree.match(topicName).subscribers);
          for (const { subscription, stays } of all) {
            const { topicFilter } = subscription;
            assert.equal(found.has(subscription), stays && filterMatches(topicFilter, topicName), `${topicFilter} ~ ${topicName}`);
          }
        }
      },
    ),
    { numRuns: 500 },
  );
});

test('a subscription of 200 levels takes about as many bytes in the tree as its text', () => {
  const filters = Array.from({ length: 1000 }, (_, at) => `${at}${'/x'.repeat(199)}`);
  const tree = new SubscriptionTree();
  const before = heldBytes();
  for (const one of filters) subscribe(tree, one);
  const each = (heldBytes() - before) / filters.length;
  assert.ok(each < 2000, `${each.toFixed(0)} bytes each`); // with a node for each level: 48,000
  assert.equal(tree.count, 1000);
});

test('SubscriptionTree is empty again when all that was added is removed, in any order', () => {
  fc.assert(
    fc.property(
      fc.shuffledSubarray(
        Array.from({ length: 12 }, (_, i) => i),
        { minLength: 12 },
      ),
      fc.array(filter, { minLength: 12, maxLength: 12 }),
      (order, filters) => {
        const tree = new SubscriptionTree();
        const all = filters.map((one) => subscribe(tree, one));
        assert.equal(tree.count, 12);
        for (const index of order) {
          const one = all[index];
          assert.ok(one);
          tree.remove(one);
          assert.ok(!tree.match(one.topicFilter.replaceAll('+', 'a').replace('#', 'a')).subscribers.includes(one));
        }
        assert.equal(tree.count, 0);
        for (const topicFilter of filters) assert.equal(tree.match(topicFilter.replaceAll('+', 'a').replace('#', 'a')).isEmpty, true);
      },
    ),
  );
});

test('SubscriptionTree merges the overlapping subscriptions of one session into one with the highest QoS and all identifiers [MQTT-3.3.4-2]', () => {
  const tree = new SubscriptionTree();
  const session = { upgradesQos: false } as Session;
  const add = (topicFilter: string, qos: 0 | 1 | 2, identifier: number) =>
    tree.add(new Subscription(session, topicFilter, { qos, noLocal: false, retainAsPublished: false, identifier }, null, null));
  add('a/b', 0, 7);
  add('a/#', 2, 9);
  add('+/b', 1, 0);
  const { subscribers } = tree.match('a/b');
  assert.equal(subscribers.length, 1);
  assert.equal(subscribers[0]?.qos, 2);
  assert.deepEqual([...(subscribers[0]?.identifiers() ?? [])].sort(), [7, 9]);
  tree.allowDuplicates = true;
  assert.equal(tree.match('a/b').subscribers.length, 3);
});

test('SubscriptionTree leaves out sessions that may not receive a topic when a rule says so', () => {
  const tree = new SubscriptionTree();
  const allowed = subscribe(tree, 'a/#');
  subscribe(tree, 'a/b');
  tree.setReceiveRule((session) => session === allowed.session);
  assert.deepEqual(tree.match('a/b').subscribers, [allowed]);
});

test('SubscriptionTree keeps a shared group together when its only member subscribes again', () => {
  const tree = new SubscriptionTree();
  const session = { upgradesQos: false } as Session;
  const join = () =>
    new Subscription(session, 'a', { qos: 0, noLocal: false, retainAsPublished: false, identifier: 0 }, tree.group('g', 'a'), null);
  const first = join();
  tree.add(first);
  const second = join();
  tree.remove(first);
  tree.add(second);
  assert.deepEqual(tree.match('a').shared?.[0]?.members, [second]);
  assert.equal(tree.sharedCount, 1);
});
