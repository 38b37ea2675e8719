// Bridges that come in: the invitations that this box has given, and how the box that was invited is doing.

import { z } from 'zod';
import type { Session } from '../broker/session/session.ts';
import type { OperationNeeds } from './needs.ts';
import { operation } from './operation.ts';
import { isInFiles } from './other-account.ts';
import { iso, TIME } from './time.ts';

const GUEST = z.object({
  name: z.string().describe('of the account, too'),
  invited: TIME,
  accepted: TIME.nullable().describe('when the account signed in for the first time; null = not yet'),
  topics: z.array(
    z.object({ filter: z.string(), direction: z.enum(['in', 'out', 'both']).describe('seen from here: in = from there to here') }),
  ),
  connected: z.boolean(),
  since: TIME.nullable().describe('it is connected, or away, since then; null = not known'),
  address: z.string().nullable().describe('that it is connected from; null = it is not'),
});

/** Guest is a box that was invited. */
export type Guest = z.infer<typeof GUEST>;

/** GIVEN_INVITATIONS lists them. */
export const GIVEN_INVITATIONS = operation({
  name: 'bridge invitations',
  kind: 'query',
  right: 'viewer',
  summary:
    'The invitations to bridges that this box has given, the oldest first, as long as their accounts are there; and whether the other box is connected.',
  input: z.strictObject({}),
  output: z.array(GUEST),
  run: (needs) => {
    const given = needs.invitations.book.list().filter(({ name }) => isInFiles(needs, name, null));
    const sessions = given.length === 0 ? new Map<string, Session>() : sessionsOf(needs, new Set(given.map(({ name }) => name)));
    return given.map(({ name, invited, accepted, topics }) => {
      const session = sessions.get(name);
      const connection = session?.connection ?? null;
      const since = (connection === null ? session?.disconnectedAt : session?.connectedAt) ?? 0;
      return {
        name,
        invited: iso(invited),
        accepted: accepted === null ? null : iso(accepted),
        topics,
        connected: connection !== null,
        since: since === 0 ? null : iso(since),
        address: connection?.origin.address ?? null,
      };
    });
  },
});

/** Of several sessions of one account, that which is connected. */
function sessionsOf({ broker }: OperationNeeds, names: ReadonlySet<string>): ReadonlyMap<string, Session> {
  const found = new Map<string, Session>();
  for (const session of broker.sessions) {
    const { username, connection } = session;
    if (username !== null && names.has(username) && (connection !== null || !found.has(username))) found.set(username, session);
  }
  return found;
}
