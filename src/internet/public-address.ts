// Which addresses are of the Internet (IANA's registries of special-purpose addresses, RFC 6890).

import { Networks } from '../base/networks.ts';

const SPECIAL = [
  '0.0.0.0/8',
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  '169.254.0.0/16',
  '172.16.0.0/12',
  '192.0.0.0/24',
  '192.168.0.0/16',
  '198.18.0.0/15',
  '224.0.0.0/3',
];

/** isPublicAddress tells whether the Internet leads to an address. Those for documentation count, as they do in examples. */
export function isPublicAddress(address: string): boolean {
  return address.includes(':') ? new Networks(['2000::/3']).has(address) : /^\d/.test(address) && !new Networks(SPECIAL).has(address);
}

/** isSharedAddress tells whether a provider gives an address to several houses at once, into which nothing can be forwarded (RFC 6598). */
export function isSharedAddress(address: string): boolean {
  return new Networks(['100.64.0.0/10']).has(address);
}
