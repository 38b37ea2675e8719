// How the lines of a `connection` block become values that no other part of the file has: addresses, topics, and several numbers on a line.

import { isIP } from 'node:net';
import { closestWord } from '../base/closest-word.ts';
import type { BridgeAddress, BridgeTopic } from '../bridges/options.ts';
import type { Qos } from '../mqtt/packet-types.ts';
import { isTopicFilter, isTopicName } from '../mqtt/topics.ts';
import { check, isMistake, type Mistake, type Reading, text, type ValueKind } from './values.ts';

/** SaidAddress is an address as it stands; `scheme` null = without one, so that the TLS words of the block decide. */
export interface SaidAddress extends Omit<BridgeAddress, 'scheme'> {
  readonly scheme: BridgeAddress['scheme'] | null;
  readonly text: string;
}

/** Port of an address without one; mosquitto has 1883 for all of them. IANA, RFC 6455 */
const DEFAULT_PORTS = { mqtt: 1883, mqtts: 8883, ws: 80, wss: 443 } as const;

/** Names that people know from other programs. */
const SCHEMES: Readonly<Record<string, BridgeAddress['scheme']>> = {
  mqtt: 'mqtt',
  tcp: 'mqtt',
  mqtts: 'mqtts',
  ssl: 'mqtts',
  tls: 'mqtts',
  ws: 'ws',
  wss: 'wss',
};

/** Path of brokers' WebSockets, where an address names none. mosquitto takes any. */
const DEFAULT_PATH = '/mqtt';

/** addresses are `host[:port]` and `SCHEME://host[:port][/path]`, with blanks between them. An IPv6 address has brackets, or a port behind its last colon as in mosquitto. */
export const addresses: ValueKind<readonly SaidAddress[]> = {
  syntax: 'host[:port] ... | SCHEME://host[:port][/path] ...',
  repeated: 'refused',
  read: (line, name) => {
    const found: SaidAddress[] = [];
    for (const word of wordsOf(line)) {
      const reading = readAddress(word, name);
      if (isMistake(reading)) return reading;
      found.push(reading.value);
    }
    return found.length === 0 ? { problem: `Empty ${name} value in configuration`, hint: 'write host:port' } : { value: found };
  },
};

function readAddress(word: string, name: string): Reading<SaidAddress> {
  const [, schemeWord = null, rest = ''] = /^(?:([A-Za-z0-9+.-]+):\/\/)?(.*)$/.exec(word) ?? [];
  const scheme = schemeWord === null ? null : (SCHEMES[schemeWord.toLowerCase()] ?? undefined);
  if (scheme === undefined)
    return { problem: `Invalid ${name} value (${schemeWord}://)`, hint: 'write mqtt://, mqtts://, ws:// or wss://, or host:port' };
  if (rest.includes('@'))
    return { problem: `Invalid ${name} value: there is an @ in it`, hint: 'write remote_username and remote_password below' };
  const slash = rest.indexOf('/');
  const place = slash === -1 ? rest : rest.slice(0, slash);
  const path = slash === -1 ? '' : rest.slice(slash);
  const isWebSocket = scheme === 'ws' || scheme === 'wss';
  if (path !== '' && path !== '/' && !isWebSocket)
    return { problem: `Invalid ${name} value (${word})`, hint: 'only an address of ws:// or wss:// has a path' };
  const parts = splitPlace(place);
  if (parts === null) return { problem: `Invalid ${name} value (${word})`, hint: 'write host:port; an IPv6 address is [ADDRESS]:port' };
  const port = parts.port === null ? DEFAULT_PORTS[scheme ?? 'mqtt'] : Number(parts.port);
  if (!(port >= 1 && port <= 65_535)) return { problem: `Invalid bridge port value (${parts.port})`, hint: 'write a port from 1 to 65535' };
  return { value: { scheme, host: parts.host, port, path: isWebSocket ? path || DEFAULT_PATH : '', text: word } };
}

function splitPlace(place: string): { readonly host: string; readonly port: string | null } | null {
  const [, literal, behind = ''] = /^\[([^\]]*)\](.*)$/.exec(place) ?? [];
  if (literal !== undefined) {
    if (isIP(literal) !== 6 || !/^(:\d+)?$/.test(behind)) return null;
    return { host: literal, port: behind === '' ? null : behind.slice(1) };
  }
  const colon = place.lastIndexOf(':');
  const [host, port] = colon === -1 ? [place, null] : [place.slice(0, colon), place.slice(colon + 1)];
  if (host.includes(':') && isIP(host) !== 6) return isIP(place) === 6 ? { host: place, port: null } : null;
  return /^[A-Za-z0-9_.:%-]+$/.test(host) && (port === null || /^\d+$/.test(port)) ? { host, port } : null;
}

const DIRECTIONS = ['in', 'out', 'both'] as const;

/** topic is a pattern with direction, QoS and the prefixes of both sides; what has blanks in it, or is empty, stands in quotes. */
export const topic: ValueKind<BridgeTopic> = {
  syntax: 'pattern [out | in | both] [qos] [local-prefix] [remote-prefix]',
  repeated: 'last wins',
  read: (line) => {
    const words = quotedWords(line);
    if (words === null) return { problem: 'Missing closing quote in topic value', hint: 'write " behind it, too' };
    const [pattern = '', directionWord = 'out', qosWord = '0', localPrefix = '', remotePrefix = '', tooMany] = words;
    const direction = DIRECTIONS.find((each) => each === directionWord.toLowerCase());
    if (direction === undefined) {
      const likely = closestWord(directionWord.toLowerCase(), DIRECTIONS);
      return {
        problem: `Invalid bridge topic direction '${directionWord}'`,
        hint: likely === null ? 'write in, out or both' : `did you mean "${likely}"?`,
      };
    }
    if (!/^[012]$/.test(qosWord)) return { problem: `Invalid bridge QoS level '${qosWord}'`, hint: 'write 0, 1 or 2' };
    if (tooMany !== undefined)
      return {
        problem: `Cannot read topic "${pattern}": unexpected "${tooMany}" after it`,
        hint: 'write pattern, direction, QoS, local prefix and remote prefix; "" for one that is empty',
      };
    const value: BridgeTopic = { pattern, direction, qos: Number(qosWord) as Qos, localPrefix, remotePrefix }; // it is 0, 1 or 2
    return mistakeIn(value) ?? { value };
  },
};

/** The rules of mosquitto's bridge__add_topic. */
function mistakeIn({ pattern, localPrefix, remotePrefix }: BridgeTopic): Mistake | null {
  const sides = [
    ['local', localPrefix],
    ['remote', remotePrefix],
  ] as const;
  for (const [side, prefix] of sides) {
    if (prefix !== '' && !isTopicName(prefix))
      return { problem: `Invalid bridge topic ${side} prefix '${prefix}'`, hint: 'a prefix has no + and #, and is not too deep' };
  }
  if (pattern === '' && (localPrefix === '' || remotePrefix === ''))
    return { problem: 'Invalid bridge remapping', hint: 'an empty pattern needs both prefixes: the topic here, and the one over there' };
  for (const [side, prefix] of sides) {
    const whole = prefix + pattern;
    if (isTopicFilter(whole)) continue;
    const problem =
      prefix === '' ? `Invalid bridge topic '${pattern}'` : `Invalid bridge topic ${side} prefix and pattern combination '${whole}'`;
    return { problem, hint: '+ and # stand alone between slashes, and # only at the end; a prefix before them ends in /' };
  }
  return null;
}

/** quotedWords parts a line at its blanks, outside of quotes. From the second word on, one that begins with # is a comment. Null = a quote is not closed. */
function quotedWords(line: string): readonly string[] | null {
  const words: string[] = [];
  for (const [whole, quoted, plain = ''] of line.matchAll(/"([^"]*)"?|([^ \t]+)/g)) {
    if (quoted !== undefined && (whole.length < 2 || !whole.endsWith('"'))) return null;
    if (quoted === undefined && words.length > 0 && plain.startsWith('#')) break;
    words.push(quoted ?? plain);
  }
  return words;
}

/** bridgeTopicName is a topic that a bridge publishes to. */
export const bridgeTopicName: ValueKind<string> = check(text('topic'), (value) =>
  isTopicName(value) ? { value } : { problem: `Invalid notification_topic value (${value})`, hint: 'write a topic without + and #' },
);

/** SaidRestart is `restart_timeout` as it stands, in seconds; `cap` null = the time is constant. */
export interface SaidRestart {
  readonly base: number;
  readonly cap: number | null;
  readonly stable: number;
}

/** restartTimeout is one number, or two to three. */
export const restartTimeout: ValueKind<SaidRestart> = {
  syntax: 'seconds | base cap [stable]',
  repeated: 'last wins',
  read: (line, name) => {
    const reading = readNumbers(line, name, 3);
    if (isMistake(reading)) return reading;
    const [base = 0, cap = null, stable = 0] = reading.value;
    if (cap !== null && cap < base)
      return { problem: 'backoff cap is lower than the base in restart_timeout', hint: `write ${name} ${cap} ${base}` };
    return { value: { base, cap, stable } };
  },
};

/** tcpKeepalive is three numbers above 0. */
export const tcpKeepalive: ValueKind<readonly [idle: number, interval: number, count: number]> = {
  syntax: 'idle interval count',
  repeated: 'last wins',
  read: (line, name) => {
    const reading = readNumbers(line, name, 3);
    if (isMistake(reading)) return reading;
    const [idle = 0, interval = 0, count = 0] = reading.value;
    if (idle > 0 && interval > 0 && count > 0) return { value: [idle, interval, count] };
    return {
      problem: `Invalid ${name} value (${line})`,
      hint: 'write three numbers above 0: seconds of silence, seconds between probes, probes',
    };
  },
};

function readNumbers(line: string, name: string, most: number): Reading<readonly number[]> {
  const words = wordsOf(line);
  if (words.length === 0) return { problem: `Empty ${name} value in configuration`, hint: null };
  const wrong = words.find((word) => !/^\d{1,9}$/.test(word));
  if (wrong !== undefined) return { problem: `Invalid ${name} value (${wrong})`, hint: 'write whole numbers' };
  if (words.length > most)
    return { problem: `Cannot read ${name}: unexpected "${words[most]}" after it`, hint: `it has at most ${most} numbers` };
  return { value: words.map(Number) };
}

/** wordsOf parts a line at its blanks, up to a comment. */
function wordsOf(line: string): readonly string[] {
  const words = line.split(/[ \t]+/).filter((word) => word !== '');
  const comment = words.findIndex((word) => word.startsWith('#'));
  return comment === -1 ? words : words.slice(0, comment);
}
