// What a person who starts the broker by hand wants to know next: how to try it, where its files are, how to stop it.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Account, filesOf } from '../access/options.ts';
import { shellWord } from '../base/shell-word.ts';
import { isLockedOut } from '../config/config.ts';
import type { Configuration } from '../config/configuration.ts';
import type { Listener } from '../listeners/listeners.ts';
import { wantsOurs } from '../listeners/options.ts';
import { pageUrl } from '../operations/page-url.ts';
import { ways } from '../service/self-test.ts';
import type { StateFolder } from '../state/state-folder.ts';

type Way = Pick<Listener, 'options' | 'port' | 'addresses'>;

export interface StartFacts {
  /** Words that start this program, for example `./midge`. */
  readonly command: readonly string[];
  /** In force: with the account that was made. */
  readonly configuration: Configuration;
  /** Those that are open. */
  readonly listeners: readonly Way[];
  readonly state: StateFolder;
  readonly keepsSessions: boolean;
  /** The account that this start has made, or null. */
  readonly madeAccount: Account | null;
}

/** StopFacts tell how the program was started. */
export interface StopFacts {
  readonly isOnTerminal: boolean;
  readonly pid: number;
  /** $SYSTEMD_EXEC_PID: our process when systemd has started it. systemd.exec(5) */
  readonly servicePid: string | undefined;
}

/** startWords gives them as a few lines with an empty one around. */
export function startWords(facts: StartFacts, stop: StopFacts): string {
  const [trust, page] = [trustWords(facts), pageWords(facts)];
  const rows: readonly (readonly [string, string | null])[] = [
    ['Test', testCommand(facts)],
    ['Page', page === null ? null : `${page} in a browser`],
    ['State', stateWords(facts)],
    ['Trust', trust === null ? null : `${trust} on devices that use TLS`],
    ['Note', passwordWords(facts)],
    ['Stop', stopWords(stop)],
  ];
  const lines = rows.flatMap(([name, text]) => (text === null ? [] : [`  ${name.padEnd(5)}  ${text}\n`]));
  return `\n${lines.join('')}\n`;
}

/** startLines gives what of it belongs into a log. */
export function startLines(facts: StartFacts): readonly string[] {
  const [trust, passwords, page] = [trustWords(facts), passwordWords(facts), pageWords(facts)];
  return [
    ...(page === null ? [] : [`The page for browsers: ${page}`]),
    ...(facts.state.exists() ? [`State folder: ${facts.state.path}.`] : []),
    ...(trust === null ? [] : [`Devices that use TLS must trust ${trust}.`]),
    ...(passwords === null ? [] : [`Note: ${passwords}.`]),
  ];
}

function pageWords({ listeners }: StartFacts): string | null {
  const ways = listeners.map(({ options, port, addresses }) => ({
    protocol: options.protocol,
    tls: options.tls !== null,
    port,
    addresses,
  }));
  return pageUrl(ways);
}

function stateWords({ state, keepsSessions }: StartFacts): string {
  const ending = 'sessions and retained messages end with the broker';
  if (!state.exists()) return `none: ${ending}`;
  return keepsSessions ? state.path : `${state.path} (${ending})`;
}

function trustWords({ listeners, state }: StartFacts): string | null {
  return listeners.some(({ options }) => wantsOurs(options)) ? authorityOf(state) : null;
}

/** Ports that carry passwords through a network without TLS. */
function passwordWords({ configuration, listeners }: StartFacts): string | null {
  const { access } = configuration;
  const carrying = listeners.filter(({ options, addresses }) => {
    const takesPasswords = access.account !== null || filesOf(access, options.policy.name).passwordFile !== null;
    const isOpenToOthers = options.unixPath === null && options.proxyProtocol === 0 && !addresses.every(isLoopback);
    return takesPasswords && isOpenToOthers && options.tls === null;
  });
  if (carrying.length === 0) return null;
  const kinds = new Set(carrying.map(kindOf));
  const secure = listeners.filter((each) => each.options.tls !== null && each.options.unixPath === null && kinds.has(kindOf(each)));
  const isWhole = kinds.size === new Set(secure.map(kindOf)).size;
  const instead = isWhole ? `use ${portsOf(secure)}, with TLS` : 'secure true in a listener adds TLS';
  return `others on the network can read passwords that are sent to ${portsOf(carrying)} - ${instead}`;
}

/** What speaks MQTT cannot be sent to the port of a page, nor a browser to one of MQTT. */
function kindOf({ options: { protocol } }: Way): 'MQTT' | 'HTTP' {
  return protocol === 'mqtt' || protocol === 'websockets' ? 'MQTT' : 'HTTP';
}

function portsOf(listeners: readonly Way[]): string {
  const ports = [...new Set(listeners.map(({ port }) => port))];
  return `${ports.length === 1 ? 'port' : 'ports'} ${ports.join(' and ')}`;
}

function isLoopback(address: string): boolean {
  return address.startsWith('127.') || address === '::1';
}

/** By TLS where that is possible; none where a test needs more than a name and a password. */
function testCommand({ command, configuration, listeners, state, madeAccount }: StartFacts): string | null {
  const way = ways(listeners).find(({ options }) => !isLockedOut(options, configuration));
  if (way === undefined) return null;
  const { options, port, addresses } = way;
  const [address = ''] = addresses;
  const host = isLoopback(address) || address === '0.0.0.0' || address === '::' ? 'localhost' : address;
  const where = options.unixPath === null ? ['-h', host, '-p', String(port)] : ['--unix', options.unixPath];
  const trust = options.tls?.certificate === 'appliance' ? ['--cafile', authorityOf(state)] : [];
  const user = configuration.access.account?.username ?? madeAccount?.username ?? 'USER';
  const login = options.policy.allowAnonymous ? [] : ['-u', user, '-P', 'PASSWORD'];
  return [...command, 'sub', ...where, ...trust, ...login, '-t', '#', '-v'].map(shellWord).join(' ');
}

function authorityOf(state: StateFolder): string {
  return join(state.certificates, 'ca.crt');
}

function stopWords({ isOnTerminal, pid, servicePid }: StopFacts): string {
  if (servicePid === String(pid)) return `systemctl stop ${unitName()}`;
  return isOnTerminal ? 'Ctrl+C' : `kill ${pid}`;
}

/** cgroups(7): the path of a service ends with its name. */
function unitName(): string {
  try {
    return /([^/\n]+)\.service\n?$/.exec(readFileSync('/proc/self/cgroup', 'utf8'))?.[1] ?? 'midge';
  } catch {
    return 'midge';
  }
}
