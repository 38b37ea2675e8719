// Which addresses one listener binds: an option may mean one address, two families, or all addresses of an interface.

import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import { networkInterfaces } from 'node:os';
import { OperatorError, reasonOf } from '../base/errors.ts';
import type { ListenerOptions } from './options.ts';

/** BindTarget is one address to listen on. An optional one may be missing on this machine (IPv6 switched off) without being an error. */
export interface BindTarget {
  readonly family: 'ipv4' | 'ipv6';
  readonly host: string;
  readonly optional: boolean;
}

type Family = BindTarget['family'];

/** bindTargets lists the addresses that the listener's `address`, `bindInterface` and `socketDomain` mean; throws OperatorError when they mean none. */
export async function bindTargets(options: ListenerOptions): Promise<readonly BindTarget[]> {
  const targets = (await candidates(options)).filter((target) => options.socketDomain === null || target.family === options.socketDomain);
  if (targets.length === 0) throw new OperatorError(`Cannot open port "${options.port}": ${nothingFound(options)}`);
  if (targets.length === 1) return targets.map((target) => ({ ...target, optional: false }));
  return targets;
}

async function candidates(options: ListenerOptions): Promise<readonly BindTarget[]> {
  if (options.bindInterface !== null) return interfaceTargets(options.bindInterface, options.address);
  if (options.address === null) return [target('ipv4', '0.0.0.0'), target('ipv6', '::', true)];
  // RFC 6761 6.3: the name means the loopback addresses, whatever a resolver says.
  if (options.address === 'localhost') return [target('ipv4', '127.0.0.1'), target('ipv6', '::1', true)];
  const literal = isIP(withoutZone(options.address));
  if (literal !== 0) return [target(literal === 4 ? 'ipv4' : 'ipv6', options.address)];
  return resolvedTargets(options.address, options.port);
}

function target(family: Family, host: string, optional = false): BindTarget {
  return { family, host, optional };
}

function interfaceTargets(name: string, address: string | null): readonly BindTarget[] {
  const all = networkInterfaces();
  const addresses = all[name];
  if (addresses === undefined) {
    throw new OperatorError(`Cannot bind to interface "${name}": this machine has ${Object.keys(all).join(', ')} with an address`);
  }
  return addresses
    .filter((entry) => address === null || entry.address === withoutZone(address))
    .map((entry) => {
      const linkLocal = entry.family === 'IPv6' && entry.scopeid !== 0;
      return target(entry.family === 'IPv4' ? 'ipv4' : 'ipv6', linkLocal ? `${entry.address}%${name}` : entry.address);
    });
}

async function resolvedTargets(host: string, port: number): Promise<readonly BindTarget[]> {
  try {
    const found = await lookup(host, { all: true });
    const unique = new Map(found.map((entry) => [entry.address, entry.family]));
    return [...unique].map(([address, family]) => target(family === 4 ? 'ipv4' : 'ipv6', address));
  } catch (error) {
    throw new OperatorError(`Cannot open port "${port}" on "${host}": the name has no address (${reasonOf(error)})`, { cause: error });
  }
}

function nothingFound(options: ListenerOptions): string {
  const where = options.bindInterface === null ? `"${options.address}"` : `interface "${options.bindInterface}"`;
  const what = options.socketDomain === null ? `address "${options.address}"` : `${options.socketDomain} address`;
  return `${where} has no ${what} - change socket_domain, bind_interface or the listener's address`;
}

function withoutZone(address: string): string {
  const zone = address.indexOf('%');
  return zone === -1 ? address : address.slice(0, zone);
}
