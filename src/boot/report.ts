// midge-report.txt and the screen: who this machine is, how to reach it, and what is wrong.

import { EXAMPLE } from './account-words.ts';
import type { Mistake } from './settings.ts';
import { wrapLine } from './wrap.ts';

/** REPORT_FILE is its name on the boot partition. */
export const REPORT_FILE = 'midge-report.txt';

export interface ReportFacts {
  readonly title: string;
  readonly hostName: string;
  /** `HOST.local` as the network knows it: another than that of the host name where another machine has that one. */
  readonly announced: string;
  /** Without link-local IPv6 addresses. */
  readonly addresses: readonly string[];
  /** For example 'MQTT on port 1883'. */
  readonly ports: readonly string[];
  /** SHA-256 of the authority's certificate; null = there is none yet. */
  readonly fingerprint: string | null;
  readonly accounts: readonly string[];
  /** Makes the first admin of the web page; null = there is one, or nobody knows the code. */
  readonly setupCode: string | null;
  readonly health: 'running' | 'starting' | 'stopped';
  /** What a broker that does not run said last, and the mistakes in its configuration. */
  readonly brokerWords: readonly string[];
  /** What of the network, or of the clock, is not as it should be. */
  readonly troubles: readonly string[];
  /** Ports of MQTT and WebSocket without TLS that others in the network reach. */
  readonly plainPorts: readonly number[];
  /** Whether the log lies beside the report. */
  readonly hasLog: boolean;
  /** Units of systemd that have failed, but for the broker. */
  readonly failedUnits: readonly string[];
  /** What happened to the data: damage, a full disk, a restored backup. */
  readonly events: readonly string[];
  readonly mistakes: readonly Mistake[];
  /** Null = logins are not our business. */
  readonly hasSsh: boolean | null;
}

/** LOG_FILE is the name of the log on the boot partition, which is there when something is wrong. */
export const LOG_FILE = 'midge-log.txt';

/** SCREEN_WIDTH is that of the smallest console. */
export const SCREEN_WIDTH = 80;

const LABEL = 11;
const INDENT = 4;

/** writeReport gives the report, with \n. It has no time in it: written again only when something has changed, it spares the card. `width` = columns, null = lines as long as they are. */
export function writeReport(facts: ReportFacts, width: number | null = null): string {
  const { title, announced, addresses, ports, fingerprint, failedUnits, hasSsh } = facts;
  const rows: (readonly [string, readonly string[]])[] = [
    ['name', namesOf(facts)],
    ['addresses', addresses.length > 0 ? addresses : ['none yet: is the cable plugged in, is the Wi-Fi in midge.txt right?']],
    ['ports', ports],
    ['web page', [`https://${announced}`]],
    ['authority', fingerprint === null ? ['not made yet'] : inHalves(fingerprint)],
    ['accounts', facts.accounts.length > 0 ? facts.accounts : ['none: nobody can sign in (see below)']],
    ...(hasSsh === null ? [] : [['SSH', [hasSsh ? `on, with your key: ssh root@${announced}` : 'off']] as const]),
    ['health', [HEALTH[facts.health], ...failedUnits.map((unit) => `failed: ${unit}`)]],
  ];
  const text = [
    ...wrapLine(title, width),
    '',
    ...rows.flatMap(([name, lines]) => inColumn(name.padEnd(LABEL), lines, width)),
    '',
    ...sections(facts).flatMap((section) => [...writeSection(section, width), '']),
  ].join('\n');
  return text.replace(/[^\P{Cc}\n]/gu, '?'); // names of files and accounts must not steer the screen
}

const HEALTH = { running: 'the broker is running', starting: 'the broker is starting', stopped: 'THE BROKER IS NOT RUNNING' } as const;

function namesOf({ hostName, announced }: ReportFacts): string[] {
  const own = `${hostName}.local`;
  return announced === own ? [own] : [announced, `(${own} is another machine)`];
}

/** A heading, and what stands below it. */
type Section = readonly [heading: string, lines: readonly string[]];

function sections(facts: ReportFacts): Section[] {
  const { announced, fingerprint, accounts, setupCode, events, mistakes, brokerWords, troubles, plainPorts, hasLog } = facts;
  const slips = mistakes.filter(({ isWarning }) => !isWarning).map(describeMistake);
  const warnings = mistakes.filter(({ isWarning }) => isWarning).map(describeMistake);
  const all: (Section | false)[] = [
    brokerWords.length > 0 && ['The broker does not run. Its last words:', brokerWords],
    troubles.length > 0 && ['Needs attention:', troubles],
    hasLog && [`The log is in ${LOG_FILE}, which is in the same folder as this file.`, []],
    setupCode !== null && [
      'To make the first admin, open the web page and type this set-up code. It works once, and is another one after each start:',
      [`https://${announced}`, setupCode],
    ],
    accounts.length === 0 && [
      'To make the first account, write this into midge.txt on this partition, with a password of your own, and start again:',
      [`account = ${EXAMPLE.user} ${EXAMPLE.password}`],
    ],
    slips.length > 0 && ['Not followed:', slips],
    warnings.length > 0 && ['Followed, but look at it again:', warnings],
    events.length > 0 && ['What happened:', events],
    plainPorts.length > 0 && [describePlain(plainPorts), ['secure = yes']],
    fingerprint !== null && [
      'Devices that connect with TLS must trust ca.crt, which is in the same folder as this file; "authority" above is its SHA-256 fingerprint.',
      [],
    ],
  ];
  return all.filter((section) => section !== false);
}

function describePlain(ports: readonly number[]): string {
  const [which, what] = ports.length === 1 ? ['Port', 'has'] : ['Ports', 'have'];
  return `${which} ${ports.join(' and ')} ${what} no TLS: others in the network can read the passwords and messages that pass there. When all devices use TLS, close ${ports.length === 1 ? 'it' : 'them'} with this line in midge.txt:`;
}

function writeSection([heading, lines]: Section, width: number | null): string[] {
  return [...wrapLine(heading, width), ...lines.flatMap((line) => inColumn(' '.repeat(INDENT), [line], width))];
}

/** Lines beside a label, or below it. */
function inColumn(label: string, lines: readonly string[], width: number | null): string[] {
  const room = width === null ? null : width - label.length;
  const broken = lines.flatMap((line) => wrapLine(line, room));
  return broken.map((line, index) => `${index === 0 ? label : ' '.repeat(label.length)}${line}`);
}

/** describeMistake gives a mistake with its place, for example 'midge.txt line 3: ...'. */
export function describeMistake({ file, line, text }: Mistake): string {
  return line === null ? `${file}: ${text}` : `${file} line ${line}: ${text}`;
}

/** 64 digits with colons are too wide for a screen. */
function inHalves(fingerprint: string): string[] {
  const pairs = fingerprint.split(':');
  return [pairs.slice(0, 16).join(':'), pairs.slice(16).join(':')];
}
