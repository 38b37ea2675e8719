// What the local network calls a machine (RFC 6762): one rule for whoever announces it and for who certifies it.

/** Length of one DNS label (RFC 1035 2.3.4). */
const MAX_LABEL_BYTES = 63;

/** hostNameOf gives `HOST.local` for a host name with or without a domain; a taken name becomes `HOST-2.local` (RFC 6762 9). */
export function hostNameOf(hostName: string, ordinal: number): string {
  const [first = ''] = hostName.split('.');
  return `${labelOf(first, ordinal > 1 ? `-${ordinal}` : '')}.local`;
}

/** isLocalName tells whether a host name is one of mDNS, which one network knows and not every machine can look up (RFC 6762 3). */
export function isLocalName(host: string): boolean {
  return /\.local\.?$/i.test(host);
}

/** labelOf makes one DNS label of any text: dots become dashes (the package cannot carry them), control characters go, 63 bytes at most. */
export function labelOf(text: string, suffix: string): string {
  const clean = text
    .replaceAll('.', '-')
    .replace(/\p{Cc}/gu, '')
    .trim();
  return cutBytes(clean === '' ? 'midge' : clean, MAX_LABEL_BYTES - Buffer.byteLength(suffix)) + suffix;
}

/** cutBytes cuts a text after the last character that fits `limit` bytes of UTF-8. */
export function cutBytes(text: string, limit: number): string {
  let kept = '';
  let bytes = 0;
  for (const character of text) {
    bytes += Buffer.byteLength(character);
    if (bytes > limit) break;
    kept += character;
  }
  return kept;
}
