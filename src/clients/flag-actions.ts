// What each flag of pub, sub and rr does to the settings, with mosquitto's checks of its value.

import { isTopicFilter, isTopicName, parseSharedFilter } from '../mqtt/topics.ts';
import type { Flag } from '../terminal/command.ts';
import { readPasswordFile } from '../terminal/passwords.ts';
import { parseFormat } from './format.ts';
import { ClientMistake } from './mistake.ts';
import { type ClientSettings, type PayloadSource, type Qos, UNLIMITED } from './settings.ts';
import { parseProxy } from './socks.ts';
import { applyHost, applyUrl } from './url.ts';

/** SWITCHES: what a flag without value does. */
export const SWITCHES: Readonly<Record<string, (settings: ClientSettings) => void>> = {
  'disable-clean-session': (settings) => {
    settings.cleanSession = false;
  },
  nodelay: (settings) => {
    settings.noDelay = true;
  },
  'will-retain': (settings) => {
    settings.will.retain = true;
  },
  ws: (settings) => {
    settings.webSocket = true;
  },
  'no-tls': (settings) => {
    settings.tls.never = true;
  },
  'tls-use-os-certs': (settings) => {
    settings.tls.useOsCerts = true;
  },
  insecure: (settings) => {
    settings.tls.insecure = true;
  },
  debug: (settings) => {
    settings.debug = true;
  },
  quiet: (settings) => {
    settings.quiet = true;
  },
  retain: (settings) => {
    settings.retain = true;
  },
  'stdin-line': (settings) => setSource(settings, { kind: 'stdin lines' }),
  'stdin-file': (settings) => setSource(settings, { kind: 'stdin' }),
  'null-message': (settings) => setSource(settings, { kind: 'text', payload: Buffer.alloc(0) }),
  verbose: (settings) => {
    settings.verbose = true;
  },
  pretty: (settings) => {
    settings.pretty = true;
  },
  N: (settings) => {
    settings.endOfLine = false;
  },
  E: (settings) => {
    settings.exitAfterSubscribe = true;
  },
  R: (settings) => {
    settings.noRetained = true;
    settings.retainHandling = 2;
  },
  watch: (settings) => {
    settings.watch = true;
  },
  'message-rate': (settings) => {
    settings.messageRate = true;
  },
  latency: (settings) => {
    settings.latency = true;
    settings.noDelay = true;
  },
  'retained-only': (settings) => {
    settings.retainedOnly = true;
  },
  'remove-retained': (settings) => {
    settings.removeRetained = true;
  },
  'retain-as-published': (settings) => {
    settings.retainAsPublished = true;
  },
};

/** VALUES: what a flag does with its value. */
export const VALUES: Readonly<Record<string, (settings: ClientSettings, value: string, flag: Flag) => void>> = {
  host: (settings, value) => applyHost(value, settings),
  port: (settings, value) => {
    settings.port = whole(value);
    if (settings.port < 0 || settings.port > 65535) throw new ClientMistake(`Error: Invalid port given: ${settings.port}`);
  },
  url: (settings, value) => addTopic(settings, applyUrl(value, settings)),
  unix: (settings, value) => {
    settings.unix = value;
  },
  username: (settings, value) => {
    settings.username = value;
  },
  pw: (settings, value) => {
    settings.password = value;
  },
  'password-file': (settings, value) => {
    settings.password = readPasswordFile(value);
  },
  id: (settings, value) => {
    if (settings.idPrefix !== null) throw idConflict();
    settings.id = value;
  },
  'id-prefix': (settings, value) => {
    if (settings.id !== null) throw idConflict();
    settings.idPrefix = value;
  },
  keepalive: (settings, value) => {
    settings.keepalive = whole(value);
    if (settings.keepalive >= 5 && settings.keepalive <= 65535) return;
    throw new ClientMistake('Error: Invalid keepalive given, it must be between 5 and 65535 inclusive.', { blankLine: true });
  },
  o: () => {}, // read before all others
  f: (settings, value) => {
    settings.dataFile = value;
  },
  'session-expiry-interval': (settings, value) => {
    settings.sessionExpiry = sessionExpiryOf(value);
    settings.version = 5;
  },
  'protocol-version': (settings, value) => {
    settings.version = versionOf(value);
  },
  A: (settings, value) => {
    settings.bindAddress = value;
  },
  'will-topic': (settings, value) => {
    if (value !== '' && !isTopicName(value)) throw new ClientMistake(`Error: Invalid will topic '${value}', does it contain '+' or '#'?`);
    settings.will.topic = value;
  },
  'will-payload': (settings, value) => {
    settings.will.payload = value;
  },
  'will-qos': (settings, value) => {
    if (![0, 1, 2].includes(whole(value))) throw new ClientMistake(`Error: Invalid will QoS ${whole(value)}.`, { blankLine: true });
    settings.will.qos = whole(value) as Qos; // checked above
  },
  cafile: (settings, value) => {
    settings.tls.cafile = value;
  },
  capath: (settings, value) => {
    settings.tls.capath = value;
  },
  cert: (settings, value) => {
    settings.tls.cert = value;
  },
  key: (settings, value) => {
    settings.tls.key = value;
  },
  'tls-version': (settings, value) => {
    settings.tls.version = value;
  },
  ciphers: (settings, value) => {
    settings.tls.ciphers = value;
  },
  keyform: (_settings, value) => {
    if (value !== 'pem') throw new ClientMistake(`Error: --keyform ${value} is not supported: the key of --key is a PEM file.`);
  },
  'tls-keylog': (settings, value) => {
    settings.tls.keylog = value;
  },
  'tls-alpn': (settings, value) => {
    settings.tls.alpn = value;
  },
  psk: (settings, value) => {
    settings.tls.psk = value;
  },
  'psk-identity': (settings, value) => {
    settings.tls.pskIdentity = value;
  },
  proxy: (settings, value) => {
    settings.proxy = parseProxy(value);
  },
  qos: (settings, value) => {
    const qos = whole(value);
    if (qos !== 0 && qos !== 1 && qos !== 2) throw new ClientMistake(`Error: Invalid QoS given: ${qos}`);
    settings.qos = qos;
  },
  topic: (settings, value, flag) => {
    if (flag.repeatable) checkFilter(value, 'subscription');
    else checkTopic(value, 'publish');
    addTopic(settings, value);
  },
  e: (settings, value) => {
    checkTopic(value, 'response');
    settings.responseTopic = value;
  },
  message: (settings, value) => setSource(settings, { kind: 'text', payload: Buffer.from(value) }),
  file: (settings, value) => setSource(settings, { kind: 'file', path: value }),
  repeat: (settings, value) => {
    settings.repeat = whole(value);
    if (settings.repeat < 1) throw new ClientMistake('Error: --repeat argument must be >0.', { blankLine: true });
  },
  'repeat-delay': (settings, value) => {
    settings.repeatDelay = (Number.parseFloat(value) || 0) * 1000;
    if (settings.repeatDelay < 0) throw new ClientMistake('Error: --repeat-delay argument must be >=0.0.', { blankLine: true });
  },
  M: (settings, value) => {
    settings.maxInflight = whole(value);
    if (settings.maxInflight < 1) throw new ClientMistake('Error: Maximum inflight messages must be greater than 0.', { blankLine: true });
  },
  F: (settings, value) => {
    parseFormat(value); // finds the mistakes now
    settings.format = value;
  },
  C: (settings, value) => {
    settings.messageCount = whole(value);
    if (settings.messageCount < 1) throw new ClientMistake(`Error: Invalid message count "${settings.messageCount}".`, { blankLine: true });
  },
  W: (settings, value) => {
    settings.timeout = whole(value);
    if (settings.timeout < 1) throw new ClientMistake(`Error: Invalid timeout "${settings.timeout}".`, { blankLine: true });
  },
  'filter-out': (settings, value) => {
    checkFilter(value, 'filter');
    settings.filterOut.push(value);
  },
  unsubscribe: (settings, value) => {
    checkFilter(value, 'unsubscribe');
    settings.unsubscribe.push(value);
  },
  'retain-handling': (settings, value) => {
    const handling = ['always', 'new', 'never'].indexOf(value);
    if (handling < 0) throw new ClientMistake(`Error: Unknown value '${value}' for --retain-handling.`, { blankLine: true });
    settings.retainHandling = handling as 0 | 1 | 2; // the index is that of MQTT 5 3.8.3.1
  },
  'random-filter': (settings, value) => {
    settings.randomFilter = Number.parseFloat(value) || 0;
    if (settings.randomFilter >= 0.1 && settings.randomFilter <= 100) return;
    throw new ClientMistake('Error: --random-filter chance must be between 0.1-100.0', { blankLine: true });
  },
};

/** whole reads a number as C's atoi does: what is none is 0. */
function whole(text: string): number {
  return Number.parseInt(text, 10) || 0;
}

function addTopic(settings: ClientSettings, topic: string): void {
  settings.topic = topic;
  settings.topics.push(topic);
}

function setSource(settings: ClientSettings, source: PayloadSource): void {
  if (settings.source !== null) throw new ClientMistake('Error: Only one type of message can be sent at once.', { blankLine: true });
  settings.source = source;
}

function checkTopic(topic: string, kind: 'publish' | 'response'): void {
  if (/[+#]/.test(topic)) throw new ClientMistake(`Error: Invalid ${kind} topic '${topic}', does it contain '+' or '#'?`);
}

function checkFilter(filter: string, kind: 'subscription' | 'filter' | 'unsubscribe'): void {
  const valid = filter.startsWith('$share/') ? parseSharedFilter(filter) !== null : isTopicFilter(filter);
  if (!valid) throw new ClientMistake(`Error: Invalid ${kind} topic '${filter}', are all '+' and '#' wildcards correct?`);
}

function idConflict(): ClientMistake {
  return new ClientMistake('Error: -i and -I argument cannot be used together.', { blankLine: true });
}

function sessionExpiryOf(text: string): number {
  if (text === '∞') return UNLIMITED;
  if (!/^\s*[-+]?\d+$/.test(text)) throw new ClientMistake('Error: session-expiry-interval not a number.', { blankLine: true });
  const seconds = Number(text);
  if (seconds < -1 || seconds > UNLIMITED) throw new ClientMistake('Error: session-expiry-interval out of range.', { blankLine: true });
  return seconds === -1 ? UNLIMITED : seconds;
}

function versionOf(text: string): 3 | 4 | 5 {
  switch (text) {
    case 'mqttv31':
    case '31':
      return 3;
    case 'mqttv311':
    case '311':
      return 4;
    case 'mqttv5':
    case '5':
      return 5;
    default:
      throw new ClientMistake('Error: Invalid protocol version argument given.', { blankLine: true });
  }
}
