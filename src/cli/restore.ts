// `midge restore`: puts a backup back in place, or what was there before an upgrade.

import { putBackBeforeUpgrade, restoreBackup } from '../app/restore.ts';
import { OperatorError } from '../base/errors.ts';
import type { Invocation } from './command.ts';
import { foldersOf, stateOf } from './control-client.ts';

/** run restores and says what is where. */
export async function run(invocation: Invocation): Promise<number> {
  const { flags, operands, program, terminal } = invocation;
  const [folder = ''] = foldersOf(invocation);
  if (flags.has('before-upgrade')) return putBack(invocation);
  const [file] = operands;
  if (file === undefined) throw new OperatorError(`Error: Which file? Use '${program} FILE'.`, { exitCode: 2 });
  const { manifest, restored, aside } = await restoreBackup(file, { folder, withConfiguration: !flags.has('state-only') });
  terminal.stdout.write(`A backup of ${manifest.host}, made ${manifest.time} by ${manifest.program}.\n`);
  for (const path of restored) terminal.stdout.write(`restored  ${path}\n`);
  for (const path of aside) terminal.stdout.write(`kept      ${path}\n`);
  return 0;
}

function putBack(invocation: Invocation): number {
  const { terminal } = invocation;
  const { database } = stateOf(invocation);
  const done = putBackBeforeUpgrade(database);
  if (done === null) terminal.stdout.write(`The database ${database} is of no newer version: nothing was changed.\n`);
  else terminal.stdout.write(`restored  ${done.path}\nkept      ${done.aside}\n`);
  return 0;
}
