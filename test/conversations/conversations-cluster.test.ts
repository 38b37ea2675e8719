// Every conversation in which one client gets what another publishes, played with the two at different brokers of a cluster.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startNats } from '../cluster/scene.ts';
import { isBetween, startPair } from './cluster-target.ts';
import { readConversations, versionsOf } from './conversation.ts';
import { play } from './player.ts';

const DUPLICATES = 'the configuration does not take allow_duplicate_messages beside cluster';

/** What is not as at one broker, with the reason. Conversations of one client, or without subscriber or publisher, are left out by isBetween. */
const OTHERWISE: Readonly<Record<string, string>> = {
  'server says 0x97 in PUBACK when the one kept session has no room':
    'the message is kept for the other broker when it is acknowledged: whether its client has room shows later, and there',
  'server delivers a copy for each subscription when allow_duplicate_messages is on [MQTT-3.3.4-5]': DUPLICATES,
  'server sends each copy with its own identifier when allow_duplicate_messages is on [MQTT-3.3.4-5]': DUPLICATES,
};

const ALL = readConversations().flatMap(({ theme, conversations }) => conversations.map((conversation) => ({ theme, conversation })));
const BETWEEN = ALL.filter(({ conversation }) => isBetween(conversation) && OTHERWISE[conversation.name] === undefined);

/** Brokers of so many conversations at once. */
const AT_ONCE = 8;

test('cluster: conversations between two brokers', { concurrency: AT_ONCE }, async (t) => {
  const nats = await startNats(t);
  const played = BETWEEN.flatMap(({ theme, conversation }) =>
    versionsOf(conversation).map((version) => ({ theme, conversation, version })),
  );
  await Promise.all(
    played.map(({ theme, conversation, version }, number) =>
      t.test(`${theme}: ${conversation.name}, version ${version}`, async (own) => {
        const target = await startPair(own, nats, `pair-${number}`, conversation);
        await play(conversation, target, version);
      }),
    ),
  );
});

test('cluster: the list of conversations that are otherwise names conversations between two', () => {
  const names = new Set(ALL.filter(({ conversation }) => isBetween(conversation)).map(({ conversation }) => conversation.name));
  assert.deepEqual(
    Object.keys(OTHERWISE).filter((name) => !names.has(name)),
    [],
  );
  assert.ok(BETWEEN.length > 150, 'most are played');
});
