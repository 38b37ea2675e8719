// Retained values as brokers of a cluster tell them to each other, one record behind the other:
//
//   four bytes        four bytes         JSON     bytes
//   length of header  length of payload  header   payload
//
// An empty payload says that the topic was cleared.

import { clearing, Message, NEVER, NO_PROPERTIES } from '../broker/message.ts';
import { KEY_MAX } from '../broker/message-keys.ts';
import type { Requester } from '../broker/ports.ts';
import type { RetainedValue } from '../broker/retained/retained-messages.ts';
import { makeTopic } from '../broker/topic.ts';
import { ownBytes } from '../mqtt/own-bytes.ts';
import { PACKET_TYPE, type Qos } from '../mqtt/packet-types.ts';
import { decodeProperties } from '../mqtt/properties.ts';
import { isTopicName } from '../mqtt/topics.ts';

const LENGTHS = 8;

/** Header says all but the payload. */
interface Header {
  readonly topic: string;
  readonly key: number;
  readonly qos?: Qos;
  /** Base64; absent = none. */
  readonly properties?: string;
  /** Milliseconds that it has left, absent = for ever: the clocks of two brokers differ. */
  readonly left?: number;
  readonly source?: Requester;
}

/** encodeValue makes a record. `key` is that of the newest value, `now` in milliseconds since 1970. */
export function encodeValue(value: RetainedValue, key: number, now: number): Buffer {
  const { topicName, payload, qos, properties, expiresAt, source } = value;
  const header: Header = {
    topic: topicName,
    key,
    qos,
    ...(properties.length === 0 ? {} : { properties: properties.toString('base64') }),
    ...(expiresAt === NEVER ? {} : { left: Math.max(0, expiresAt - now) }),
    ...(source === null ? {} : { source }),
  };
  return encode(header, typeof payload === 'string' ? Buffer.from(payload, 'latin1') : payload);
}

/** encodeCleared makes the record of a topic that was cleared. */
export function encodeCleared(topicName: string, key: number): Buffer {
  return encode({ topic: topicName, key }, NO_PROPERTIES);
}

function encode(header: Header, payload: Buffer): Buffer {
  const text = Buffer.from(JSON.stringify(header));
  const lengths = Buffer.allocUnsafe(LENGTHS);
  lengths.writeUInt32BE(text.length, 0);
  lengths.writeUInt32BE(payload.length, 4);
  return Buffer.concat([lengths, text, payload]);
}

/** readRecords gives messages with their keys. What is no record, or not whole, is left out. */
export function* readRecords(bytes: Buffer, now: number): Generator<Message> {
  let at = 0;
  while (at + LENGTHS <= bytes.length) {
    const headerEnd = at + LENGTHS + bytes.readUInt32BE(at);
    const end = headerEnd + bytes.readUInt32BE(at + 4);
    if (end > bytes.length) return;
    const message = messageOf(bytes.toString('utf8', at + LENGTHS, headerEnd), bytes.subarray(headerEnd, end), now);
    if (message !== null) yield message;
    at = end;
  }
}

function messageOf(text: string, payload: Buffer, now: number): Message | null {
  try {
    const { topic, key, qos = 0, properties, left, source } = JSON.parse(text) as Header; // looked at below
    if (!isTopicName(topic) || !Number.isSafeInteger(key) || key < 1 || key > KEY_MAX || ![0, 1, 2].includes(qos)) return null;
    if (payload.length === 0) return clearing(makeTopic(topic), key);
    const message = Message.of({
      ...{ topic: makeTopic(topic), qos, retain: true, payload: ownBytes(payload) },
      ...(properties === undefined ? {} : { properties: checkedProperties(properties) }),
      ...(left === undefined ? {} : { expiresAt: now + Math.max(1, Number(left) || 0) }),
    });
    message.key = key;
    message.source = source === undefined ? null : requesterOf(source);
    return message;
  } catch {
    return null; // another version may say more, and in other words
  }
}

/** Throws for what is none. */
function checkedProperties(base64: string): Buffer {
  const bytes = Buffer.from(base64, 'base64');
  decodeProperties(bytes, PACKET_TYPE.PUBLISH);
  return bytes;
}

function requesterOf({ clientId, username, listener }: Requester): Requester {
  return { clientId: String(clientId), username: username === null ? null : String(username), listener: String(listener) };
}
