// A PUBLISH that differs for its subscriber: identifiers, topic alias, remaining expiry, mount point. The slow path of delivery.

import { encodeProperties, type Properties } from '../mqtt/properties.ts';
import type { Connection } from './connection.ts';
import { encodeFrame, type Frame, type Message, NEVER } from './message.ts';

const EMPTY = Buffer.alloc(0);

/** encodeOwnPublish gives the frame for one connection, or null when it is larger than the client takes [MQTT-3.1.2-24]. */
export function encodeOwnPublish(
  connection: Connection,
  message: Message,
  hasPacketId: boolean,
  identifiers: readonly number[] | null,
): Frame | null {
  const name = message.topic.name;
  let topic = connection.mountLength === 0 ? message.topic.bytes : message.topic.bytes.subarray(connection.mountLength);
  let properties: Buffer | null = null;
  let isNewAlias = false;
  if (connection.version === 5) {
    const own: Properties = {};
    if (message.expiresAt !== NEVER) own.messageExpiryInterval = secondsLeft(message.expiresAt, connection.broker.clock.now());
    if (identifiers !== null) own.subscriptionIdentifier = [...identifiers];
    if (connection.outgoingAliases !== null) {
      const { alias, introduced } = connection.outgoingAliases.aliasOf(name);
      if (alias > 0) own.topicAlias = alias;
      if (introduced) topic = EMPTY;
      isNewAlias = alias > 0 && !introduced;
    }
    properties = Buffer.concat([encodeProperties(own), message.properties]);
  }
  const frame = encodeFrame(topic, message.payload, properties, hasPacketId);
  if (frame.end <= connection.maximumPacketSize) return frame;
  if (isNewAlias) connection.outgoingAliases?.forget(name);
  return null;
}

/** What is left of a Message Expiry Interval, at least one second [MQTT-3.3.2-6]. */
function secondsLeft(expiresAt: number, now: number): number {
  return Math.max(1, Math.ceil((expiresAt - now) / 1000));
}
