// `midge upgrade`: takes the next version of the installed service from a signed release, and lets that version install itself.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, rmSync, statfsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { OperatorError } from '../base/errors.ts';
import { installedVersion, keeperOfProgram, tryProgram } from '../install/machine.ts';
import { PLACES } from '../install/plan.ts';
import type { Invocation, Terminal } from '../terminal/command.ts';
import { chooseUpgrade } from '../updates/choose-upgrade.ts';
import { fetchFile, fetchManifest } from '../updates/fetch-release.ts';
import type { FileKind, Manifest, ReleaseFile } from '../updates/manifest.ts';
import { keysFolderOf, releaseKeys } from '../updates/release-keys.ts';
import { type ReleaseSource, releaseSource } from '../updates/release-source.ts';
import { UPDATE_PLACES, writeAttempt } from '../updates/update-record.ts';
import { cardMachine, isBundle, requireSpareSystem, startTrial, upgradeCard } from './card-upgrade.ts';
import { answerRequest, configuredAddress, type UpgradeWatch } from './requested-upgrade.ts';
import { buildDate, stamp } from './stamp.ts';
import { withUpgradeLock } from './upgrade-lock.ts';

/** The file itself, the copy that is installed, and the old version beside it. */
const COPIES = 3;
/** On a card the file itself, and room for the broker meanwhile. */
const CARD_COPIES = 1.2;

/** What a card fetches, until it is installed: on the data partition, because the root can't be written. */
const CARD_DOWNLOAD = '/var/lib/midge-upgrade/update.raucb';

/** run upgrades; the exit status is that of the installation by the new version, 0 when the release is in place already. */
export async function run(invocation: Invocation): Promise<number> {
  const { flags, operands } = invocation;
  const [where] = operands;
  if (!flags.has('requested')) return upgrade(invocation, where ?? configuredAddress(invocation), null);
  const orders = ['dry-run', 'allow-downgrade', 'allow-stale'].filter((flag) => flags.has(flag));
  if (where !== undefined || orders.length > 0)
    throw new OperatorError('Cannot answer a request with a release or a permission of its own: --requested takes neither', {
      exitCode: 2,
    });
  const status = await answerRequest(
    invocation,
    () => stamp().version,
    (address, watch) => upgrade(invocation, address, watch),
  );
  // Whoever asked wants the new version to run, and the record of how it went is on the disk.
  if (status === 0 && keeperOfProgram() === 'image') await startTrial(cardMachine(existsSync));
  return status;
}

function upgrade(invocation: Invocation, where: string, watch: UpgradeWatch | null): Promise<number> {
  const isCard = keeperOfProgram() === 'image';
  const act = () => (isCard ? upgradeImage : upgradeService)(invocation, where, watch);
  // A dry run changes nothing that another could miss; but a card has one place to fetch to.
  return invocation.flags.has('dry-run') && !(isCard && isFetched(where)) ? act() : withUpgradeLock(act);
}

/** On the image. A file of rauc's is its own proof. What comes from a release, or an address, is in a signed manifest, too: that says how fresh it is. */
async function upgradeImage({ flags, terminal }: Invocation, where: string, watch: UpgradeWatch | null): Promise<number> {
  const machine = cardMachine(existsSync);
  const current = stamp().version;
  const [isDry, allowDowngrade] = [flags.has('dry-run'), flags.has('allow-downgrade')];
  requireRoot(isDry);
  requireSpareSystem(machine);
  const install = async (bundle: string) => {
    let to: string | null = null;
    const onBegin = (version: string) => {
      to = version;
      watch?.found(current, version);
      watch?.installing('on trial');
    };
    const status = await upgradeCard({ bundle, current, allowDowngrade, isDry, terminal, onBegin, machine });
    if (to !== null && status === 0) recordTrial(current, to);
    return status;
  };
  if (!isFetched(where)) return install(where);
  const chosen = await chooseFrom({ where, kind: 'update bundle', current, flags, terminal, watch });
  if (chosen === null) return 0;
  mkdirSync(dirname(CARD_DOWNLOAD), { recursive: true });
  return withDownload(CARD_DOWNLOAD, async (path) => {
    await download(chosen, path, CARD_COPIES, terminal);
    return install(path);
  });
}

/** A system that fails its trial finds here which version it was. */
function recordTrial(from: string, to: string): void {
  mkdirSync(dirname(UPDATE_PLACES.last), { recursive: true });
  writeAttempt(UPDATE_PLACES.last, { at: new Date().toISOString(), from, to, outcome: 'on trial', reason: null, hasBegun: true });
}

async function upgradeService({ flags, terminal }: Invocation, where: string, watch: UpgradeWatch | null): Promise<number> {
  const isDry = flags.has('dry-run');
  const current = versionInPlace(isDry);
  const chosen = await chooseFrom({ where, kind: 'executable', current, flags, terminal, watch });
  if (chosen === null) return 0;
  const words = ['install', ...(isDry ? ['--dry-run'] : []), ...(flags.get('within') ?? []).flatMap((seconds) => ['--within', seconds])];
  // The file lies beside the program in place: there programs may be executed, whatever is true of /tmp.
  return isDry
    ? inScratchFolder((path) => takeOver(chosen, path, words, terminal))
    : withDownload(PLACES.download, (path) => takeOver(chosen, path, words, terminal));
}

interface Choice extends Pick<Invocation, 'flags' | 'terminal'> {
  readonly where: string;
  readonly kind: FileKind;
  readonly current: string;
  readonly watch: UpgradeWatch | null;
}

/** chooseFrom gives what this machine takes of a release, or null, which has been said, when it is in place already. */
async function chooseFrom({ where, kind, current, flags, terminal, watch }: Choice): Promise<Chosen | null> {
  const keys = releaseKeys();
  if (keys.length === 0)
    throw new OperatorError(
      `Cannot upgrade: this build carries no key of a project - put the public key of those whose releases you take into ${keysFolderOf(kind)}/NAME.pub`,
    );
  const source = releaseSource(where);
  const manifest = await fetchManifest(source, keys);
  watch?.found(current, manifest.version);
  const file = chooseUpgrade(manifest, {
    current,
    architecture: process.arch,
    kind,
    name: source.name,
    now: Math.max(Date.now(), buildDate()),
    allowDowngrade: flags.has('allow-downgrade'),
    allowStale: flags.has('allow-stale'),
  });
  if (file === null) {
    terminal.stdout.write(`midge ${current} is in place already.\n`);
    return null;
  }
  terminal.stdout.write(
    `midge ${manifest.version} (${manifest.commit}, ${manifest.date.slice(0, 10)}) is signed. In place is ${current}.\n`,
  );
  return { source, file, manifest, watch };
}

function versionInPlace(isDry: boolean): string {
  const keeper = keeperOfProgram();
  if (keeper === 'package')
    throw new OperatorError(
      'Cannot upgrade: midge is a Debian package here - download midge_VERSION_ARCHITECTURE.deb and use: sudo apt-get install ./midge_*.deb',
    );
  const version = installedVersion();
  if (version === null)
    throw new OperatorError(
      `Cannot upgrade: there is no midge in ${PLACES.executable} - install the new version itself: sudo ./midge install`,
    );
  requireRoot(isDry);
  return version;
}

function requireRoot(isDry: boolean): void {
  if (!isDry && process.getuid?.() !== 0) throw new OperatorError('Cannot upgrade: only root may - use sudo');
}

/** A card takes an update for itself from a path as it is. */
function isFetched(where: string): boolean {
  return !isBundle(where) || /^https?:\/\//i.test(where);
}

async function withDownload(path: string, act: (path: string) => Promise<number>): Promise<number> {
  rmSync(path, { force: true });
  try {
    return await act(path);
  } finally {
    rmSync(path, { force: true });
  }
}

async function inScratchFolder(act: (path: string) => Promise<number>): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), 'midge-upgrade-'));
  try {
    return await act(join(folder, 'midge'));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

interface Chosen {
  readonly source: ReleaseSource;
  readonly file: ReleaseFile;
  readonly manifest: Manifest;
  readonly watch: UpgradeWatch | null;
}

async function download({ source, file, watch }: Chosen, path: string, copies: number, terminal: Terminal): Promise<void> {
  requireRoom(path, file.size * copies);
  const show = progressOn(terminal, file);
  await fetchFile(source, file, path, (bytes) => {
    show(bytes);
    watch?.fetched(bytes, file.size);
  });
}

async function takeOver(chosen: Chosen, path: string, words: readonly string[], terminal: Terminal): Promise<number> {
  const { file, manifest, watch } = chosen;
  await download(chosen, path, COPIES, terminal);
  if (!(tryProgram(path, 'version') ?? '').includes(` ${manifest.version} `))
    throw new OperatorError(`Cannot upgrade: ${file.name} is whole, but it does not run on this machine`);
  watch?.installing('installed');
  const child = spawn(path, words, { stdio: ['inherit', 'inherit', watch === null ? 'inherit' : 'pipe'] });
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    terminal.stderr.write(text);
    watch?.said(text);
  });
  const [status] = (await once(child, 'close')) as [number | null]; // the event's first argument
  return status ?? 1;
}

function requireRoom(path: string, size: number): void {
  const { bavail, bsize } = statfsSync(dirname(path));
  if (bavail * bsize < size)
    throw new OperatorError(
      `Cannot upgrade: ${dirname(path)} has ${megabytes(bavail * bsize)} free, and an upgrade needs ${megabytes(size)} for a while`,
    );
}

/** On a terminal one line that changes, elsewhere a line for each tenth. */
function progressOn({ stderr }: Terminal, { name, size }: ReleaseFile): (bytes: number) => void {
  let shown = -1;
  return (bytes) => {
    const percent = Math.floor((bytes / size) * 100);
    const step = stderr.isTTY ? percent : percent - (percent % 10);
    if (step === shown) return;
    shown = step;
    const line = `${name}: ${megabytes(bytes)} of ${megabytes(size)}`;
    stderr.write(stderr.isTTY ? `\r${line}${bytes === size ? '\n' : ''}` : `${line}\n`);
  };
}

function megabytes(bytes: number): string {
  return `${Math.ceil(bytes / 1e6)} MB`;
}
