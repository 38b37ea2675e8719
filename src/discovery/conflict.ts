// Whether a record that somebody sent contradicts ours (RFC 6762 9). Pure.

import type { BlockList } from 'node:net';
import type { Sender } from './link.ts';
import { hasAddress } from './link-plan.ts';
import { type MdnsRecord, sameName, srvDataOf } from './records.ts';

/** Publication is what to claim and announce, the same on each link but for the addresses. */
export interface Publication {
  /** `HOST.local`. */
  readonly host: string;
  /** The records of each service. One packet carries one service, as the package does not compress names and a packet should fit an Ethernet frame (RFC 6762 17). */
  readonly services: readonly (readonly MdnsRecord[])[];
}

/** isForeignService tells whether a record gives one of our service names to another place. Our own words come back to us and are no conflict. */
export function isForeignService(record: MdnsRecord, publication: Publication): boolean {
  const srv = srvDataOf(record);
  if (srv === null) return false;
  const own = publication.services.flat().find((mine) => mine.type === 'SRV' && sameName(mine.name, record.name));
  const ownSrv = own === undefined ? null : srvDataOf(own);
  return ownSrv !== null && (ownSrv.port !== srv.port || !sameName(ownSrv.target, srv.target));
}

/** isForeignHost tells whether another machine gives our host name to an address that is not of ours: a reflector may send our own words back from elsewhere. */
export function isForeignHost(record: MdnsRecord, sender: Sender, publication: Publication, own: BlockList): boolean {
  if (!namesHost(record, publication) || hasAddress(own, sender.address)) return false;
  return !hasAddress(own, String(record.data));
}

/** namesHost tells whether a record is an address of our host name. */
export function namesHost(record: MdnsRecord, publication: Publication): boolean {
  return isAddress(record) && sameName(record.name, publication.host);
}

function isAddress(record: MdnsRecord): boolean {
  return record.type === 'A' || record.type === 'AAAA';
}
