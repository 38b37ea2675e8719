// Whether another box can be invited here: all that is missing at once, with the lines of the configuration that bring it.

import { z } from 'zod';
import { rulesFault } from './begin-rules.ts';
import type { OpenListener, OperationNeeds } from './needs.ts';
import { linesToAdd, obstacleOf } from './obstacle.ts';
import { OperationFailure, operation } from './operation.ts';
import { isOpenToOthers, namesOfListener, newListener } from './phone-address.ts';

/** NO_ACCOUNTS is said where the account of another box would have no place. */
export const NO_ACCOUNTS = 'Cannot invite: the configuration names no password_file - write one, then reload';

/** NO_RULES_FOR_GUESTS is said where another box could do everything. */
export const NO_RULES_FOR_GUESTS =
  'Cannot invite: the configuration names no acl_file, so that the other box could read and write everything';

/** OBSTACLE: each listener with TLS may have require_certificate true, which is 'certificates only'. */
const OBSTACLE = obstacleOf(['no TLS', 'certificates only', 'no accounts', 'no rules']);

type Obstacle = z.infer<typeof OBSTACLE>;

/** INVITATION_SETUP says beforehand what stands in the way, and what the owner can choose. */
export const INVITATION_SETUP = operation({
  name: 'invitation setup',
  kind: 'query',
  right: 'admin',
  summary: 'Whether another box can be invited here, what to do first where it cannot, and the names by which it can find this box.',
  input: z.strictObject({}),
  output: z.object({
    obstacles: z.array(OBSTACLE).describe('all there are; none = another box can be invited'),
    hosts: z.array(z.string()).describe('the best first'),
    needsHost: z.boolean().describe('only this machine reaches the listener: the invitation must name what forwards to it'),
  }),
  run: (needs) => {
    const listener = usableListener(needs);
    return {
      obstacles: [...(listener === null ? [listenerMissing(needs)] : []), ...missingFor(needs, listener ?? needs.listeners[0] ?? null)],
      hosts: listener === null ? [] : [...namesOfListener(needs, listener)],
      needsHost: listener !== null && !isOpenToOthers(listener),
    };
  },
});

/** listenerForGuests gives the listener that another box signs in at. Throws OperationFailure. */
export function listenerForGuests(needs: Pick<OperationNeeds, 'access' | 'listeners'>, host: string | null): OpenListener {
  const found = usableListener(needs);
  if (found !== null && (host !== null || isOpenToOthers(found))) return found;
  throw new OperationFailure('not possible', listenerMissing(needs).reason);
}

/** Whoever names a host may have something in front of a listener of this machine only. */
function usableListener({ listeners }: Pick<OperationNeeds, 'listeners'>): OpenListener | null {
  const usable = withTls(listeners).filter(({ wantsCertificate }) => !wantsCertificate);
  return usable.find(isOpenToOthers) ?? usable[0] ?? null;
}

function withTls(listeners: readonly OpenListener[]): readonly OpenListener[] {
  return listeners.filter(({ protocol, certificate }) => protocol === 'mqtt' && certificate !== null);
}

function listenerMissing(needs: Pick<OperationNeeds, 'access' | 'listeners'>): Obstacle {
  const isThere = withTls(needs.listeners).some((each) => each.wantsCertificate && isOpenToOthers(each));
  const words = newListener(needs, 'mqtt').join('" and "');
  const message = isThere
    ? `Cannot invite: each listener with TLS has require_certificate true, and a box that is invited has a password - add "${words}" to the configuration`
    : `Cannot invite: no listener with TLS is open to the network - add "${words}" to the configuration`;
  return { kind: isThere ? 'certificates only' : 'no TLS', reason: message, lines: linesToAdd(needs, 'mqtt') };
}

/** The files are those of a listener. */
function missingFor(needs: OperationNeeds, listener: OpenListener | null): readonly Obstacle[] {
  const { passwordFile, aclFile } = needs.access.filesOf(listener?.name ?? '');
  const fault = aclFile === null ? rulesFault(needs, { lacking: NO_RULES_FOR_GUESTS }) : null;
  return [
    ...(passwordFile === null ? [{ kind: 'no accounts' as const, reason: NO_ACCOUNTS, lines: [] }] : []),
    ...(fault === null ? [] : [{ kind: 'no rules' as const, reason: fault.message, lines: [] }]),
  ];
}
