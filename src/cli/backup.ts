// `midge backup`: everything that makes this broker this one, in one file.

import { basename, dirname, join, resolve } from 'node:path';
import { STATE_NEEDS } from '../app/state-needs.ts';
import { OperatorError } from '../base/errors.ts';
import type { BackupCopy } from '../operations/backup.ts';
import { foreignOwner } from '../state/as-owner.ts';
import { type BackupSource, makeBackup } from '../state/backup.ts';
import type { Invocation } from '../terminal/command.ts';
import { type Found, findBroker, NoBroker, stateOf } from './control-client.ts';
import { stamp } from './stamp.ts';

/** A large database on a slow card takes its time. */
const PATIENCE_MS = 600_000;

/** run asks the running broker for a copy of its database; where none runs it makes one itself. */
export async function run(invocation: Invocation): Promise<number> {
  const { operands, program, terminal } = invocation;
  const [file] = operands;
  if (file === undefined) throw new OperatorError(`Error: Which file? Use '${program} FILE'.`, { exitCode: 2 });
  const source = await sourceOf(invocation);
  const names = await makeBackup(file, source, STATE_NEEDS);
  const count = (start: string) => names.filter((name) => name.startsWith(start)).length;
  terminal.stdout.write(
    `${resolve(file)}: ${count('state/')} files of ${source.folder}, ${count('configuration/')} of the configuration.\n`,
  );
  return 0;
}

async function sourceOf(invocation: Invocation): Promise<BackupSource> {
  const program = `midge ${stamp().version}`;
  const named = invocation.flags.get('config-file')?.at(-1) ?? null;
  const readAs = named !== null && foreignOwner(named) !== null ? named : null;
  const own = { configuration: named, workingFolder: process.cwd(), readAs, program };
  try {
    const found = await findBroker(invocation, { request: 'backup' }, PATIENCE_MS);
    const { folder, database, copy, configuration, workingFolder } = checkAnswer(found);
    return { ...(named === null ? { configuration, workingFolder, readAs: folder, program } : own), folder, database, copy };
  } catch (error) {
    if (!(error instanceof NoBroker)) throw error;
    const { path: folder, database } = stateOf(invocation);
    return { ...own, copy: null, database, folder };
  }
}

/** What answers may be a program of the user whose folder it is: its words are checked, and followed only as far as that user could go. */
function checkAnswer({ answer, folder }: Found): BackupCopy {
  const words = (typeof answer === 'object' && answer !== null ? answer : {}) as Partial<Record<keyof BackupCopy, unknown>>; // each is looked at below
  const { copy, database, configuration, workingFolder } = words;
  if (!isPath(database) || !isPath(workingFolder) || !isPath(words.folder) || !isPathOrNull(copy) || !isPathOrNull(configuration))
    throw new OperatorError(`Cannot back up "${folder}": the broker that answers there has another version - restart it`);
  const isInside = copy === null || dirname(database) === words.folder; // without a copy nothing outside is looked at
  return {
    folder,
    database: isInside ? join(folder, basename(database)) : database,
    copy: copy === null ? null : basename(copy),
    configuration,
    workingFolder,
  };
}

function isPath(value: unknown): value is string {
  return typeof value === 'string' && resolve(value) === value && !value.includes('\0');
}

function isPathOrNull(value: unknown): value is string | null {
  return value === null || isPath(value);
}
