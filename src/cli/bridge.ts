// `midge bridge`: tries a bridge, invites another box, and accepts an invitation.

import { OperatorError } from '../base/errors.ts';
import type { Invocation } from '../terminal/command.ts';
import { acceptInvitation } from './bridge-accept.ts';
import { invite } from './bridge-invite.ts';
import { testBridge } from './bridge-test.ts';

/** run does what its first operand says. */
export async function run(invocation: Invocation): Promise<number> {
  const [action = '', operand, tooMany] = invocation.operands;
  if (tooMany === undefined) {
    if (action === 'test') return testBridge(operand ?? null, invocation);
    if (action === 'invite' && operand !== undefined) return invite(operand, invocation);
    if (action === 'accept' && operand !== undefined) return acceptInvitation(operand, invocation);
  }
  const { program } = invocation;
  throw new OperatorError(`Error: Use '${program} test [NAME]', '${program} invite NAME --topics TOPIC' or '${program} accept FILE'.`, {
    exitCode: 2,
  });
}
