// The session in which messages for another broker wait. It stands for all clients there, so that limits for one client do not fit it.

import type { Broker } from '../broker/broker.ts';
import { Subscription } from '../broker/delivery/subscription.ts';
import type { Wish } from './interest.ts';
import { sessionFrom, sessionTo } from './options.ts';

/**
 * Messages on their way to another broker, not yet acknowledged. The other broker acknowledges when it has written them down, some hundred
 * times a second on a card: with 20 there would be 2000 messages a second between two brokers at most.
 */
const PEER_WINDOW = 1000;
/** Messages that wait for a broker that is away, unless `max_queued_messages` is more. */
export const PEER_QUEUE_MESSAGES = 100_000;
/** Bytes of their payload, unless `max_queued_bytes` says something. `memory_limit` holds besides. */
export const PEER_QUEUE_BYTES = 67_108_864;

/** limitPeerSession gives the session for a peer its own limits; nothing happens where there is none yet. */
export function limitPeerSession({ sessions, options }: Broker, peer: string): void {
  const outgoing = sessions.get(sessionTo(peer))?.outgoing;
  if (outgoing === undefined) return;
  const { maxQueuedMessages, maxQueuedBytes } = options;
  outgoing.inflightMax = PEER_WINDOW;
  outgoing.backlog.limits = {
    maxMessages: maxQueuedMessages === 0 ? 0 : Math.max(maxQueuedMessages, PEER_QUEUE_MESSAGES),
    maxBytes: maxQueuedBytes === 0 ? PEER_QUEUE_BYTES : maxQueuedBytes,
    expiry: null,
  };
}

/** endPeerSessions forgets what waits for a peer, and what it has had. */
export function endPeerSessions({ sessions }: Broker, peer: string): void {
  for (const clientId of [sessionTo(peer), sessionFrom(peer)]) {
    const session = sessions.get(clientId);
    session?.connection?.destroy();
    if (session !== null) sessions.end(session);
  }
}

/** carryLater has messages of more topic filters wait for a peer to which there is no link now. False = there is no session for it. */
export function carryLater({ sessions }: Broker, peer: string, wishes: readonly Wish[]): boolean {
  const session = sessions.get(sessionTo(peer));
  if (session === null) return false;
  const options = { noLocal: true, retainAsPublished: true, identifier: 0 };
  for (const [topicFilter, qos] of wishes)
    if (qos !== -1) sessions.subscribe(session, topicFilter, new Subscription(session, topicFilter, { qos, ...options }, null, null));
  return true;
}
