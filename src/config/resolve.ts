// Drafts and command line -> Configuration: defaults are filled in and what contradicts itself is reported.

import { isIP } from 'node:net';
import { DEFAULT_LOG_TYPES, LOG_TYPES } from '../base/logger.ts';
import { DEFAULT_BROKER_OPTIONS } from '../broker/options.ts';
import { isLocal, type ListenerOptions } from '../listeners/options.ts';
import type { LogDestination, LogOptions } from '../logging/options.ts';
import { builtInListeners, localListeners } from './built-in-listeners.ts';
import type { Configuration, PersistenceOptions } from './configuration.ts';
import { opensDefault, reportHiddenDefault, withPort, withWordsOf } from './default-listener.ts';
import { isLockedOut } from './describe-access.ts';
import { EXIT, type Place, type Report } from './diagnostic.ts';
import type { GlobalDraft, ListenerDraft, SecurityDraft } from './draft.ts';
import type { Interpretation } from './interpreter.ts';
import { resolveBridges } from './resolve-bridge.ts';
import { resolveCluster } from './resolve-cluster.ts';
import { resolveInternet } from './resolve-internet.ts';
import { type ListenerDefaults, resolveListener } from './resolve-listener.ts';
import { resolveUpdates } from './resolve-updates.ts';

/** CommandLine is what the program was started with. */
export interface CommandLine {
  /** `-c`, or null. */
  readonly file: string | null;
  /** `-p`, or null; 0 lets the system choose. */
  readonly port: number | null;
  /** Ports of further `-p`; they are opened where the first one is. */
  readonly morePorts?: readonly number[];
  /** `-v`: log all types. */
  readonly verbose: boolean;
  /** `--lan`: the embedded defaults on all interfaces, never anonymous, announced. */
  readonly lan: boolean;
}

/** resolveConfiguration never fails: after an error its result is not to be used, but everything has been looked at. */
export function resolveConfiguration(said: Interpretation, commandLine: CommandLine, report: Report): Configuration {
  const { global } = said;
  const drafts = configuredListeners(said, commandLine, report);
  const localOnly = drafts.length === 0 && !commandLine.lan;
  const listeners =
    drafts.length > 0
      ? drafts.map((draft) => resolveListener(draft, defaultsOf(draft, global), report))
      : withWordsOf(
          said.defaultListener,
          defaultListeners(commandLine, {
            ...global.everyListener,
            ...global.security,
            allowAnonymous: commandLine.lan ? false : (global.security.allowAnonymous ?? localOnly),
          }),
        );
  reportTwins(drafts, listeners, report);
  reportPlainHttp(said.defaultListener, drafts, listeners, report);
  const access = resolveAccess(global, filesByName(global, drafts, listeners), report);
  const configuration: Configuration = {
    file: commandLine.file,
    places: new Map([
      ...global.places,
      ...placesOfListeners(drafts),
      ...said.bridges.map(({ name, place }): [string, Place] => [`connection ${name}`, place]),
    ]),
    broker: { ...DEFAULT_BROKER_OPTIONS, ...global.broker },
    listeners,
    bridges: resolveBridges(said.bridges, report),
    cluster: resolveCluster(global, report),
    localOnly,
    hasDefaultPorts: drafts.length === 0 && commandLine.port === null,
    log: resolveLog(global, commandLine.verbose),
    access,
    controlApi: global.enableControlApi ?? false,
    makesAccount: commandLine.lan && access.account === null && access.passwordFile === null,
    filesRead: [],
    watched: [],
    certificateNames: [...new Set(global.certificateNames)],
    internet: resolveInternet(global, listeners, report),
    updates: resolveUpdates(global, report),
    discovery: { advertise: !localOnly && (global.discovery.advertise ?? true), name: global.discovery.name ?? null },
    isHomeAssistantDevice: global.homeAssistant ?? false,
    locationHistory: { keep: 'phones', days: 90, ...global.locationHistory },
    persistence: resolvePersistence(global, report),
    process: { user: global.process.user ?? null, pidFile: global.process.pidFile ?? null },
  };
  if (localOnly && global.discovery.advertise) {
    report.warning(global.places.get('advertise') ?? null, 'advertise has no effect', 'without a listener only this machine can connect');
  }
  if (!report.hasErrors) reportLockedOut(configuration, drafts, report);
  return configuration;
}

function placesOfListeners(drafts: readonly ListenerDraft[]): [string, Place][] {
  return drafts.flatMap((draft, index): [string, Place][] => {
    const place = placeOf(draft);
    if (place === null) return [];
    return draft.place === null
      ? [[`listener ${index}`, place]]
      : [
          [`listener ${index}`, place],
          ['listener', place],
        ];
  });
}

function defaultsOf(draft: ListenerDraft, global: GlobalDraft): ListenerDefaults {
  const security = securityOf(draft, global);
  return { security, allowAnonymous: security.allowAnonymous ?? false, tcpNoDelay: global.everyListener.tcpNoDelay };
}

/** securityOf gives the words about accounts and rules that are in force for a listener. */
function securityOf(draft: ListenerDraft, global: GlobalDraft): SecurityDraft {
  return global.perListenerSettings ? draft.security : global.security;
}

/** The files of each listener, or null when all have the same. */
function filesByName({ perListenerSettings }: GlobalDraft, drafts: readonly ListenerDraft[], listeners: readonly ListenerOptions[]) {
  if (!perListenerSettings || drafts.length === 0) return null;
  return new Map(
    drafts.map(({ security }, index) => {
      const { passwordFile = null, aclFile = null } = security;
      return [listeners[index]!.policy.name, { passwordFile, aclFile }]; // one for each draft
    }),
  );
}

/** configuredListeners gives the listeners of the files, the default one last as mosquitto opens it; none means the embedded defaults. */
function configuredListeners(
  { global, defaultListener, listeners }: Interpretation,
  commandLine: CommandLine,
  report: Report,
): readonly ListenerDraft[] {
  const { port, morePorts = [], lan } = commandLine;
  const saysDefault = listeners.length > 0 ? defaultListener.places.size > 0 : opensDefault(defaultListener);
  const accountOpens = global.access.username !== undefined && listeners.length === 0 && !lan;
  const drafts = saysDefault || accountOpens ? [...listeners, withPort(defaultListener, port)] : listeners;
  if (lan) reportAgainstLan(global, drafts, report);
  else if (drafts.length > 0) {
    for (const each of [port, ...morePorts]) {
      if (each === null || drafts.some((draft) => draft.socket.port === each)) continue;
      report.warning(null, `-p ${each} has no effect`, 'the configuration file has listeners; add the port there');
    }
  }
  if (saysDefault && listeners.length > 0) reportHiddenDefault(defaultListener, report);
  return drafts;
}

function reportAgainstLan(global: GlobalDraft, drafts: readonly ListenerDraft[], report: Report): void {
  const [first] = drafts;
  if (first !== undefined) {
    report.error(
      placeOf(first),
      'Cannot use --lan with a configuration file that opens listeners',
      'leave --lan out, or remove the listeners',
    );
  }
  if (global.security.allowAnonymous) {
    report.error(
      global.places.get('allow_anonymous') ?? null,
      'Cannot use allow_anonymous true with --lan',
      'remove it: with --lan nobody connects without an account',
    );
  }
}

function defaultListeners(
  { lan, port, morePorts = [] }: CommandLine,
  settings: Parameters<typeof builtInListeners>[1],
): readonly ListenerOptions[] {
  return [port, ...morePorts].flatMap((each) => (lan ? builtInListeners(each, settings, [null]) : localListeners(each, settings)));
}

/** reportLockedOut warns of what surprises most who come from older versions: a listener, and nobody who may use it. */
function reportLockedOut(configuration: Configuration, drafts: readonly ListenerDraft[], report: Report): void {
  for (const [index, listener] of configuration.listeners.entries()) {
    if (!isLockedOut(listener, configuration)) continue;
    const where = listener.unixPath ?? `port ${listener.port}`;
    report.warning(
      placeOf(drafts[index]),
      `Nobody can connect to ${where}`,
      'add username and password, password_file, or allow_anonymous true',
    );
  }
}

/** placeOf is where a listener is opened: its line, or for the default listener the word that opens it. */
function placeOf(draft: ListenerDraft | undefined): Place | null {
  return draft?.place ?? draft?.places.get('port') ?? [...(draft?.places.values() ?? [])][0] ?? null;
}

/** reportTwins finds listeners for the same address, of which only one could be opened. */
function reportTwins(drafts: readonly ListenerDraft[], listeners: readonly ListenerOptions[], report: Report): void {
  for (const [index, listener] of listeners.entries()) {
    const draft = drafts[index];
    if (draft === undefined || (listener.port === 0 && listener.unixPath === null)) continue;
    const earlier = listeners.findIndex((other, place) => place < index && areTwins(other, listener));
    if (earlier === -1) continue;
    const where = listener.unixPath ?? `port ${listener.port}`;
    const at = placeOf(drafts[earlier]);
    const other = at === null ? '' : `, already at ${at.file}:${at.line}`;
    report.error(
      placeOf(draft),
      `Cannot open two listeners on ${where}${other}`,
      'remove one, or give them different addresses or ports',
      EXIT.FAILED,
    );
  }
}

/** reportPlainHttp finds listeners that would send people on to HTTPS, and nowhere. */
function reportPlainHttp(
  { socket, places }: ListenerDraft,
  drafts: readonly ListenerDraft[],
  listeners: readonly ListenerOptions[],
  report: Report,
): void {
  if (socket.protocol === 'http') {
    const message = 'Cannot use protocol http for the default listener';
    report.error(places.get('protocol') ?? null, message, 'write a listener line with a port of its own above it, such as listener 8443');
  }
  if (listeners.some(({ protocol, tls }) => protocol === 'http' && tls !== null)) return;
  for (const [index, listener] of listeners.entries()) {
    if (listener.protocol !== 'http' || isLocal(listener) || drafts[index]?.place == null) continue;
    const hint = 'remove secure false, or add another listener with protocol http, which it sends people on to';
    report.error(drafts[index].places.get('secure') ?? placeOf(drafts[index]), 'Cannot use HTTP without TLS on the network', hint);
  }
}

/** A listener on all addresses of a family has those of the others too. */
function areTwins(a: ListenerOptions, b: ListenerOptions): boolean {
  if (a.port !== b.port || a.unixPath !== b.unixPath || a.bindInterface !== b.bindInterface) return false;
  if (a.address === b.address) return a.socketDomain === b.socketDomain;
  if (a.bindInterface !== null || a.socketDomain !== null || b.socketDomain !== null) return false;
  return covers(a.address, b.address) || covers(b.address, a.address);
}

function covers(wide: string | null, narrow: string | null): boolean {
  if (wide === null) return narrow === null || isIP(narrow) > 0;
  const family = wide === '0.0.0.0' ? 4 : wide === '::' ? 6 : null;
  return family !== null && narrow !== null && isIP(narrow) === family;
}

function resolveAccess(global: GlobalDraft, listeners: Configuration['access']['listeners'], report: Report): Configuration['access'] {
  const { access, security, places } = global;
  const { username, password } = access;
  const { passwordFile = null, aclFile = null } = security;
  if (username !== undefined && password === undefined)
    report.error(places.get('username') ?? null, 'Cannot use username without password', 'add a password line');
  if (password !== undefined && username === undefined)
    report.error(places.get('password') ?? null, 'Cannot use password without username', 'add a username line');
  if (username !== undefined && global.perListenerSettings) {
    const hint = 'write a password_file below each listener that should have accounts';
    report.error(places.get('username') ?? null, 'Cannot use username with per_listener_settings true', hint);
  }
  if (username !== undefined && security.allowAnonymous) {
    report.warning(
      places.get('allow_anonymous') ?? null,
      'allow_anonymous true lets clients connect without the username and password',
      'remove it if that is not meant',
    );
  }
  const { dynamicSecurityPlugin: plugin } = access;
  if (plugin !== undefined && access.dynamicSecurityFile === undefined) {
    const hint = 'add plugin_opt_config_file with the file of its clients, groups and roles';
    report.error(places.get(plugin) ?? null, `Cannot use ${plugin} for dynamic security without plugin_opt_config_file`, hint);
  }
  return {
    account: username !== undefined && password !== undefined ? { username, password } : null,
    passwordFile,
    aclFile,
    listeners,
    loginThrottle: { enabled: access.loginThrottle ?? true, exempt: access.loginThrottleExempt },
    dynamicSecurity:
      access.dynamicSecurityFile === undefined
        ? null
        : { file: access.dynamicSecurityFile, passwordInitFile: access.dynamicSecurityPasswordFile ?? null },
  };
}

function resolveLog({ log }: GlobalDraft, verbose: boolean): LogOptions {
  return {
    destinations: resolveDestinations(log.destinations),
    types: verbose ? LOG_TYPES : (log.types ?? DEFAULT_LOG_TYPES),
    timestamp: log.timestamp ?? true,
    timestampFormat: log.timestampFormat ?? null,
    facility: log.facility ?? null,
  };
}

function resolveDestinations(destinations: readonly LogDestination[] | undefined): readonly LogDestination[] {
  if (destinations === undefined) return [{ kind: 'stderr' }];
  if (destinations.length === 0) return [{ kind: 'none' }];
  return destinations.filter((one, index) => destinations.findIndex((other) => other.kind === one.kind) === index);
}

/** Name of the persistence file when nothing else is said. */
const PERSISTENCE_FILE = 'midge.db';

/** A relative `persistence_file` starts at `persistence_location`, or at the state folder; an empty one keeps nothing, as in openHAB. */
function resolvePersistence({ persistence, places }: GlobalDraft, report: Report): PersistenceOptions {
  const { enabled, location = null, file } = persistence;
  if (file === undefined) return { enabled: enabled ?? false, location, file: PERSISTENCE_FILE };
  if (file === '' && enabled)
    report.error(
      places.get('persistence_file') ?? null,
      'Cannot use an empty persistence_file with persistence true',
      'name a file, or remove one of the two',
    );
  if (file === '') return { enabled: false, location, file: PERSISTENCE_FILE };
  return { enabled: enabled ?? true, location, file };
}
