// What is wrong with a fixed address, its gateway and its name servers, taken together.

import { BlockList, isIPv6 } from 'node:net';
import type { NetworkSettings } from './settings.ts';

/** gatewayProblem says why a gateway can't be reached from an address, or null. */
export function gatewayProblem({ address, gateway }: Pick<NetworkSettings, 'address' | 'gateway'>): string | null {
  if (address === null || gateway === null) return null;
  const [own = '', size = ''] = address.split('/');
  if (isIPv6(own) !== isIPv6(gateway)) return `the address ${address} is of another kind`;
  if (isSameAddress(own, gateway)) return 'it is the address of this machine: the gateway is the router';
  const isLinkLocal = isIPv6(gateway) && /^fe[89ab]/i.test(gateway);
  return isLinkLocal || isInNetwork(gateway, own, Number(size)) ? null : `it is outside the network of ${address}`;
}

/** withNameServers has the gateway answer for names where nobody else is named: it does so in a home. */
export function withNameServers(network: NetworkSettings): NetworkSettings {
  const { address, gateway, dns } = network;
  return address === null || gateway === null || dns.length > 0 ? network : { ...network, dns: [gateway] };
}

/** reachWarning says what a fixed address without gateway and name server can't reach, or null. */
export function reachWarning({ address, gateway, dns }: NetworkSettings): string | null {
  if (address === null) return null;
  if (gateway === null)
    return 'without a gateway the machine reaches nothing outside its network, no time server either: gateway = the address of the router';
  return dns.length > 0 ? null : 'without a name server the machine finds no time server: dns = the address of the router';
}

/** isSameAddress compares addresses, however they are written. */
export function isSameAddress(one: string, other: string): boolean {
  if (isIPv6(one) !== isIPv6(other)) return false;
  const list = new BlockList();
  list.addAddress(one, familyOf(one));
  return list.check(other, familyOf(other));
}

function isInNetwork(address: string, member: string, size: number): boolean {
  const list = new BlockList();
  list.addSubnet(member, size, familyOf(member));
  return list.check(address, familyOf(address));
}

function familyOf(address: string): 'ipv4' | 'ipv6' {
  return isIPv6(address) ? 'ipv6' : 'ipv4';
}
