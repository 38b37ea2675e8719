// Messages that bridges carry from broker to broker have a mark, so that each broker takes each of them once, whatever way it comes: MQTT 5
// only, as a User Property. It is put on what goes to a bridge, ours or another's, and read on what comes.
//
//   midge-origin = ID.NUMBER      the broker that put it on, and which of its messages this is

import { randomBytes } from 'node:crypto';
import { encodeString } from '../mqtt/properties.ts';

/** BRIDGE_PROPERTY is the User Property of CONNECT by which a bridge asks for marks. */
export const BRIDGE_PROPERTY = 'midge-bridge';
const ORIGIN_PROPERTY = 'midge-origin';
const USER_PROPERTY = 0x26;
/** Marks that are remembered: some 150 bytes each, and their topics. */
const REMEMBERED_MAX = 20_000;

/** Of the number, in base 36: 2.8 million million messages. */
const NUMBER_DIGITS = 8;

/** Carried is a message as far as its mark goes. */
interface Carried {
  readonly properties: Buffer;
  passage: number;
}

/** Passages belongs to one broker. */
export class Passages {
  readonly #id = randomBytes(6).toString('base64url');
  /** A mark but for its number, which always has as many digits. */
  readonly #prefix = userProperty(ORIGIN_PROPERTY, `${this.#id}.${'0'.repeat(NUMBER_DIGITS)}`)
    .toString('latin1')
    .slice(0, -NUMBER_DIGITS);
  readonly #seen = new Set<string>();
  #last = 0;

  /** markFor gives the User Property that marks a message, or null when it has one. A message has one mark, however many bridges it goes to. */
  markFor(message: Carried): Buffer | null {
    if (message.properties.includes(ORIGIN_PROPERTY)) return null;
    message.passage ||= ++this.#last;
    return Buffer.from(this.#prefix + message.passage.toString(36).padStart(NUMBER_DIGITS, '0'), 'latin1');
  }

  /** isRepeated tells whether a message has been here: it was marked here, or came before under this topic. Otherwise it is remembered. */
  isRepeated(topicName: string, userProperties: Buffer): boolean {
    const mark = propertyOf(userProperties, ORIGIN_PROPERTY);
    if (mark === null) return false;
    if (mark.startsWith(`${this.#id}.`)) return true;
    const key = `${mark} ${topicName}`; // with the topic, so that nobody can keep away what is not published where they may
    if (this.#seen.has(key)) return true;
    this.#seen.add(key);
    if (this.#seen.size > REMEMBERED_MAX) this.#seen.delete(this.#seen.values().next().value!); // the oldest; size > 0
    return false;
  }
}

/** asksForMarks tells whether the User Properties of a CONNECT are a bridge's. */
export function asksForMarks(userProperties: Buffer | undefined): boolean {
  return userProperties !== undefined && propertyOf(userProperties, BRIDGE_PROPERTY) !== null;
}

/** userProperty gives one User Property as it stands in a packet. */
export function userProperty(name: string, value: string): Buffer {
  return Buffer.concat([Buffer.of(USER_PROPERTY), encodeString(name), encodeString(value)]);
}

/** The first value of a name; they are whole and well-formed. */
function propertyOf(userProperties: Buffer, name: string): string | null {
  if (!userProperties.includes(name)) return null;
  let at = 0;
  while (at < userProperties.length) {
    const nameEnd = at + 3 + userProperties.readUInt16BE(at + 1);
    const valueEnd = nameEnd + 2 + userProperties.readUInt16BE(nameEnd);
    if (userProperties.toString('utf8', at + 3, nameEnd) === name) return userProperties.toString('utf8', nameEnd + 2, valueEnd);
    at = valueEnd;
  }
  return null;
}
