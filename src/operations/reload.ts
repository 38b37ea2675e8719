// Reads the configuration again.

import { realpathSync } from 'node:fs';
import { resolve } from 'node:path';
import { z } from 'zod';
import type { OperationNeeds } from './needs.ts';
import { type Answer, operation } from './operation.ts';

const OUTPUT = z.object({
  reads: z.boolean().describe('false = this broker does not read the file that was named, and nothing was done'),
  error: z.string().nullable().describe('why nothing was changed; null = what was read is in force'),
  mistakes: z.array(z.string()),
  later: z.array(z.string()).describe('words whose change takes effect at the next start'),
});

/** Reloaded answers "reload". */
export type Reloaded = Answer<z.infer<typeof OUTPUT>>;

/** RELOAD reads all files of the configuration again, and puts them in force or leaves everything as it is. */
export const RELOAD = operation({
  name: 'reload',
  kind: 'command',
  right: 'admin',
  summary: 'Read the configuration and its files again, and put them in force or leave everything as it is.',
  input: z.strictObject({ file: z.string().nullish().describe('only if the broker reads this file; absolute') }),
  output: OUTPUT,
  run: (needs, { file }) => reload(needs, file ?? null),
});

async function reload({ configuration, reloads }: OperationNeeds, file: string | null): Promise<Reloaded> {
  if (file !== null && !configuration.filesRead.some((each) => isSameFile(each, file)))
    return { reads: false, error: null, mistakes: [], later: [] };
  const { error, mistakes, later } = await reloads.reload('command');
  return { reads: true, error, mistakes, later };
}

/** Whoever asks may have come to the file through a link. */
function isSameFile(ours: string, theirs: string): boolean {
  try {
    return resolve(ours) === theirs || realpathSync(ours) === realpathSync(theirs);
  } catch {
    return false; // it went away, or this user may not look there
  }
}
