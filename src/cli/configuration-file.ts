// Which configuration a command is about: that of `-c`, or where an installation has it.

import { existsSync } from 'node:fs';
import { OperatorError } from '../base/errors.ts';
import { formatDiagnostic, loadConfiguration } from '../config/config.ts';
import type { Configuration } from '../config/configuration.ts';
import type { Invocation } from '../terminal/command.ts';

/** Where an installation has it. */
const USUAL_FILE = '/etc/midge/midge.conf';

/** configurationFile gives its path; throws OperatorError when it is not there. */
export function configurationFile({ flags }: Pick<Invocation, 'flags'>): string {
  const file = flags.get('config-file')?.at(-1) ?? USUAL_FILE;
  if (existsSync(file)) return file;
  throw new OperatorError(`Cannot find "${file}" - name the configuration with -c FILE`);
}

/** readConfiguration gives what the file says; throws OperatorError with all its mistakes. */
export function readConfiguration(file: string): Configuration {
  const { configuration, diagnostics } = loadConfiguration({ file, port: null, verbose: false, lan: false });
  if (configuration !== null) return configuration;
  const mistakes = diagnostics.filter(({ severity }) => severity === 'error');
  throw new OperatorError(`Cannot use "${file}":\n${mistakes.map(formatDiagnostic).join('\n')}`);
}
