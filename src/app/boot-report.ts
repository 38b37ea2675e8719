// Gathers what midge-report.txt says, and brings it to the boot partition, to the screen and to the log.

import { X509Certificate } from 'node:crypto';
import { readdirSync, statfsSync, writeFileSync } from 'node:fs';
import { isIPv6 } from 'node:net';
import { usersOf } from '../access/set-accounts.ts';
import { REPORT_FILE, type ReportFacts, writeReport } from '../boot/report.ts';
import { CONFIGURATION } from '../boot/system-files.ts';
import { describeListeners, loadConfiguration } from '../config/config.ts';
import { machineNames } from '../host/host.ts';
import { AUTHORITY, BOOT, FINDINGS, type Findings, PASSWORDS, STATE, whileWritable } from './boot-partition.ts';
import { type BootWorld, Disk } from './boot-world.ts';

/** What midge-data has done. */
const DATA_EVENTS = '/run/midge-boot/data';
/** Share of the data partition below which it is called full. */
const FULL = 0.03;
const CLEAR_SCREEN = '\x1b[2J\x1b[3J\x1b[H';

/** reportBoot writes the report where it has changed. Never throws. */
export async function reportBoot(world: BootWorld, title: string): Promise<ReportFacts> {
  const disk = new Disk(world.root);
  const facts = await gatherFacts(world, disk, title);
  const report = writeReport(facts).replaceAll('\n', '\r\n');
  const authority = disk.text(AUTHORITY);
  const isNew = disk.text(`${BOOT}/${REPORT_FILE}`) !== report || (authority !== null && disk.text(`${BOOT}/ca.crt`) !== authority);
  try {
    if (isNew && disk.exists(BOOT)) {
      await whileWritable(world, () => {
        disk.write(`${BOOT}/${REPORT_FILE}`, report, { mode: 0o644 });
        if (authority !== null) disk.write(`${BOOT}/ca.crt`, authority, { mode: 0o644 });
      });
    }
  } catch (error) {
    world.say(`Cannot write the report to the boot partition: ${String(error)}`);
  }
  showOnScreen(disk, report);
  return facts;
}

/** readyLine is the line of the log by which a person, or a test, sees that the machine is up. */
export function readyLine({ hostName, addresses, fingerprint, accounts, isRunning, failedUnits }: ReportFacts): string {
  const health = isRunning ? 'ready' : 'NOT RUNNING';
  const failed = failedUnits.length === 0 ? '' : ` failed=${failedUnits.join(',')}`;
  return `${hostName}.local is ${health}: addresses=${addresses.join(',') || 'none'} accounts=${accounts.length} authority=${fingerprint ?? 'none'}${failed}`;
}

async function gatherFacts(world: BootWorld, disk: Disk, title: string): Promise<ReportFacts> {
  const findings = readFindings(disk);
  const { hostName, addresses } = machineNames();
  const failed = (await world.run('systemctl', 'list-units', '--failed', '--plain', '--no-legend')) ?? '';
  const certificate = disk.text(AUTHORITY);
  const { configuration } = loadConfiguration({ file: disk.path(CONFIGURATION), port: null, verbose: false, lan: false });
  return {
    title,
    hostName: hostName.split('.')[0]!,
    addresses: addresses.filter((address) => !isIPv6(address) || !/^fe[89ab]/i.test(address)),
    ports: configuration === null ? [] : describeListeners(configuration),
    fingerprint: certificate === null ? null : fingerprintOf(certificate),
    accounts: usersOf(disk.text(PASSWORDS) ?? ''),
    isRunning: (await world.run('systemctl', 'is-active', 'midge.service')) !== null,
    failedUnits: failed.split('\n').flatMap((line) => line.trim().split(/\s+/)[0] || []),
    events: [...linesOf(disk.text(DATA_EVENTS)), ...findings.events, ...damagedFiles(disk), ...fullDisk(disk)],
    mistakes: findings.mistakes,
    hasSsh: disk.exists('/var/lib/ssh/authorized_keys'),
  };
}

function readFindings(disk: Disk): Findings {
  try {
    return JSON.parse(disk.text(FINDINGS) ?? '') as Findings; // written by applyBootPartition
  } catch {
    return { mistakes: [], events: ['The boot partition was not read: see the log of midge-boot.service.'] };
  }
}

function fingerprintOf(certificate: string): string | null {
  try {
    return new X509Certificate(certificate).fingerprint256;
  } catch {
    return null;
  }
}

function damagedFiles(disk: Disk): string[] {
  const names = disk.exists(STATE) ? readdirSync(disk.path(STATE)) : [];
  return names
    .filter((name) => name.includes('.corrupt-'))
    .map((name) => `A damaged database was put aside: ${STATE}/${name}. What it held is lost.`);
}

function fullDisk(disk: Disk): string[] {
  try {
    const { bavail, blocks, bsize } = statfsSync(disk.path('/var'));
    if (bavail / blocks >= FULL) return [];
    return [`The data partition is full: ${Math.floor((bavail * bsize) / 1e6)} MB are free. New messages can't be kept.`];
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
