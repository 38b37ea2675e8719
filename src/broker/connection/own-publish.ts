// A PUBLISH that differs for its subscriber: identifiers, topic alias, remaining expiry, mount point. The slow path of delivery.

import type { Clock } from '../../base/clock.ts';
import type { ProtocolVersion } from '../../mqtt/packet-types.ts';
import { encodeProperties, type Properties } from '../../mqtt/properties.ts';
import { encodeFrame, type Frame, type Message, NEVER } from '../message.ts';
import type { Passages } from '../passages.ts';
import type { OutgoingAliases } from './topic-aliases.ts';

const EMPTY = Buffer.alloc(0);

/** OwnReceiver is the connection that a message is encoded for. */
export interface OwnReceiver {
  readonly version: ProtocolVersion;
  readonly broker: { readonly clock: Clock; readonly passages: Passages };
  readonly output: {
    readonly mountLength: number;
    readonly outgoingAliases: OutgoingAliases | null;
    readonly maximumPacketSize: number;
    readonly marksMessages: boolean;
  };
}

/** encodeOwnPublish gives the frame for one connection, or null when it is larger than the client takes [MQTT-3.1.2-24] or has no name for it. */
export function encodeOwnPublish(
  connection: OwnReceiver,
  message: Message,
  hasPacketId: boolean,
  identifiers: readonly number[] | null,
): Frame | null {
  const { mountLength, outgoingAliases, maximumPacketSize } = connection.output;
  const topic = mountLength === 0 ? message.topic.bytes : message.topic.bytes.subarray(mountLength);
  if (topic.length === 0) return null; // `home/#` matches `home` too, which has no name below the mount point `home/` [MQTT-4.7.3-1]
  if (connection.version !== 5) return encodeFrame(topic, message.payload, null, hasPacketId, message.rest); // only v5 clients name a maximum
  if (isMarkedOnly(connection, message, identifiers)) {
    const mark = connection.broker.passages.markFor(message) ?? EMPTY;
    const properties = message.properties.length === 0 ? mark : Buffer.concat([message.properties, mark]);
    const frame = encodeFrame(topic, message.payload, properties, hasPacketId, message.rest);
    return frame.size <= maximumPacketSize ? frame : null;
  }
  const own: Properties = {};
  if (message.expiresAt !== NEVER) own.messageExpiryInterval = secondsLeft(message.expiresAt, connection.broker.clock.now());
  if (connection.output.marksMessages) own.userProperty = connection.broker.passages.markFor(message) ?? EMPTY;
  if (outgoingAliases !== null) {
    const { alias, introduced } = outgoingAliases.aliasOf(message.topic.name);
    if (alias > 0) {
      const aliased = encodeWith(message, introduced ? EMPTY : topic, { ...own, topicAlias: alias }, identifiers, hasPacketId);
      if (aliased.size <= maximumPacketSize) return aliased;
      if (!introduced) outgoingAliases.forget(message.topic.name);
    }
  }
  const frame = encodeWith(message, topic, own, identifiers, hasPacketId);
  return frame.size <= maximumPacketSize ? frame : null;
}

/** Most of what goes to a bridge. */
function isMarkedOnly({ output }: OwnReceiver, message: Message, identifiers: readonly number[] | null): boolean {
  return output.marksMessages && output.outgoingAliases === null && identifiers === null && message.expiresAt === NEVER;
}

/** In mosquitto's order: the publisher's properties, then ours. */
function encodeWith(message: Message, topic: Buffer, own: Properties, identifiers: readonly number[] | null, hasPacketId: boolean): Frame {
  if (identifiers !== null) own.subscriptionIdentifier = [...identifiers];
  return encodeFrame(topic, message.payload, Buffer.concat([message.properties, encodeProperties(own)]), hasPacketId, message.rest);
}

/** What is left of a Message Expiry Interval, at least one second [MQTT-3.3.2-6]. */
function secondsLeft(expiresAt: number, now: number): number {
  return Math.max(1, Math.ceil((expiresAt - now) / 1000));
}
