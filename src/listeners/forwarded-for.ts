// The address of a client behind reverse proxies, from the header X-Forwarded-For. Each proxy appends the address that it was called from:
//
//   client 203.0.113.5 --> proxy 10.0.0.2 --> proxy 10.0.0.3 --> broker        X-Forwarded-For: (what the client wrote), 203.0.113.5, 10.0.0.2
//
// So it is read from the end, as long as who wrote it is trusted: what the client itself wrote is never reached.

import { isIP } from 'node:net';
import type { Networks } from '../base/networks.ts';

/** clientBehind gives the address of the client, or that of the proxy where the header does not tell. `peer` is the other end of the connection. */
export function clientBehind(peer: string, header: string | undefined, trusted: Networks): string {
  const hops = header?.split(',') ?? [];
  let address = peer;
  while (hops.length > 0 && trusted.has(address)) {
    const before = addressIn(hops.pop()!); // length > 0
    if (before === null) break;
    address = before;
  }
  return address;
}

/** Some proxies write the port too: `203.0.113.5:4711`, `[2001:db8::1]:4711`. RFC 7239 6. */
function addressIn(hop: string): string | null {
  const text = hop.trim();
  const [, bracketed] = /^\[([^\]]*)\](?::\d+)?$/.exec(text) ?? [];
  const [, beforePort] = /^([\d.]+):\d+$/.exec(text) ?? [];
  const address = (bracketed ?? beforePort ?? text).toLowerCase().replace(/^::ffff:(?=[\d.]+$)/, '');
  return isIP(address) === 0 || address.includes('%') ? null : address;
}
