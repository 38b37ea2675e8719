// The profile by which an iPhone installs an authority (.mobileconfig): a property list with the certificate in it.
// Apple: Configuration Profile Reference, "Root Certificate payload" (com.apple.security.root)

import { createHash, X509Certificate } from 'node:crypto';

/** MOBILECONFIG_TYPE is the media type at which Safari offers to install a profile. */
export const MOBILECONFIG_TYPE = 'application/x-apple-aspen-config';

/** AUTHORITY_TYPE is the media type of a certificate in DER, at which Android stores it as one to install. */
export const AUTHORITY_TYPE = 'application/x-x509-ca-cert';

export interface ProfileWords {
  /** What the list of profiles shows. */
  readonly name: string;
  readonly description: string;
}

/** authorityProfile gives the text of the profile. Of the same authority it has the same identifiers, so that a phone replaces what it has. */
export function authorityProfile(authority: string, { name, description }: ProfileWords): string {
  const raw = authorityBytes(authority);
  const mark = createHash('sha256').update(raw).digest('hex');
  const certificate = dictionary([
    ['PayloadType', text('com.apple.security.root')],
    ['PayloadVersion', integer(1)],
    ['PayloadIdentifier', text(`midge.authority.${mark.slice(0, 16)}.certificate`)],
    ['PayloadUUID', text(uuidOf(`${mark} certificate`))],
    ['PayloadDisplayName', text(authorityName(authority))],
    ['PayloadCertificateFileName', text('midge.cer')],
    ['PayloadContent', `<data>${raw.toString('base64')}</data>`],
  ]);
  const profile = dictionary([
    ['PayloadType', text('Configuration')],
    ['PayloadVersion', integer(1)],
    ['PayloadIdentifier', text(`midge.authority.${mark.slice(0, 16)}`)],
    ['PayloadUUID', text(uuidOf(`${mark} profile`))],
    ['PayloadDisplayName', text(name)],
    ['PayloadDescription', text(description)],
    ['PayloadOrganization', text('midge')],
    ['PayloadRemovalDisallowed', '<false/>'],
    ['PayloadContent', `<array>${certificate}</array>`],
  ]);
  return `${HEAD}<plist version="1.0">${profile}</plist>\n`;
}

/** authorityName gives what a phone calls it in its lists. */
export function authorityName(authority: string): string {
  return new X509Certificate(authority).subject.replace(/^CN=/, '');
}

/** authorityBytes gives the certificate in DER, as phones take it from a file. */
export function authorityBytes(authority: string): Buffer {
  return new X509Certificate(authority).raw;
}

const HEAD = `<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
`;

function dictionary(entries: readonly (readonly [key: string, value: string])[]): string {
  return `<dict>\n${entries.map(([key, value]) => `<key>${key}</key>${value}\n`).join('')}</dict>`;
}

function integer(value: number): string {
  return `<integer>${value}</integer>`;
}

function text(value: string): string {
  const escaped = value.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
  return `<string>${escaped}</string>`;
}

/** RFC 9562 5.8: a UUID of our own making (version 8), of a name. */
function uuidOf(name: string): string {
  const bytes = createHash('sha256').update(name).digest().subarray(0, 16);
  bytes[6] = (bytes[6]! & 0x0f) | 0x80; // 16 bytes
  bytes[8] = (bytes[8]! & 0x3f) | 0x80;
  const hex = bytes.toString('hex').toUpperCase();
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}
