// `midge bridge`: tries a bridge, invites another box, lists those that were invited, accepts an invitation, and removes a bridge.

import { OperatorError } from '../base/errors.ts';
import type { Invocation } from '../terminal/command.ts';
import { acceptInvitation } from './bridge-accept.ts';
import { listInvitations } from './bridge-guests.ts';
import { invite } from './bridge-invite.ts';
import { removeFromConfiguration } from './bridge-remove.ts';
import { testBridge } from './bridge-test.ts';

/** run does what its first operand says. */
export async function run(invocation: Invocation): Promise<number> {
  const [action = '', operand, tooMany] = invocation.operands;
  if (tooMany === undefined) {
    if (action === 'test') return testBridge(operand ?? null, invocation);
    if (action === 'invite' && operand !== undefined) return invite(operand, invocation);
    if (action === 'invitations' && operand === undefined) return listInvitations(invocation);
    if (action === 'accept' && operand !== undefined) return acceptInvitation(operand, invocation);
    if (action === 'remove' && operand !== undefined) return removeFromConfiguration(operand, invocation);
  }
  const { program } = invocation;
  const forms = ['test [NAME]', 'invite NAME --topics TOPIC', 'invitations', 'accept FILE', 'remove NAME'].map(
    (form) => `'${program} ${form}'`,
  );
  throw new OperatorError(`Error: Use ${new Intl.ListFormat('en', { type: 'disjunction' }).format(forms)}.`, { exitCode: 2 });
}
