// The Session Expiry Interval, MQTT 5 3.1.2.11.2. Seconds.

import type { BrokerOptions } from '../options.ts';

/** NO_EXPIRY is the Session Expiry Interval that means "never". */
export const NO_EXPIRY = 0xffffffff;

/** allowedExpiry caps what a client asks for by `persistent_client_expiration`. */
export function allowedExpiry(asked: number, { persistentClientExpiration: limit }: BrokerOptions): number {
  return limit === null ? asked : Math.min(asked, limit);
}
