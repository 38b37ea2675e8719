// midge-report.txt and the screen: who this machine is, how to reach it, and what is wrong.

import type { Mistake } from './settings.ts';

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
  readonly isRunning: boolean;
  /** Units of systemd that have failed, but for the broker. */
  readonly failedUnits: readonly string[];
  /** What happened to the data: damage, a full disk, a restored backup. */
  readonly events: readonly string[];
  readonly mistakes: readonly Mistake[];
  /** Null = logins are not our business. */
  readonly hasSsh: boolean | null;
}

const WIDTH = 11;

/** writeReport gives the report, with \n. It has no time in it: written again only when something has changed, it spares the card. */
export function writeReport(facts: ReportFacts): string {
  const { title, announced, addresses, ports, fingerprint, isRunning, failedUnits, hasSsh } = facts;
  const rows: (readonly [string, readonly string[]])[] = [
    ['name', namesOf(facts)],
    ['addresses', addresses.length > 0 ? addresses : ['none yet: is the cable plugged in, is the Wi-Fi in midge.txt right?']],
    ['ports', ports],
    ['web page', [`https://${announced}`]],
    ['authority', fingerprint === null ? ['not made yet'] : inHalves(fingerprint)],
    ['accounts', facts.accounts.length > 0 ? facts.accounts : ['none: nobody can sign in (see below)']],
    ...(hasSsh === null ? [] : [['SSH', [hasSsh ? `on, with your key: ssh root@${announced}` : 'off']] as const]),
    ['health', [isRunning ? 'the broker is running' : 'THE BROKER IS NOT RUNNING', ...failedUnits.map((unit) => `failed: ${unit}`)]],
  ];
  const text = [
    title,
    '',
    ...rows.flatMap(([name, lines]) => lines.map((line, index) => `${(index === 0 ? name : '').padEnd(WIDTH)}${line}`)),
    '',
    ...paragraphs(facts),
  ].join('\n');
  return text.replace(/[^\P{Cc}\n]/gu, '?'); // names of files and accounts must not steer the screen
}

function namesOf({ hostName, announced }: ReportFacts): string[] {
  const own = `${hostName}.local`;
  return announced === own ? [own] : [announced, `(${own} is another machine)`];
}

function paragraphs({ announced, fingerprint, accounts, setupCode, events, mistakes }: ReportFacts): string[] {
  const parts: string[][] = [];
  if (setupCode !== null) {
    parts.push([
      'To make the first admin, open the web page and type this set-up code. It works once, and is another one after each start:',
      `    https://${announced}`,
      `    ${setupCode}`,
    ]);
  }
  if (accounts.length === 0) {
    parts.push([
      'To make the first account, write this into midge.txt on this partition and start again:',
      '    account = jane a-long-password',
    ]);
  }
  const slips = mistakes.filter(({ isWarning }) => !isWarning);
  const warnings = mistakes.filter(({ isWarning }) => isWarning);
  if (slips.length > 0) parts.push(['Not followed:', ...slips.map((mistake) => `    ${describeMistake(mistake)}`)]);
  if (warnings.length > 0) parts.push(['Followed, but look at it again:', ...warnings.map((mistake) => `    ${describeMistake(mistake)}`)]);
  if (events.length > 0) parts.push(['What happened:', ...events.map((event) => `    ${event}`)]);
  if (fingerprint !== null) {
    parts.push([
      'Devices that connect with TLS must trust ca.crt, which is in the same folder as this file; "authority" above is its SHA-256 fingerprint.',
    ]);
  }
  return parts.flatMap((lines) => [...lines, '']);
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
