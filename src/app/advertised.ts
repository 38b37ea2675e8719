// Which of the open listeners others on the network can reach, and under which addresses.

import type { AdvertisedListener } from '../discovery/options.ts';
import type { Listener } from '../listeners/listeners.ts';

/** advertisedListeners are those that are bound to more than loopback. */
export function advertisedListeners(listeners: readonly Listener[]): readonly AdvertisedListener[] {
  return listeners
    .filter((listener) => outerAddresses(listener).length > 0)
    .map(({ options, port }) => ({
      protocol: options.protocol,
      tls: options.tls !== null,
      port,
      anonymous: options.policy.allowAnonymous,
    }));
}

/** reachableAddresses are the machine's addresses, as far as a listener is bound to them. */
export function reachableAddresses(listeners: readonly Listener[], machine: readonly string[]): readonly string[] {
  const bound = new Set(listeners.flatMap(outerAddresses));
  const isReachable = (address: string) => bound.has(address) || bound.has(address.includes(':') ? '::' : '0.0.0.0');
  return machine.filter(isReachable);
}

function outerAddresses({ options, addresses }: Listener): readonly string[] {
  if (options.unixPath !== null) return [];
  return addresses.filter((address) => !address.startsWith('127.') && address !== '::1').map((address) => address.replace(/%.*$/, ''));
}
