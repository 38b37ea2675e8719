// Takes over what a mosquitto was: configuration, passwords, access rules, and its database. Reads everything first, then writes.

import { existsSync, statSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { systemClock } from '../base/clock.ts';
import { OperatorError, reasonOf } from '../base/errors.ts';
import { STATE_NAMES } from '../base/state-names.ts';
import { readSource, type Target, writeTarget } from './files.ts';
import { type KeptState, keptState } from './kept-state.ts';
import { isMosquittoDatabase, parseMosquittoDatabase } from './mosquitto-database.ts';
import type { ConfigurationRemark, ImportNeeds, SettingLine } from './needs.ts';
import type { ImportLine, ImportReport } from './report.ts';
import { type Change, type ConfigurationFile, changeOf, writeConfiguration } from './write-configuration.ts';

const CONFIGURATION = 'mosquitto.conf';
const DATABASE = 'mosquitto.db';

/** Where mosquitto keeps its database when nobody says where. */
const DEFAULT_LOCATION = '/var/lib/mosquitto';

/** ImportRequest: `source` is a configuration, a database or a folder with either; `out` the folder for our configuration. */
export interface ImportRequest {
  readonly source: string;
  readonly state: string;
  readonly out: string;
  readonly dryRun: boolean;
}

/** importMosquitto throws OperatorError, with nothing written, when a source cannot be read or a target is there already. */
export async function importMosquitto(request: ImportRequest, needs: ImportNeeds): Promise<ImportReport> {
  const sources = findSources(resolve(request.source));
  const setup = sources.configuration === null ? null : readSetup(sources.configuration, request, needs);
  const database = sources.database ?? setup?.database ?? null;
  const state = database === null ? null : readState(database, setup?.mountPoints ?? []);
  const files = setup?.files ?? [];
  const written = [...files.map(({ path }) => path), ...(state === null ? [] : [request.state])];
  const there = files.find(({ path }) => existsSync(path));
  if (there !== undefined) throw new OperatorError(`Cannot write "${there.path}": it exists already - name another folder with --out`);
  const leftOut = state === null ? null : await needs.store.tryFilling(state.kept);
  if (state !== null) await needs.asOwner(request.state, () => needs.store.fillStore(request.state, state.kept, request.dryRun));
  if (!request.dryRun) for (const file of files) writeTarget(file, needs);
  const after = setup === null || request.dryRun ? [] : needs.configuration.remarksOn(setup.main).map(remarkLine);
  const unsound: ImportLine[] = leftOut === null ? [] : [{ what: database ?? '', outcome: 'left out', reason: leftOut }];
  return { lines: [...(setup?.lines ?? []), ...(state?.lines ?? []), ...unsound, ...after], written };
}

const SECURITY_WORDS = ['dynamic_security_file', 'plugin_opt_config_file', 'auth_opt_config_file'] as const;

type FileWord = 'password_file' | 'acl_file' | (typeof SECURITY_WORDS)[number];

interface Setup {
  readonly main: string;
  readonly lines: readonly ImportLine[];
  readonly files: readonly Target[];
  readonly database: string | null;
  readonly mountPoints: readonly string[];
}

function findSources(source: string): { configuration: string | null; database: string | null } {
  const found = statSync(source, { throwIfNoEntry: false });
  if (found === undefined) throw new OperatorError(`Cannot import "${source}": it is not there`);
  if (!found.isDirectory()) {
    const isDatabase = basename(source).endsWith('.db') || isMosquittoDatabase(readSource(source));
    return isDatabase ? { configuration: null, database: source } : { configuration: source, database: null };
  }
  const [configuration, database] = [CONFIGURATION, DATABASE]
    .map((name) => join(source, name))
    .map((path) => (existsSync(path) ? path : null));
  if (configuration === null && database === null) {
    throw new OperatorError(`Cannot import "${source}": it holds neither ${CONFIGURATION} nor ${DATABASE}`);
  }
  return { configuration: configuration ?? null, database: database ?? null };
}

function readSetup(configuration: string, { out, state }: ImportRequest, needs: ImportNeeds): Setup {
  const treated = needs.configuration.treatLines(configuration);
  const copies = [
    ...takeFiles(treated, 'password_file', join(out, 'passwd'), needs),
    ...takeFiles(treated, 'acl_file', join(out, 'acl'), needs),
    // The broker changes it, so it has to be in a folder of the broker's user.
    ...securityWordsIn(treated).flatMap((word) => takeFiles(treated, word, join(state, STATE_NAMES.dynamicSecurity), needs)),
  ];
  const moved = new Map(copies.map(({ line, target }) => [line, target.path]));
  const files = writeConfiguration(treated, configuration, moved).map((file) => configurationTarget(file, out));
  const unreadable = needs.configuration.remarksOn(configuration).filter(({ severity, line }) => severity === 'error' && line === 0);
  return {
    main: join(out, 'midge.conf'),
    lines: [
      ...unreadable.map(remarkLine),
      ...treated.map((line) => lineOf(line, changeOf(line, treated))),
      ...copies.flatMap(({ lines }) => lines),
    ],
    files: [...files, ...copies.map(({ target }) => target)],
    database: databaseOf(treated),
    mountPoints: treated.filter(({ name }) => name === 'mount_point').map(({ text }) => text),
  };
}

/** Other plugins have options of these names too. */
function securityWordsIn(treated: readonly SettingLine[]): readonly FileWord[] {
  const isLoaded = treated.some(({ name, text }) => /plugin/.test(name) && /mosquitto_dynamic_security/.test(text));
  return SECURITY_WORDS.filter((word) => isLoaded || word === 'dynamic_security_file');
}

/** Copied as they are: this broker reads mosquitto's hashes and rules. Each listener may have files of its own (`per_listener_settings`). */
function takeFiles(treated: readonly SettingLine[], word: FileWord, path: string, { access }: ImportNeeds) {
  const named = treated.filter(({ name, outcome }) => name === word && outcome === 'taken').map(({ text }) => text);
  return [...new Set(named)].map((source, index) => takeFile(word, source, index === 0 ? path : `${path}-${index + 1}`, access));
}

function takeFile(word: FileWord, source: string, path: string, access: ImportNeeds['access']) {
  const text = readSource(resolve(source)).toString();
  const { count, remarks } = countIn(word, text, source, access);
  const lines: ImportLine[] = [
    { what: `${source}: ${count}`, outcome: 'taken', reason: null },
    ...remarks.map(
      ({ line, message, severity }): ImportLine => ({
        what: `${source}:${line}`,
        outcome: severity === 'error' ? 'refused' : 'without effect',
        reason: message,
      }),
    ),
  ];
  return { line: `${word} ${source}`, target: { path, text, isSecret: true }, lines };
}

function countIn(word: FileWord, text: string, source: string, access: ImportNeeds['access']) {
  if (word === 'password_file') return accountsIn(text, source, access);
  return word === 'acl_file' ? rulesIn(text, source, access) : { count: securityIn(text, source, access), remarks: [] };
}

function securityIn(text: string, source: string, access: ImportNeeds['access']): string {
  try {
    const { clients, groups, roles } = access.parseSecurityFile(text);
    return `${clients.size} clients, ${groups.size} groups, ${roles.size} roles`;
  } catch (error) {
    throw new OperatorError(`Cannot import "${source}": ${reasonOf(error)}`, { cause: error });
  }
}

function accountsIn(text: string, source: string, access: ImportNeeds['access']) {
  const { users, remarks } = access.parsePasswordFile(text, source);
  return { count: `${users.size} accounts`, remarks };
}

function rulesIn(text: string, source: string, access: ImportNeeds['access']) {
  const rules = text.split('\n').filter((line) => /^\s*(topic|pattern)\s/.test(line));
  return { count: `${rules.length} rules`, remarks: access.parseAclFile(text, source).remarks };
}

function databaseOf(treated: readonly SettingLine[]): string | null {
  const last = (name: string) => treated.findLast((line) => line.name === name)?.text;
  if (last('persistence') !== 'true') return null;
  const path = join(last('persistence_location') ?? DEFAULT_LOCATION, last('persistence_file') ?? DATABASE);
  return existsSync(path) ? path : null;
}

function readState(path: string, mountPoints: readonly string[]): { kept: KeptState; lines: readonly ImportLine[] } {
  const bytes = readSource(path);
  const parsed = parseMosquittoDatabase(bytes);
  if (typeof parsed === 'string') throw new OperatorError(`Cannot import database "${path}": ${parsed}`);
  const kept = keptState(parsed, { now: systemClock.now(), writtenAt: statSync(path).mtimeMs, mountPoints });
  const sum = (count: (session: KeptState['sessions'][number]) => number) =>
    kept.sessions.reduce((total, session) => total + count(session), 0);
  const lines: ImportLine[] = [
    `${kept.sessions.length} sessions`,
    `${sum(({ subscriptions }) => subscriptions.length)} subscriptions`,
    `${sum(({ deliveries }) => deliveries.length)} messages for sessions`,
    `${kept.retained.length} retained messages`,
  ].map((what) => ({ what: `${path}: ${what}`, outcome: 'taken', reason: null }));
  for (const [what, count] of kept.left) lines.push({ what: `${path}: ${count} x`, outcome: 'left out', reason: what });
  if (parsed.fault !== null) lines.push({ what: path, outcome: 'left out', reason: `what follows: ${parsed.fault}` });
  return { kept, lines };
}

function lineOf({ place, name, text, outcome, reason }: SettingLine, change: Change | null): ImportLine {
  const shown = /password|psk|keypass|secret/.test(name) && name !== 'password_file' ? '' : ` ${text}`;
  const what = `${place.file}:${place.line}: ${name}${shown}`.trimEnd();
  if (change === null) return { what, outcome, reason };
  const { instead } = change;
  return {
    what,
    outcome: instead === null ? 'left out' : 'changed',
    reason: `${change.reason}${instead === null ? '' : `; written: ${instead}`}`,
  };
}

/** A mistake keeps the broker from starting with what was written. */
function remarkLine({ severity, text }: ConfigurationRemark): ImportLine {
  return { what: text, outcome: severity === 'error' ? 'refused' : 'without effect', reason: null };
}

function configurationTarget({ name, text }: ConfigurationFile, out: string): Target {
  return { path: join(out, name), text: text.replace('include_dir conf.d\n', `include_dir ${join(out, 'conf.d')}\n`), isSecret: false };
}
