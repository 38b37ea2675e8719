// What a configuration needs of this machine, looked at before anything is changed: by `midge check`, and by `midge serve` at the start.

import { accessSync, constants, readFileSync, type Stats, statSync } from 'node:fs';
import { userInfo } from 'node:os';
import { dirname } from 'node:path';
import { reasonOf } from '../base/errors.ts';
import { idOf } from '../base/system-users.ts';
import { wantsOurs } from '../listeners/options.ts';
import { isRoot } from '../service/user.ts';
import { findState, type StateFolder } from '../state/state-folder.ts';
import { foreignFile } from '../store/foreign-file.ts';
import type { Configuration } from './configuration.ts';
import { type Diagnostic, EXIT, type Place, Report } from './diagnostic.ts';
import { PortsInMind } from './preflight-ports.ts';

/** Nobody is this user but the service. */
const SERVICE_USER = 'midge';

export interface PreflightRequest {
  readonly configuration: Configuration;
  /** `--state`, or null. */
  readonly state: string | null;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** At a start a lack of rights is a mistake. A check may be run by another user than the broker's: there it is a warning. */
  readonly isStart: boolean;
}

/** keepsSessions: `persistence` says it; without a configuration file those who name a folder, or serve the network, want to keep something. */
export function keepsSessions({ configuration, state }: Pick<PreflightRequest, 'configuration' | 'state'>): boolean {
  const { persistence, file, localOnly } = configuration;
  return persistence.enabled || (file === null && (state !== null || !localOnly));
}

/** Preflight: `exitCode` is mosquitto's for what is wrong. */
export interface PreflightReport {
  readonly diagnostics: readonly Diagnostic[];
  readonly exitCode: number;
}

/** preflight changes nothing, and gives what would stop the start, all at once. Not for a reload: the database must not be open in this process. */
export async function preflight(request: PreflightRequest): Promise<PreflightReport> {
  const flight = new Preflight(request);
  flight.lookAtState();
  const exitCode = flight.report.hasErrors ? EXIT.INVALID : EXIT.FAILED;
  flight.lookAtProcess();
  await flight.lookAtListeners();
  return { diagnostics: flight.report.sorted(), exitCode };
}

class Preflight {
  readonly report = new Report();
  readonly #request: PreflightRequest;
  readonly #configuration: Configuration;

  constructor(request: PreflightRequest) {
    this.#request = request;
    this.#configuration = request.configuration;
  }

  lookAtState(): void {
    const { configuration, state: asked, env } = this.#request;
    const state = findState({ asked, ...configuration.persistence, isRoot: isRoot(), env });
    const keeps = keepsSessions(this.#request);
    const isNeeded =
      configuration.makesAccount || configuration.listeners.some(wantsOurs) || (keeps && dirname(state.database) === state.path);
    if (isNeeded) this.#lookAtFolder(state);
    if (keeps) this.#lookAtDatabase(state, isNeeded);
  }

  lookAtProcess(): void {
    const { log, process: ours } = this.#configuration;
    if (ours.pidFile !== null) this.#lookAtFile('pid_file', ours.pidFile);
    for (const each of log.destinations) if (each.kind === 'file') this.#lookAtFile('log_dest', each.path);
    if (ours.user !== null && idOf(ours.user, '-u') === null) {
      const hint = 'add it or change "user"';
      if (isRoot()) this.report.error(this.#place('user'), `Cannot become user "${ours.user}": there is no such user`, hint);
      else this.report.warning(this.#place('user'), `There is no user "${ours.user}", which a start as root needs`, hint);
    }
  }

  async lookAtListeners(): Promise<void> {
    const first = unprivilegedFrom();
    const ports = new PortsInMind(this.report);
    for (const [index, listener] of this.#configuration.listeners.entries()) {
      const { port, unixPath } = listener;
      const place = this.#place(`listener ${index}`);
      if (unixPath !== null) {
        this.#lookAtSocket(unixPath, place);
        continue;
      }
      if (port > 0 && port < first && !mayOpenAnyPort()) {
        this.#lack(
          place,
          `Cannot open port ${port}: user "${userName()}" has no right to open a port below ${first}`,
          'start as root with a "user", by the service, or choose another port',
        );
      }
      if (!this.#configuration.localOnly) await ports.look(listener, place); // there ::1 may be missing
    }
  }

  #lookAtSocket(path: string, place: Place | null): void {
    const found = find(path);
    const what = `socket "${path}"`;
    if (found !== null && !found.isSocket())
      this.report.error(place, `Cannot open ${what}: something else has this name`, 'choose another path, or remove it');
    else if (found === null) this.#lookAtPlaceOf(path, place, what);
  }

  #lookAtFolder(state: StateFolder): void {
    const place =
      this.#request.state === null && state.path === this.#configuration.persistence.location ? this.#place('persistence_location') : null;
    const judgement = state.judge();
    if (judgement.kind === 'foreign')
      this.report.error(place, `Cannot use "${state.path}" as state folder: ${judgement.reason}`, 'name a folder of its own with --state');
    else if (judgement.kind === 'absent') this.#lookAtParent(state.path, place, `state folder "${state.path}"`);
    else this.#mayWrite(state.path, place, `state folder "${state.path}"`);
  }

  #lookAtDatabase(state: StateFolder, isFolderLookedAt: boolean): void {
    const place = this.#place('persistence_file') ?? this.#place('persistence_location') ?? this.#place('persistence');
    const what = `database "${state.database}"`;
    try {
      const foreign = foreignFile(state.database, state.isDatabaseFolderOurs());
      const advice = foreign?.isMosquittos ? '; midge import mosquitto takes over what is in it' : '';
      if (foreign !== null)
        return this.report.error(place, `Cannot open ${what}: ${foreign.reason}`, `name another file with persistence_file${advice}`);
    } catch (error) {
      return this.#lack(place, `Cannot open ${what}: ${reasonOf(error)}`, 'make it readable for the user of the broker');
    }
    const folder = dirname(state.database);
    if (state.database === state.path)
      return this.report.error(place, `Cannot open ${what}: it is the state folder`, 'name a file in it with persistence_file');
    if (folder === state.path && isFolderLookedAt) return;
    const found = find(folder);
    if (found === null) this.#lookAtParent(folder, place, what);
    else if (found.isDirectory()) this.#mayWrite(folder, place, what);
    else this.report.error(place, `Cannot make ${what}: "${folder}" is not a folder`, 'name another place');
  }

  /** A file that is written: made in its folder, which must be there. */
  #lookAtFile(word: string, path: string): void {
    const found = find(path);
    const what = `${word} "${path}"`;
    const place = this.#place(word);
    if (found?.isDirectory()) this.report.error(place, `Cannot write ${what}: it is a folder`, 'name a file in it');
    else if (found?.isFIFO() || found?.isSocket())
      this.report.error(place, `Cannot write ${what}: it is a FIFO or a socket, which may keep the broker waiting`, 'name a file');
    else if (found === null) this.#lookAtPlaceOf(path, place, what);
    else this.#mayWrite(path, place, what);
  }

  #lookAtPlaceOf(path: string, place: Place | null, what: string): void {
    const folder = dirname(path);
    const found = find(folder);
    if (found === null) this.report.error(place, `Cannot write ${what}: its folder is not there`, `make it: mkdir -p ${folder}`);
    else if (!found.isDirectory()) this.report.error(place, `Cannot write ${what}: "${folder}" is not a folder`, 'name another place');
    else this.#mayWrite(folder, place, what);
  }

  /** What is not there yet is made in the nearest folder above it that is. */
  #lookAtParent(path: string, place: Place | null, what: string): void {
    let above = dirname(path);
    while (above !== '/' && find(above) === null) above = dirname(above);
    if (find(above)?.isDirectory() && !isOfKernel(above)) this.#mayWrite(above, place, what);
    else this.report.error(place, `Cannot make ${what}: nothing can be made in "${above}"`, 'name another place');
  }

  #mayWrite(path: string, place: Place | null, what: string): void {
    try {
      accessSync(path, constants.W_OK);
    } catch (error) {
      this.#lack(
        place,
        `Cannot write ${what}: ${reasonOf(error)}`,
        `name another place, or give user "${userName()}" the right to write in "${path}"`,
      );
    }
  }

  /** The service's own user that checks finds what the start would find. */
  #lack(place: Place | null, message: string, hint: string): void {
    if (this.#request.isStart || userName() === SERVICE_USER) this.report.error(place, message, hint);
    else this.report.warning(place, message, `${hint}; the broker may run as another user`);
  }

  #place(word: string): Place | null {
    return this.#configuration.places.get(word) ?? null;
  }
}

/** Null where there is nothing, or this user may not look. */
function find(path: string): Stats | null {
  try {
    return statSync(path);
  } catch {
    return null;
  }
}

/** Folders that the kernel makes up. */
function isOfKernel(path: string): boolean {
  return ['/proc', '/sys'].some((root) => path === root || path.startsWith(`${root}/`));
}

/** ip(7): ip_unprivileged_port_start. */
function unprivilegedFrom(): number {
  try {
    return Number(readFileSync('/proc/sys/net/ipv4/ip_unprivileged_port_start', 'utf8'));
  } catch {
    return 1024;
  }
}

/** capabilities(7): CAP_NET_BIND_SERVICE is bit 10. What root does as another user is permitted to it, though not in effect at the moment. */
function mayOpenAnyPort(): boolean {
  const permitted = /^CapPrm:\s*([0-9a-f]+)$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1] ?? '0';
  return (BigInt(`0x${permitted}`) & (1n << 10n)) !== 0n;
}

function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return String(process.getuid?.());
  }
}
