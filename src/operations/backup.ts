// A copy of the database at one moment, and where the rest of a backup is.

import { hostname } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';
import { z } from 'zod';
import { compactTime } from '../base/clock.ts';
import { nameOfCopy } from '../state/backup.ts';
import type { OperationNeeds } from './needs.ts';
import { download, operation } from './operation.ts';

const OUTPUT = z.object({
  copy: z.string().nullable().describe('a file beside the database, which the asker removes; null = nothing outlives the process'),
  database: z.string().describe('absolute'),
  folder: z.string(),
  configuration: z.string().nullable(),
  workingFolder: z.string(),
});

/** BackupCopy is what a running broker gives to a backup. */
export type BackupCopy = z.infer<typeof OUTPUT>;

/** BACKUP makes the copy. */
export const BACKUP = operation({
  name: 'backup',
  kind: 'command',
  right: 'admin',
  summary: 'Make a copy of the database as it is now, for a backup.',
  input: z.strictObject({}),
  output: OUTPUT,
  run: copyForBackup,
});

/** DOWNLOAD_BACKUP gives the whole as a file. */
export const DOWNLOAD_BACKUP = download(
  {
    name: 'download backup',
    kind: 'query',
    right: 'admin',
    summary:
      'Everything that makes this broker this one, in one file: database, accounts, certificates with their keys, configuration. Keep it secret.',
    input: z.strictObject({}),
    download: ['application/gzip'],
    run: async (needs) => {
      const { copy, database, folder, configuration, workingFolder } = await copyForBackup(needs);
      const { openBackup } = await import('../state/backup.ts');
      const source = { copy: copy === null ? null : basename(copy), database, folder, configuration, workingFolder };
      const { chunks } = await openBackup(
        { ...source, readAs: source.folder, program: needs.program.title.replace(' version ', ' ') },
        await needs.stateNeeds(),
      );
      return { mediaType: 'application/gzip', fileName: `midge-${hostname()}-${compactTime(Date.now())}.tar.gz`, chunks };
    },
  },
  z.undefined(),
);

async function copyForBackup({ store, state, configuration }: OperationNeeds): Promise<BackupCopy> {
  const copy = store === null ? null : join(dirname(state.database), nameOfCopy(state.database));
  if (copy !== null) await store?.backup(copy);
  const main = configuration.file === null ? null : resolve(configuration.file);
  return { copy, database: state.database, folder: state.path, configuration: main, workingFolder: process.cwd() };
}
