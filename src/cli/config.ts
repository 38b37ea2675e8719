// `midge config`: shows and changes settings of a configuration file, with file and line, and puts them in force.

import { OperatorError } from '../base/errors.ts';
import { isSecret, treatLines } from '../config/config.ts';
import { changeSetting, readSetting } from '../config/writer.ts';
import { asOwner } from '../state/as-owner.ts';
import type { Invocation } from '../terminal/command.ts';
import { changeFiles } from './change-files.ts';
import { configurationFile } from './configuration-file.ts';

/** run does what its first operand says, as the user whose configuration it is. */
export async function run(invocation: Invocation): Promise<number> {
  const act = actionOf(invocation);
  return asOwner(configurationFile(invocation), async () => act());
}

function actionOf(invocation: Invocation): () => number | Promise<number> {
  const [action = '', name, ...values] = invocation.operands;
  if (action === 'show' && name === undefined) return () => show(invocation);
  if (name === undefined) throw wrongUse(invocation);
  if (action === 'get' && values.length === 0) return () => get(name, invocation);
  if (action === 'set' && values.length > 0) return () => change(name, values, invocation);
  if (action === 'unset' && values.length === 0) return () => change(name, [], invocation);
  throw wrongUse(invocation);
}

function wrongUse({ program }: Invocation): OperatorError {
  return new OperatorError(`Error: Use '${program} show', '${program} get WORD', '${program} set WORD VALUE' or '${program} unset WORD'.`, {
    exitCode: 2,
  });
}

/** A line as it stands in a file; null = the default. */
interface Shown {
  readonly name: string;
  readonly value: string;
  readonly origin: string | null;
}

function show(invocation: Invocation): number {
  const rows = treatLines(configurationFile(invocation)).map(({ name, text, place }) => shown(name, text, `${place.file}:${place.line}`));
  return print(rows, invocation);
}

/** The value in force, by the file; the exit status is 1 where nothing is set and there is no default. */
function get(name: string, invocation: Invocation): number {
  const { directive, statements } = readSetting(configurationFile(invocation), name, listenerOf(invocation));
  const rows = statements.map(({ text, place }) => shown(name, text, `${place.file}:${place.line}`));
  if (rows.length === 0 && directive.default !== null) rows.push(shown(name, directive.default, null));
  print(rows, invocation, true);
  return rows.length === 0 ? 1 : 0;
}

function shown(name: string, text: string, origin: string | null): Shown {
  return { name, value: isSecret(name) ? '(hidden)' : text, origin };
}

function print(rows: readonly Shown[], { flags, terminal }: Invocation, isValueOnly = false): number {
  if (flags.has('json')) {
    terminal.stdout.write(`${JSON.stringify(rows, null, 2)}\n`);
    return 0;
  }
  for (const { name, value, origin } of rows) {
    const from = flags.has('origin') ? `${origin ?? 'default'}\t` : '';
    terminal.stdout.write(`${from}${isValueOnly ? value : `${name} ${value}`.trimEnd()}\n`);
  }
  return 0;
}

function listenerOf({ flags }: Invocation): string | null {
  return flags.get('listener')?.at(-1) ?? null;
}

async function change(name: string, values: readonly string[], invocation: Invocation): Promise<number> {
  const main = configurationFile(invocation);
  const files = changeSetting(main, { name, values, listener: listenerOf(invocation) });
  const { stdout } = invocation.terminal;
  if (files.length === 0) {
    stdout.write(values.length === 0 ? `${name} is not set: nothing was changed.\n` : `${name} has that value: nothing was changed.\n`);
    return 0;
  }
  return changeFiles(main, files, invocation);
}
