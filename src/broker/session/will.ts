// A will message and its delay, MQTT 5 3.1.2.5 and 3.1.3.2.2.

import type { WillMessage } from '../../mqtt/packets.ts';
import { encodeProperties } from '../../mqtt/properties.ts';
import type { Broker } from '../engine.ts';
import { Message, NEVER } from '../message.ts';
import type { Timer } from '../timer-wheel.ts';
import type { Session } from './session.ts';

/** Will is what a client wants said when it is gone without a word. */
export class Will {
  readonly packet: WillMessage;
  /** With the mount point. */
  readonly topicName: string;
  /** Seconds between the end of the connection and the message; 0 = at once. */
  readonly delay: number;
  timer: Timer | null = null;

  constructor(packet: WillMessage, mountPoint: string) {
    this.packet = packet;
    this.topicName = mountPoint + packet.topicName;
    this.delay = packet.properties.willDelayInterval ?? 0;
  }
}

/** publishWill says it, if the client may, and forgets it. */
export function publishWill(broker: Broker, session: Session): void {
  const will = session.will;
  if (will === null) return;
  session.will = null;
  if (will.timer !== null) broker.wheel.cancel(will.timer);
  const topic = broker.topics.named(will.topicName);
  if (topic.reserved || !broker.mayPublish(session, topic)) return;
  const { willDelayInterval: _, messageExpiryInterval: expiry, ...forwarded } = will.packet.properties;
  const expiresAt = expiry === undefined ? NEVER : broker.clock.now() + expiry * 1000;
  const { payload, qos, retain } = will.packet;
  const message = new Message(topic, qos, retain, payload, 0, payload.length, encodeProperties(forwarded), expiresAt, session, true);
  broker.accept(message, true); // goes to the card together with the note that it was said
}

/** scheduleWill publishes the will of a session whose connection has ended, now or when its delay or the session is over [MQTT-3.1.2-8] [MQTT-3.1.3-9]. */
export function scheduleWill(broker: Broker, session: Session): void {
  const will = session.will;
  if (will === null) return;
  const delay = Math.min(will.delay, session.expiryInterval) - session.secondsAway;
  if (delay <= 0) publishWill(broker, session);
  else will.timer = broker.wheel.after(delay, () => publishDelayed(broker, session));
}

/** The note that it is said goes to the card with the message: no restart says it again. */
function publishDelayed(broker: Broker, session: Session): void {
  publishWill(broker, session);
  session.journal?.saveSession(session);
}
