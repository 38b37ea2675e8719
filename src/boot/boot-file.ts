// midge.txt: `word = value` lines, written by anybody with any editor. All mistakes at once, and the text without its secrets.

import { type BootSettings, type Draft, emptyDraft, type Mistake } from './settings.ts';
import { addAccount, WORDS, type Word } from './words.ts';

/** BOOT_FILE is its name on the boot partition. */
export const BOOT_FILE = 'midge.txt';

export interface BootFile {
  readonly settings: BootSettings;
  readonly mistakes: readonly Mistake[];
  /** The text with a note in place of each secret that was taken; null when there was none. */
  readonly withoutSecrets: string | null;
}

/** ClosestWord finds the word that was meant, or null. */
export type ClosestWord = (word: string, words: readonly string[]) => string | null;

interface Line {
  readonly number: number;
  readonly word: string;
  readonly value: string;
}

/** readBootFile reads the bytes of midge.txt. Never throws: what can't be followed is a mistake, and the rest is followed. */
export function readBootFile(bytes: Buffer, closestWord: ClosestWord): BootFile {
  const text = decode(bytes);
  const draft = emptyDraft();
  const mistakes: Mistake[] = [];
  const complain = (line: number, what: string) => mistakes.push({ file: BOOT_FILE, line, text: what });
  const taken = new Set<number>();
  const seen = new Map<string, number>();
  const login: { username?: Line; password?: Line } = {};
  for (const line of settingLines(text, complain)) {
    if (line.word === 'username' || line.word === 'password') {
      login[line.word] = line;
      continue;
    }
    const word = findWord(line.word);
    const problem = word === null ? unknownWord(line.word, closestWord) : takeLine(word, line, draft, seen);
    if (problem !== null) complain(line.number, problem);
    else if (word?.isSecret) taken.add(line.number);
  }
  takeLogin(login, { draft, taken, complain });
  if (draft.wifi.password !== null && draft.wifi.name === null) complainOfWifi(text, complain);
  mistakes.sort((a, b) => (a.line ?? 0) - (b.line ?? 0));
  return { settings: draft, mistakes, withoutSecrets: taken.size === 0 ? null : replaceSecrets(text, taken) };
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

function takeLine(word: Word, { number, value }: Line, draft: Draft, seen: Map<string, number>): string | null {
  const first = seen.get(word.name);
  if (first !== undefined && !word.repeats) return `${word.name} stands in line ${first} already`;
  const problem = word.take(value, draft);
  if (problem === null) {
    seen.set(word.name, number);
    return null;
  }
  return word.isSecret ? `${word.name} can't be used: ${problem}` : `${word.name} can't be "${value.slice(0, 60)}": ${problem}`;
}

/** `username` and `password` are one account, as in the configuration of the broker. */
function takeLogin(
  { username, password }: { username?: Line; password?: Line },
  { draft, taken, complain }: { draft: Draft; taken: Set<number>; complain: (line: number, what: string) => void },
): void {
  if (password === undefined) return; // the user name alone stays behind when the password was taken
  if (username === undefined) return void complain(password.number, 'a password needs a username beside it');
  const problem = addAccount(username.value, password.value, draft);
  if (problem === null) taken.add(password.number);
  else complain(username.number, problem);
}

function complainOfWifi(text: string, complain: (line: number, what: string) => void): void {
  const at = text.split(/\r\n|\r|\n/).findIndex((line) => /^\s*(wifi[_ -]?)?(password|psk)\b/i.test(line.replace(/[- ]/g, '_')));
  complain(at + 1, 'the name of the Wi-Fi is missing: wifi_name = ...');
}

/** What the note says is no setting, so that the file can be read again and again. */
function replaceSecrets(text: string, taken: ReadonlySet<number>): string {
  const parts = text.split(/(\r\n|\r|\n)/); // lines at even places, their ends at odd ones
  return parts.map((part, index) => (index % 2 === 0 && taken.has(index / 2 + 1) ? noteFor(part) : part)).join('');
}

function noteFor(line: string): string {
  const [, word = '', value = ''] = /^\s*([^=:]+?)\s*[=:]\s*(.*)$/.exec(line) ?? [];
  const whose = word.toLowerCase() === 'account' ? `account ${unquote(value).split(/\s/)[0]}` : word;
  return `# ${whose}: taken, and removed from this file`;
}
