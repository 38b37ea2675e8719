// A session that goes from one broker to another: what it is made of, and how it is put together again.
//
//   sessionToMove(session) -> LoadedSession -> ... -> takeSession(broker, loaded)     it becomes the session here, or the earlier part of it
//                                                     takeMessages(session, loaded)   its client is here already: only what waited

import { Subscription } from '../delivery/subscription.ts';
import type { Broker } from '../engine.ts';
import { storedDelivery, storedMessage, storedSession, storedSubscription } from '../journal.ts';
import { deliveryBytes } from '../memory-budget.ts';
import type { Message } from '../message.ts';
import type { LoadedSession, StoredMessage, StoredSession, StoredSubscription } from '../ports.ts';
import { restoredDelivery, restoredMessage } from '../restoration.ts';
import { allowedExpiry } from './expiry.ts';
import type { Delivery } from './outgoing-window.ts';
import { Session } from './session.ts';

/** Beginning is what is known of a session before its messages come. */
export interface Beginning {
  readonly session: StoredSession;
  readonly subscriptions: readonly StoredSubscription[];
}

/** sessionToMove gives all of a session that has no connection. Keys of messages count from 1; deliveries of one message share it. */
export function sessionToMove(session: Session): LoadedSession {
  const messages = new Map<Message, StoredMessage>();
  const storedOnce = (message: Message): StoredMessage => {
    const stored = messages.get(message) ?? storedMessage(message, messages.size + 1);
    messages.set(message, stored);
    return stored;
  };
  return {
    session: storedSession(session),
    subscriptions: Array.from(session.subscriptions, ([topicFilter, one]) => storedSubscription(topicFilter, one)),
    deliveries: Array.from(session.outgoing.unacknowledged(), (one) => ({
      delivery: storedDelivery(one),
      message: storedOnce(one.message),
    })),
    incoming: [...(session.incoming ?? [])],
  };
}

/** bytesOf gives what the memory budget counts for a session and all that waits in it. */
export function bytesOf(session: Session): number {
  const messages = new Set<Message>();
  let bytes = session.countedBytes;
  for (const { message } of session.outgoing.unacknowledged()) {
    bytes += deliveryBytes(message, !messages.has(message));
    messages.add(message);
  }
  return bytes;
}

/**
 * beginSession makes the session of a client that is on its way from another broker: what comes for it meanwhile waits in it. `lastOrder` is
 * above all that comes with it. Its subscriptions are written down, for a restart has to know them, and are not in force.
 */
export function beginSession(broker: Broker, { session: stored, subscriptions }: Beginning, lastOrder: number): Session {
  const session = new Session(broker, stored.clientId);
  const { clientId, username, listener } = stored;
  session.username = username;
  session.listener = listener;
  session.account = broker.accountOf(listener, username);
  session.requester = { clientId, username, listener };
  session.version = stored.version;
  session.expiryInterval = allowedExpiry(stored.expiryInterval, broker.options);
  session.disconnectedAt = stored.disconnectedAt ?? broker.clock.now();
  session.outgoing.pass(lastOrder, 0);
  broker.sessions.restore(session);
  broker.journal?.saveSession(session);
  for (const one of subscriptions) session.journal?.saveSubscription(one.topicFilter, takenSubscription(session, one));
  return session;
}

function takenSubscription(session: Session, stored: StoredSubscription): Subscription {
  const group = stored.group === null ? null : { name: stored.group, topicFilter: stored.mountedFilter };
  return new Subscription(session, stored.mountedFilter, stored, group, null);
}

/** takeSession puts what comes from the other broker before what has come here. `above` = messages up to that order are here already. */
export function takeSession(session: Session, loaded: LoadedSession, above: number): void {
  const { broker } = session;
  for (const one of loaded.subscriptions) {
    if (session.subscriptions.has(one.topicFilter)) continue;
    broker.sessions.subscribe(session, one.topicFilter, takenSubscription(session, one));
  }
  for (const [packetId, digest] of loaded.incoming) {
    session.incoming ??= new Map();
    session.incoming.set(packetId, digest);
    session.journal?.saveIncoming(session, packetId, digest);
  }
  session.outgoing.takeEarlier([...deliveriesOf(session, loaded, above)]);
}

/**
 * takeMessages hands the client what waited for it at another broker. A QoS 2 message that was under way there is not sent again: whether
 * the client has it cannot be known.
 */
export function takeMessages(session: Session, loaded: LoadedSession, above: number): void {
  for (const delivery of deliveriesOf(session, loaded, above))
    if (delivery.packetId === 0 || delivery.qos === 1) session.outgoing.takeLate(delivery);
}

function* deliveriesOf(session: Session, { deliveries }: LoadedSession, above: number): Generator<Delivery> {
  const messages = new Map<number, Message>();
  for (const { delivery, message: stored } of deliveries) {
    if (delivery.order <= above) continue;
    const message = messages.get(stored.key) ?? newMessage(stored);
    messages.set(stored.key, message);
    yield restoredDelivery(delivery, message, session);
  }
}

/** Its key is given by the store here. */
function newMessage(stored: StoredMessage): Message {
  const message = restoredMessage(stored);
  message.key = 0;
  message.keep();
  return message;
}
