// Which addresses are of the Internet (IANA's registries of special-purpose addresses, RFC 6890).

import { BlockList, isIP } from 'node:net';

const SPECIAL = new BlockList();
for (const [network, prefix] of [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['224.0.0.0', 3],
] as const)
  SPECIAL.addSubnet(network, prefix, 'ipv4');
const SHARED = new BlockList();
SHARED.addSubnet('100.64.0.0', 10, 'ipv4');
const GLOBAL_UNICAST = new BlockList();
GLOBAL_UNICAST.addSubnet('2000::', 3, 'ipv6');

/** isPublicAddress tells whether the Internet leads to an address. Those for documentation count, as they do in examples. */
export function isPublicAddress(address: string): boolean {
  const version = isIP(address);
  if (version === 6) return GLOBAL_UNICAST.check(address, 'ipv6');
  return version === 4 && !SPECIAL.check(address, 'ipv4');
}

/** isSharedAddress tells whether a provider gives an address to several houses at once, into which nothing can be forwarded (RFC 6598). */
export function isSharedAddress(address: string): boolean {
  return isIP(address) === 4 && SHARED.check(address, 'ipv4');
}
