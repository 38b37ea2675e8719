// Asks the running broker over its control socket, wherever it may be.

import { lstatSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { OperatorError } from '../base/errors.ts';
import { STATE_NAMES } from '../base/state-names.ts';
import { nameOf } from '../base/system-users.ts';
import { askControl } from '../control/ask-control.ts';
import { foreignOwner } from '../state/as-owner.ts';
import { findState, type StateFolder } from '../state/state-folder.ts';
import { STORE_DEFAULTS } from '../store/options.ts';
import type { Invocation } from '../terminal/command.ts';
import { loadAsOwner } from './configuration-file.ts';

/** A broker that does not answer by then is stuck. */
const PATIENCE_MS = 15_000;

/** SERVICE_FOLDER is where midge runs as a service; asked after one's own. */
export const SERVICE_FOLDER = '/var/lib/midge';

/** NoBroker is thrown when none runs. */
export class NoBroker extends OperatorError {}

/** askBroker sends one request and gives its result. Throws OperatorError when no broker is there, it may not be asked, or it says no in time. */
export async function askBroker(invocation: Invocation, request: string, words: object = {}): Promise<unknown> {
  return (await findBroker(invocation, { request, ...words }, PATIENCE_MS)).answer;
}

/** Found is an answer, and the state folder that it comes from. */
export interface Found {
  readonly answer: unknown;
  readonly folder: string;
}

/** findBroker asks as askBroker does, for `patience` milliseconds, and says who has answered. */
export async function findBroker(invocation: Invocation, request: object, patience: number): Promise<Found> {
  const folders = foldersOf(invocation);
  let failure: NodeJS.ErrnoException | null = null;
  for (const folder of folders) {
    try {
      return { answer: await askIn(folder, request, patience), folder };
    } catch (error) {
      if (error instanceof OperatorError) throw error;
      const next = error as NodeJS.ErrnoException; // of a socket
      if (failure === null || next.code === 'EACCES') failure = next;
    }
  }
  const isGone = failure?.code === 'ENOENT' || failure?.code === 'ECONNREFUSED';
  const Kind = isGone ? NoBroker : OperatorError;
  throw new Kind(`Cannot ask the broker: ${adviceFor(failure, folders)}`, { cause: failure });
}

/** askIn asks the broker of one state folder. */
export function askIn(folder: string, request: object, patience = PATIENCE_MS): Promise<unknown> {
  return askControl(join(folder, STATE_NAMES.controlSocket), request, patience);
}

/** foldersOf gives the state folders that an invocation may mean, the likeliest first. */
export function foldersOf(invocation: Invocation): readonly string[] {
  const { path } = stateOf(invocation);
  return invocation.flags.has('state') ? [path] : [...new Set([path, ...folderHere(), SERVICE_FOLDER])];
}

/** What `make run` uses; in the folder of somebody else it would be theirs. The working folder of root may be closed to the user as whom root acts. */
function folderHere(): readonly string[] {
  const path = resolve('.midge');
  try {
    const found = lstatSync(path);
    return found.isDirectory() && found.uid === process.geteuid?.() ? [path] : [];
  } catch {
    return [];
  }
}

/** tell has `say` put an answer into words; what it cannot is no answer of a broker of this version. */
export function tell<T>(say: () => T): T {
  try {
    return say();
  } catch (error) {
    if (!(error instanceof TypeError || error instanceof RangeError)) throw error;
    throw new OperatorError('Cannot ask the broker: the broker that answers has another version - restart it', { cause: error });
  }
}

/** stateOf gives the state of the broker that is started with the same flags. Throws OperatorError where somebody else's configuration leads root astray. */
export function stateOf({ flags, terminal }: Invocation): StateFolder {
  const file = flags.get('config-file')?.at(-1) ?? null;
  const configuration = file === null ? null : loadAsOwner(file).configuration;
  const known = { asked: flags.get('state')?.at(-1) ?? null, isRoot: process.getuid?.() === 0, env: terminal.env };
  const usual = findState({ ...known, location: null, file: STORE_DEFAULTS.file });
  if (file === null || configuration === null) return usual;
  const state = findState({ ...known, ...configuration.persistence });
  for (const path of [state.path === usual.path ? null : state.path, state.database === usual.database ? null : dirname(state.database)])
    if (path !== null) requireSameOwner(file, path);
  return state;
}

/** What another user's configuration names is used where that user could use it without root. */
function requireSameOwner(file: string, path: string): void {
  const owner = foreignOwner(file);
  if (owner === null || owner === foreignOwner(path)) return;
  const who = nameOf(owner);
  throw new OperatorError(
    `Cannot use "${path}": "${file}", which belongs to user ${who}, names it as the place of the state, and it does not belong to ${who} - name the folder with --state instead of -c`,
  );
}

function adviceFor(failure: NodeJS.ErrnoException | null, folders: readonly string[]): string {
  if (failure?.code === 'EACCES') return 'only root and its own user may - use sudo';
  if (failure?.code === 'ENOENT' || failure?.code === 'ECONNREFUSED')
    return `none runs with its state in ${folders.join(' or ')} - start it, or name its folder with --state`;
  return failure?.message ?? 'unknown reason';
}
