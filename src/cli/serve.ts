// `midge serve`: runs the broker.

import { relative, resolve } from 'node:path';
import { isSea } from 'node:sea';
import type { RunRequest } from '../app/run.ts';
import { OperatorError } from '../base/errors.ts';
import { shellWord } from '../base/shell-word.ts';
import { nameOf } from '../base/system-users.ts';
import { type Diagnostic, EXIT, type LoadedConfiguration, loadConfiguration, treatLines } from '../config/config.ts';
import { takeBackUnconfirmed } from '../operations/configuration-trial.ts';
import { RESTORE_VARIABLE } from '../operations/prepared-restore.ts';
import { asOwner, foreignOwner } from '../state/as-owner.ts';
import type { StateFolder } from '../state/state-folder.ts';
import type { Invocation } from '../terminal/command.ts';
import { reportConfiguration, withPreflight } from './configuration-report.ts';
import { buildDate, stamp, titleOf } from './stamp.ts';

/** mosquitto's exit status for a configuration that can't be used. */
const BAD_CONFIGURATION = 3;

/** The user whom an installation makes for the broker. */
const SERVICE_USER = 'midge';

/** run serves until it is told to stop; 0, 3 for a bad configuration, 1 when a port can't be opened. With `--test-config` it only reads: 0 or 1, as mosquitto 0 or 3. */
export async function run(invocation: Invocation): Promise<number> {
  const { flags } = invocation;
  const isTest = flags.has('test-config');
  if (flags.has('json') && !isTest) {
    const message =
      'Error: --json goes with --test-config: it prints the mistakes of a configuration. midge status --json tells of a running broker.';
    throw new OperatorError(message, { exitCode: BAD_CONFIGURATION });
  }
  const { file } = commandLine(invocation);
  if (file === null) return readAndServe(invocation);
  if (isTest) return asOwner(file, () => readAndServe(invocation));
  refuseServicesFile(file);
  return readAndServe(invocation);
}

/** A broker that was taken over could write into it what it wants root to do: "user root", or a log in a file of the system. */
function refuseServicesFile(file: string): void {
  const owner = foreignOwner(file);
  if (owner === null || nameOf(owner) !== SERVICE_USER) return;
  const ways = `start the service (sudo systemctl start ${SERVICE_USER}), or use: sudo -u ${SERVICE_USER} midge serve -c ${shellWord(file)}`;
  throw new OperatorError(
    `Cannot serve "${file}" as root: it belongs to user ${SERVICE_USER}, and root would do whatever stands in it - ${ways}`,
  );
}

async function readAndServe(invocation: Invocation): Promise<number> {
  const { flags, terminal, program } = invocation;
  const isTest = flags.has('test-config');
  const { file } = commandLine(invocation);
  const read = (): LoadedConfiguration => loadConfiguration(commandLine(invocation));
  if (!isTest && file !== null && takeBackUnconfirmed(file))
    terminal.stderr.write(`Warning: The last change of ${file} was not confirmed before the broker ended. It was taken back.\n`);
  if (!isTest && terminal.env[RESTORE_VARIABLE] !== undefined) await restoreAsOrdered(invocation);
  const first = read();
  const isMended = first.configuration === null && !isTest && (await mendState(invocation));
  const loaded = isMended ? read() : first;
  const { configuration, diagnostics, exitCode } = await withPreflight(loaded, {
    state: last(flags.get('state')),
    env: terminal.env,
    isStart: !isTest,
  });
  if (isTest || configuration === null) {
    const status = reportConfiguration({ configuration, diagnostics }, { asJson: flags.has('json'), terminal });
    if (isTest) return status !== 0 && program === 'mosquitto' ? BAD_CONFIGURATION : status;
    return program === 'mosquitto' && loaded.configuration === null ? statusOf(diagnostics) : exitCode;
  }
  if (flags.has('daemon')) {
    const { goToBackground, isInBackground } = await import('../service/daemon.ts');
    if (!isInBackground()) return goToBackground(terminal);
  }
  return serve(invocation, { configuration, diagnostics, readAgain: read });
}

async function serve(
  { flags, terminal, program }: Invocation,
  loaded: Pick<RunRequest, 'configuration' | 'diagnostics' | 'readAgain'>,
): Promise<number> {
  const { runAppliance } = await import('../app/run.ts');
  const { version, date } = stamp();
  return runAppliance({
    ...loaded,
    state: last(flags.get('state')),
    keyLog: last(flags.get('tls-keylog')),
    quiet: flags.has('quiet'),
    title: program === 'mosquitto' ? titleOf(program, `midge ${version}`) : `midge version ${version}`,
    buildDate: buildDate(),
    fromSources: date === '',
    command: ownWords(process),
    isMosquitto: program === 'mosquitto',
    say: (text) => void terminal.stdout.write(text),
  });
}

/** mosquitto looks at the words first, then at accounts and rules, then at certificates and ports. */
function statusOf(diagnostics: readonly Diagnostic[]): number {
  const found = diagnostics.map(({ mosquittoExit }) => mosquittoExit);
  return [EXIT.INVALID, EXIT.UNKNOWN].find((status) => found.includes(status)) ?? EXIT.FAILED;
}

/** The words that have started us; from the sources relative to the working folder, where that is shorter. */
function ownWords({ argv0, argv, execPath }: NodeJS.Process): readonly string[] {
  if (isSea()) return [argv0];
  return [execPath, argv[1] ?? ''].map((path) => (relative('.', path).length < path.length ? relative('.', path) : path));
}

/** A restore that was cut off may have left the state folder without files that the configuration names. */
async function mendState(invocation: Invocation): Promise<boolean> {
  const { mendRestore } = await import('../state/mend-restore.ts');
  const { moveAside } = await import('../store/file-names.ts');
  const state = await findStateOf(invocation);
  const mended = state.exists() ? mendRestore(state, moveAside) : null;
  if (mended !== null) invocation.terminal.stderr.write(`Warning: ${mended}\n`);
  return mended !== null;
}

async function restoreAsOrdered(invocation: Invocation): Promise<void> {
  const { restoreOrdered } = await import('./ordered-restore.ts');
  const said = await restoreOrdered(invocation.terminal.env, commandLine(invocation).file, () => findStateOf(invocation));
  if (said !== null) invocation.terminal.stderr.write(`${said}\n`);
}

/** The state folder, whether or not the configuration can be used. */
async function findStateOf({ flags, terminal }: Invocation): Promise<StateFolder> {
  const { findState } = await import('../state/state-folder.ts');
  const { STORE_DEFAULTS } = await import('../store/options.ts');
  const file = last(flags.get('config-file'));
  const location = file === null ? undefined : treatLines(file).findLast(({ name }) => name === 'persistence_location');
  const isRoot = process.getuid?.() === 0;
  return findState({
    asked: last(flags.get('state')),
    location: location === undefined ? null : resolve(location.text),
    file: STORE_DEFAULTS.file,
    isRoot,
    env: terminal.env,
  });
}

function commandLine({ flags, program }: Invocation) {
  const [port = null, ...morePorts] = new Set(flags.get('port')?.map((text) => portNumber(text, program)));
  return {
    file: last(flags.get('config-file')),
    port,
    morePorts,
    verbose: flags.has('verbose'),
    lan: flags.has('lan'),
  };
}

/** 0 lets the system choose, which is of use for tests alone: mosquitto knows no such port. */
function portNumber(text: string, program: string): number {
  const port = Number(text);
  const isKnown = /^\d+$/.test(text) && port <= 65_535 && (port > 0 || program !== 'mosquitto');
  if (isKnown) return port;
  throw new OperatorError(`Error: Invalid port specified (${text}). It is a number from 1 to 65535.`, { exitCode: BAD_CONFIGURATION });
}

/** A flag that is given twice means what it says last. */
function last(values: readonly string[] | undefined): string | null {
  return values?.at(-1) ?? null;
}
