// Addresses and networks as people write them: `192.168.1.7`, `192.168.1.0/24`, `fd00::/8`.

import { BlockList, isIP, isIPv6 } from 'node:net';

/** isNetwork tells whether a text is an address or a network. */
export function isNetwork(text: string): boolean {
  const [address = '', bits = '0', ...rest] = text.split('/');
  const version = isIP(address);
  return version !== 0 && !address.includes('%') && rest.length === 0 && /^\d+$/.test(bits) && Number(bits) <= (version === 4 ? 32 : 128);
}

/** Networks answers whether an address is in one of some networks. */
export class Networks {
  readonly #list = new BlockList();

  /** Each must be as isNetwork wants it. */
  constructor(networks: readonly string[]) {
    for (const network of networks) {
      const [address = '', bits] = network.split('/');
      const family = isIPv6(address) ? 'ipv6' : 'ipv4';
      if (bits === undefined) this.#list.addAddress(address, family);
      else this.#list.addSubnet(address, Number(bits), family);
    }
  }

  /** has looks an address up, with or without its zone (`fe80::1%eth0`). What is no address, such as '' for a Unix socket, is in none. */
  has(address: string): boolean {
    const plain = address.replace(/%.*$/, '');
    const version = isIP(plain);
    return version !== 0 && this.#list.check(plain, version === 6 ? 'ipv6' : 'ipv4');
  }
}

/** addressOf gives one spelling of an address: an IPv4 address that is written as IPv6 as itself. */
export function addressOf(address: string): string {
  const plain = address.toLowerCase();
  return /^::ffff:[\d.]+$/.test(plain) ? plain.slice('::ffff:'.length) : plain;
}

/**
 * laneOf gives what stands for an address where clients are counted: an IPv4 address itself, the /64 of an IPv6 address, all of which one
 * machine may use, and one name for all link-local addresses of an interface. '' stays ''.
 */
export function laneOf(address: string): string {
  const [plain = '', zone] = addressOf(address).split('%');
  if (!isIPv6(plain)) return plain;
  if (/^fe[89ab]/.test(plain)) return zone === undefined ? 'fe80::/64' : `fe80::%${zone}/64`;
  const [head = '', tail] = plain.split('::');
  const first = head === '' ? [] : head.split(':');
  const last = tail === undefined || tail === '' ? [] : tail.split(':');
  const zeros = tail === undefined ? 0 : 8 - first.length - last.length;
  const groups = [...first, ...Array.from({ length: zeros }, () => '0'), ...last].slice(0, 4);
  return `${groups.map((group) => group.replace(/^0+(?=.)/, '')).join(':')}::/64`;
}
