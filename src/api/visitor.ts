// The other end of a request, and by which name it has reached us.

import { isIP } from 'node:net';

/** Visitor is who has sent a request, behind the proxies that are trusted. */
export interface Visitor {
  /** '' for a Unix socket. */
  readonly address: string;
  /** Name of the listener: its accounts are those that may sign in. */
  readonly listener: string;
  /** Nobody on the way can read along: TLS, or a way within this machine. */
  readonly isPrivate: boolean;
  readonly hasTls: boolean;
  /** signedIn tells the listener that its connection is not one of a stranger any more. */
  signedIn(): void;
}

/**
 * isOurHost tells whether the Host header names this machine. A web page of a stranger can have its own name lead here (DNS rebinding), but
 * never an address: so every address will do, and those names that are known.
 */
export function isOurHost(header: string | undefined, names: readonly string[]): boolean {
  const host = hostIn(header ?? '');
  return host === 'localhost' || isIP(host) !== 0 || names.includes(host);
}

/** httpsOrigin is where this machine is reached by HTTPS under the name of a Host header. */
export function httpsOrigin(header: string | undefined, port: number): string {
  const name = hostIn(header ?? '');
  return `https://${name.includes(':') ? `[${name}]` : name}${port === 443 ? '' : `:${port}`}`;
}

/** hostIn takes the port away, and the brackets of an IPv6 address. */
export function hostIn(header: string): string {
  return header
    .trim()
    .toLowerCase()
    .replace(/:\d+$/, '')
    .replace(/^\[(.*)\]$/, '$1')
    .replace(/\.$/, '');
}
