// Where people find the page for browsers.

import { isIPv4 } from 'node:net';
import { machineNames } from '../host/host.ts';
import type { OpenListener } from './needs.ts';
import { inUrl, isOpenToOthers } from './phone-address.ts';

type Way = Pick<OpenListener, 'protocol' | 'tls' | 'port' | 'addresses'>;

/** pageUrl gives the address to type into a browser, one for the network before one for this machine; null = there is no page. Without TLS only this machine gets it. */
export function pageUrl(listeners: readonly Way[]): string | null {
  const pages = listeners.filter((each) => each.protocol === 'http' && each.port !== 0 && (each.tls || !isOpen(each)));
  const page = pages.find(isOpen) ?? pages[0];
  if (page === undefined) return null;
  const isEverywhere = page.addresses.some((each) => each === '0.0.0.0' || each === '::');
  const { addresses, hostName } = machineNames();
  const host = isEverywhere ? (addresses.find((each) => isIPv4(each)) ?? hostName) : page.addresses[0]!; // it is open
  const usual = page.tls ? 443 : 80;
  return `${page.tls ? 'https' : 'http'}://${inUrl(host)}${page.port === usual ? '' : `:${page.port}`}/`;
}

/** pagePorts gives those at which browsers are: each of them refuses our certificate before its person goes on. */
export function pagePorts(listeners: readonly Pick<Way, 'protocol' | 'port'>[]): ReadonlySet<number> {
  return new Set(listeners.flatMap(({ protocol, port }) => (protocol === 'http' ? [port] : [])));
}

function isOpen({ addresses }: Way): boolean {
  return isOpenToOthers({ addresses });
}
