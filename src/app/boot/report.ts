// Gathers what midge-report.txt says, and brings it to the boot partition, to the screen and to the log.

import { X509Certificate } from 'node:crypto';
import { statfsSync, writeFileSync } from 'node:fs';
import { isIPv6 } from 'node:net';
import { usersOf } from '../../access/set-accounts.ts';
import { reasonOf } from '../../base/errors.ts';
import { REPORT_FILE, type ReportFacts, writeReport } from '../../boot/report.ts';
import { CONFIGURATION } from '../../boot/system-files.ts';
import { describeListeners, loadConfiguration } from '../../config/config.ts';
import { machineNames } from '../../host/host.ts';
import type { Status } from '../../operations/status.ts';
import { askControl } from '../ask-control.ts';
import { Disk } from '../disk.ts';
import type { Findings } from './boot.ts';
import { AUTHORITY, BOOT, CONTROL, FINDINGS, KEYS, PASSWORDS, type Scope, STATE } from './paths.ts';
import { type BootWorld, whileWritable } from './world.ts';

/** What midge-data has done. */
const DATA_EVENTS = '/run/midge-boot/data';
/** Share of the data partition below which it is called full. */
const FULL = 0.03;
const CLEAR_SCREEN = '\x1b[2J\x1b[3J\x1b[H';

/** A broker that does not answer by then is stuck: its watchdog sees to that. */
const PATIENCE_MS = 5000;

/** What the log was told last: it need not hear it again. */
const TOLD = '/run/midge-boot/told';

/** reportBoot writes the report where it has changed. Screen and logins are ours only where the whole machine is. */
export async function reportBoot(world: BootWorld, title: string, only: Scope): Promise<void> {
  const disk = new Disk(world.root);
  const authority = certificateOf(disk.text(AUTHORITY));
  const facts = await gatherFacts(world, { disk, title, authority, only });
  const report = writeReport(facts).replaceAll('\n', '\r\n');
  const pem = authority?.toString() ?? null;
  const isNew = disk.text(`${BOOT}/${REPORT_FILE}`) !== report || (pem !== null && disk.text(`${BOOT}/ca.crt`) !== pem);
  try {
    if (isNew && disk.exists(BOOT)) {
      await whileWritable(world, () => {
        disk.write(`${BOOT}/${REPORT_FILE}`, report, { mode: 0o644 });
        if (pem !== null) disk.write(`${BOOT}/ca.crt`, pem, { mode: 0o644 });
      });
    }
  } catch (error) {
    world.say(`Cannot write the report to the boot partition: ${reasonOf(error)}`);
  }
  if (only === 'machine and broker') showOnScreen(disk, report);
  const line = readyLine(facts);
  if (disk.text(TOLD) === line) return;
  world.say(line);
  disk.write(TOLD, line, { mode: 0o644 });
}

/** The line of the log by which a person, or a test, sees that the machine is up. */
function readyLine({ announced, addresses, fingerprint, accounts, isRunning, failedUnits }: ReportFacts): string {
  const health = isRunning ? 'ready' : 'NOT RUNNING';
  const failed = failedUnits.length === 0 ? '' : ` failed=${failedUnits.join(',')}`;
  return `${announced} is ${health}: addresses=${addresses.join(',') || 'none'} accounts=${accounts.length} authority=${fingerprint ?? 'none'}${failed}`;
}

interface Sources {
  readonly disk: Disk;
  readonly title: string;
  readonly authority: X509Certificate | null;
  readonly only: Scope;
}

async function gatherFacts(world: BootWorld, { disk, title, authority, only }: Sources): Promise<ReportFacts> {
  const findings = readFindings(disk);
  const { hostName, addresses } = machineNames();
  const failed = (await world.run('systemctl', 'list-units', '--failed', '--plain', '--no-legend')) ?? '';
  const { configuration } = loadConfiguration({ file: disk.path(CONFIGURATION), port: null, verbose: false, lan: false });
  const [label = ''] = hostName.split('.');
  return {
    title,
    hostName: label,
    announced: (await announcedName(disk)) ?? `${label}.local`,
    addresses: addresses.filter((address) => !isIPv6(address) || !/^fe[89ab]/i.test(address)),
    ports: configuration === null ? [] : describeListeners(configuration),
    fingerprint: authority?.fingerprint256 ?? null,
    accounts: usersOf(disk.text(PASSWORDS) ?? ''),
    isRunning: (await world.run('systemctl', 'is-active', 'midge.service')) !== null,
    failedUnits: failed.split('\n').flatMap((line) => line.trim().split(/\s+/)[0] || []),
    events: [...linesOf(disk.text(DATA_EVENTS)), ...findings.events, ...damagedFiles(disk), ...fullDisk(disk)],
    mistakes: findings.mistakes,
    hasSsh: only === 'broker' ? null : disk.exists(KEYS),
  };
}

/** Null = the broker does not run, or is not announced at this moment. */
async function announcedName(disk: Disk): Promise<string | null> {
  try {
    const { machine } = (await askControl(disk.path(CONTROL), { request: 'status' }, PATIENCE_MS)) as Status; // of the broker's user: looked at below
    return /^[\w.-]{1,253}$/.test(machine.announced ?? '') ? machine.announced : null;
  } catch {
    return null;
  }
}

function readFindings(disk: Disk): Findings {
  try {
    return JSON.parse(disk.text(FINDINGS) ?? '') as Findings; // written by applyBootPartition
  } catch {
    return { mistakes: [], events: ['The boot partition was not read: see the log of midge-boot.service.'] };
  }
}

/** The broker's user can put anything in its place: what is shown to everybody is a certificate, or nothing. */
function certificateOf(text: string | null): X509Certificate | null {
  try {
    return text === null ? null : new X509Certificate(text);
  } catch {
    return null;
  }
}

function damagedFiles(disk: Disk): string[] {
  return disk
    .names(STATE)
    .filter((name) => /^[\w.-]+\.corrupt-[\w.-]+$/.test(name))
    .map((name) => `A damaged database was put aside: ${STATE}/${name}. What it held is lost.`);
}

function fullDisk(disk: Disk): string[] {
  try {
    const { bavail, blocks, bsize } = statfsSync(disk.path('/var'));
    if (bavail / blocks >= FULL) return [];
    // in tens, so that the report is not written anew for each
    return [`The data partition is full: ${Math.floor((bavail * bsize) / 1e7) * 10} MB are free. New messages can't be kept.`];
  } catch {
    return [];
  }
}

function linesOf(text: string | null): string[] {
  return (text ?? '').split('\n').filter((line) => line !== '');
}

function showOnScreen(disk: Disk, report: string): void {
  if (!disk.exists('/dev/tty1')) return;
  try {
    writeFileSync(disk.path('/dev/tty1'), CLEAR_SCREEN + report);
  } catch {
    // a machine without a screen has the report on its boot partition
  }
}
