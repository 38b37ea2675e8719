// Which configuration a command is about: that of `-c`, or where an installation has it.
//
// The broker's user may write it: a broker that was taken over could plant any line there. So root reads a configuration, and follows what
// stands in it, as the user whose it is. What root names itself - the file of a backup, a folder for keys - stays root's business.

import { existsSync } from 'node:fs';
import { OperatorError } from '../base/errors.ts';
import { formatDiagnostic, type LoadedConfiguration, loadConfiguration } from '../config/config.ts';
import type { Configuration } from '../config/configuration.ts';
import type { Texts } from '../config/reader.ts';
import { keeperOfProgram } from '../install/machine.ts';
import { asOwnerNow } from '../state/as-owner.ts';
import type { Invocation } from '../terminal/command.ts';

/** Where an installation has it, and the image, whose /etc can't be written. */
const USUAL_FILE = '/etc/midge/midge.conf';
const IMAGE_FILE = '/var/lib/midge/appliance.conf';

/** configurationFile gives its path; throws OperatorError when it is not there. */
export function configurationFile({ flags }: Pick<Invocation, 'flags'>): string {
  const file = flags.get('config-file')?.at(-1) ?? (keeperOfProgram() === 'image' ? IMAGE_FILE : USUAL_FILE);
  if (existsSync(file)) return file;
  throw new OperatorError(`Cannot find "${file}" - name the configuration with -c FILE`);
}

/** loadAsOwner reads a configuration, and what it names, as the user whose it is; null = there is none, and the defaults count. */
export function loadAsOwner(file: string | null, texts?: Texts): LoadedConfiguration {
  const load = () => loadConfiguration({ file, port: null, verbose: false, lan: false }, texts);
  return file === null ? load() : asOwnerNow(file, load);
}

/** readConfiguration gives what the file says; throws OperatorError with all its mistakes. */
export function readConfiguration(file: string): Configuration {
  const { configuration, diagnostics } = loadAsOwner(file);
  if (configuration !== null) return configuration;
  const mistakes = diagnostics.filter(({ severity }) => severity === 'error');
  throw new OperatorError(`Cannot use "${file}":\n${mistakes.map(formatDiagnostic).join('\n')}`);
}
