// Which network interfaces to speak on, and with which addresses. Pure; the machine's interfaces are handed in.

import { BlockList, isIP, isIPv6 } from 'node:net';
import type { NetworkInterfaceInfo } from 'node:os';

/** NetworkInterfaces is the shape of `os.networkInterfaces()`. */
export type NetworkInterfaces = Readonly<Record<string, readonly NetworkInterfaceInfo[] | undefined>>;

/** LinkPlan is one interface: RFC 6762 6.2 wants on each link its own addresses and no others. */
export interface LinkPlan {
  readonly interfaceName: string;
  /** What the host name resolves to on this link; without zone. */
  readonly announced: readonly string[];
  /** Every address of the interface, by which this machine's own packets are known. */
  readonly own: readonly string[];
  /** Address to join the IPv4 group with, or null. */
  readonly ipv4: string | null;
  /** Whether the interface has a link-local IPv6 address, from which mDNS over IPv6 is sent. */
  readonly ipv6: boolean;
  /** Prefixes of the link, `192.0.2.0/24`: who asks from elsewhere is not answered (RFC 6762 11). */
  readonly prefixes: readonly string[];
}

/** linkPlansOf sorts `addresses` by the interface that has them; an address that no interface has is left out. */
export function linkPlansOf(addresses: readonly string[], interfaces: NetworkInterfaces): LinkPlan[] {
  const wanted = new Set(addresses.map(withoutZone));
  const plans: LinkPlan[] = [];
  for (const [interfaceName, entries = []] of Object.entries(interfaces)) {
    const own = entries.map((entry) => withoutZone(entry.address));
    const announceable = own.filter((address) => wanted.has(address));
    if (announceable.length === 0) continue;
    const ipv4 = entries.find((entry) => entry.family === 'IPv4' && wanted.has(entry.address));
    plans.push({
      interfaceName,
      announced: reachable(announceable),
      own,
      ipv4: ipv4?.address ?? null,
      ipv6: entries.some((entry) => entry.family === 'IPv6' && isLinkLocal(entry.address)),
      prefixes: entries.flatMap((entry) => entry.cidr ?? []),
    });
  }
  return plans;
}

/** LinkScope tells whether a packet came over the link, and whether this machine itself sent it. */
export class LinkScope {
  readonly #interfaceName: string;
  readonly #prefixes = new BlockList();

  constructor(plan: LinkPlan) {
    this.#interfaceName = plan.interfaceName;
    for (const prefix of plan.prefixes) {
      const [address = '', bits = ''] = prefix.split('/');
      if (isIP(address) !== 0) this.#prefixes.addSubnet(address, Number(bits), isIPv6(address) ? 'ipv6' : 'ipv4');
    }
  }

  /** includes compares the zone of a link-local IPv6 sender with the interface, and any other sender with the link's prefixes. */
  includes(sender: string): boolean {
    const [address = '', zone] = sender.split('%');
    if (zone !== undefined) return zone === this.#interfaceName;
    return isIP(address) !== 0 && this.#prefixes.check(address, isIPv6(address) ? 'ipv6' : 'ipv4');
  }
}

/** addressSet makes a set of addresses that compares values, not spellings. */
export function addressSet(addresses: Iterable<string>): BlockList {
  const set = new BlockList();
  for (const address of addresses) {
    const plain = withoutZone(address);
    if (isIP(plain) !== 0) set.addAddress(plain, isIPv6(plain) ? 'ipv6' : 'ipv4');
  }
  return set;
}

/** hasAddress looks an address up in a set made by addressSet. */
export function hasAddress(set: BlockList, address: string): boolean {
  const plain = withoutZone(address);
  return isIP(plain) !== 0 && set.check(plain, isIPv6(plain) ? 'ipv6' : 'ipv4');
}

/** withoutZone gives `fe80::1` of `fe80::1%eth0`. */
export function withoutZone(address: string): string {
  return address.split('%')[0] ?? address;
}

// A link-local address is of no use to a client that does not know its zone, so it is announced only where there is nothing better.
function reachable(addresses: readonly string[]): string[] {
  const global = addresses.filter((address) => !isLinkLocal(address));
  return global.length > 0 ? global : [...addresses];
}

function isLinkLocal(address: string): boolean {
  return /^fe[89ab][0-9a-f]:/i.test(address) || address.startsWith('169.254.');
}
