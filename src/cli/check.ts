// `midge check`: finds all mistakes in a configuration file, and says who may connect with it.

import { OperatorError } from '../base/errors.ts';
import { isRoot } from '../service/user.ts';
import { asOwner } from '../state/as-owner.ts';
import { findState } from '../state/state-folder.ts';
import type { Invocation } from '../terminal/command.ts';
import { loadAsOwner } from './configuration-file.ts';
import { reportConfiguration, withPreflight } from './configuration-report.ts';

/** run reads the file as `serve` would; 0 when it can be used, 1 when it has mistakes. */
export async function run({ flags, operands, terminal, program }: Invocation): Promise<number> {
  const [file] = operands;
  if (file === undefined) throw new OperatorError(`Error: Which file? Use '${program} FILE'.`);
  const loaded = await asOwner(file, () => withPreflight(loadAsOwner(file), { state: null, env: terminal.env, isStart: false }));
  const persistence = loaded.configuration?.persistence;
  const database = persistence?.enabled ? findState({ asked: null, ...persistence, isRoot: isRoot(), env: terminal.env }).database : null;
  return reportConfiguration(loaded, { asJson: flags.has('json'), terminal, database });
}
