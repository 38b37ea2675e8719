// How the text behind a directive becomes a value: one small reader per kind, with mosquitto's sentences.

import { isIP } from 'node:net';
import { basename, resolve } from 'node:path';

import { CERTIFICATE_NAME_ADVICE, certificateName } from '../base/certificate-name.ts';
import { closestWord } from '../base/closest-word.ts';
import { isNetwork } from '../base/networks.ts';
import { isStateName } from '../base/state-names.ts';
import type { RetainedLifetime } from '../broker/options.ts';
import { isSharedFilter, isTopicFilter } from '../mqtt/topics.ts';

/** Mistake is a value that cannot be read. */
export interface Mistake {
  readonly problem: string;
  readonly hint: string | null;
}

/** Reading is a value or the mistake in it. */
export type Reading<T> = { readonly value: T } | Mistake;

/** ValueKind reads the text behind a directive's name, which is trimmed and never empty. */
export interface ValueKind<T> {
  /** What to write, as the reference shows it. */
  readonly syntax: string;
  /** What mosquitto does with a second one: it refuses strings and takes the last of everything else. */
  readonly repeated: 'refused' | 'last wins';
  /** Nothing behind the name is a value too. */
  readonly mayBeEmpty?: boolean;
  read(text: string, name: string): Reading<T>;
}

/** isMistake tells the two forms of a reading apart. */
export function isMistake<T>(reading: Reading<T>): reading is Mistake {
  return 'problem' in reading;
}

/** boolean is `true` or `false`; mosquitto also takes 1 and 0. */
export const boolean: ValueKind<boolean> = {
  syntax: 'true | false',
  repeated: 'last wins',
  read: (text, name) =>
    readWord(text, name, (word) => {
      if (word === 'true' || word === '1') return { value: true };
      if (word === 'false' || word === '0') return { value: false };
      const likely = YES_AND_NO.get(word.toLowerCase()) ?? closestWord(word, ['true', 'false']);
      return invalid(name, word, likely === null ? 'write true or false' : `did you mean "${likely}"?`);
    }),
};

const YES_AND_NO = new Map([
  ['yes', 'true'],
  ['on', 'true'],
  ['no', 'false'],
  ['off', 'false'],
]);

/** integer is a whole number within `min` and `max`; `sentence` replaces mosquitto's usual one for a number out of range. */
export function integer(range: { min: number; max: number; unit?: string; sentence?: string }): ValueKind<number> {
  const { min, max, unit } = range;
  return {
    syntax: unit ?? 'number',
    repeated: 'last wins',
    read: (text, name) =>
      readWord(text, name, (word) => {
        const value = Number(word);
        if (/^[+-]?\d+$/.test(word) && value >= min && value <= max) return { value };
        const least = Math.max(min, 0); // below it there is only "no limit", which 0 or -1 say
        const meant = /^\d+(?:\.\d+)?e\d+$/i.test(word) && Number.isSafeInteger(value) && value >= min && value <= max;
        const hint = meant
          ? `write ${value}`
          : max === MAX_INTEGER
            ? `write a whole number of at least ${least}`
            : `write a whole number from ${least} to ${max}`;
        return range.sentence === undefined ? invalid(name, word, hint) : { problem: range.sentence, hint };
      }),
  };
}

/** MAX_INTEGER is the largest number of mosquitto's `int` values. */
export const MAX_INTEGER = 2_147_483_647;

/** limit is a whole number where 0, and as in mosquitto any number below, means "no limit". */
export function limit(unit: string, max = MAX_INTEGER, sentence?: string): ValueKind<number> {
  return map(integer({ min: -MAX_INTEGER, max, unit, ...(sentence === undefined ? {} : { sentence }) }), (value) => Math.max(0, value));
}

/** limitOrMinusOne is a whole number where 0 and any negative one mean "no limit", as in mosquitto, and are kept as -1. */
export function limitOrMinusOne(unit: string): ValueKind<number> {
  return map(integer({ min: -MAX_INTEGER, max: MAX_INTEGER, unit }), (value) => (value > 0 ? value : -1));
}

/** text is the rest of the line: blanks and `#` in it belong to the value. */
export function text(syntax = 'text'): ValueKind<string> {
  return { syntax, repeated: 'refused', read: (line) => ({ value: line }) };
}

/** path is the rest of the line as an absolute path; a relative one starts, as in mosquitto, at the folder the program was started in. */
export const path: ValueKind<string> = map(text('path'), (value) => resolve(value));

/** words are several values on a line, parted by blanks. */
export const words: ValueKind<readonly string[]> = {
  syntax: 'name ...',
  repeated: 'last wins',
  read: (line) => ({ value: line.split(BLANKS) }),
};

/** networks are IP addresses and networks (`192.168.1.0/24`), parted by blanks. */
export const networks: ValueKind<readonly string[]> = {
  ...words,
  syntax: 'network ...',
  read: (line, name) => {
    const given = uncommented(line).trim().split(BLANKS);
    const wrong = given.find((network) => !isNetwork(network));
    return wrong === undefined
      ? { value: given }
      : invalid(name, wrong, 'write addresses or networks, for example 192.168.1.0/24 or fd00::/8');
  },
};

/** certificateNames are host names and addresses, parted by blanks. */
export const certificateNames: ValueKind<readonly string[]> = {
  ...words,
  read: (line, name) => {
    const given = uncommented(line).trim().split(BLANKS);
    const wrong = given.find((each) => certificateName(each) === null);
    return wrong === undefined ? { value: given } : invalid(name, wrong, CERTIFICATE_NAME_ADVICE);
  },
};

/** databaseFile is a name or path that is not of the state folder's other things: a database there would put them aside. Empty = none, as in openHAB. */
export const databaseFile: ValueKind<string> = {
  ...text('file'),
  mayBeEmpty: true,
  read: (line, name) => {
    if (/^[A-Za-z]:[\\/]/.test(line))
      return invalid(name, line, 'this is a path of Windows: write one of this machine, such as /var/lib/midge/home.db, or only home.db');
    if (line.endsWith('/')) return invalid(name, line, `this is a folder: name a file in it, such as ${line}home.db`);
    if (isStateName(basename(line))) return invalid(name, line, 'the state folder has something else of this name: choose another');
    return { value: line };
  },
};

/** choice is one of the keys of `choices`, which give the values. `refused` are words with a meaning in mosquitto that we do not offer, and why. */
export function choice<T>(
  choices: Readonly<Record<string, T>>,
  options: { refused?: Readonly<Record<string, string>>; sentence?: (word: string, name: string) => string } = {},
): ValueKind<T> {
  const known = Object.keys(choices);
  return {
    syntax: known.join(' | '),
    repeated: 'last wins',
    read: (line, name) =>
      readWord(line, name, (word) => {
        if (Object.hasOwn(choices, word)) return { value: choices[word] as T }; // the key is there
        const problem = options.sentence?.(word, name) ?? `Invalid ${name} value (${word})`;
        if (options.refused && Object.hasOwn(options.refused, word)) return { problem, hint: options.refused[word]! };
        return { problem, hint: suggestion(word, known) };
      }),
  };
}

/** versions are protocol levels with commas between them: 3 = MQTT 3.1, 4 = 3.1.1, 5 = 5. */
export const versions: ValueKind<readonly (3 | 4 | 5)[]> = {
  syntax: '3,4,5',
  repeated: 'last wins',
  read: (line, name) => {
    const levels = new Set<3 | 4 | 5>();
    for (const part of uncommented(line).split(/[\s,]+/)) {
      if (part === '') continue;
      const level = Number(part);
      if (level !== 3 && level !== 4 && level !== 5)
        return invalid(name, part, 'write 3, 4 and 5 with commas: 3 is MQTT 3.1, 4 is 3.1.1, 5 is 5');
      levels.add(level);
    }
    if (levels.size === 0) return invalid(name, line, 'write 3, 4 and 5 with commas');
    return { value: [...levels].sort() };
  },
};

/** duration is `<n>[s|h|d|w|m|y]` in seconds; a month has 30 days and a year 365, as in mosquitto. */
export const duration: ValueKind<number> = {
  syntax: '<n>s | <n>h | <n>d | <n>w | <n>m | <n>y',
  repeated: 'last wins',
  read: (line, name) => {
    const problem = `Invalid ${name} duration in configuration`;
    const [, number, initial] = /^(\d+) *(second|hour|day|week|month|year)s?$/i.exec(line) ?? [];
    if (number !== undefined && initial !== undefined) return { problem, hint: `write ${number}${initial[0]?.toLowerCase()}` };
    return readWord(line, name, (word) => {
      const [, count, unit] = /^(\d+)([shdwmy])$/.exec(word) ?? [];
      const seconds = Number(count) * (SECONDS[unit ?? ''] ?? Number.NaN);
      if (Number.isSafeInteger(seconds) && seconds > 0) return { value: seconds };
      return { problem, hint: 'write a number and a unit, for example 12h, 7d, 2w, 3m (months) or 1y' };
    });
  },
};

/** retainedLifetime is a topic filter and a duration. */
export const retainedLifetime: ValueKind<RetainedLifetime> = {
  syntax: '<topic filter> <n>s | <n>h | <n>d | <n>w | <n>m | <n>y',
  repeated: 'last wins',
  read: (line, name) => {
    const [, quoted, bare, rest = ''] = /^(?:"([^"]*)"|(\S+))[ \t]*(.*)$/.exec(line) ?? [];
    const topicFilter = quoted ?? bare ?? '';
    if (!isTopicFilter(topicFilter) || isSharedFilter(topicFilter))
      return {
        problem: `Cannot read ${name} "${topicFilter}": it is no topic filter`,
        hint: 'write for example: retained_lifetime home/# 7d',
      };
    const seconds = duration.read(rest, name);
    return isMistake(seconds) ? seconds : { value: { topicFilter, seconds: seconds.value } };
  },
};

const SECONDS: Readonly<Record<string, number>> = { s: 1, h: 3600, d: 86_400, w: 604_800, m: 2_592_000, y: 31_536_000 };

/** host is an IP address or a host name. */
export const host: ValueKind<string> = {
  ...text('address'),
  read: (line, name) =>
    isIP(line) > 0 || HOST_NAME.test(line) ? { value: line } : invalid(name, line, 'write an IP address or a host name'),
};

const HOST_NAME = /^[A-Za-z0-9_.-]+$/;

/** Endpoint is where a listener listens: a TCP port, or a Unix socket's absolute path. */
export type Endpoint = { readonly port: number; readonly address: string | null } | { readonly unixPath: string };

/** endpoint is `port [address]`, or `0 path` for a Unix socket. */
export const endpoint: ValueKind<Endpoint> = {
  syntax: 'port [address] | 0 path',
  repeated: 'last wins',
  read: (line, name) => {
    const [word = ''] = line.split(BLANKS, 1);
    if (word === '') return { problem: `Empty ${name} value in configuration`, hint: 'write a port behind it' };
    const rest = uncommented(line.slice(word.length)).trim();
    const port = Number(word);
    if (!/^\d+$/.test(word) || port > 65_535) return { problem: `Invalid port value (${word})`, hint: 'write a port from 1 to 65535' };
    if (port === 0)
      return rest === '' ? { problem: 'A listener with port 0 must provide a Unix socket path', hint: null } : unixEndpoint(rest);
    if (rest === '') return { value: { port, address: null } };
    const address = host.read(rest, name);
    return isMistake(address) ? address : { value: { port, address: address.value } };
  },
};

/** Bytes of a Unix socket's path that fit in `sockaddr_un` on Linux, without its end mark. unix(7) */
const MAX_UNIX_PATH = 107;

function unixEndpoint(path: string): Reading<Endpoint> {
  const unixPath = resolve(path);
  if (Buffer.byteLength(unixPath) <= MAX_UNIX_PATH) return { value: { unixPath } };
  return { problem: `Path to unix socket is too long "${path}"`, hint: `use one of at most ${MAX_UNIX_PATH} bytes` };
}

/** map reads a value with `kind` and turns it into another. */
export function map<A, B>(kind: ValueKind<A>, change: (value: A) => B): ValueKind<B> {
  return check(kind, (value) => ({ value: change(value) }));
}

/** check reads a value with `kind` and then looks at it more closely. */
export function check<A, B>(kind: ValueKind<A>, next: (value: A) => Reading<B>): ValueKind<B> {
  return {
    ...kind,
    read: (line, name) => {
      const reading = kind.read(line, name);
      return isMistake(reading) ? reading : next(reading.value);
    },
  };
}

const BLANKS = /[ \t]+/;

/** readWord reads a value of one word. Behind it only a comment may follow: mosquitto drops everything there without a sign. */
function readWord<T>(line: string, name: string, read: (word: string) => Reading<T>): Reading<T> {
  const [word = '', ...rest] = uncommented(line).trim().split(BLANKS);
  if (word === '') return { problem: `Empty ${name} value in configuration`, hint: null };
  if (rest.length > 0)
    return {
      problem: `Cannot read ${name} "${word}": unexpected "${rest[0]}" after it`,
      hint: 'remove it, or start it with # if it is a comment',
    };
  return read(word);
}

/** uncommented cuts a comment that starts at a blank. */
function uncommented(line: string): string {
  return line.replace(/(^|[ \t])#.*$/, '');
}

function invalid(name: string, value: string, hint: string): Mistake {
  return { problem: `Invalid ${name} value (${value})`, hint };
}

/** suggestion says which word was probably meant, or which there are. */
function suggestion(word: string, known: readonly string[]): string {
  const closest = closestWord(word, known);
  return closest === null ? `write one of ${known.join(', ')}` : `did you mean "${closest}"?`;
}

/** idPrefix is the start of client ids that the broker makes; mosquitto takes 50 bytes. */
export const idPrefix: ValueKind<string> = check(text('prefix'), (prefix) =>
  Buffer.byteLength(prefix) <= 50
    ? { value: prefix }
    : { problem: 'The prefix of client ids must be <= 50 bytes long', hint: 'write a shorter one' },
);
