// Which names the Internet can know: whole ones, and none of those that stay at home.

import { dnsName } from '../base/certificate-name.ts';
import type { InternetOptions } from './options.ts';

/** RFC 6762, RFC 8375, and what routers and ICANN keep for networks of one's own. */
const OF_HOME = /\.(local|lan|home|internal|home\.arpa)$/;

/** isPublicName tells whether others may look a name up. */
export function isPublicName(text: string): boolean {
  const name = dnsName(text) ?? '';
  return name.includes('.') && !name.startsWith('*') && !OF_HOME.test(name);
}

/** publicNames are those that the options ask something for. */
export function publicNames({ acme, dynamicDns }: InternetOptions): readonly string[] {
  return [...(acme?.names ?? []), ...(dynamicDns?.names ?? [])];
}
