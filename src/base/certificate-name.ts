// What a certificate can stand for (subjectAltName, RFC 5280 4.2.1.6): one rule for whoever takes such a name and for who puts it in.

import { isIP } from 'node:net';
import { domainToASCII } from 'node:url';

/** CERTIFICATE_NAME_ADVICE says how to write one. */
export const CERTIFICATE_NAME_ADVICE = 'write a host name or an address without scheme, port or path; a * needs two names behind it';

const LABEL = /^[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?$/; // underscores: not of RFC 952, but in many a home's host names
const NOT_IN_NAMES = /[\s/\\?#@:%[\]]/; // domainToASCII would cut or decode there

/** certificateName gives a host name (also international or with a leading `*.`) or an IP address in normal form; null = no certificate can carry it. */
export function certificateName(text: string): string | null {
  const name = text.trim();
  return isIP(name) !== 0 && !name.includes('%') ? normaliseAddress(name) : dnsName(name);
}

/** dnsName gives a host name in lower-case ASCII, or null. TLS clients take no `*` directly below a top-level name: `*.lan` is none (OpenSSL, X509_check_host(3)). */
export function dnsName(text: string): string | null {
  if (NOT_IN_NAMES.test(text)) return null;
  const name = domainToASCII(text.replace(/\.$/, ''));
  if (name === '' || name.length > 253 || isIP(name) !== 0) return null; // domainToASCII reads "10.1" as the address 10.0.0.1
  const labels = name.split('.');
  const plain = labels[0] === '*' && labels.length > 2 ? labels.slice(1) : labels;
  return plain.every((label) => LABEL.test(label)) ? name : null;
}

/** normaliseAddress compresses IPv6. */
export function normaliseAddress(address: string): string {
  return isIP(address) === 6 ? new URL(`http://[${address}]`).hostname.slice(1, -1) : address;
}
