// The header that a proxy puts in front of a connection to say who is behind it: PROXY protocol 1 and 2
// (www.haproxy.org/download/3.0/doc/proxy-protocol.txt).
//
//   1   PROXY TCP4 192.0.2.7 192.0.2.1 51234 1883\r\n
//   2   signature (12) | version, command (1) | family (1) | length (2) | addresses | TLVs

import { isIPv4, isIPv6, SocketAddress } from 'node:net';
import type { ProxyProblem } from '../base/refusal-reason.ts';
import { proxyProblemWords } from '../base/refusal-sentences.ts';

const SIGNATURE = Buffer.from('0d0a0d0a000d0a515549540a', 'hex');
const HEADER_BYTES = 16;

/** 2.1: the longest line with its end. */
const MAX_LINE = 107;

/** Addresses and TLVs of a second version header; proxies that pass certificates on need some KB. */
const MAX_BODY = 16_384;

const COMMAND_LOCAL = 0x20;
const COMMAND_PROXY = 0x21;
/** 2.2: address families, the upper four bits; how the bytes come to the proxy does not matter. */
const UNSPECIFIED = 0;
const INET = 1;
const INET6 = 2;
const UNIX = 3;
/** Bytes of one address with its port; of a Unix socket the path, ended by a zero unless it fills them. */
const ADDRESS_BYTES: Readonly<Record<number, number>> = { [UNSPECIFIED]: 0, [INET]: 6, [INET6]: 18, [UNIX]: 108 };
const TLV = { ssl: 0x20, sslVersion: 0x21, sslCommonName: 0x22, sslCipher: 0x23 } as const;
const CLIENT_SSL = 0x01;
/** The client has shown a certificate in this TLS session, if not on this connection. */
const CLIENT_CERTIFICATE = 0x04;

/** ProxyHeader is what the proxy says. */
export interface ProxyHeader {
  /** Bytes of the header. */
  readonly length: number;
  /** The proxy speaks for itself, as in a health check: nobody is behind it. */
  readonly isLocal: boolean;
  /** Who is behind the proxy, with the path and port 0 for a Unix socket; null = nobody, or it does not know. */
  readonly client: { readonly address: string; readonly port: number } | null;
  /** How the client came to the proxy; null = without TLS, or the proxy does not say. */
  readonly tls: ProxyTls | null;
}

/** ProxyTls is what the proxy says of a client's TLS; null = it does not say that. */
export interface ProxyTls {
  readonly version: string | null;
  readonly cipher: string | null;
  /** The client has shown a certificate, and the proxy has found it valid. */
  readonly hasCertificate: boolean;
  /** Common name of that certificate. */
  readonly commonName: string | null;
}

/** BadProxyHeader is thrown for what is no header, or a damaged one. */
export class BadProxyHeader extends Error {
  readonly problem: ProxyProblem;

  constructor(problem: ProxyProblem) {
    super(proxyProblemWords(problem));
    this.problem = problem;
  }
}

/** parseProxyHeader reads the header of one version; null = more bytes are needed. Throws BadProxyHeader. */
export function parseProxyHeader(bytes: Buffer, version: 1 | 2): ProxyHeader | null {
  return version === 1 ? parseLine(bytes) : parseBinary(bytes);
}

function parseLine(bytes: Buffer): ProxyHeader | null {
  const start = 'PROXY ';
  const text = bytes.toString('latin1', 0, MAX_LINE);
  if (!start.startsWith(text.slice(0, start.length))) throw new BadProxyHeader('no header');
  const end = text.indexOf('\r\n');
  if (end === -1) {
    if (bytes.length >= MAX_LINE) throw new BadProxyHeader('too long');
    return null;
  }
  const [, family = '', source = '', target = '', port = '', targetPort = '', ...more] = text.slice(0, end).split(' ');
  if (family === 'UNKNOWN') return { length: end + 2, isLocal: false, client: null, tls: null };
  const isAddress = family === 'TCP4' ? isIPv4 : family === 'TCP6' ? isIPv6 : () => false;
  if (!isAddress(source) || !isAddress(target)) throw new BadProxyHeader('no address');
  if (!isPort(port) || !isPort(targetPort) || more.length > 0) throw new BadProxyHeader('no port');
  return { length: end + 2, isLocal: false, client: { address: source, port: Number(port) }, tls: null };
}

function isPort(text: string): boolean {
  return /^[1-9]\d{0,4}$/.test(text) && Number(text) <= 65_535;
}

function parseBinary(bytes: Buffer): ProxyHeader | null {
  const known = Math.min(bytes.length, SIGNATURE.length);
  if (bytes.compare(SIGNATURE, 0, known, 0, known) !== 0) throw new BadProxyHeader('no header');
  if (bytes.length < HEADER_BYTES) return null;
  const [command, family] = [bytes.readUInt8(12), bytes.readUInt8(13) >> 4];
  const body = bytes.readUInt16BE(14);
  if (command !== COMMAND_LOCAL && command !== COMMAND_PROXY) throw new BadProxyHeader('unknown version');
  if (body > MAX_BODY) throw new BadProxyHeader('too long');
  const length = HEADER_BYTES + body;
  if (bytes.length < length) return null;
  if (command === COMMAND_LOCAL) return { length, isLocal: true, client: null, tls: null };
  const content = bytes.subarray(HEADER_BYTES, length);
  const addresses = 2 * (ADDRESS_BYTES[family] ?? Number.POSITIVE_INFINITY);
  if (content.length < addresses) throw new BadProxyHeader('cut short');
  return { length, isLocal: false, client: clientIn(family, content), tls: tlsOf(content.subarray(addresses)) };
}

function clientIn(family: number, content: Buffer): ProxyHeader['client'] {
  if (family === UNSPECIFIED) return null;
  if (family === UNIX) return clientAtPath(content);
  const width = family === INET ? 4 : 16;
  return { address: addressText(content.subarray(0, width)), port: content.readUInt16BE(2 * width) };
}

/** The client's end of a Unix socket seldom has a path: then it is that of the proxy, which it came to. */
function clientAtPath(content: Buffer): ProxyHeader['client'] {
  const [own, other] = [content.subarray(0, 108), content.subarray(108, 216)].map((field) => String(field).split('\0')[0]);
  const address = own || other || null;
  return address === null ? null : { address, port: 0 };
}

/** 2.2.6: the TLV of type SSL holds what the client did (1), whether its certificate failed (4, 0 = no), and more TLVs. */
function tlsOf(content: Buffer): ProxyTls | null {
  const ssl = tlvsIn(content).get(TLV.ssl);
  if (ssl === undefined) return null;
  if (ssl.length < 5) throw new BadProxyHeader('cut short');
  const did = ssl.readUInt8(0);
  const more = tlvsIn(ssl.subarray(5));
  if ((did & CLIENT_SSL) === 0) return null;
  return {
    version: more.get(TLV.sslVersion)?.toString('latin1') ?? null,
    cipher: more.get(TLV.sslCipher)?.toString('latin1') ?? null,
    hasCertificate: (did & CLIENT_CERTIFICATE) !== 0 && ssl.readUInt32BE(1) === 0,
    commonName: more.get(TLV.sslCommonName)?.toString() ?? null,
  };
}

/** Type (1), length (2), value. */
function tlvsIn(content: Buffer): ReadonlyMap<number, Buffer> {
  const found = new Map<number, Buffer>();
  for (let at = 0; at < content.length; ) {
    const end = at + 3 <= content.length ? at + 3 + content.readUInt16BE(at + 1) : Number.POSITIVE_INFINITY;
    if (end > content.length) throw new BadProxyHeader('cut short');
    found.set(content.readUInt8(at), content.subarray(at + 3, end));
    at = end;
  }
  return found;
}

function addressText(bytes: Buffer): string {
  if (bytes.length === 4) return bytes.join('.');
  const groups = Array.from({ length: 8 }, (_, index) => bytes.readUInt16BE(index * 2).toString(16));
  return new SocketAddress({ address: groups.join(':'), family: 'ipv6' }).address;
}
