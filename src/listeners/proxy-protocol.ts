// The header that a proxy puts in front of a connection to say who is behind it: PROXY protocol 1 and 2
// (www.haproxy.org/download/3.0/doc/proxy-protocol.txt).
//
//   1   PROXY TCP4 192.0.2.7 192.0.2.1 51234 1883\r\n
//   2   signature (12) | version, command (1) | family (1) | length (2) | addresses | TLVs

import { isIPv4, isIPv6, SocketAddress } from 'node:net';

const SIGNATURE = Buffer.from('0d0a0d0a000d0a515549540a', 'hex');
const HEADER_BYTES = 16;

/** 2.1: the longest line with its end. */
const MAX_LINE = 107;

/** Addresses and TLVs of a second version header; proxies that pass certificates on need some KB. */
const MAX_BODY = 16_384;

const COMMAND_LOCAL = 0x20;
const COMMAND_PROXY = 0x21;
const TCP4 = 0x11;
const TCP6 = 0x21;
const TLV_SSL = 0x20;
const CLIENT_SSL = 0x01;

/** ProxyHeader is what the proxy says. */
export interface ProxyHeader {
  /** Bytes of the header. */
  readonly length: number;
  /** Who is behind the proxy; null = the proxy speaks for itself, or does not know. */
  readonly client: { readonly address: string; readonly port: number } | null;
  /** The client came to the proxy by TLS. */
  readonly byTls: boolean;
}

/** parseProxyHeader reads the header of one version; null = more bytes are needed. Throws when it is none. */
export function parseProxyHeader(bytes: Buffer, version: 1 | 2): ProxyHeader | null {
  return version === 1 ? parseLine(bytes) : parseBinary(bytes);
}

function parseLine(bytes: Buffer): ProxyHeader | null {
  const start = 'PROXY ';
  const text = bytes.toString('latin1', 0, MAX_LINE);
  if (!start.startsWith(text.slice(0, start.length))) throw new Error('it sent no PROXY header');
  const end = text.indexOf('\r\n');
  if (end === -1) {
    if (bytes.length >= MAX_LINE) throw new Error('its PROXY header is too long');
    return null;
  }
  const [, family = '', source = '', , port = ''] = text.slice(0, end).split(' ');
  if (family === 'UNKNOWN') return { length: end + 2, client: null, byTls: false };
  if (!(family === 'TCP4' && isIPv4(source)) && !(family === 'TCP6' && isIPv6(source))) throw new Error('its PROXY header has no address');
  if (!/^\d{1,5}$/.test(port)) throw new Error('its PROXY header has no port');
  return { length: end + 2, client: { address: source, port: Number(port) }, byTls: false };
}

function parseBinary(bytes: Buffer): ProxyHeader | null {
  const known = Math.min(bytes.length, SIGNATURE.length);
  if (bytes.compare(SIGNATURE, 0, known, 0, known) !== 0) throw new Error('it sent no PROXY header');
  if (bytes.length < HEADER_BYTES) return null;
  const [command, family] = [bytes[12], bytes[13]];
  const body = bytes.readUInt16BE(14);
  if (command !== COMMAND_LOCAL && command !== COMMAND_PROXY) throw new Error('its PROXY header is of no known version');
  if (body > MAX_BODY) throw new Error('its PROXY header is too long');
  const length = HEADER_BYTES + body;
  if (bytes.length < length) return null;
  const content = bytes.subarray(HEADER_BYTES, length);
  if (command === COMMAND_LOCAL) return { length, client: null, byTls: false };
  const width = family === TCP4 ? 4 : family === TCP6 ? 16 : 0;
  if (width === 0) return { length, client: null, byTls: false };
  const addresses = 2 * width + 4;
  if (content.length < addresses) throw new Error('its PROXY header is cut short');
  return {
    length,
    client: { address: addressText(content.subarray(0, width)), port: content.readUInt16BE(2 * width) },
    byTls: saysTls(content.subarray(addresses)),
  };
}

/** 2.2.6: the TLV of type SSL begins with what the client did. */
function saysTls(tlvs: Buffer): boolean {
  for (let at = 0; at + 3 <= tlvs.length; at += 3 + tlvs.readUInt16BE(at + 1)) {
    if (tlvs[at] === TLV_SSL && at + 3 < tlvs.length && tlvs.readUInt16BE(at + 1) > 0) return (tlvs[at + 3]! & CLIENT_SSL) !== 0;
  }
  return false;
}

function addressText(bytes: Buffer): string {
  if (bytes.length === 4) return bytes.join('.');
  const groups = Array.from({ length: 8 }, (_, index) => bytes.readUInt16BE(index * 2).toString(16));
  return new SocketAddress({ address: groups.join(':'), family: 'ipv6' }).address;
}
