// What a listener can be told; built by config/ from `listener` blocks.

import type { ListenerPolicy } from '../broker/options.ts';

/** TlsOptions of one listener. Paths are absolute. */
export interface TlsOptions {
  /** 'appliance' = the certificate of our own authority; otherwise PEM files; null = none, with pre-shared keys. */
  readonly certificate: 'appliance' | null | { readonly certfile: string; readonly keyfile: string };
  /** PEM files of authorities for client certificates, or null. Without them, and with our own certificate, it is our own authority. */
  readonly cafile: string | null;
  readonly capath: string | null;
  readonly crlfile: string | null;
  readonly requireCertificate: boolean;
  /** False = client certificates count outside their dates too. */
  readonly checksClientDates: boolean;
  readonly identity: 'none' | 'common name' | 'subject';
  readonly minVersion: 'TLSv1.2' | 'TLSv1.3';
  readonly ciphers: string | null;
  readonly ciphersTls13: string | null;
  /** Pre-shared keys (TLS-PSK): a file of lines `identity:hexadecimal key`, and the hint for clients; null = certificates. */
  readonly psk: { readonly file: string; readonly hint: string } | null;
}

/** listenerName names a listener by what it listens on: `1883`, `1883 192.168.1.2`, `/run/midge.sock`. While it stays the same, everything else about a listener can change. */
export function listenerName({ unixPath, port, address, bindInterface, socketDomain }: ListenerSocket): string {
  const device = bindInterface === null ? null : `%${bindInterface}`;
  return unixPath ?? [port, address, device, socketDomain].filter((part) => part !== null).join(' ');
}

type ListenerSocket = Pick<ListenerOptions, 'unixPath' | 'port' | 'address' | 'bindInterface' | 'socketDomain'>;

/** ListenerProtocol is what a listener speaks. Only the first two bring clients of the broker; 'http_api' is mosquitto's. */
export type ListenerProtocol = 'mqtt' | 'websockets' | 'http' | 'http_api';

/** ListenerOptions: one open socket (or two, where a host name or "all interfaces" means IPv4 and IPv6). */
export interface ListenerOptions {
  readonly protocol: ListenerProtocol;
  /** TCP port; 0 lets the system choose (tests). Meaningless when `unixPath` is set. */
  readonly port: number;
  /** Address or host name to bind, null = all interfaces. */
  readonly address: string | null;
  readonly unixPath: string | null;
  readonly bindInterface: string | null;
  readonly socketDomain: 'ipv4' | 'ipv6' | null;
  /** Connections at once; -1 = no limit. */
  readonly maxConnections: number;
  readonly tcpNoDelay: boolean;
  readonly tls: TlsOptions | null;
  /** Version of the PROXY protocol header that each connection begins with; 0 = none. */
  readonly proxyProtocol: 0 | 1 | 2;
  /** Only for version 2, and without TLS here: the client must have shown the proxy a valid certificate, and its common name may be the user name. */
  readonly proxyCertificate: 'not asked' | 'required' | 'names the user';
  /** Only for version 2: the client must have come to the proxy by TLS. */
  readonly proxyRequiresTls: boolean;
  /** Reverse proxies in front of a WebSocket or HTTP listener whose X-Forwarded-For is believed: addresses and networks; empty = nobody's. */
  readonly trustedProxies: readonly string[];
  /** Allowed Origin headers of WebSocket clients; empty = any; 'loopback' = those of pages of this machine, and clients that are no web page. */
  readonly websocketsOrigins: readonly string[] | 'loopback';
  /** Folder of the files that 'http_api' serves, absolute; null = there are none. */
  readonly httpDir: string | null;
  /** Origins of web pages from elsewhere whose scripts may use 'http' (CORS). */
  readonly httpOrigins: readonly string[];
  readonly policy: ListenerPolicy;
}

/** speaksHttp tells whether it is for browsers and scripts, and brings no clients of the broker. */
export function speaksHttp(protocol: ListenerProtocol): protocol is 'http' | 'http_api' {
  return protocol === 'http' || protocol === 'http_api';
}

/** isLocal tells that only programs of this machine reach a listener. */
export function isLocal({ unixPath, address }: Pick<ListenerOptions, 'unixPath' | 'address'>): boolean {
  return unixPath !== null || (address !== null && (address.startsWith('127.') || address === '::1' || address === 'localhost'));
}

/** isPlainHttp: it only sends people on to a listener with TLS, and shows what anybody may see. */
export function isPlainHttp({ protocol, tls }: ListenerOptions): boolean {
  return protocol === 'http' && tls === null;
}

/** wantsOurs: a certificate of ours to show, or the appliance's authority for clients. */
export function wantsOurs({ tls }: ListenerOptions): boolean {
  return tls !== null && (tls.certificate === 'appliance' || (tls.requireCertificate && tls.cafile === null && tls.capath === null));
}
