// The way back from an upgrade that changed the database.

import { systemClock } from '../base/clock.ts';
import { OperatorError, reasonOf } from '../base/errors.ts';
import { putBackCopy } from '../store/earlier-version.ts';
import { faultOf } from '../store/faults.ts';

/** putBackBeforeUpgrade puts back the copy that a newer midge has made of the database before it changed it. null = it has changed nothing. Throws OperatorError. */
export function putBackBeforeUpgrade(path: string): { readonly path: string; readonly aside: string } | null {
  try {
    const done = putBackCopy(path, systemClock.now());
    return done === null ? null : { path, aside: done.aside };
  } catch (error) {
    const isLocked = faultOf(error).kind === 'locked';
    const reason = isLocked ? 'a broker uses it - stop it' : reasonOf(error);
    throw new OperatorError(`Cannot put back "${path}" as it was before an upgrade: ${reason}`, { cause: error });
  }
}
