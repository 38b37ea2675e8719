// The retained values that all brokers of a cluster have: of each topic the one with the greatest key, also where that cleared the topic.
//
//   a client publishes -> key (at least the time; greater than all keys heard of) -> kept here -> told to all, once per turn of the event loop
//   another broker tells -> its key is greater than ours -> kept here;  else it is older than what we have
//
// Nothing waits for the others, and nothing is queued for them: what NATS lost, or what was published while it was away, shows by the
// digest in the signs of life, and is asked for (retained-sync.ts). What all brokers have in the end does not depend on the order.

import type { Broker } from '../broker/broker.ts';
import type { Message } from '../broker/message.ts';
import { CLUSTER_LISTENER } from '../broker/options.ts';
import type { RetainedWatcher } from '../broker/retained/retained-messages.ts';
import { staysHere } from './interest.ts';
import { encodeCleared, encodeValue, readRecords } from './retained-records.ts';

/** Topics are compared in so many parts. */
export const BUCKETS = 1024;
/** A millisecond of the clock in keys: each broker gives one of them. */
const KEYS_PER_MS = 1024;
/** Bytes that are told at once; larger values are asked for. */
const TOLD_MAX = 524_288;
/** Bytes after which a page ends. */
const PAGE_MIN = 524_288;
/** Topics whose value expired, or had no room: that many are remembered. */
const PASSED_MAX = 50_000;

/** Page is a part of what differs; `next` = the bucket at which the following page begins, BUCKETS = it was the last. */
export interface Page {
  readonly records: Buffer;
  readonly next: number;
}

export interface SharedRetainedDeps {
  readonly broker: Broker;
  /** Of this broker. */
  readonly id: string;
  /** tell gives records to all other brokers. */
  tell(records: Buffer): void;
  /** noRoom is told of the first value of another broker that this one cannot keep. */
  noRoom(topicName: string): void;
}

/** SharedRetained is begun after the broker has been restored. */
export class SharedRetained implements RetainedWatcher {
  readonly #deps: SharedRetainedDeps;
  readonly #offset: number;
  /** Keys of the values that are here, by topic. */
  readonly #keys: readonly Map<string, number>[] = Array.from({ length: BUCKETS }, () => new Map());
  readonly #hashes = new Uint32Array(BUCKETS);
  /** Keys of values that are not here, for they have expired or had no room. */
  readonly #passed = new Map<string, number>();
  readonly #changed = new Set<string>();
  #count = 0;
  #sum = 0;
  #refused = 0;

  constructor(deps: SharedRetainedDeps) {
    this.#deps = deps;
    this.#offset = hashOf(deps.id, 0) % KEYS_PER_MS;
  }

  begin(): void {
    const { retained } = this.#deps.broker;
    for (const { topicName, key } of retained.values()) if (!staysHere(topicName)) this.#set(topicName, key);
    retained.watcher = this;
  }

  end(): void {
    const { retained } = this.#deps.broker;
    if (retained.watcher === this) retained.watcher = null;
  }

  /** refused counts values that had no room. */
  get refused(): number {
    return this.#refused;
  }

  /** digest is the same at brokers that have the same. */
  get digest(): string {
    return `${this.#count}.${this.#sum.toString(36)}`;
  }

  /** hashes are the digests of the buckets, four bytes each. */
  hashes(): Buffer {
    const bytes = Buffer.allocUnsafe(BUCKETS * 4);
    for (let bucket = 0; bucket < BUCKETS; bucket++) bytes.writeUInt32BE(this.#hashes[bucket]!, bucket * 4); // bucket < BUCKETS
    return bytes;
  }

  takes(message: Message): boolean {
    const { name } = message.topic;
    if (staysHere(name)) return true;
    if (message.publisher?.listener === CLUSTER_LISTENER) return false; // its broker tells it, with its key
    message.key = this.#nextKey();
    this.#note(message);
    if (this.#changed.size === 0) setImmediate(() => this.#tell());
    this.#changed.add(name);
    return true;
  }

  expired(topicName: string): void {
    const key = this.#keyOf(topicName);
    this.#delete(topicName);
    if (key > 0) this.#pass(topicName, key);
  }

  /** take keeps what is newer, and gives how many values that were. */
  take(records: Buffer): number {
    const { broker } = this.#deps;
    let taken = 0;
    for (const message of readRecords(records, broker.clock.now())) {
      const { name } = message.topic;
      broker.keys.raise(message.key);
      if (staysHere(name) || message.key <= this.#keyOf(name)) continue;
      taken++;
      if (broker.retained.hasRoomFor(message)) this.#keep(message);
      else this.#refuse(message);
    }
    return taken;
  }

  /** page gives what may differ from another broker's hashes, beginning at a bucket. */
  page(theirs: Buffer, from: number): Page {
    const differs = (bucket: number) => bucket >= from && theirs.readUInt32BE(bucket * 4) !== this.#hashes[bucket];
    const cleared = this.#clearedIn(differs);
    const records: Buffer[] = [];
    let size = 0;
    for (let bucket = from; bucket < BUCKETS; bucket++) {
      if (size >= PAGE_MIN) return { records: Buffer.concat(records), next: bucket };
      if (!differs(bucket)) continue;
      for (const topicName of [...this.#keys[bucket]!.keys(), ...(cleared.get(bucket) ?? [])]) {
        const record = this.#recordOf(topicName);
        if (record !== null) size += record.length;
        if (record !== null) records.push(record);
      }
    }
    return { records: Buffer.concat(records), next: BUCKETS };
  }

  /** Topics that were cleared, by bucket: found anew for each page, which costs less than a second index of all of them. */
  #clearedIn(isWanted: (bucket: number) => boolean): Map<number, string[]> {
    const found = new Map<number, string[]>();
    for (const [topicName] of this.#deps.broker.retained.cleared.entries()) {
      const bucket = bucketOf(topicName);
      if (!isWanted(bucket)) continue;
      const names = found.get(bucket);
      if (names === undefined) found.set(bucket, [topicName]);
      else names.push(topicName);
    }
    return found;
  }

  /** No other broker gives the same: two values with one key would differ for ever. */
  #nextKey(): number {
    const { keys, clock } = this.#deps.broker;
    const milliseconds = Math.max(clock.now(), Math.trunc(keys.last / KEYS_PER_MS) + 1);
    return keys.next(milliseconds * KEYS_PER_MS + this.#offset);
  }

  #tell(): void {
    let records: Buffer[] = [];
    let size = 0;
    for (const topicName of this.#changed) {
      const record = this.#recordOf(topicName);
      if (record === null || record.length > TOLD_MAX) continue;
      if (size + record.length > TOLD_MAX) {
        this.#deps.tell(Buffer.concat(records));
        records = [];
        size = 0;
      }
      records.push(record);
      size += record.length;
    }
    this.#changed.clear();
    if (records.length > 0) this.#deps.tell(Buffer.concat(records));
  }

  #recordOf(topicName: string): Buffer | null {
    const { retained, clock } = this.#deps.broker;
    const key = this.#keys[bucketOf(topicName)]!.get(topicName); // a bucket below BUCKETS
    const value = retained.valueOf(topicName);
    if (key !== undefined && value !== null) return encodeValue(value, key, clock.now());
    const cleared = retained.cleared.keyOf(topicName);
    return cleared === 0 ? null : encodeCleared(topicName, cleared);
  }

  #keep(message: Message): void {
    this.#note(message);
    this.#deps.broker.keepRetained(message, false);
  }

  /** What is here is older than the value that has no room. */
  #refuse({ topic: { name }, key }: Message): void {
    const { broker, noRoom } = this.#deps;
    this.#delete(name);
    this.#pass(name, key);
    broker.retained.delete(name);
    broker.journal?.dropRetained(name);
    if (this.#refused++ === 0) noRoom(name);
  }

  #note(message: Message): void {
    const { broker } = this.#deps;
    const { name } = message.topic;
    this.#passed.delete(name);
    if (message.payloadLength > 0) return this.#set(name, message.key);
    this.#delete(name);
    for (const topicName of broker.retained.cleared.trim()) broker.journal?.dropRetained(topicName);
  }

  #pass(topicName: string, key: number): void {
    this.#passed.set(topicName, key);
    if (this.#passed.size > PASSED_MAX) this.#passed.delete(this.#passed.keys().next().value!); // the oldest; size > 0
  }

  #keyOf(topicName: string): number {
    const key = this.#keys[bucketOf(topicName)]!.get(topicName); // as above
    return key ?? this.#passed.get(topicName) ?? this.#deps.broker.retained.cleared.keyOf(topicName);
  }

  #set(topicName: string, key: number): void {
    this.#delete(topicName);
    const bucket = bucketOf(topicName);
    this.#keys[bucket]!.set(topicName, key); // as above
    this.#mix(bucket, hashOf(topicName, key));
    this.#count++;
  }

  #delete(topicName: string): void {
    const bucket = bucketOf(topicName);
    const keys = this.#keys[bucket]!; // as above
    const key = keys.get(topicName);
    if (key === undefined) return;
    keys.delete(topicName);
    this.#mix(bucket, hashOf(topicName, key));
    this.#count--;
  }

  /** Adds, and takes away again. */
  #mix(bucket: number, hash: number): void {
    this.#hashes[bucket]! ^= hash; // as above
    this.#sum = (this.#sum ^ hash) >>> 0;
  }
}

function bucketOf(topicName: string): number {
  return hashOf(topicName, 0) % BUCKETS;
}

/** FNV-1a over the topic, then the key, then MurmurHash3's finalizer. */
function hashOf(topicName: string, key: number): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < topicName.length; at++) hash = Math.imul(hash ^ topicName.charCodeAt(at), 0x01000193);
  hash = Math.imul(hash ^ (key >>> 0), 0x85ebca6b);
  hash ^= hash >>> 15;
  hash = Math.imul(hash ^ Math.trunc(key / 2 ** 32), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
