// `midge restore`: puts a backup back in place.

import { restoreBackup } from '../app/restore.ts';
import { stateFolderPath } from '../app/state-folder.ts';
import { OperatorError } from '../base/errors.ts';
import type { Invocation } from './command.ts';

/** run restores and says what is where. */
export async function run({ flags, operands, program, terminal }: Invocation): Promise<number> {
  const [file] = operands;
  if (file === undefined) throw new OperatorError(`Error: Which file? Use '${program} FILE'.`, { exitCode: 2 });
  const asked = flags.get('state')?.at(-1) ?? null;
  const folder = stateFolderPath({ asked, location: null, isRoot: process.getuid?.() === 0, env: terminal.env });
  const { manifest, restored, aside } = await restoreBackup(file, { folder, withConfiguration: !flags.has('state-only') });
  terminal.stdout.write(`A backup of ${manifest.host}, made ${manifest.time} by ${manifest.program}.\n`);
  for (const path of restored) terminal.stdout.write(`restored  ${path}\n`);
  for (const path of aside) terminal.stdout.write(`kept      ${path}\n`);
  return 0;
}
