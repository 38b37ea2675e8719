// Reads what a bridge needs for TLS, so that a wrong file is named at a start, by `midge check` and at a reload, and not at the next connection.

import { existsSync, readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { type ConnectionOptions, checkServerIdentity, getCACertificates, type PeerCertificate, rootCertificates } from 'node:tls';
import { certificatesInFile, certificatesInFolder, readCertificatePair } from '../base/pem-files.ts';
import { cipherList } from '../base/tls-ciphers.ts';
import type { BridgeAddress, BridgeTlsOptions } from './options.ts';

/** Where systems keep the authorities that they trust: Debian and Alpine, Fedora, openSUSE. An executable cannot ask its own OpenSSL: it looks where it was built. */
const OS_FILES = ['/etc/ssl/certs/ca-certificates.crt', '/etc/pki/tls/certs/ca-bundle.crt', '/etc/ssl/ca-bundle.pem'];

/** BridgeTls is ready for every address of a bridge. */
export interface BridgeTls {
  /** for gives what `tls.connect` needs besides the socket; null = the address is without TLS. */
  for(address: BridgeAddress): ConnectionOptions | null;
}

/** readBridgeTls reads all files; throws OperatorError naming the file and what is wrong with it. */
export function readBridgeTls(options: BridgeTlsOptions | null): BridgeTls {
  if (options === null) return { for: () => null };
  const { certificate, psk, alpn } = options;
  const common: ConnectionOptions = {
    ...(certificate && readCertificatePair({ ...certificate, prefix: 'bridge_' })),
    ...(psk === null ? { ca: [...readAuthorities(options)] } : preSharedKey(psk)),
    ...(alpn === null ? {} : { ALPNProtocols: [alpn] }),
    minVersion: options.minVersion,
    ciphers: cipherList(options),
  };
  return { for: ({ scheme, host }) => (scheme === 'mqtts' || scheme === 'wss' ? { ...common, ...namesFor(host, options) } : null) };
}

function readAuthorities({ cafile, capath, usesOsCertificates }: BridgeTlsOptions): readonly string[] {
  return [
    ...(cafile === null ? [] : certificatesInFile('bridge_cafile', cafile)),
    ...(capath === null ? [] : certificatesInFolder('bridge_capath', capath)),
    ...(usesOsCertificates ? osAuthorities() : []),
  ];
}

/** osAuthorities gives the authorities of this machine, and where it has none those of Mozilla, which Node brings. */
function osAuthorities(): readonly string[] {
  const file = OS_FILES.find((path) => existsSync(path));
  if (file !== undefined) return [readFileSync(file, 'utf8')];
  const found = getCACertificates('system');
  return found.length > 0 ? found : rootCertificates;
}

/** There is no certificate: who has the key is the other broker. Node has such keys for TLS 1.2 only. */
function preSharedKey({ identity, key }: NonNullable<BridgeTlsOptions['psk']>): ConnectionOptions {
  return {
    pskCallback: () => ({ identity, psk: Buffer.from(key, 'hex') }),
    maxVersion: 'TLSv1.2',
  };
}

/** The name to ask for and to find. An address is not asked for (RFC 6066 3), but has to be in the certificate. */
function namesFor(host: string, { serverName, checksName, psk }: BridgeTlsOptions): ConnectionOptions {
  const name = serverName ?? host.replace(/%.*$/, ''); // the zone of a link-local address is ours
  const skips = psk !== null || !checksName;
  return {
    host: name,
    ...(isIP(name) > 0 ? {} : { servername: name }),
    checkServerIdentity: (_: string, certificate: PeerCertificate) => (skips ? undefined : checkServerIdentity(name, certificate)),
  };
}
