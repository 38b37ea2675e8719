// TLS of pub, sub and rr: what mosquitto's flags mean to Node.

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type ConnectionOptions, createSecureContext, getCACertificates } from 'node:tls';
import { ClientMistake } from './mistake.ts';
import type { ClientSettings, TlsSettings } from './settings.ts';

/** MQTT_TLS_PORT turns TLS on by itself, as in mosquitto_pub(1). */
const MQTT_TLS_PORT = 8883;

const VERSIONS = { 'tlsv1.3': 'TLSv1.3', 'tlsv1.2': 'TLSv1.2', 'tlsv1.1': 'TLSv1.1' } as const;

/** tlsOptions gives Node's options, or null without TLS. Throws ClientMistake when a file or a word is no good. */
export function tlsOptions({ tls, port }: ClientSettings): ConnectionOptions | null {
  const named = tls.cafile !== null || tls.capath !== null || tls.useOsCerts || tls.psk !== null;
  const wanted = tls.wanted ?? port === MQTT_TLS_PORT;
  if (tls.never || !(named || wanted)) return null;
  const options: ConnectionOptions = {
    minVersion: minVersionOf(tls.version),
    ...(tls.ciphers === null ? {} : { ciphers: tls.ciphers }),
    ...(tls.alpn === null ? {} : { ALPNProtocols: [tls.alpn] }),
    ...(tls.insecure ? { checkServerIdentity: () => undefined } : {}),
    ...(tls.psk === null ? certificateOptions(tls) : pskOptions(tls.psk, tls)),
  };
  try {
    createSecureContext(options);
  } catch {
    throw checkOptions();
  }
  return options;
}

function minVersionOf(version: string | null): (typeof VERSIONS)[keyof typeof VERSIONS] {
  if (version === null) return 'TLSv1.2';
  const found = VERSIONS[version as keyof typeof VERSIONS]; // undefined when it is none of them
  if (found === undefined) throw checkOptions();
  return found;
}

function certificateOptions(tls: TlsSettings): ConnectionOptions {
  const authorities = [
    ...(tls.cafile === null ? [] : [readPem(tls.cafile)]),
    ...(tls.capath === null ? [] : readFolder(tls.capath)),
    ...(tls.useOsCerts || (tls.cafile === null && tls.capath === null) ? getCACertificates('system') : []),
  ];
  return { ca: authorities, ...(tls.cert === null || tls.key === null ? {} : { cert: readPem(tls.cert), key: readPem(tls.key) }) };
}

/** pskOptions: TLS 1.2, because Node offers pre-shared keys only there. */
function pskOptions(hex: string, tls: TlsSettings): ConnectionOptions {
  if (!/^([\da-f]{2})+$/i.test(hex)) throw new ClientMistake('Error: Problem setting TLS-PSK options.', { hint: false });
  const key = Buffer.from(hex, 'hex');
  return {
    pskCallback: () => ({ psk: key, identity: tls.pskIdentity ?? '' }),
    ciphers: tls.ciphers ?? 'PSK',
    maxVersion: 'TLSv1.2',
    checkServerIdentity: () => undefined, // there is no certificate; who has the key is the server
  };
}

function readPem(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch {
    throw new ClientMistake('Error: Problem setting TLS options: File not found.', { hint: false });
  }
}

function readFolder(path: string): Buffer[] {
  let names: string[];
  try {
    names = readdirSync(path).sort();
  } catch {
    throw new ClientMistake('Error: Problem setting TLS options: File not found.', { hint: false });
  }
  return names.filter((name) => /\.(crt|pem|\d)$/.test(name)).map((name) => readPem(join(path, name)));
}

function checkOptions(): ClientMistake {
  return new ClientMistake('Error: Problem setting TLS options, check the options are valid.', { hint: false });
}
