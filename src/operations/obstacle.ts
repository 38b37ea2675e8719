// What stands in the way of something, told beforehand with the lines of the configuration that take it away.

import { z } from 'zod';
import type { PhoneProtocol } from '../phones/phone.ts';
import type { OperationNeeds } from './needs.ts';
import { newListener } from './phone-address.ts';

/** obstacleOf gives the shape of one of these kinds. */
export function obstacleOf<const Kinds extends readonly [string, ...string[]]>(kinds: Kinds) {
  return z.object({
    kind: z.enum(kinds),
    reason: z.string(),
    lines: z.array(z.string()).describe('that take it away at the end of the configuration; none = it takes something else'),
  });
}

/** linesToAdd gives those of a new listener. With `per_listener_settings` it knows the accounts and rules of no other: they name the files. */
export function linesToAdd(needs: Pick<OperationNeeds, 'access' | 'listeners'>, protocol: PhoneProtocol): string[] {
  return [...newListener(needs, protocol), ...filesFor(needs)];
}

function filesFor({ access, listeners }: Pick<OperationNeeds, 'access' | 'listeners'>): readonly string[] {
  if (!access.isPerListener) return [];
  const files = listeners.map(({ name }) => access.filesOf(name)).find(({ passwordFile }) => passwordFile !== null);
  const { passwordFile = null, aclFile = null } = files ?? {};
  return [...(passwordFile === null ? [] : [`password_file ${passwordFile}`]), ...(aclFile === null ? [] : [`acl_file ${aclFile}`])];
}
