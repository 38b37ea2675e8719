// What a `cluster` line says.

import { check, text, type ValueKind } from './values.ts';

/** SaidCluster is where NATS is reached. */
export interface SaidCluster {
  /** `HOST:PORT`. */
  readonly servers: readonly string[];
  /** The line says tls://. */
  readonly isTls: boolean;
}

const NATS_PORT = 4222;

/** clusterServers are those of one NATS cluster, parted by commas. A password in an address would be shown where the address is. */
export const clusterServers: ValueKind<SaidCluster> = check(text('nats://HOST:PORT[,...]'), (line) => {
  const invalid = (hint: string) => ({ problem: `Invalid cluster value (${line.replace(/\/\/[^@,]*@/g, '//')})`, hint });
  const schemes = new Set<string>();
  const found: string[] = [];
  for (const one of line.split(',')) {
    const said = one.trim();
    const url = URL.canParse(said) ? new URL(said) : null;
    if (url === null || !/^(nats|tls):$/.test(url.protocol) || url.hostname === '' || !/^\/?$/.test(url.pathname))
      return invalid('write nats://HOST:4222, or tls://HOST:4222, and other servers behind a comma');
    if (url.username !== '' || url.password !== '')
      return invalid('write name and password into a file, and its name behind cluster_credentials');
    schemes.add(url.protocol);
    found.push(`${url.hostname}:${url.port === '' ? NATS_PORT : url.port}`);
  }
  if (schemes.size > 1) return invalid('write nats:// or tls:// for all servers');
  return { value: { servers: found, isTls: schemes.has('tls:') } };
});
