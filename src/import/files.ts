// The files that an import reads and writes.

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { OperatorError, reasonOf } from '../base/errors.ts';
import type { ImportNeeds } from './needs.ts';

/** Target is a file that is written. */
export interface Target {
  readonly path: string;
  readonly text: string;
  readonly isSecret: boolean;
}

/** writeTarget makes a new file, for its owner only, and its folder. Where that is somebody else's, root does it as that user. */
export function writeTarget({ path, text, isSecret }: Target, { access, asOwnerNow }: Pick<ImportNeeds, 'access' | 'asOwnerNow'>): void {
  asOwnerNow(path, () => {
    mkdirSync(dirname(path), { recursive: true, mode: isSecret ? 0o700 : 0o755 });
    if (isSecret) access.writePasswordFile(path, text);
    else writeFileSync(path, text, { flag: 'wx', mode: 0o600 });
  });
}

/** readSource reads what is taken over; throws OperatorError when it can't. */
export function readSource(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    throw new OperatorError(`Cannot read "${path}": ${reasonOf(error)}`, { cause: error });
  }
}
