// Gathers what midge-report.txt says, and brings it to the boot partition, to the screen and to the log.

import { X509Certificate } from 'node:crypto';
import { statfsSync } from 'node:fs';
import { isIPv6 } from 'node:net';
import { usersOf } from '../../access/set-accounts.ts';
import { reasonOf } from '../../base/errors.ts';
import { REPORT_FILE, type ReportFacts, SCREEN_WIDTH, writeReport } from '../../boot/report.ts';
import { emptyDraft } from '../../boot/settings.ts';
import { CONFIGURATION } from '../../boot/system-files.ts';
import { describeListeners, loadConfiguration } from '../../config/config.ts';
import type { Configuration } from '../../config/configuration.ts';
import { askControl } from '../../control/ask-control.ts';
import { machineNames } from '../../host/host.ts';
import { MachineFiles } from '../../host/machine-files.ts';
import { isLocal } from '../../listeners/options.ts';
import type { Status } from '../../operations/status.ts';
import { asOwnerNow } from '../../state/as-owner.ts';
import type { Findings } from './boot.ts';
import { configurationMistakes, healthOfBroker, lastWords } from './broker.ts';
import { networkTroubles } from './network.ts';
import { AUTHORITY, BOOT, CONTROL, FINDINGS, KEYS, PASSWORDS, type Scope, STATE } from './paths.ts';
import { showOnScreen } from './screen.ts';
import { keepTroubleLog, type Wrong } from './trouble-log.ts';
import { type BootWorld, hasBootPartition, whileWritable } from './world.ts';

/** What midge-data has done. */
const DATA_EVENTS = '/run/midge-boot/data';
/** Share of the data partition below which it is called full. */
const FULL = 0.03;
/** There while timesyncd runs. */
const TIMESYNC = '/run/systemd/timesync';
const ASKING_SECONDS = 600;

/** A broker that does not answer by then is stuck: its watchdog sees to that. */
const PATIENCE_MS = 5000;

/** What the log was told last: it need not hear it again. */
const TOLD = '/run/midge-boot/told';

/** reportBoot writes the report where it has changed. Screen and logins are ours only where the whole machine is. */
export async function reportBoot(world: BootWorld, title: string, only: Scope): Promise<void> {
  const files = new MachineFiles(world.root);
  const authority = certificateOf(files.text(AUTHORITY));
  const facts = await gatherFacts(world, { files, title, authority, only });
  const report = writeReport(facts).replaceAll('\n', '\r\n');
  const pem = authority?.toString() ?? null;
  const isNew = files.text(`${BOOT}/${REPORT_FILE}`) !== report || (pem !== null && files.text(`${BOOT}/ca.crt`) !== pem);
  try {
    if (isNew && files.exists(BOOT)) {
      await whileWritable(world, () => {
        files.write(`${BOOT}/${REPORT_FILE}`, report, { mode: 0o644 });
        if (pem !== null) files.write(`${BOOT}/ca.crt`, pem, { mode: 0o644 });
      });
    }
  } catch (error) {
    world.say(`Cannot write the report to the boot partition: ${reasonOf(error)}`);
  }
  if (only === 'machine and broker') showOnScreen(files, writeReport(facts, SCREEN_WIDTH));
  const line = readyLine(facts);
  if (files.text(TOLD) === line) return;
  world.say(line);
  files.write(TOLD, line, { mode: 0o644 });
}

const HEALTH = { running: 'ready', starting: 'starting', stopped: 'NOT RUNNING' } as const;

/** The line of the log by which a person, or a test, sees that the machine is up. */
function readyLine({ announced, addresses, fingerprint, accounts, health, failedUnits }: ReportFacts): string {
  const failed = failedUnits.length === 0 ? '' : ` failed=${failedUnits.join(',')}`;
  return `${announced} is ${HEALTH[health]}: addresses=${addresses.join(',') || 'none'} accounts=${accounts.length} authority=${fingerprint ?? 'none'}${failed}`;
}

interface Sources {
  readonly files: MachineFiles;
  readonly title: string;
  readonly authority: X509Certificate | null;
  readonly only: Scope;
}

async function gatherFacts(world: BootWorld, { files, title, authority, only }: Sources): Promise<ReportFacts> {
  const findings = readFindings(files);
  const { hostName, addresses } = machineNames();
  const failed = (await world.run('systemctl', 'list-units', '--failed', '--plain', '--no-legend')) ?? '';
  const file = files.path(CONFIGURATION);
  const loaded = asOwnerNow(file, () => loadConfiguration({ file, port: null, verbose: false, lan: false })); // its user may have planted lines
  const { configuration } = loaded;
  const [label = ''] = hostName.split('.');
  const failedUnits = failed.split('\n').flatMap((line) => line.trim().split(/\s+/)[0] || []);
  const health = await healthOfBroker(world);
  const brokerWords = health === 'stopped' ? [...configurationMistakes(loaded), ...(await lastWords(world))] : [];
  const network = only === 'broker' ? [] : await networkTroubles(world, findings.asked);
  const troubles = [...network, ...clockTrouble(world, files)];
  return {
    title,
    hostName: label,
    announced: (await announcedName(files)) ?? `${label}.local`,
    addresses: addresses.filter((address) => !isIPv6(address) || !/^fe[89ab]/i.test(address)),
    ports: configuration === null ? [] : describeListeners(configuration),
    fingerprint: authority?.fingerprint256 ?? null,
    accounts: usersOf(files.text(PASSWORDS) ?? ''),
    setupCode: await setupCode(files),
    health,
    brokerWords,
    troubles,
    plainPorts: configuration === null ? [] : plainPorts(configuration),
    hasLog: await logOf(world, files, {
      units: failedUnits,
      texts: [...(health === 'stopped' ? ['The broker does not run.'] : []), ...network],
    }),
    failedUnits,
    events: [...linesOf(files.text(DATA_EVENTS)), ...findings.events, ...damagedFiles(files), ...fullDisk(files)],
    mistakes: findings.mistakes,
    hasSsh: only === 'broker' ? null : files.exists(KEYS),
  };
}

/** Null = the broker does not run, or is not announced at this moment. */
async function announcedName(files: MachineFiles): Promise<string | null> {
  try {
    const { machine } = (await askControl(files.path(CONTROL), { request: 'status' }, PATIENCE_MS)) as Status; // of the broker's user: looked at below
    return /^[\w.-]{1,253}$/.test(machine.announced ?? '') ? machine.announced : null;
  } catch {
    return null;
  }
}

/** Null = the broker does not run, or has an admin. */
async function setupCode(files: MachineFiles): Promise<string | null> {
  try {
    const { code } = (await askControl(files.path(CONTROL), { request: 'setup code' }, PATIENCE_MS)) as { readonly code: string | null }; // of the broker's user: looked at below
    return /^[\da-f]{4}(-[\da-f]{4}){7}$/.test(code ?? '') ? code : null;
  } catch {
    return null;
  }
}

const NO_FINDINGS: Findings = { mistakes: [], events: [], asked: emptyDraft() };

function readFindings(files: MachineFiles): Findings {
  try {
    return { ...NO_FINDINGS, ...JSON.parse(files.text(FINDINGS) ?? '') } as Findings; // written by applyBootPartition
  } catch {
    return { ...NO_FINDINGS, events: ['The boot partition was not read: see the log of midge-boot.service.'] };
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

/** A card that can't be written has no log; the screen has the rest. */
async function logOf(world: BootWorld, files: MachineFiles, wrong: Wrong): Promise<boolean> {
  try {
    return hasBootPartition(files) && (await keepTroubleLog(world, files, wrong));
  } catch (error) {
    world.say(`Cannot write the log to the boot partition: ${reasonOf(error)}`);
    return false;
  }
}

/** What others in the network reach without TLS; the page is not among them, because it sends browsers on. */
function plainPorts({ listeners }: Configuration): number[] {
  const plain = listeners.filter(
    (each) => each.tls === null && !isLocal(each) && (each.protocol === 'mqtt' || each.protocol === 'websockets'),
  );
  return [...new Set(plain.map(({ port }) => port))];
}

/** systemd-timesyncd.service(8). A machine that has just been switched on may still be asking. */
function clockTrouble({ uptime }: BootWorld, files: MachineFiles): string[] {
  if (!files.exists(TIMESYNC) || files.exists(`${TIMESYNC}/synchronized`) || uptime() < ASKING_SECONDS) return [];
  return ['No time server has set the clock: its time may be wrong. time_server = ... in midge.txt names one of your network.'];
}

function damagedFiles(files: MachineFiles): string[] {
  return files
    .names(STATE)
    .filter((name) => /^[\w.-]+\.corrupt-[\w.-]+$/.test(name))
    .map((name) => `A damaged database was put aside: ${STATE}/${name}. What it held is lost.`);
}

function fullDisk(files: MachineFiles): string[] {
  try {
    const { bavail, blocks, bsize } = statfsSync(files.path('/var'));
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
