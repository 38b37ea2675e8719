// Takes up what stands on the boot partition: the one place that carries out what src/boot/ has made of it. Every step may be done again.
//
//   factory-reset? -> a backup, if nothing is kept yet -> midge.txt and Imager's files -> files of the system -> accounts -> the broker's configuration -> secrets out of midge.txt

import { mkdirSync, readdirSync, rmSync, symlinkSync } from 'node:fs';
import { dirname } from 'node:path';
import { setAccounts } from '../access/set-accounts.ts';
import { reasonOf } from '../base/errors.ts';
import { BOOT_FILE, readBootFile } from '../boot/boot-file.ts';
import { IMAGER_FILES, type ImagerFile, readImagerFiles } from '../boot/imager.ts';
import { type BootSettings, emptyDraft, type Mistake, mergeSettings } from '../boot/settings.ts';
import { brokerConfiguration, CONFIGURATION, DEFAULT_HOST_NAME, systemFiles, wifiFile } from '../boot/system-files.ts';
import { closestWord } from '../config/config.ts';
import { STORE_DEFAULTS } from '../store/options.ts';
import { type BootWorld, Disk } from './boot-world.ts';
import { StateFolder } from './state-folder.ts';
import { mendSwap } from './state-swap.ts';

/** BOOT is where the boot partition is mounted, read-only. */
export const BOOT = '/boot/firmware';

/** FINDINGS is what `midge boot apply` leaves for `midge boot report`, until the power goes. */
export const FINDINGS = '/run/midge-boot/findings.json';

/** STATE is the broker's folder, PASSWORDS its accounts. */
export const STATE = '/var/lib/midge';
export const PASSWORDS = `${STATE}/passwd`;
export const AUTHORITY = `${STATE}/certificates/ca.crt`;

/** BACKUP is what a file of `midge backup` is called on the boot partition; of several the last by name is taken, the newest when they are dated. */
const BACKUP = /^midge.*\.(tar\.gz|tgz)$/i;

/** /etc/localtime is a link to it: the root can't be written. */
const LOCAL_TIME = '/run/midge-boot/localtime';
const IWD = '/var/lib/iwd';
/** What a reset takes away: all that is not of the image. */
const RESET = [STATE, IWD, '/var/lib/ssh', '/var/lib/midge-boot', '/var/log/journal'];
const RESET_NAMES = ['factory-reset', 'factory-reset.txt'];
/** The settings of the last boot, for one at which the boot partition can't be read. */
const LAST = '/var/lib/midge-boot/settings.json';

export interface Findings {
  readonly mistakes: readonly Mistake[];
  readonly events: readonly string[];
}

interface Wishes {
  readonly settings: BootSettings;
  readonly mistakes: Mistake[];
  /** New texts of files on the boot partition, without secrets. */
  readonly rewrite: ReadonlyMap<string, string>;
}

/** Scope says what is ours: all of the image, or the broker alone on a system that has its own network and logins. */
export type Scope = 'machine and broker' | 'broker';

/** applyBootPartition makes the machine what the boot partition asks for. Never throws: what fails is said, and the rest is done. */
export async function applyBootPartition(world: BootWorld, only: Scope = 'machine and broker'): Promise<Findings> {
  const disk = new Disk(world.root);
  const events: string[] = [];
  const mistakes: Mistake[] = [];
  const attempt = async (what: string, act: () => void | Promise<void>) => {
    try {
      await act();
    } catch (error) {
      events.push(`Cannot ${what}: ${reasonOf(error)}`);
    }
  };
  await attempt('reset', () => reset(world, disk, events));
  await attempt('mend the state', () => mend(disk, events));
  await attempt('take up the backup', () => restore(disk, events));
  const wishes = readWishes(disk, events, only);
  const { settings } = wishes;
  mistakes.push(...wishes.mistakes);
  if (only === 'machine and broker') {
    await attempt('set the host name', async () => void (await world.run('hostname', settings.hostName ?? DEFAULT_HOST_NAME)));
    await attempt('write the settings of the system', () => writeSystemFiles(disk, settings));
    await attempt('set up the Wi-Fi', () => void mistakes.push(...writeWifi(disk, settings)));
  }
  await attempt('write the accounts', () => writeAccounts(disk, settings, events));
  await attempt('write the configuration', () => writeConfiguration(disk, settings));
  await attempt('remember the settings', () => disk.write(LAST, JSON.stringify(withoutSecrets(settings)), { mode: 0o600 }));
  await attempt('take the secrets out of the boot partition', () => rewriteBootFiles(world, disk, wishes.rewrite));
  const findings = { mistakes, events };
  await attempt('keep what was found', () => disk.write(FINDINGS, JSON.stringify(findings), { mode: 0o644 }));
  return findings;
}

/** whileWritable runs an act while the boot partition can be written; where it always can, as on Raspberry Pi OS, it stays so. */
export async function whileWritable(world: BootWorld, act: () => void): Promise<void> {
  const mounts = new Disk(world.root).text('/proc/mounts') ?? '';
  if (mounts.includes(` ${BOOT} vfat rw`)) return act();
  await world.run('mount', '-o', 'remount,rw', BOOT);
  try {
    act();
  } finally {
    await world.run('mount', '-o', 'remount,ro', BOOT);
  }
}

/** The file goes last: a reset that is cut short begins again. */
async function reset(world: BootWorld, disk: Disk, events: string[]): Promise<void> {
  const asked = RESET_NAMES.map((name) => `${BOOT}/${name}`).filter((path) => disk.exists(path));
  if (asked.length === 0) return;
  for (const path of RESET) disk.remove(path);
  await world.run('sync');
  await whileWritable(world, () => {
    for (const path of asked) disk.remove(path);
  });
  events.push('Reset: accounts, certificates, kept messages and settings were removed.');
}

/** Before anything is looked for in it. */
function mend(disk: Disk, events: string[]): void {
  const mended = mendSwap(new StateFolder(disk.path(STATE), STORE_DEFAULTS.file));
  if (mended !== null) events.push(mended);
}

/** A machine that has an authority is not new: what it keeps goes before an old backup that still lies there. */
async function restore(disk: Disk, events: string[]): Promise<void> {
  const [name] = disk.exists(BOOT)
    ? readdirSync(disk.path(BOOT))
        .filter((each) => BACKUP.test(each))
        .sort()
        .reverse()
    : [];
  if (name === undefined || disk.exists(AUTHORITY)) return;
  const { restoreBackup } = await import('./restore.ts'); // brings the store with it, which no other boot needs
  disk.makeFolder(STATE, { mode: 0o700, owner: brokerUser(disk) }); // what is restored belongs to whom this belongs
  const { manifest, aside } = await restoreBackup(disk.path(`${BOOT}/${name}`), { folder: disk.path(STATE), withConfiguration: false });
  for (const path of aside) rmSync(path, { recursive: true, force: true });
  events.push(
    `Restored ${name}, a backup of ${manifest.host} of ${manifest.time}. Take it off this partition: it holds keys and accounts.`,
  );
}

function readWishes(disk: Disk, events: string[], only: Scope): Wishes {
  const bytes = disk.read(`${BOOT}/${BOOT_FILE}`);
  const imager = new Map<ImagerFile, string>();
  for (const file of only === 'broker' ? [] : IMAGER_FILES) {
    const text = disk.text(`${BOOT}/${file}`);
    if (text !== null) imager.set(file, text);
  }
  if (bytes === null && imager.size === 0) return lastWishes(disk, events);
  const own = readBootFile(bytes ?? Buffer.alloc(0), closestWord);
  const theirs = readImagerFiles(imager);
  const rewrite = new Map<string, string>(theirs.withoutSecrets);
  if (own.withoutSecrets !== null) rewrite.set(BOOT_FILE, own.withoutSecrets);
  return { settings: mergeSettings(own.settings, theirs.settings), mistakes: [...own.mistakes, ...theirs.mistakes], rewrite };
}

function lastWishes(disk: Disk, events: string[]): Wishes {
  const none = { mistakes: [], rewrite: new Map() };
  try {
    const settings: BootSettings = { ...emptyDraft(), ...JSON.parse(disk.text(LAST) ?? '{}') };
    if (!disk.exists(`${BOOT}/cmdline.txt`)) events.push('The boot partition could not be read: the settings of the last time are in use.');
    return { settings, ...none };
  } catch {
    return { settings: emptyDraft(), ...none };
  }
}

function writeSystemFiles(disk: Disk, settings: BootSettings): void {
  const zone = disk.path(LOCAL_TIME);
  rmSync(zone, { force: true });
  if (settings.timeZone !== null) {
    mkdirSync(dirname(zone), { recursive: true });
    symlinkSync(`/usr/share/zoneinfo/${settings.timeZone}`, zone);
  }
  for (const { path, text, isSecret } of systemFiles(settings)) {
    if (text === null) disk.remove(path);
    else disk.write(path, text, { mode: isSecret ? 0o600 : 0o644 });
  }
}

/** A network that was named before is forgotten; the password of the one that is named now may have been taken at an earlier boot. */
function writeWifi(disk: Disk, { wifi }: BootSettings): Mistake[] {
  const file = wifiFile(wifi);
  const names = disk.exists(IWD) ? readdirSync(disk.path(IWD)).filter((name) => /\.(psk|open)$/.test(name)) : [];
  for (const name of names) if (`${IWD}/${name}` !== file?.path) disk.remove(`${IWD}/${name}`);
  if (file === null) return [];
  if (file.text !== null) disk.write(file.path, file.text, { mode: 0o600 });
  else if (!disk.exists(file.path))
    return [{ file: BOOT_FILE, line: null, text: 'the password of the Wi-Fi is missing: wifi_password = ...' }];
  return [];
}

async function writeAccounts(disk: Disk, { accounts }: BootSettings, events: string[]): Promise<void> {
  const owner = brokerUser(disk);
  disk.makeFolder(STATE, { mode: 0o700, owner });
  const before = disk.text(PASSWORDS) ?? '';
  const after = await setAccounts(
    before,
    accounts.map(({ user, password }) => ({ username: user, password })),
  );
  disk.write(PASSWORDS, after, { mode: 0o600, owner });
  for (const { user } of accounts) if (after !== before) events.push(`Account "${user}" was taken from the boot partition.`);
}

function writeConfiguration(disk: Disk, settings: BootSettings): void {
  const owner = brokerUser(disk);
  disk.makeFolder(`${STATE}/conf.d`, { mode: 0o700, owner });
  disk.write(CONFIGURATION, brokerConfiguration(settings), { mode: 0o600, owner });
}

async function rewriteBootFiles(world: BootWorld, disk: Disk, rewrite: ReadonlyMap<string, string>): Promise<void> {
  if (rewrite.size === 0) return;
  await whileWritable(world, () => {
    for (const [name, text] of rewrite) disk.writeOver(`${BOOT}/${name}`, text);
  });
}

function withoutSecrets(settings: BootSettings): BootSettings {
  return { ...settings, accounts: [], wifi: { ...settings.wifi, password: null } };
}

/** passwd(5). Root where there is no such user, as in tests. */
function brokerUser(disk: Disk): number {
  return Number(/^midge:[^:]*:(\d+):/m.exec(disk.text('/etc/passwd') ?? '')?.[1] ?? 0);
}
