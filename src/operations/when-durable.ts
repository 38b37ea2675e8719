// An answer that promises something waits until it is on disk.

import type { OperationNeeds } from './needs.ts';
import { OperationFailure } from './operation.ts';

/** whenDurable waits for all that was changed so far, where something outlives the process. Throws OperationFailure with `otherwise` when it can't be written. */
export async function whenDurable({ broker: { journal } }: Pick<OperationNeeds, 'broker'>, otherwise: string): Promise<void> {
  if (journal === null) return;
  const outcome = await new Promise((resolve) => journal.whenDurable(resolve));
  if (outcome !== 'durable') throw new OperationFailure('not possible', otherwise);
}
