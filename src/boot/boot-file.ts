// midge.txt: `word = value` lines, written by anybody with any editor. All mistakes at once, and the text without its secrets.

import { addAccount, passwordWarning } from './account-words.ts';
import { portProblem } from './listeners.ts';
import { gatewayProblem, reachWarning, withNameServers } from './network-problems.ts';
import { type BootSettings, type Draft, emptyDraft, type FindTimeZone, type IsUsed, type Mistake, type Secret } from './settings.ts';
import { WORDS, type Word } from './words.ts';

/** BOOT_FILE is its name on the boot partition. */
export const BOOT_FILE = 'midge.txt';

export interface BootFile {
  readonly settings: BootSettings;
  readonly mistakes: readonly Mistake[];
  /** False when it is damaged, or nothing in it can be followed: then what it does not say is no wish. */
  readonly isWhole: boolean;
  /** The text with a note in place of each secret that was used; null when there was none. */
  readonly withoutSecrets: (isUsed: IsUsed) => string | null;
}

/** ClosestWord finds the word that was meant, or null. */
export type ClosestWord = (word: string, words: readonly string[]) => string | null;

/** Known is what a reader asks of others. */
export interface Known {
  readonly closestWord: ClosestWord;
  readonly findTimeZone: FindTimeZone;
}

interface Line {
  readonly number: number;
  readonly word: string;
  readonly value: string;
}

/** Reading is what has been found so far. */
interface Reading {
  readonly draft: Draft;
  readonly known: Known;
  /** By the number of their line. */
  readonly secrets: Map<number, Secret>;
  /** Lines of the words that were followed. */
  readonly seen: Map<string, number>;
  /** Lines of `remove_account` by the name of the account. */
  readonly removals: Map<string, number>;
  readonly login: { username?: Line; password?: Line };
  readonly complain: (line: number, what: string) => void;
  readonly warn: (line: number, what: string) => void;
}

/** readBootFile reads the bytes of midge.txt. Never throws: what can't be followed is a mistake, and the rest is followed. */
export function readBootFile(bytes: Buffer, known: Known): BootFile {
  const text = decode(bytes);
  const draft = emptyDraft();
  const mistakes: Mistake[] = [];
  const complain = (line: number, what: string) => mistakes.push({ file: BOOT_FILE, line, text: what });
  const warn = (line: number, what: string) => mistakes.push({ file: BOOT_FILE, line, text: what, isWarning: true });
  const reading: Reading = { draft, known, secrets: new Map(), seen: new Map(), removals: new Map(), login: {}, complain, warn };
  for (const line of settingLines(text, complain)) takeLine(line, reading);
  takeLogin(reading);
  complainOfHalves(reading);
  lookAtNetwork(reading);
  mistakes.sort((a, b) => (a.line ?? 0) - (b.line ?? 0));
  const isLegible = reading.seen.size > 0 || (mistakes.every(({ isWarning }) => isWarning) && text.trim() !== '');
  return {
    settings: draft,
    mistakes,
    isWhole: isLegible && !text.includes('\0'),
    withoutSecrets: (isUsed) => replaceSecrets(text, (line) => reading.secrets.has(line) && isUsed(reading.secrets.get(line)!)),
  };
}

/** Notepad writes UTF-16 when it is asked for "Unicode", and a byte order mark with UTF-8. */
function decode(bytes: Buffer): string {
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return bytes.subarray(2).toString('utf16le');
  if (bytes[0] === 0xfe && bytes[1] === 0xff)
    return Buffer.from(bytes.subarray(2, bytes.length - (bytes.length % 2)))
      .swap16()
      .toString('utf16le');
  const text = bytes.toString('utf8').replace(/^\ufeff/, '');
  return text.includes('\ufffd') ? bytes.toString('latin1') : text;
}

function* settingLines(text: string, complain: (line: number, what: string) => void): Iterable<Line> {
  for (const [index, raw] of text.split(/\r\n|\r|\n/).entries()) {
    const line = raw.replaceAll('\u00a0', ' ').trim();
    if (line === '' || /^[#;]/.test(line) || line.includes('\0')) {
      if (line.includes('\0')) complain(index + 1, 'the line is damaged');
      continue;
    }
    const at = line.search(/[=:]/);
    if (at <= 0) {
      complain(index + 1, 'a setting looks like this: hostname = kitchen');
      continue;
    }
    const word = line
      .slice(0, at)
      .trim()
      .toLowerCase()
      .replace(/[\s-]+/g, '_');
    const value = unquote(line.slice(at + 1).trim());
    if (value !== '') yield { number: index + 1, word, value };
  }
}

function unquote(value: string): string {
  return /^(["']).+\1$/.test(value) ? value.slice(1, -1) : value;
}

function findWord(name: string): Word | null {
  return WORDS.find((word) => word.name === name || word.also?.includes(name)) ?? null;
}

function unknownWord(word: string, closestWord: ClosestWord): string {
  const meant = closestWord(word, [...WORDS.map(({ name }) => name), 'username', 'password']);
  return `there is no setting "${word.slice(0, 40)}"${meant === null ? '' : ` - did you mean ${meant}?`}`;
}

function takeLine(line: Line, reading: Reading): void {
  const { draft, known, secrets, seen, login, complain } = reading;
  const { number, word: name, value } = line;
  if (name === 'username' || name === 'password') {
    login[name] = line;
    return;
  }
  const word = findWord(name);
  if (word === null) return complain(number, unknownWord(name, known.closestWord));
  const first = seen.get(word.name);
  if (first !== undefined && !word.repeats) return complain(number, `${word.name} is already set in line ${first}`);
  const problem = word.take(value, draft, known.findTimeZone);
  if (problem !== null) return complain(number, describeProblem(word, value, problem));
  seen.set(word.name, number);
  if (word.secret !== undefined) secrets.set(number, { use: word.secret, value });
  if (word.name === 'account') warnOfPassword(number, reading);
  if (word.name === 'remove_account') reading.removals.set(value, number);
}

/** Of the account that was added last. */
function warnOfPassword(line: number, { draft, warn }: Reading): void {
  const { user = '', password = '' } = draft.accounts.at(-1) ?? {};
  const warning = passwordWarning(user, password);
  if (warning !== null) warn(line, warning);
}

function describeProblem(word: Word, value: string, problem: string): string {
  const isSecret = word.secret !== undefined;
  return isSecret ? `${word.name} can't be used: ${problem}` : `${word.name} can't be "${value.slice(0, 60)}": ${problem}`;
}

/** `username` and `password` are one account, as in the configuration of the broker. */
function takeLogin(reading: Reading): void {
  const { draft, secrets, seen, complain } = reading;
  const { username, password } = reading.login;
  if (password === undefined) return; // the user name alone stays behind when the password was taken
  if (username === undefined) return complain(password.number, 'a password needs a username beside it');
  const problem = addAccount(username.value, password.value, draft);
  if (problem !== null) return complain(username.number, problem);
  seen.set('password', password.number);
  secrets.set(password.number, { use: 'accounts', value: password.value });
  warnOfPassword(password.number, reading);
}

/** What counts only beside something else. */
function complainOfHalves({ draft, seen, removals, secrets, complain }: Reading): void {
  const { wifi, network } = draft;
  const lineOf = (word: string) => seen.get(word) ?? 0;
  const problem = portProblem(draft);
  if (problem !== null) {
    complain(lineOf('port'), `port can't be "${draft.port}": ${problem}`);
    draft.port = null;
  }
  if (wifi.password !== null && wifi.name === null) {
    complain(lineOf('wifi_password'), 'the name of the Wi-Fi is missing: wifi_name = ...');
    secrets.delete(lineOf('wifi_password'));
    wifi.password = null;
  }
  for (const word of ['address_for', 'gateway', 'dns'] as const) {
    if (network.address === null && seen.has(word))
      complain(lineOf(word), `${word} has an effect only with a fixed address: address = ...`);
  }
  if (draft.isWifiForgotten && wifi.name !== null) {
    complain(lineOf('wifi_forget'), `a Wi-Fi is named in line ${lineOf('wifi_name')}: take one of the two lines away`);
    draft.isWifiForgotten = false;
  }
  for (const [user, line] of removals) {
    if (!draft.accounts.some((account) => account.user === user)) continue;
    complain(line, `"${user}" has an account line too: take one of the two lines away`);
    draft.removedAccounts = draft.removedAccounts.filter((each) => each !== user);
  }
}

function lookAtNetwork({ draft, seen, complain, warn }: Reading): void {
  const problem = gatewayProblem(draft.network);
  if (problem !== null) {
    complain(seen.get('gateway') ?? 0, `gateway can't be "${draft.network.gateway}": ${problem}`);
    draft.network.gateway = null;
    return;
  }
  draft.network = { ...withNameServers(draft.network), dns: [...withNameServers(draft.network).dns] };
  const warning = reachWarning(draft.network);
  if (warning !== null) warn(seen.get('address') ?? 0, warning);
}

/** What the note says is no setting, so that the file can be read again and again. */
function replaceSecrets(text: string, isTaken: (line: number) => boolean): string | null {
  const parts = text.split(/(\r\n|\r|\n)/); // lines at even places, their ends at odd ones
  const result = parts.map((part, index) => (index % 2 === 0 && isTaken(index / 2 + 1) ? noteFor(part) : part)).join('');
  return result === text ? null : result;
}

function noteFor(line: string): string {
  const [, word = '', value = ''] = /^\s*([^=:]+?)\s*[=:]\s*(.*)$/.exec(line) ?? [];
  const whose = word.toLowerCase() === 'account' ? `account ${unquote(value).split(/\s/)[0]}` : word;
  return `# ${whose}: taken, and removed from this file`;
}
