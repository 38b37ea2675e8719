// What browsing heard, per link and with its time to live (RFC 6762 10).

import { isIPv6 } from 'node:net';
import type { Clock } from '../base/clock.ts';
import { SERVICE_TYPES } from './announcement.ts';
import { identityOf, type MdnsRecord, sameName } from './records.ts';

/** A network of any sane size fits. Beyond it the oldest go: a flood costs so much at most, and who is heard after it is found all the same. */
const MAX_RECORDS = 2000;
const MAX_BYTES = 1_048_576;
/** Of an entry beside the text of its record, which stands in its key and in the record itself. */
const ENTRY_BYTES = 200;
/** RFC 6762 10.2: with the cache-flush bit, what is older than this many milliseconds goes. */
const FLUSH_AGE = 1000;

interface Entry {
  readonly record: MdnsRecord;
  readonly interfaceName: string;
  readonly heardAt: number;
}

/** RecordCache holds the live records of all links. */
export class RecordCache {
  readonly #clock: Clock;
  readonly #entries: Map<string, Entry>;
  #expired: MdnsRecord[];
  #bytes = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#entries = new Map();
    this.#expired = [];
  }

  /** add takes the records of one packet. A TTL of 0 removes a record. */
  add(interfaceName: string, records: readonly MdnsRecord[]): void {
    const heardAt = this.#clock.monotonic();
    for (const record of records) {
      const key = `${interfaceName} ${identityOf(record)}`;
      if (record.flush) this.#flush(interfaceName, record, heardAt);
      this.#forget(key);
      if (record.ttl <= 0) continue;
      this.#entries.set(key, { record, interfaceName, heardAt });
      this.#bytes += bytesOf(key);
      for (const [oldest] of this.#entries) {
        if (this.#entries.size <= MAX_RECORDS && this.#bytes <= MAX_BYTES) break;
        this.#forget(oldest);
      }
    }
  }

  #forget(key: string): void {
    if (this.#entries.delete(key)) this.#bytes -= bytesOf(key);
  }

  /** expire forgets what nobody renewed; PTR records among it are given once by `expired`. */
  expire(): void {
    const now = this.#clock.monotonic();
    for (const [key, { record, heardAt }] of this.#entries) {
      if (now - heardAt < record.ttl * 1000) continue;
      this.#forget(key);
      if (record.type === 'PTR') this.#expired.push({ ...record, ttl: 0 });
    }
  }

  /** expired gives the PTR records that ran out since the last call, as goodbyes. */
  expired(): MdnsRecord[] {
    const expired = this.#expired;
    this.#expired = [];
    return expired;
  }

  records(): MdnsRecord[] {
    return [...this.#entries.values()].map((entry) => entry.record);
  }

  has(name: string, type: string): boolean {
    return this.records().some((record) => record.type === type && sameName(record.name, name));
  }

  /** instances are the full names of the MQTT services heard of. */
  instances(): string[] {
    return [...new Set(this.#servicePointers().map((entry) => String(entry.record.data)))];
  }

  /** knownAnswers are the PTR records with more than half of their life left, with what is left of it (RFC 6762 7.1). */
  knownAnswers(): MdnsRecord[] {
    const now = this.#clock.monotonic();
    return this.#servicePointers()
      .map(({ record, heardAt }) => ({ record, left: Math.floor(record.ttl - (now - heardAt) / 1000) }))
      .filter(({ record, left }) => left * 2 > record.ttl)
      .map(({ record, left }) => ({ ...record, ttl: left, flush: false }));
  }

  /** addressesOf gives the addresses of a host: IPv4 first, link-local IPv6 with the zone of the link. */
  addressesOf(host: string): string[] {
    const addresses = new Set<string>();
    for (const { record, interfaceName } of this.#entries.values()) {
      if ((record.type !== 'A' && record.type !== 'AAAA') || !sameName(record.name, host)) continue;
      const address = String(record.data);
      addresses.add(/^fe[89ab]/i.test(address) ? `${address}%${interfaceName}` : address);
    }
    return [...addresses].sort((a, b) => Number(isIPv6(a)) - Number(isIPv6(b)) || (a < b ? -1 : 1));
  }

  #servicePointers(): Entry[] {
    const isService = (record: MdnsRecord) => SERVICE_TYPES.some((type) => sameName(record.name, `_${type}._tcp.local`));
    return [...this.#entries.values()].filter(({ record }) => record.type === 'PTR' && isService(record));
  }

  #flush(interfaceName: string, fresh: MdnsRecord, now: number): void {
    for (const [key, entry] of this.#entries) {
      const { record } = entry;
      const isSameSet = entry.interfaceName === interfaceName && record.type === fresh.type && sameName(record.name, fresh.name);
      if (isSameSet && now - entry.heardAt > FLUSH_AGE) this.#forget(key);
    }
  }
}

/** The text stands in the key and in the record. */
function bytesOf(key: string): number {
  return ENTRY_BYTES + 2 * key.length;
}
