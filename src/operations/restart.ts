// Begins the program anew, for what a reload cannot put in force.

import { z } from 'zod';
import { readEdited } from './change-in-force.ts';
import type { OperationNeeds } from './needs.ts';
import { OperationFailure, operation } from './operation.ts';

/** RESTART does it, where the broker would come back. */
export const RESTART = operation({
  name: 'restart',
  kind: 'command',
  right: 'admin',
  summary:
    'Restart the broker, with the configuration that its files hold. Clients come back by themselves; browsers have to sign in again.',
  input: z.strictObject({}),
  output: z.object({ restarts: z.literal(true) }),
  run: restart,
});

async function restart(needs: OperationNeeds) {
  if (needs.trial.waiting !== null)
    throw new OperationFailure(
      'conflict',
      'Cannot restart: a change of the configuration waits to be confirmed, and the restart would take it back',
    );
  refuseMistakes(needs);
  const fault = await needs.restart.fault();
  if (fault !== null)
    throw new OperationFailure(
      'not possible',
      `Cannot restart here: the broker has given up root, and without it could not ${fault.what} again (${fault.reason}) - restart it as you have started it`,
    );
  needs.restart.begin();
  return { restarts: true } as const;
}

/** A program that cannot read its configuration does not come back. */
function refuseMistakes({ configuration: { file }, files }: OperationNeeds): void {
  if (file === null) return;
  const { mistakes } = files.check(file, readEdited(file));
  if (mistakes.length === 0) return;
  throw new OperationFailure('not possible', `Cannot restart: the broker would not come back with these mistakes:\n${mistakes.join('\n')}`);
}
