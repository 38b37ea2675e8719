// Which of the open listeners others on the network can reach, and under which addresses.

import type { AdvertisedListener } from './options.ts';

/** BoundListener is a listener that is open, with the addresses that it is bound to. */
export interface BoundListener {
  readonly port: number;
  readonly addresses: readonly string[];
  readonly options: {
    readonly protocol: 'mqtt' | 'websockets' | 'http' | 'http_api';
    readonly unixPath: string | null;
    /** Null = without TLS. */
    readonly tls: object | null;
    readonly policy: { readonly allowAnonymous: boolean };
  };
}

/** advertisedListeners are those that are bound to more than loopback. */
export function advertisedListeners(listeners: readonly BoundListener[]): readonly AdvertisedListener[] {
  return listeners.flatMap((listener): AdvertisedListener[] => {
    const { options, port } = listener;
    const { protocol, tls, policy } = options;
    if (protocol === 'http_api' || outerAddresses(listener).length === 0) return [];
    return [{ protocol, tls: tls !== null, port, anonymous: policy.allowAnonymous }];
  });
}

/** reachableAddresses are the machine's addresses, as far as a listener is bound to them. */
export function reachableAddresses(listeners: readonly BoundListener[], machine: readonly string[]): readonly string[] {
  const bound = new Set(listeners.flatMap(outerAddresses));
  const isReachable = (address: string) => bound.has(address) || bound.has(address.includes(':') ? '::' : '0.0.0.0');
  return machine.filter(isReachable);
}

function outerAddresses({ options, addresses }: BoundListener): readonly string[] {
  if (options.unixPath !== null) return [];
  return addresses.filter((address) => !address.startsWith('127.') && address !== '::1').map((address) => address.replace(/%.*$/, ''));
}
