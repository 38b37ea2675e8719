// The resource records of an announcement. The package's Service builds them; here they get what RFC 6762 asks beyond it.

import { isIPv6 } from 'node:net';
import { Service } from 'bonjour-service';
import type { Announcement } from './announcement.ts';

/** MdnsRecord is a resource record as dns-packet encodes and decodes it. */
export interface MdnsRecord {
  readonly name: string;
  readonly type: string;
  /** Seconds; 0 withdraws the record (RFC 6762 10.1). */
  readonly ttl: number;
  /** Cache-flush bit: this is the whole set of that name and type (RFC 6762 10.2). */
  readonly flush: boolean;
  /** PTR: a name. A, AAAA: an address. SRV: `{ port, target }`. TXT: a list of Buffers. NSEC: `{ nextDomain, rrtypes }`. */
  readonly data: unknown;
}

/** SrvData is where a service is. */
export interface SrvData {
  readonly port: number;
  readonly target: string;
}

/** SERVICE_LIST is the name under which a network's service types are listed (RFC 6763 9). */
export const SERVICE_LIST = '_services._dns-sd._udp.local';

/** Seconds; RFC 6762 10: two minutes for what contains a host name or address, 75 minutes for the rest. */
const HOST_TTL = 120;
const OTHER_TTL = 4500;

/**
 * serviceRecords gives PTR, SRV, TXT and the PTR in the list of service types.
 *
 * The package's Service makes them. Replaced are: the addresses it adds (those of every interface; RFC 6762 6.2 allows a link only its
 * own), the TTLs (8 hours for a PTR), and the missing cache-flush bit on records that are ours alone (RFC 6762 10.2).
 */
export function serviceRecords(announcement: Announcement, host: string): MdnsRecord[] {
  const { type, instance, port, txt } = announcement;
  const service = new Service({ name: instance, type, port, host, txt }, ignore, ignore);
  return service
    .records()
    .filter((record) => record.type !== 'A' && record.type !== 'AAAA')
    .map((record) => ({
      name: record.name,
      type: record.type,
      ttl: record.type === 'SRV' ? HOST_TTL : OTHER_TTL,
      flush: record.type !== 'PTR',
      data: record.data,
    }));
}

/** addressRecords gives the A and AAAA records of `host`, and the NSEC record that says which of the two do not exist (RFC 6762 6.1): without it a client waits seconds for an AAAA that never comes. */
export function addressRecords(host: string, addresses: readonly string[]): MdnsRecord[] {
  if (addresses.length === 0) return [];
  const records = addresses.map((address) => ({
    name: host,
    type: isIPv6(address) ? 'AAAA' : 'A',
    ttl: HOST_TTL,
    flush: true,
    data: address,
  }));
  const rrtypes = [...new Set(records.map((record) => record.type))].sort();
  return [...records, { name: host, type: 'NSEC', ttl: HOST_TTL, flush: true, data: { nextDomain: host, rrtypes } }];
}

/** goodbyeOf withdraws records. The list of service types stays: other machines may offer the same type (RFC 6762 10.1). */
export function goodbyeOf(records: readonly MdnsRecord[]): MdnsRecord[] {
  return records.filter((record) => record.name !== SERVICE_LIST).map((record) => ({ ...record, ttl: 0 }));
}

/** sameName compares DNS names, which ignore the case of ASCII letters (RFC 6762 16). */
export function sameName(a: string, b: string): boolean {
  return a === b || asciiLower(a) === asciiLower(b);
}

/** identityOf is equal for records that say the same, whatever their TTL. */
export function identityOf(record: MdnsRecord): string {
  return `${asciiLower(record.name)} ${record.type} ${JSON.stringify(record.data)}`;
}

/** srvDataOf reads an SRV record that came from the network, or null when it is none. */
export function srvDataOf(record: MdnsRecord): SrvData | null {
  return record.type === 'SRV' ? (record.data as SrvData) : null; // dns-packet decodes SRV to this shape
}

function asciiLower(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => letter.toLowerCase());
}

function ignore(): void {}
