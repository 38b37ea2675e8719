// The ports of the page in the configuration that an installation writes: those that browsers ask, where no other program has them. Pure.

/** The blocks of rootfs/etc/midge/midge.conf. */
const HTTPS = 'listener 443\nprotocol http\n';
const REDIRECT = 'listener 80\nprotocol http\nsecure false\n';
/** With the comment above it. */
const REDIRECT_BLOCK = /# [^\n]*\nlistener 80\nprotocol http\nsecure false\n/;

/** Where the page goes beside another web server: openHAB has 8443. */
const OTHER_PORTS = [8443, 8444, 9443] as const;

/** withFreePages moves the page to a port that is free, and leaves the way to it from port 80 out where that is taken. */
export function withFreePages(configuration: string, isTaken: (port: number) => boolean): string {
  const withRedirect = isTaken(80) ? configuration.replace(REDIRECT_BLOCK, '') : configuration;
  const port = isTaken(443) ? (OTHER_PORTS.find((each) => !isTaken(each)) ?? 443) : 443;
  return withRedirect.replace(HTTPS, HTTPS.replace('443', String(port)));
}

/** hasPages tells whether a text has the blocks that withFreePages looks for. */
export function hasPages(configuration: string): boolean {
  return configuration.includes(HTTPS) && configuration.includes(REDIRECT) && REDIRECT_BLOCK.test(configuration);
}
