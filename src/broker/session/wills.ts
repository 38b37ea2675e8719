// Wills said: at once, after their delay, or at the end of their session, MQTT 5 3.1.2.5 and 3.1.3.2.2.

import type { Clock } from '../../base/clock.ts';
import { encodeProperties } from '../../mqtt/properties.ts';
import type { Journal, KeptSession } from '../journal.ts';
import { Message, NEVER, type Publisher } from '../message.ts';
import type { Requester } from '../ports.ts';
import type { TimerWheel } from '../timer-wheel.ts';
import type { Topic, TopicCache } from '../topic.ts';
import type { Will } from './will.ts';

/** WillEngine is what a will needs of the engine. */
export interface WillEngine {
  readonly clock: Clock;
  readonly topics: TopicCache;
  readonly wheel: TimerWheel;
  mayPublish(requester: Requester, topic: Topic): boolean;
  accept(message: Message, urgent: boolean): void;
}

/** WillOwner is the session that has left it. */
export interface WillOwner extends Publisher, KeptSession {
  will: Will | null;
  readonly journal: Journal | null;
  /** Seconds without a connection. */
  readonly secondsAway: number;
}

/** publishWill says it, if the client may, and forgets it. */
export function publishWill(broker: WillEngine, session: WillOwner): void {
  const will = session.will;
  if (will === null) return;
  session.will = null;
  if (will.timer !== null) broker.wheel.cancel(will.timer);
  const topic = broker.topics.named(will.topicName);
  if (topic.reserved || !broker.mayPublish(session, topic)) return;
  const { willDelayInterval: _, messageExpiryInterval: expiry, ...forwarded } = will.packet.properties;
  const expiresAt = expiry === undefined ? NEVER : broker.clock.now() + expiry * 1000;
  const { payload, qos, retain } = will.packet;
  const properties = encodeProperties(forwarded);
  const message = Message.of({ topic, qos, retain, payload, properties, expiresAt, publisher: session });
  broker.accept(message, true); // goes to the card together with the note that it was said
}

/** scheduleWill publishes the will of a session whose connection has ended, now or when its delay or the session is over [MQTT-3.1.2-8] [MQTT-3.1.3-9]. */
export function scheduleWill(broker: WillEngine, session: WillOwner): void {
  const will = session.will;
  if (will === null) return;
  const delay = Math.min(will.delay, session.expiryInterval) - session.secondsAway;
  if (delay <= 0) publishWill(broker, session);
  else will.timer = broker.wheel.after(delay, () => publishDelayed(broker, session));
}

/** The note that it is said goes to the card with the message: no restart says it again. */
function publishDelayed(broker: WillEngine, session: WillOwner): void {
  publishWill(broker, session);
  session.journal?.saveSession(session);
}
