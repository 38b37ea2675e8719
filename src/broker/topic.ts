// Topic names as objects: met once, checked once, and with the route of their messages at hand.

import { ownBytes } from '../mqtt/own-bytes.ts';
import { MalformedPacket, REASON } from '../mqtt/reason-codes.ts';
import { isControlTopic, isReservedTopic, isTopicName, TOPIC_BYTES_MAX } from '../mqtt/topics.ts';
import { decodeMqttString, isMqttString } from '../mqtt/utf8.ts';

/** Slots of the cache: a power of two. Each topic costs about 300 bytes plus its name; a slot holds the latest topic that fell into it. */
const CACHE_SLOTS = 8192;
/** Bytes of a name that is worth a slot: the cache holds at most 11 MB, whatever names clients think of. */
const CACHED_NAME_MAX = 512;

/** FoundRoute is what the subscription tree keeps at a topic: only it knows what is in there. */
export interface FoundRoute {
  readonly generation: number;
}

/** Topic is one topic name. Objects of the same name may exist twice; compare names. */
export class Topic {
  readonly name: string;
  readonly bytes: Buffer;
  readonly hash: number;
  /** Nobody but the broker itself may publish here: `$SYS/...`, `$share/...`, `$CONTROL/...`. */
  readonly reserved: boolean;
  /** What clients publish here is a request to the broker itself: `$CONTROL/...`. */
  readonly isControl: boolean;
  /** Who gets the messages, as the subscription tree found it; stale when its generation is not the tree's. Null = it was not asked. */
  route: FoundRoute | null;

  constructor(name: string, bytes: Buffer, hash: number) {
    this.name = name;
    this.bytes = bytes;
    this.hash = hash;
    this.isControl = isControlTopic(name);
    this.reserved = this.isControl || isReservedTopic(name);
    this.route = null;
  }

  /** equals compares the name with buffer[start, end). */
  equals(buffer: Buffer, start: number, end: number): boolean {
    const bytes = this.bytes;
    if (bytes.length !== end - start) return false;
    for (let index = bytes.length - 1; index >= 0; index--) {
      if (bytes[index] !== buffer[start + index]) return false; // names mostly differ at their end
    }
    return true;
  }
}

/** makeTopic makes a Topic outside the cache. */
export function makeTopic(name: string): Topic {
  const bytes = Buffer.from(name, 'utf8');
  return new Topic(name, bytes, hashOf(bytes, 0, bytes.length));
}

/** TopicCache finds the Topic of a name by its bytes: bounded, direct-mapped, no text is made on a hit. */
export class TopicCache {
  readonly #slots: (Topic | null)[] = new Array(CACHE_SLOTS).fill(null);

  /** lookup gives the Topic of buffer[start, end). It throws MalformedPacket for bytes that are no topic name [MQTT-3.3.2-1] [MQTT-3.3.2-2]. */
  lookup(buffer: Buffer, start: number, end: number): Topic {
    const hash = hashOf(buffer, start, end);
    const slot = hash & (CACHE_SLOTS - 1);
    const known = this.#slots[slot];
    if (known !== null && known !== undefined && known.hash === hash && known.equals(buffer, start, end)) return known;
    const topic = readTopic(buffer, start, end, hash);
    if (end - start <= CACHED_NAME_MAX) this.#slots[slot] = topic;
    return topic;
  }

  /** named gives the Topic of a text; an invalid one throws as lookup does. */
  named(name: string): Topic {
    const bytes = Buffer.from(name, 'utf8');
    return this.lookup(bytes, 0, bytes.length);
  }
}

function readTopic(buffer: Buffer, start: number, end: number, hash: number): Topic {
  if (end - start > TOPIC_BYTES_MAX) throw new MalformedPacket('Topic Name is too long for its mount point', REASON.TOPIC_NAME_INVALID);
  if (!isMqttString(buffer, start, end)) throw new MalformedPacket('Topic Name is not well-formed UTF-8');
  const name = decodeMqttString(buffer, start, end);
  if (!isTopicName(name)) throw new MalformedPacket('Topic Name is empty, too deep or holds a wildcard');
  return new Topic(name, ownBytes(buffer, start, end), hash);
}

/** hashOf is FNV-1a over buffer[start, end), 32 bits, from a seed on. Stored digests are made of it: it does not change. */
export function hashOf(buffer: Buffer, start: number, end: number, seed = 0x811c9dc5): number {
  let hash = seed;
  for (let at = start; at < end; at++) hash = Math.imul(hash ^ buffer[at]!, 0x01000193);
  return (hash ^ (hash >>> 15)) >>> 0;
}
