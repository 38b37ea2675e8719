// A bridge taken out of the configuration.

import { rmSync } from 'node:fs';
import { z } from 'zod';
import { reasonOf } from '../base/errors.ts';
import { writeInForce } from './change-in-force.ts';
import { mainFile } from './configuration.ts';
import type { OperationNeeds } from './needs.ts';
import { OperationFailure, operation, orFailure } from './operation.ts';

/** REMOVE_BRIDGE ends the bridge. The account that it uses at the other broker stays. */
export const REMOVE_BRIDGE = operation({
  name: 'remove bridge',
  kind: 'command',
  right: 'admin',
  summary:
    'Take the connection block of a bridge out of the configuration, with the files that midge has made for it, and put that in force.',
  input: z.strictObject({ name: z.string().describe('of the connection block') }),
  output: z.object({ name: z.string(), files: z.array(z.string()).describe('that were changed or deleted') }),
  run: async (needs, { name }) => {
    const main = mainFile(needs);
    if (needs.trial.waiting !== null)
      throw new OperationFailure('conflict', `Cannot change "${main}": a change of the configuration waits to be confirmed`);
    const { changed, obsolete } = removalOf(needs, main, name);
    await writeInForce(needs, changed).catch((error: unknown) => {
      throw new OperationFailure('not possible', `Cannot remove bridge "${name}": ${reasonOf(error)}\nIt was taken back.`, {
        cause: error,
      });
    });
    for (const path of obsolete) rmSync(path, { force: true });
    if (obsolete.length > 0) await needs.reloads.reload('command'); // what is in force names no file that has gone
    return { name, files: [...new Set([...changed.map(({ path }) => path), ...obsolete])] };
  },
});

function removalOf({ files }: OperationNeeds, main: string, name: string) {
  return orFailure(
    () => files.withoutBridge(main, name),
    (message) => new OperationFailure('not found', message),
  );
}
