// How long retained messages are kept at most, by their topics.

import { filterMatches } from '../../mqtt/topics.ts';
import { NEVER } from '../message.ts';
import type { RetainedLifetime } from '../options.ts';

/** expiryWithin gives when a message goes that came at `since`: by its own expiry or by the first rule that matches, whichever is earlier. Milliseconds since 1970, or NEVER. */
export function expiryWithin(lifetimes: readonly RetainedLifetime[], topicName: string, since: number, expiresAt: number): number {
  for (const { topicFilter, seconds } of lifetimes) {
    if (!filterMatches(topicFilter, topicName)) continue;
    const end = since + seconds * 1000;
    return expiresAt === NEVER ? end : Math.min(expiresAt, end);
  }
  return expiresAt;
}
