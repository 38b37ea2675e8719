// `midge backup`: everything that makes this broker this one, in one file.

import { rmSync } from 'node:fs';
import { resolve } from 'node:path';
import { makeBackup } from '../app/backup.ts';
import type { BackupCopy } from '../app/control-requests.ts';
import { OperatorError } from '../base/errors.ts';
import type { Invocation } from './command.ts';
import { askBroker, NoBroker, stateOf } from './control-client.ts';
import { stamp } from './stamp.ts';

/** A large database on a slow card takes its time. */
const PATIENCE_MS = 600_000;

/** run asks the running broker for a copy of its database; where none runs it makes one itself. */
export async function run(invocation: Invocation): Promise<number> {
  const { operands, program, terminal } = invocation;
  const [file] = operands;
  if (file === undefined) throw new OperatorError(`Error: Which file? Use '${program} FILE'.`, { exitCode: 2 });
  const source = await sourceOf(invocation);
  try {
    const names = await makeBackup(file, { ...source, program: `midge ${stamp().version}` });
    const count = (start: string) => names.filter((name) => name.startsWith(start)).length;
    terminal.stdout.write(
      `${resolve(file)}: ${count('state/')} files of ${source.folder}, ${count('configuration/')} of the configuration.\n`,
    );
  } finally {
    if (source.copy !== null) rmSync(source.copy, { force: true });
  }
  return 0;
}

async function sourceOf(invocation: Invocation): Promise<BackupCopy> {
  try {
    return (await askBroker(invocation, 'backup', {}, PATIENCE_MS)) as BackupCopy; // our own program answered
  } catch (error) {
    if (!(error instanceof NoBroker)) throw error;
    const configuration = invocation.flags.get('config-file')?.at(-1) ?? null;
    const { path: folder, database } = stateOf(invocation);
    return { copy: null, database, folder, configuration, workingFolder: process.cwd() };
  }
}
