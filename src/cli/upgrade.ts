// `midge upgrade`: takes the next version of the installed service from a signed release, and lets that version install itself.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync, statfsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { OperatorError } from '../base/errors.ts';
import { installedVersion, keeperOfProgram, tryProgram } from '../install/machine.ts';
import { PLACES } from '../install/plan.ts';
import type { Invocation, Terminal } from '../terminal/command.ts';
import { chooseUpgrade } from '../updates/choose-upgrade.ts';
import { fetchFile, fetchManifest } from '../updates/fetch-release.ts';
import type { Manifest, ReleaseFile } from '../updates/manifest.ts';
import { OWN_KEYS_FOLDER, releaseKeys } from '../updates/release-keys.ts';
import { type ReleaseSource, releaseSource } from '../updates/release-source.ts';
import { cardMachine, isBundle, upgradeCard } from './card-upgrade.ts';
import { answerRequest, configuredAddress, type UpgradeWatch } from './requested-upgrade.ts';
import { buildDate, stamp } from './stamp.ts';

/** The file itself, the copy that is installed, and the old version beside it. */
const COPIES = 3;

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
  return answerRequest(
    invocation,
    () => stamp().version,
    (address, watch) => upgrade(invocation, address, watch),
  );
}

async function upgrade({ flags, terminal }: Invocation, where: string, watch: UpgradeWatch | null): Promise<number> {
  const isDry = flags.has('dry-run');
  if (isBundle(where) && keeperOfProgram() === 'image') {
    const allowDowngrade = flags.has('allow-downgrade');
    return upgradeCard({
      ...{ bundle: where, current: stamp().version, allowDowngrade, isDry, terminal },
      machine: cardMachine(existsSync),
    });
  }
  const current = versionInPlace(isDry);
  const keys = releaseKeys();
  if (keys.length === 0)
    throw new OperatorError(
      `Cannot upgrade: this build carries no key of a project - put the public key of those whose releases you take into ${OWN_KEYS_FOLDER}/NAME.pub`,
    );
  const source = releaseSource(where);
  const manifest = await fetchManifest(source, keys);
  const file = chooseUpgrade(manifest, {
    current,
    architecture: process.arch,
    kind: 'executable',
    name: source.name,
    now: Math.max(Date.now(), buildDate()),
    allowDowngrade: flags.has('allow-downgrade'),
    allowStale: flags.has('allow-stale'),
  });
  if (file === null) {
    terminal.stdout.write(`midge ${current} is in place already.\n`);
    return 0;
  }
  terminal.stdout.write(
    `midge ${manifest.version} (${manifest.commit}, ${manifest.date.slice(0, 10)}) is signed. In place is ${current}.\n`,
  );
  watch?.found(current, manifest.version);
  const words = ['install', ...(isDry ? ['--dry-run'] : []), ...(flags.get('within') ?? []).flatMap((seconds) => ['--within', seconds])];
  const chosen = { source, file, manifest, watch };
  return isDry
    ? inScratchFolder((path) => takeOver(chosen, path, words, terminal))
    : inPlace((path) => takeOver(chosen, path, words, terminal));
}

function versionInPlace(isDry: boolean): string {
  const keeper = keeperOfProgram();
  if (keeper === 'package')
    throw new OperatorError(
      'Cannot upgrade: midge is a Debian package here - download midge_VERSION_ARCHITECTURE.deb and use: sudo apt-get install ./midge_*.deb',
    );
  if (keeper === 'image')
    throw new OperatorError('Cannot upgrade: midge is a part of this card image - use its update: midge upgrade midge-VERSION-arm64.raucb');
  const version = installedVersion();
  if (version === null)
    throw new OperatorError(
      `Cannot upgrade: there is no midge in ${PLACES.executable} - install the new version itself: sudo ./midge install`,
    );
  if (!isDry && process.getuid?.() !== 0) throw new OperatorError('Cannot upgrade: only root may - use sudo');
  return version;
}

/** The file lies beside the program in place: there programs may be executed, whatever is true of /tmp. */
async function inPlace(act: (path: string) => Promise<number>): Promise<number> {
  const path = PLACES.download;
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

async function takeOver(
  { source, file, manifest, watch }: Chosen,
  path: string,
  words: readonly string[],
  terminal: Terminal,
): Promise<number> {
  requireRoom(path, file.size);
  const show = progressOn(terminal, file);
  await fetchFile(source, file, path, (bytes) => {
    show(bytes);
    watch?.fetched(bytes, file.size);
  });
  if (!(tryProgram(path, 'version') ?? '').includes(` ${manifest.version} `))
    throw new OperatorError(`Cannot upgrade: ${file.name} is whole, but it does not run on this machine`);
  watch?.installing();
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
  if (bavail * bsize < size * COPIES)
    throw new OperatorError(
      `Cannot upgrade: ${dirname(path)} has ${megabytes(bavail * bsize)} free, and an upgrade needs ${megabytes(size * COPIES)} for a while`,
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
