// Looks at the machine before an installation, and at the service after it.

import { execFileSync } from 'node:child_process';
import { existsSync, lstatSync, readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { OperatorError } from '../base/errors.ts';
import { type Machine, MOSQUITTO_NAMES, PLACES, PROBATION, RETURN_TO_MOSQUITTO, USER } from './plan.ts';

const LOCAL = '/usr/local/bin';

/** Where Debian's package of midge has its service, and what only the image has. */
const PACKAGED_UNIT = '/usr/lib/systemd/system/midge.service';
const IMAGE_MARK = '/usr/libexec/midge/open-data';

/** Where distributions put programs. */
const PROGRAMS = [LOCAL, '/usr/bin', '/usr/sbin', '/bin'];

/** lookAtMachine reads; it changes nothing. */
export function lookAtMachine(program: string): Machine {
  return {
    program,
    executable: executableAt(PLACES.executable, program),
    oldExecutable: existsSync(PLACES.oldExecutable) ? (hasProved() ? 'outlived' : 'way back') : 'absent',
    oldUnit: textAt(PLACES.oldUnit),
    hasUser: says('id', '-u', '--', USER) !== null,
    configuration: configurationAt(PLACES.configuration),
    hasRootsConfiguration: lstatSync(PLACES.configurationFolder, { throwIfNoEntry: false })?.uid === 0,
    hasOldReleaseKeys: existsSync(PLACES.oldReleaseKeys) && !existsSync(PLACES.releaseKeys),
    hasRootsState: isRootsIn(PLACES.state),
    passwords: passwordsAt(PLACES.passwords),
    unit: textAt(PLACES.unit),
    upgradeService: textAt(PLACES.upgradeService),
    upgradePath: textAt(PLACES.upgradePath),
    isActive: isActive('midge.service'),
    mosquitto: mosquittoHere(),
    freeNames: MOSQUITTO_NAMES.filter((name) => !PROGRAMS.some((folder) => existsSync(join(folder, name)))),
    linkedNames: MOSQUITTO_NAMES.filter((name) => linkAt(join(LOCAL, name)) === PLACES.executable),
  };
}

/** Who keeps the program of this machine: Debian's package or the image, which are not ours to change, or an installation. */
export type Keeper = 'package' | 'image' | 'installation';

/** keeperOfProgram tells who put midge here, or would. */
export function keeperOfProgram(): Keeper {
  if (existsSync(PACKAGED_UNIT)) return 'package';
  return existsSync(IMAGE_MARK) ? 'image' : 'installation';
}

/** installedVersion asks the installed program for its version; null = there is none, or it does not run. */
export function installedVersion(): string | null {
  const text = existsSync(PLACES.executable) ? says(PLACES.executable, 'version', '--json') : null;
  try {
    const { version } = JSON.parse(text ?? '') as { readonly version?: unknown }; // what midge version prints
    return typeof version === 'string' ? version : null;
  } catch {
    return null;
  }
}

/** mosquittoHere tells of the service of Debian's package. */
export function mosquittoHere(): Machine['mosquitto'] {
  if (isActive('mosquitto.service')) return 'runs';
  return says('systemctl', 'show', '-p', 'LoadState', 'mosquitto.service') === 'LoadState=loaded' ? 'stopped' : 'absent';
}

/** withWayBack adds to a failure how to have mosquitto back. */
export function withWayBack(error: unknown): unknown {
  if (!(error instanceof OperatorError)) return error;
  return new OperatorError(`${error.message}\n${RETURN_TO_MOSQUITTO}`, { cause: error, exitCode: error.exitCode });
}

/** hasSystemd tells whether systemd manages this machine: sd_booted(3). */
export function hasSystemd(): boolean {
  return existsSync('/run/systemd/system');
}

/** systemdVersion is the number of systemd's version, or null where there is none. */
export function systemdVersion(): number | null {
  const version = /^systemd (\d+)/.exec(says('systemctl', '--version') ?? '')?.[1];
  return version === undefined ? null : Number(version);
}

/** ServiceState is how systemd sees the service. */
export interface ServiceState {
  readonly isRunning: boolean;
  readonly pid: number;
  /** Times it was started anew because it fell. */
  readonly falls: number;
  /** Seconds since it was last ready. */
  readonly readyFor: number;
  /** `start-pre`, `running`, `auto-restart` ... */
  readonly word: string;
}

/** systemctl(1), org.freedesktop.systemd1(5). The time is that of CLOCK_MONOTONIC in microseconds, as is process.hrtime. */
const PROPERTIES = 'ActiveState,SubState,MainPID,NRestarts,ActiveEnterTimestampMonotonic';

/** serviceState asks systemd. */
export function serviceState(): ServiceState {
  const text = says('systemctl', 'show', '-p', PROPERTIES, 'midge.service') ?? '';
  const values = Object.fromEntries(text.split('\n').map((line) => line.split('=')));
  const { ActiveState, SubState, MainPID, NRestarts, ActiveEnterTimestampMonotonic } = values as Record<string, string | undefined>; // NAME=VALUE lines
  return {
    isRunning: ActiveState === 'active',
    pid: Number(MainPID ?? 0),
    falls: Number(NRestarts ?? 0),
    readyFor: process.hrtime()[0] - Number(ActiveEnterTimestampMonotonic ?? 0) / 1e6,
    word: `${ActiveState ?? 'unknown'} (${SubState ?? ''})`,
  };
}

/** lastWords gives the last lines that the service wrote. */
export function lastWords(): string {
  return says('journalctl', '-u', 'midge.service', '-n', '15', '-o', 'cat', '--no-pager') ?? '';
}

/** tryProgram runs a program with words and tells what it wrote, or null when it can't run here or fails. */
export function tryProgram(program: string, ...words: readonly string[]): string | null {
  return says(program, ...words);
}

function isActive(unit: string): boolean {
  return says('systemctl', 'is-active', unit) === 'active';
}

function says(program: string, ...words: readonly string[]): string | null {
  try {
    return execFileSync(program, words, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
  } catch {
    return null;
  }
}

function executableAt(path: string, program: string): Machine['executable'] {
  if (!existsSync(path)) return 'absent';
  if (statSync(path).size !== statSync(program).size) return 'other';
  return readFileSync(path).equals(readFileSync(program)) ? 'same' : 'other';
}

function configurationAt(path: string): Machine['configuration'] {
  if (!existsSync(path)) return 'absent';
  return readFileSync(path, 'utf8').includes(PLACES.passwords) ? 'own' : 'other';
}

/** Whether root owns a folder or something in it. Links are not followed: the broker's user may have made them. */
function isRootsIn(path: string): boolean {
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (found === undefined) return false;
  return found.uid === 0 || (found.isDirectory() && readdirSync(path).some((name) => isRootsIn(join(path, name))));
}

function passwordsAt(path: string): Machine['passwords'] {
  if (!existsSync(path)) return 'absent';
  const hasUsers = readFileSync(path, 'utf8')
    .split('\n')
    .some((line) => /^[^#:]+:/.test(line));
  return hasUsers ? 'has users' : 'empty';
}

/** The version in place has run for as long as a new one is on probation. */
function hasProved(): boolean {
  const { isRunning, pid, readyFor } = serviceState();
  return isRunning && readyFor >= PROBATION && isSameFile(`/proc/${pid}/exe`, PLACES.executable);
}

function isSameFile(one: string, other: string): boolean {
  try {
    const [a, b] = [statSync(one), statSync(other)];
    return a.dev === b.dev && a.ino === b.ino;
  } catch {
    return false;
  }
}

function textAt(path: string): string | null {
  return existsSync(path) ? readFileSync(path, 'utf8') : null;
}

function linkAt(path: string): string | null {
  try {
    return readlinkSync(path);
  } catch {
    return null;
  }
}
