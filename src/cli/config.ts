// `midge config`: shows and changes settings of a configuration file, with file and line, and puts them in force.

import { chmodSync, chownSync, existsSync, realpathSync, rmSync, type Stats, statSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { replaceFile } from '../base/durable-file.ts';
import { OperatorError, reasonOf } from '../base/errors.ts';
import { nameOf } from '../base/system-users.ts';
import { formatDiagnostic, loadConfiguration, treatLines } from '../config/config.ts';
import { type ChangedFile, changeSetting, readSetting } from '../config/writer.ts';
import { asOwnerNow } from '../state/as-owner.ts';
import type { Invocation } from '../terminal/command.ts';
import { putInForce } from './put-in-force.ts';

/** Where an installation has it. */
const USUAL_FILE = '/etc/midge/midge.conf';

/** Their values are shown to nobody. */
const SECRETS = /(^|_)(password|psk)$/;

/** run does what its first operand says. */
export async function run(invocation: Invocation): Promise<number> {
  const [action = '', name, ...values] = invocation.operands;
  if (action === 'show' && name === undefined) return show(invocation);
  if (name === undefined) throw wrongUse(invocation);
  if (action === 'get' && values.length === 0) return get(name, invocation);
  if (action === 'set' && values.length > 0) return change(name, values, invocation);
  if (action === 'unset' && values.length === 0) return change(name, [], invocation);
  throw wrongUse(invocation);
}

function wrongUse({ program }: Invocation): OperatorError {
  return new OperatorError(`Error: Use '${program} show', '${program} get WORD', '${program} set WORD VALUE' or '${program} unset WORD'.`, {
    exitCode: 2,
  });
}

function fileOf({ flags }: Invocation): string {
  const file = flags.get('config-file')?.at(-1) ?? USUAL_FILE;
  if (existsSync(file)) return file;
  throw new OperatorError(`Cannot find "${file}" - name the configuration with -c FILE`);
}

/** A line as it stands in a file; null = the default. */
interface Shown {
  readonly name: string;
  readonly value: string;
  readonly origin: string | null;
}

function show(invocation: Invocation): number {
  const rows = treatLines(fileOf(invocation)).map(({ name, text, place }) => shown(name, text, `${place.file}:${place.line}`));
  return print(rows, invocation);
}

/** The value in force, by the file; the exit status is 1 where nothing is set and there is no default. */
function get(name: string, invocation: Invocation): number {
  const { directive, statements } = readSetting(fileOf(invocation), name, listenerOf(invocation));
  const rows = statements.map(({ text, place }) => shown(name, text, `${place.file}:${place.line}`));
  if (rows.length === 0 && directive.default !== null) rows.push(shown(name, directive.default, null));
  print(rows, invocation, true);
  return rows.length === 0 ? 1 : 0;
}

function shown(name: string, text: string, origin: string | null): Shown {
  return { name, value: SECRETS.test(name) ? '(hidden)' : text, origin };
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
  const main = fileOf(invocation);
  const files = changeSetting(main, { name, values, listener: listenerOf(invocation) });
  const { stdout, stderr } = invocation.terminal;
  if (files.length === 0) {
    stdout.write(values.length === 0 ? `${name} is not set: nothing was changed.\n` : `${name} has that value: nothing was changed.\n`);
    return 0;
  }
  checkWhole(main, files, invocation);
  for (const [index, file] of files.entries()) {
    try {
      write(file.path, file.after);
    } catch (error) {
      takeBack(files.slice(0, index));
      throw new OperatorError(`Cannot write "${file.path}": ${reasonOf(error)} - nothing was changed`, { cause: error });
    }
  }
  for (const { path } of files) stdout.write(`changed  ${path}\n`);
  const status = await putInForce(main, invocation);
  if (status === 0) return 0;
  takeBack(files);
  stderr.write('It was taken back: all is as it was.\n');
  await putInForce(main, { ...invocation, program: '' });
  return status;
}

/** A mistake that was there before is shown too: a broker that is started with it would not start. */
function checkWhole(main: string, files: readonly ChangedFile[], { terminal }: Invocation): void {
  const texts = new Map(files.map(({ path, after }) => [path, after]));
  const { diagnostics } = loadConfiguration({ file: main, port: null, verbose: false, lan: false }, texts);
  const mistakes = diagnostics.filter(({ severity }) => severity === 'error');
  for (const mistake of mistakes) terminal.stderr.write(`${formatDiagnostic(mistake)}\n`);
  if (mistakes.length > 0)
    throw new OperatorError(`Cannot change "${main}": with that it has ${mistakes.length} mistakes - nothing was changed`);
}

function takeBack(files: readonly ChangedFile[]): void {
  for (const { path, before } of files) {
    try {
      if (before === null) asOwnerNow(dirname(path), () => rmSync(path, { force: true }));
      else write(path, before);
    } catch (cause) {
      throw new OperatorError(`Cannot take the change of "${path}" back: ${reasonOf(cause)} - it stays changed`, { cause });
    }
  }
}

/** Another user than root gives no file away: a file that others must read would then be one that they cannot. */
function keepOwner(temporary: string, path: string, { uid, gid }: Stats): void {
  const made = statSync(temporary);
  if (made.uid === uid && made.gid === gid) return;
  try {
    chownSync(temporary, uid, gid);
  } catch (cause) {
    throw new OperatorError(`"${path}" belongs to ${nameOf(uid)}, and would not any more - change it as that user`, { cause });
  }
}

/** Mode and owner stay as they are; a new file can be read by everybody who may read its folder's others. */
function write(path: string, text: string): void {
  asOwnerNow(dirname(path), () => {
    const old = statSync(path, { throwIfNoEntry: false });
    const target = old === undefined ? path : realpathSync(path); // a link stays one
    replaceFile(target, (temporary) => {
      writeFileSync(temporary, text, { flag: 'wx', mode: 0o600 });
      if (old !== undefined) keepOwner(temporary, path, old);
      chmodSync(temporary, old === undefined ? 0o644 : old.mode & 0o777);
    });
  });
}
