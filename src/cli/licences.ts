// `midge licences`: the licence texts of everything in the executable, which the build has put into it.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { OperatorError } from '../base/errors.ts';
import type { Invocation } from '../terminal/command.ts';

/** The bundler replaces it by the name of the file with the texts, which is beside the program's. */
declare const MIDGE_LICENCES: string | undefined;

/** run prints the texts; OperatorError when midge runs from its sources. */
export async function run({ terminal }: Invocation): Promise<number> {
  if (typeof MIDGE_LICENCES === 'undefined')
    throw new OperatorError('Cannot print the licences: midge runs from its sources - look into LICENSE and node_modules/*/LICENSE');
  terminal.stdout.write(gunzipSync(readFileSync(join(import.meta.dirname, MIDGE_LICENCES))));
  return 0;
}
