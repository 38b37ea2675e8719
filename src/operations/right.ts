// What an asker may be allowed.

/**
 * RIGHTS are what an asker may be allowed, each with all that stand before it.
 *
 *   monitoring   counts, health and history: nothing of what clients say or who they are
 *   viewer       everything that is no secret, and no change
 *   operator     what passes: publish, disconnect a client, delete retained messages
 *   admin        what stays: accounts, rules, configuration, certificates, backups, and what the broker keeps secret
 */
export const RIGHTS = ['monitoring', 'viewer', 'operator', 'admin'] as const;
export type Right = (typeof RIGHTS)[number];

/** lesserRight gives the one that the other includes. */
export function lesserRight(one: Right, other: Right): Right {
  return includesRight(one, other) ? other : one;
}

/** includesRight tells whether who has one right has another. */
export function includesRight(has: Right, wanted: Right): boolean {
  return RIGHTS.indexOf(has) >= RIGHTS.indexOf(wanted);
}
