// The words of pub, sub, rr and ctrl into settings, in mosquitto's order of checks and with its sentences.
//
//   built-in defaults  <-  $XDG_CONFIG_HOME/mosquitto_pub, or the file of -o  <-  command line  ->  checks of the whole

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { OperatorError, reasonOf } from '../base/errors.ts';
import { findFlag, flagKey, unknownOption, usageError } from '../terminal/arguments.ts';
import type { Command, Flag, Invocation } from '../terminal/command.ts';
import { hideArguments } from '../terminal/passwords.ts';
import { SWITCHES, VALUES } from './flag-actions.ts';
import { ClientMistake } from './mistake.ts';
import { checkProperties, takeProperty } from './properties.ts';
import { type ClientName, type ClientSettings, defaultSettings, UNLIMITED } from './settings.ts';

/**
 * runWithSettings reads the words of one run, then works with them. Throws OperatorError with mosquitto's sentence and status 1 for any
 * mistake in them, also one that only the work finds.
 */
export async function runWithSettings(
  name: ClientName,
  { command, argv, program, terminal }: Invocation,
  work: (settings: ClientSettings) => Promise<number>,
): Promise<number> {
  const settings = defaultSettings(name);
  try {
    for (const words of configuredWords(name, optionsFile(command, argv), terminal.env)) applyWords(command, words, settings, program);
    applyWords(command, argv, settings, program);
    if (holdsSecret(settings)) hideArguments(program);
    checkWhole(name, settings);
    return await work(settings);
  } catch (error) {
    if (!(error instanceof ClientMistake)) throw error;
    if (!error.hint) throw new OperatorError(error.message);
    throw usageError(command, `${error.message}${error.blankLine ? '\n' : ''}`, program);
  }
}

function holdsSecret({ password, proxy, tls }: ClientSettings): boolean {
  return password !== null || proxy?.password !== undefined || tls.psk !== null;
}

/** optionsFile finds the value of -o, which is read before all other flags. */
function optionsFile({ flags }: Command, words: readonly string[]): string | null {
  let file: string | null = null;
  for (let at = 0; at < words.length; at++) {
    const flag = findFlag(flags, words[at]!);
    if (flag === undefined || !flag.value) continue;
    at++;
    if (flagKey(flag) !== 'o') continue;
    if (file !== null) throw new ClientMistake('Error: Duplicate -o argument given.', { blankLine: true });
    file = words[at] ?? null;
    if (file === null) throw missingValue(flag);
  }
  return file;
}

/** configuredWords reads the file of standing flags: one a line, a value behind the first blank, `#` begins a comment. */
function configuredWords(name: ClientName, file: string | null, env: Readonly<Record<string, string | undefined>>): string[][] {
  return (file === null ? standingText(name, env) : optionsText(file))
    .split('\n')
    .map((line) => line.replace(/\r$/, ''))
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => line.split(/ (.*)/s, 2).filter((word) => word !== ''));
}

function standingText(name: ClientName, env: Readonly<Record<string, string | undefined>>): string {
  const { XDG_CONFIG_HOME: configHome, HOME: home } = env;
  const folder = configHome ?? (home === undefined ? null : join(home, '.config'));
  try {
    return folder === null ? '' : readFileSync(join(folder, `mosquitto_${name}`), 'utf8');
  } catch {
    return ''; // as mosquitto does: most people have none
  }
}

/** optionsText: mosquitto goes on without the flags of a file that it cannot read; who names a file wants them. */
function optionsText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new ClientMistake(`Error: Unable to read options file "${file}": ${reasonOf(error)}.`, { hint: false });
  }
}

function applyWords(command: Command, words: readonly string[], settings: ClientSettings, program: string): void {
  for (let at = 0; at < words.length; at++) {
    const word = words[at]!;
    const flag = findFlag(command.flags, word);
    if (flag === undefined) throw refusedFlag(command, word, words[at + 1]) ?? unknownOption(command, word, program);
    const key = flagKey(flag);
    if (key === 'property') {
      at += takeProperty(words.slice(at + 1), settings.properties);
      settings.version = 5;
    } else if (flag.value) {
      const value = words[++at];
      if (value === undefined) throw missingValue(flag);
      VALUES[key]?.(settings, value, flag);
    } else {
      SWITCHES[key]?.(settings);
    }
  }
}

function refusedFlag({ refusedFlags }: Command, word: string, value: string | undefined): ClientMistake | null {
  const refused = refusedFlags?.[word];
  if (refused === undefined) return null;
  if (refused.missing !== undefined && value === undefined) {
    return new ClientMistake(`Error: ${word} argument given but ${refused.missing}.`, { blankLine: true });
  }
  return new ClientMistake(`Error: ${word} is not supported: ${refused.advice}.`);
}

/** MISSING: the word that mosquitto has for a value, where it is not the flag's own name. */
const MISSING: Readonly<Record<string, string>> = {
  M: 'max_inflight not specified',
  A: 'no address specified',
  C: 'no count specified',
  F: 'no format specified',
  W: 'no timeout specified',
  e: 'no response topic specified',
  f: 'no data file specified',
  o: 'no options file specified',
  cafile: 'no file specified',
  capath: 'no directory specified',
  cert: 'no file specified',
  'filter-out': 'no topic filter specified',
  id: 'no id specified',
  'id-prefix': 'no id prefix specified',
  key: 'no file specified',
  keyform: 'no keyform specified',
  'password-file': 'no file specified',
  'protocol-version': 'no version specified',
  proxy: 'no proxy url specified',
  psk: 'no key specified',
  'psk-identity': 'no identity specified',
  pw: 'no password specified',
  qos: 'no QoS specified',
  'random-filter': 'no chance specified',
  repeat: 'no count specified',
  'repeat-delay': 'no time specified',
  'retain-handling': 'no option specified',
  'session-expiry-interval': 'no session expiry interval specified',
  'tls-alpn': 'no protocol specified',
  'tls-keylog': 'no file specified',
  'tls-version': 'no version specified',
  unix: 'no socket path specified',
  unsubscribe: 'no unsubscribe topic specified',
  url: 'no URL specified',
  'will-payload': 'no will payload specified',
  'will-qos': 'no will QoS specified',
  'will-topic': 'no will topic specified',
};

function missingValue(flag: Flag): ClientMistake {
  const key = flagKey(flag);
  const name = flag.short && key !== 'protocol-version' ? `-${flag.short}` : `--${flag.long}`;
  return new ClientMistake(`Error: ${name} argument given but ${MISSING[key] ?? `no ${flag.long} specified`}.`, { blankLine: true });
}

function checkWhole(name: ClientName, settings: ClientSettings): void {
  const { will, tls, topics, unsubscribe } = settings;
  if (will.payload !== null && will.topic === null) throw new ClientMistake('Error: Will payload given, but no will topic given.');
  if (will.retain && will.topic === null) throw new ClientMistake('Error: Will retain given, but no will topic given.');
  if ((tls.cert === null) !== (tls.key === null)) {
    throw new ClientMistake('Error: Both certfile and keyfile must be provided if one of them is set.');
  }
  if (tls.psk !== null && (tls.cafile !== null || tls.capath !== null)) {
    throw new ClientMistake('Error: Only one of --psk or --cafile/--capath may be used at once.');
  }
  if (tls.psk !== null && tls.pskIdentity === null) throw new ClientMistake('Error: --psk-identity required if --psk used.');
  checkSession(settings);
  if (name === 'sub' && topics.length + unsubscribe.length === 0) {
    throw new ClientMistake('Error: You must specify a topic to subscribe to (-t) or unsubscribe from (-U).');
  }
  checkProperties(settings.properties);
}

function checkSession(settings: ClientSettings): void {
  const { version, cleanSession, id } = settings;
  if (version === 5) {
    if (!cleanSession) settings.sessionExpiry ??= UNLIMITED;
    if (settings.sessionExpiry === UNLIMITED && id === null) {
      throw new ClientMistake('Error: You must provide a client id if you are using an infinite session expiry interval.');
    }
  } else if (!cleanSession && id === null) {
    throw new ClientMistake('Error: You must provide a client id if you are using the -c option.');
  }
}
