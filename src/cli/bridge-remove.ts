// `midge bridge remove`: takes a bridge out of the configuration, with the files that midge has made for it.

import { rmSync } from 'node:fs';
import { removeBridge } from '../config/remove-bridge.ts';
import { asOwner, asOwnerNow } from '../state/as-owner.ts';
import { isWanted } from '../terminal/ask.ts';
import type { Invocation } from '../terminal/command.ts';
import { changeFiles } from './change-files.ts';
import { configurationFile } from './configuration-file.ts';
import { reloadBroker } from './reload-broker.ts';

/** removeFromConfiguration asks, changes the files, and has the running broker end the bridge. Throws OperatorError where there is none. */
export async function removeFromConfiguration(name: string, invocation: Invocation): Promise<number> {
  const { flags, terminal } = invocation;
  const main = configurationFile(invocation);
  const { changed, obsolete } = asOwnerNow(main, () => removeBridge(main, name));
  const question = `Remove bridge ${name}? Messages that wait for it are lost.`;
  if (!(await isWanted(terminal, flags.has('yes'), question))) return 1;
  const status = await asOwner(main, () => changeFiles(main, changed, invocation));
  if (status !== 0 || obsolete.length === 0) return status;
  asOwnerNow(main, () => {
    for (const path of obsolete) rmSync(path, { force: true });
  });
  for (const path of obsolete) terminal.stdout.write(`deleted  ${path}\n`);
  return reloadBroker(main, { ...invocation, program: '' }); // what is in force names no file that has gone
}
