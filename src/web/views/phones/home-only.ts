// Whether a name of the box can be found in its own network only.

/** RFC 1918 (private), RFC 3927 (link-local), RFC 1122 3.2.1.3 (this machine). */
const AT_HOME = /^(10|127|192\.168|169\.254|172\.(1[6-9]|2\d|3[01]))\.[\d.]+$/;

/** isHomeOnly tells it of a name or an address of IPv4: those of mDNS (RFC 6762 3) and those without a dot are known to the own network alone. */
export function isHomeOnly(host: string): boolean {
  return AT_HOME.test(host) || !host.includes('.') || /\.local\.?$/i.test(host);
}
