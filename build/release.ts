// Makes the files of a release in dist/midge-VERSION/: make release VERSION=x [KEY=FILE] [PUBLIC_KEY=FILE] [WITHOUT=image,container]
//
//   executables --+--> Debian packages, container images, card image --> bills of materials, notes --> manifest, SHA256SUMS --> signatures
//
// The same commit gives the same bytes, but for what Debian publishes meanwhile (container and card image). docs/releases.md says how to check.

import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { copyFileSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { type FileKind, MANIFEST_NAME, type ReleaseFile, writeManifest } from '../src/updates/manifest.ts';
import { binaryPath, makeBinaries } from './binary.ts';
import { ROOT, readReleaseKeys, readStamp, type Stamp } from './bundle.ts';
import { executableParts } from './executable-parts.ts';
import { cycloneDx, debianPart, partOf, type SpdxPackage } from './release/bill-of-materials.ts';
import { makeContainer } from './release/container.ts';
import { DEBIAN_ARCHITECTURES, makeDebianPackage } from './release/debian.ts';
import { releaseNotes } from './release/notes.ts';
import { signFiles } from './release/sign.ts';

const ARCHITECTURES = ['x64', 'arm64'] as const;
const SUMS = 'SHA256SUMS';

/** FRESH_DAYS: for so long after its date a manifest is taken without a question. */
const FRESH_DAYS = 180;
const DAY = 86_400_000;

/** PARTS that may be left out: the card image takes minutes, and only root can make it. */
const PARTS = ['image', 'container'] as const;
type Part = (typeof PARTS)[number];

/** ReleaseOptions: `key` is the file of the secret key, null = nothing is signed. */
export interface ReleaseOptions {
  readonly version: string;
  readonly key: string | null;
  readonly without: readonly Part[];
  /** Level of xz for the packages, 0 to 9. */
  readonly compression: number;
}

/** makeRelease gives the folder; throws when the sources are not those of this version. */
export async function makeRelease({ version, key, without, compression }: ReleaseOptions, say: (line: string) => void): Promise<string> {
  const stamp = readStamp();
  requireVersion(stamp, version);
  const notes = releaseNotes(readFileSync(join(ROOT, 'CHANGELOG.md'), 'utf8'), version);
  const publicKeys = readReleaseKeys();
  if (key !== null && publicKeys === '')
    throw new Error('Cannot sign: the executables would carry no key - commit release.pub, or name the file: PUBLIC_KEY=FILE');
  const folder = join(ROOT, 'dist', `midge-${version}`);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const release = new Release(folder, stamp);
  await addExecutables(release, say);
  for (const architecture of ARCHITECTURES) {
    say(`Making the Debian package for ${architecture} ...`);
    const executable = release.executable(architecture);
    release.add(makeDebianPackage({ executable, architecture, stamp, folder, compression }), 'debian package', architecture);
  }
  if (!without.includes('container')) addContainers(release, say);
  if (!without.includes('image')) addImage(release, say);
  release.write(`midge-${version}.cdx.json`, cycloneDx('midge', stamp, executableParts()));
  release.write(`midge-${version}-notes.md`, notes);
  finish(folder, release, stamp);
  if (key === null) say('Nothing is signed: KEY=FILE names the secret key.');
  else signFiles(folder, [...release.files.map(({ name }) => name), MANIFEST_NAME, SUMS], { key, publicKeys, version });
  say(`${relative(ROOT, folder)} is complete.`);
  return folder;
}

function requireVersion({ version, commit }: Stamp, wanted: string): void {
  if (version !== wanted) throw new Error(`Cannot release ${wanted}: package.json has version ${version} - change it there, and commit`);
  if (commit.endsWith('+')) throw new Error(`Cannot release ${wanted}: files differ from commit ${commit.slice(0, -1)} - commit them`);
}

/** Release gathers the files. */
class Release {
  readonly folder: string;
  readonly stamp: Stamp;
  readonly files: ReleaseFile[] = [];

  constructor(folder: string, stamp: Stamp) {
    this.folder = folder;
    this.stamp = stamp;
  }

  add(name: string, kind: FileKind, architecture: string | null): void {
    const path = join(this.folder, name);
    this.files.push({ name, kind, architecture, size: statSync(path).size, sha256: sha256(path) });
  }

  write(name: string, text: string): void {
    writeFileSync(join(this.folder, name), text);
    this.add(name, 'document', null);
  }

  executable(architecture: (typeof ARCHITECTURES)[number]): string {
    return join(this.folder, `midge-${this.stamp.version}-linux-${architecture}`);
  }
}

async function addExecutables(release: Release, say: (line: string) => void): Promise<void> {
  await makeBinaries(release.folder, say);
  for (const architecture of ARCHITECTURES) {
    renameSync(binaryPath(release.folder, architecture), release.executable(architecture));
    release.add(`midge-${release.stamp.version}-linux-${architecture}`, 'executable', architecture);
  }
}

function addContainers(release: Release, say: (line: string) => void): void {
  const { folder, stamp } = release;
  for (const architecture of ARCHITECTURES) {
    say(`Making the container image for ${architecture} ...`);
    const { name, packages } = makeContainer({ executable: release.executable(architecture), architecture, stamp, folder });
    release.add(name, 'container image', architecture);
    const debian = packages.map((each) => debianPart(each, DEBIAN_ARCHITECTURES[architecture]));
    release.write(name.replace(/\.tar$/, '.cdx.json'), cycloneDx('midge container image', stamp, [...executableParts(), ...debian]));
  }
}

/** The recipe of the image takes the program from dist/. */
function addImage(release: Release, say: (line: string) => void): void {
  const { folder, stamp } = release;
  say('Making the card image ...');
  copyFileSync(release.executable('arm64'), binaryPath(join(ROOT, 'dist'), 'arm64'));
  try {
    execFileSync(join(ROOT, 'build/image.sh'), { stdio: 'inherit' });
  } catch (error) {
    throw new Error(`Cannot release ${stamp.version}: there is no card image, for the reason above`, { cause: error });
  }
  const name = `midge-${stamp.version}-arm64`;
  copyFileSync(join(ROOT, 'dist', `${name}.img.xz`), join(folder, `${name}.img.xz`));
  release.add(`${name}.img.xz`, 'card image', 'arm64');
  if (existsSync(join(ROOT, 'dist', `${name}.raucb`))) {
    copyFileSync(join(ROOT, 'dist', `${name}.raucb`), join(folder, `${name}.raucb`));
    release.add(`${name}.raucb`, 'update bundle', 'arm64');
  } else say('Cards that are in use get no update: CERTIFICATE and BUNDLE_KEY name what signs it (docs/image.md).');
  const { packages } = JSON.parse(readFileSync(join(ROOT, 'dist', `${name}.spdx.json`), 'utf8')) as { packages: SpdxPackage[] }; // build/image/bill-of-materials.ts
  const debian = packages.map(partOf).filter(({ purl }) => purl.startsWith('pkg:deb/'));
  release.write(`${name}.cdx.json`, cycloneDx('midge card image', stamp, [...executableParts(), ...debian]));
}

function finish(folder: string, { files }: Release, { version, commit, date }: Stamp): void {
  const freshUntil = freshAfter(date);
  writeFileSync(join(folder, MANIFEST_NAME), writeManifest({ version, commit, date, freshUntil, files }));
  // The manifest is made anew to keep it fresh: its own signature proves it.
  const names = files.map(({ name }) => name).sort();
  writeFileSync(join(folder, SUMS), names.map((name) => `${sha256(join(folder, name))}  ${name}\n`).join(''));
}

/** freshAfter gives the time until which a manifest of a date is fresh, both ISO 8601. */
export function freshAfter(date: string): string {
  return new Date(Date.parse(date) + FRESH_DAYS * DAY).toISOString();
}

function sha256(path: string): string {
  return createHash('sha256').update(readFileSync(path)).digest('hex');
}

/** Words of the command line of make are in the environment. */
function readOptions({ VERSION, KEY, WITHOUT, COMPRESSION }: NodeJS.ProcessEnv): ReleaseOptions {
  if (!VERSION) throw new Error('Cannot release: no version is named - use: make release VERSION=x');
  if (KEY && !existsSync(KEY)) throw new Error(`Cannot sign with "${KEY}": there is no such file`);
  const without = (WITHOUT ?? '').split(',').filter((each) => each !== '');
  const unknown = without.find((each) => !PARTS.some((part) => part === each));
  if (unknown !== undefined) throw new Error(`Cannot leave out "${unknown}": there are ${PARTS.join(' and ')}`);
  return {
    version: VERSION,
    key: KEY || null,
    without: PARTS.filter((part) => without.includes(part)),
    compression: Number(COMPRESSION || 6),
  };
}

if (import.meta.main) {
  try {
    await makeRelease(readOptions(process.env), (line) => console.log(line));
  } catch (error) {
    console.error((error as Error).message); // what is thrown here is an Error
    process.exitCode = 1;
  }
}
