// Changes files of a configuration all or none: the whole is checked first, then written, and taken back where the running broker cannot take it over.

import { chmodSync, chownSync, rmSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { OperatorError, reasonOf } from '../base/errors.ts';
import { rewriteFile } from '../base/rewrite-file.ts';
import { idOf } from '../base/system-users.ts';
import { formatDiagnostic } from '../config/config.ts';
import type { ChangedFile } from '../config/writer.ts';
import { isUnconfirmed } from '../operations/configuration-trial.ts';
import { asOwnerNow } from '../state/as-owner.ts';
import type { Invocation } from '../terminal/command.ts';
import { loadAsOwner } from './configuration-file.ts';
import { reloadBroker } from './reload-broker.ts';

/** Its group has the same name. */
const SERVICE_USER = 'midge';

/**
 * changeFiles writes the files and has the running broker read them. The exit status is 1 when it could not, and then all is as it was. Throws
 * OperatorError when the configuration would have mistakes, or a file cannot be written. `named` are files that the configuration names.
 */
export async function changeFiles(
  main: string,
  files: readonly ChangedFile[],
  invocation: Invocation,
  named: readonly ChangedFile[] = [],
): Promise<number> {
  const unconfirmed = files.find(({ path }) => isUnconfirmed(path));
  if (unconfirmed !== undefined)
    throw new OperatorError(
      `Cannot change "${unconfirmed.path}": a change over REST waits there to be confirmed - confirm it, or wait a minute until it is taken back`,
    );
  const { stdout } = invocation.terminal;
  const all = [...named, ...files];
  writeAll(named);
  try {
    checkWhole(main, files, invocation);
    writeAll(files);
  } catch (error) {
    takeBack(named);
    throw error;
  }
  for (const { path } of all) stdout.write(`changed  ${path}\n`);
  const status = await reloadBroker(main, invocation);
  if (status !== 0) await takeBackFiles(main, all, invocation);
  return status;
}

/** takeBackFiles gives files what they held before a change, and has the running broker read them. Throws OperatorError. */
export async function takeBackFiles(main: string, files: readonly ChangedFile[], invocation: Invocation): Promise<void> {
  takeBack(files);
  invocation.terminal.stderr.write('midge has taken the change back.\n');
  await reloadBroker(main, { ...invocation, program: '' });
}

function writeAll(files: readonly ChangedFile[]): void {
  for (const [index, file] of files.entries()) {
    try {
      write(file.path, file.after, file.mode);
    } catch (error) {
      takeBack(files.slice(0, index));
      throw new OperatorError(`Cannot write "${file.path}": ${reasonOf(error)} - nothing was changed`, { cause: error });
    }
  }
}

/** A mistake that was there before is shown too: a broker that is started with it would not start. */
function checkWhole(main: string, files: readonly ChangedFile[], { terminal }: Invocation): void {
  const texts = new Map(files.map(({ path, after }) => [path, after]));
  const { diagnostics } = loadAsOwner(main, texts);
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

/** A new file that is no secret can be read by everybody who may read its folder's others; a secret one by the group of the service. */
function write(path: string, text: string, mode = 0o644): void {
  asOwnerNow(dirname(path), () =>
    rewriteFile(path, text, (temporary) => {
      if (mode !== 0o644) shareWithGroup(temporary, dirname(path));
      chmodSync(temporary, mode);
    }),
  );
}

/** The service reads it by its group; without a service the group is that of the folder. Another user than root gives nothing away. */
function shareWithGroup(temporary: string, folder: string): void {
  const { uid } = statSync(temporary);
  if (uid === 0) chownSync(temporary, uid, idOf(SERVICE_USER, '-g') ?? statSync(folder).gid);
}
