// The listeners of a broker that nobody has configured.

import { DEFAULT_LISTENER_POLICY } from '../broker/options.ts';
import { type ListenerOptions, listenerName, type TlsOptions } from '../listeners/options.ts';

/** ListenerSettings hold for every listener that does not say otherwise. */
export interface ListenerSettings {
  readonly allowAnonymous: boolean;
  readonly allowZeroLengthClientid?: boolean | undefined;
  readonly autoIdPrefix?: string | undefined;
  readonly tcpNoDelay?: boolean | undefined;
}

/** APPLIANCE_TLS is TLS with the appliance's own certificate and nothing asked of clients. */
export const APPLIANCE_TLS: TlsOptions = {
  certificate: 'appliance',
  cafile: null,
  capath: null,
  crlfile: null,
  requireCertificate: false,
  checksClientDates: true,
  identity: 'none',
  minVersion: 'TLSv1.2',
  ciphers: null,
  ciphersTls13: null,
  psk: null,
};

/** Loopback in both families; one of them may be missing on a machine. */
const LOOPBACK = ['127.0.0.1', '::1'];

/** localListeners are for this machine only: with `-p` that port alone, as mosquitto has it, otherwise the embedded defaults. */
export function localListeners(port: number | null, settings: ListenerSettings): readonly ListenerOptions[] {
  const listeners = builtInListeners(port, settings, LOOPBACK);
  // Anyone may connect, and a web browser on this machine opens pages of strangers.
  return listeners.map((listener) => (listener.protocol === 'websockets' ? { ...listener, websocketsOrigins: 'loopback' } : listener));
}

/**
 * builtInListeners are 1883 plain, 8883 with TLS and 9001 for WebSocket on each of the addresses (null = all interfaces);
 * a `port` is meant to stay out of another broker's way, so it stands alone.
 */
export function builtInListeners(
  port: number | null,
  settings: ListenerSettings,
  addresses: readonly (string | null)[],
): readonly ListenerOptions[] {
  return addresses.flatMap((address) => {
    const listener = (number: number, rest: Partial<ListenerOptions> = {}) => ({ ...plainListener(number, address, settings), ...rest });
    if (port !== null) return [listener(port)];
    return [listener(1883), listener(8883, { tls: APPLIANCE_TLS }), listener(9001, { protocol: 'websockets' as const })];
  });
}

/** plainListener is MQTT over TCP with every default. */
export function plainListener(port: number, address: string | null, settings: ListenerSettings): ListenerOptions {
  const socket = { port, address, unixPath: null, bindInterface: null, socketDomain: null };
  return {
    ...socket,
    protocol: 'mqtt',
    maxConnections: -1,
    tcpNoDelay: settings.tcpNoDelay ?? true,
    tls: null,
    proxyProtocol: 0,
    proxyCertificate: 'not asked',
    proxyRequiresTls: false,
    trustedProxies: [],
    websocketsOrigins: [],
    httpDir: null,
    httpOrigins: [],
    policy: {
      ...DEFAULT_LISTENER_POLICY,
      name: listenerName(socket),
      port,
      allowAnonymous: settings.allowAnonymous,
      allowZeroLengthClientid: settings.allowZeroLengthClientid ?? DEFAULT_LISTENER_POLICY.allowZeroLengthClientid,
      autoIdPrefix: settings.autoIdPrefix ?? DEFAULT_LISTENER_POLICY.autoIdPrefix,
    },
  };
}
