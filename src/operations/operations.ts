// The one table of what can be asked of a running broker, or changed in it. Doors offer it to programs and people, and add nothing.

import { z } from 'zod';
import { BACKUP } from './backup.ts';
import type { OperationNeeds } from './needs.ts';
import { type Operation, OperationFailure } from './operation.ts';
import { RELOAD } from './reload.ts';
import { STATUS } from './status.ts';
import { THROTTLE } from './throttle.ts';
import { WHY } from './why.ts';

/** OPERATIONS are all of them. */
export const OPERATIONS: readonly Operation[] = [STATUS, WHY, THROTTLE, BACKUP, RELOAD];

/** Operations are carried out on one broker. */
export class Operations {
  readonly #needs: () => OperationNeeds;

  /** `needs` is called for each operation. */
  constructor(needs: () => OperationNeeds) {
    this.#needs = needs;
  }

  /** run gives the output. Throws OperationFailure where there is no such operation or the input does not fit, and what the operation throws. */
  async run(name: string, input: unknown): Promise<unknown> {
    const operation = OPERATIONS.find((each) => each.name === name);
    if (operation === undefined)
      throw new OperationFailure('unknown operation', `Cannot answer request "${name}": this broker does not know it`);
    const read = operation.input.safeParse(input);
    if (!read.success) throw new OperationFailure('bad input', `Cannot answer request "${name}": ${z.prettifyError(read.error)}`);
    return operation.run(this.#needs(), read.data);
  }
}
