// Makes Debian's package of an executable: the unit and the files of an installation, with scripts that do what `midge install` does.

import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { COMMAND_TABLE } from '../../src/commands.ts';
import { installFiles } from '../../src/install/files.ts';
import { withFreePages } from '../../src/install/page-ports.ts';
import { describeStep, GIVE_CONFIGURATION, KEEP_RELEASE_KEYS, PLACES, PURGE_STEPS, STATE_FOLDER } from '../../src/install/plan.ts';
import { ROOT, type Stamp } from '../bundle.ts';
import { manualPage } from './manual-page.ts';

/** DEBIAN_ARCHITECTURES: Debian's names for those of Node. */
export const DEBIAN_ARCHITECTURES = { x64: 'amd64', arm64: 'arm64' } as const;

/** The systemd of Debian 12, the oldest that the package is for: an older one than a setting of the unit complains. */
const OLDEST_SYSTEMD = 252;

/** What the executable needs: test/artefact holds it against the file. */
const DEPENDS = 'libc6 (>= 2.28), libgcc-s1, libstdc++6 (>= 5), systemd | systemd-standalone-sysusers | systemd-sysusers';

const SCRIPTS = ['preinst', 'postinst', 'prerm', 'postrm'] as const;

/** An executable of this kind is one file with Node in it: what lintian says of it is true and meant. */
const OVERRIDES = [
  '# Node.js is built from its own copies of these libraries, and is one file with the program.',
  'midge: embedded-library',
  '# The dynamic loader of Node.js has a fixed place: it is no position independent executable, as Node.js publishes it.',
  'midge: hardening-no-pie',
  '# The folder still belongs to root at that moment: nobody else can have put a link or another file there.',
  'midge: recursive-privilege-change',
] as const;

/** ForArchitecture: an executable, what it is, and the folder for what is made of it. */
export interface ForArchitecture {
  readonly executable: string;
  readonly architecture: keyof typeof DEBIAN_ARCHITECTURES;
  readonly stamp: Stamp;
  readonly folder: string;
}

/** DebianOptions: `compression` is a level of xz, 0 to 9. */
export interface DebianOptions extends ForArchitecture {
  readonly compression: number;
}

/** makeDebianPackage gives the name of the package in `folder`. The same executable and stamp give the same bytes. */
export function makeDebianPackage({ executable, architecture, stamp, folder, compression }: DebianOptions): string {
  const name = `midge_${debianVersion(stamp.version)}_${DEBIAN_ARCHITECTURES[architecture]}.deb`;
  const tree = mkdtempSync(join(tmpdir(), 'midge-deb-'));
  try {
    writeTree(tree, executable, stamp);
    writeControl(tree, architecture, stamp);
    settle(tree, Date.parse(stamp.date) / 1000);
    const words = ['--root-owner-group', '--threads-max=1', '-Zxz', `-z${compression}`, '--build', tree, join(folder, name)];
    execFileSync('dpkg-deb', words, {
      env: { ...process.env, SOURCE_DATE_EPOCH: String(Date.parse(stamp.date) / 1000) },
      stdio: ['ignore', 'ignore', 'inherit'],
    });
  } finally {
    rmSync(tree, { recursive: true, force: true });
  }
  return name;
}

/** Nobody looks which of these a machine has free when a package is unpacked: the page goes to 8444. */
const WEB_PORTS: readonly number[] = [80, 443, 8443];

/** debianVersion: a trial comes before the version itself, deb-version(7). */
export function debianVersion(version: string): string {
  return version.replace('-', '~');
}

function writeTree(tree: string, executable: string, stamp: Stamp): void {
  const { configuration, unit } = installFiles(OLDEST_SYSTEMD);
  const put = (path: string, content: string | Buffer, mode = 0o644) => writeInto(tree, path, content, mode);
  mkdirSync(join(tree, 'usr/bin'), { recursive: true });
  copyFileSync(executable, join(tree, 'usr/bin/midge'));
  put('usr/lib/systemd/system/midge.service', unit.replaceAll(PLACES.executable, '/usr/bin/midge'));
  put('usr/lib/sysusers.d/midge.conf', readFileSync(join(ROOT, 'rootfs/usr/lib/sysusers.d/midge.conf')));
  put(
    PLACES.configuration,
    withFreePages(configuration, (port) => WEB_PORTS.includes(port)),
  );
  mkdirSync(join(tree, PLACES.moreConfiguration));
  put('usr/share/doc/midge/copyright', copyright());
  put('usr/share/doc/midge/changelog.gz', packed(changelog(stamp)));
  put('usr/share/man/man1/midge.1.gz', packed(manualPage(COMMAND_TABLE, stamp)));
  put('usr/share/lintian/overrides/midge', `${OVERRIDES.join('\n')}\n`);
  for (const [shell, path] of [
    ['bash', 'bash-completion/completions/midge'],
    ['zsh', 'zsh/vendor-completions/_midge'],
    ['fish', 'fish/vendor_completions.d/midge.fish'],
  ] as const)
    put(`usr/share/${path}`, execFileSync(process.execPath, [join(ROOT, 'src/main.ts'), 'completions', shell]));
}

function writeControl(tree: string, architecture: keyof typeof DEBIAN_ARCHITECTURES, stamp: Stamp): void {
  const kilobytes = filesIn(tree).reduce((sum, path) => sum + Math.ceil(statSync(path).size / 1024), 0);
  const control = `Package: midge
Version: ${debianVersion(stamp.version)}
Section: net
Priority: optional
Architecture: ${DEBIAN_ARCHITECTURES[architecture]}
Maintainer: ${maintainer()}
Installed-Size: ${kilobytes}
Depends: ${DEPENDS}
Provides: mqtt-broker
Description: MQTT broker for a home, in one executable
 midge is an MQTT broker for a home or a small site. It speaks MQTT 3.1, 3.1.1
 and 5 over TCP, TLS and WebSocket, reads the configuration of Mosquitto, makes
 its own certificates and announces itself by mDNS.
 .
 Nobody can sign in until an account is created with midge passwd.
`;
  writeInto(tree, 'DEBIAN/control', control, 0o644);
  writeInto(tree, 'DEBIAN/conffiles', `${PLACES.configuration}\n`, 0o644);
  for (const script of SCRIPTS)
    writeInto(tree, `DEBIAN/${script}`, filled(readFileSync(join(import.meta.dirname, 'debian', script), 'utf8')), 0o755);
  const sums = filesIn(tree).filter((path) => !path.startsWith(join(tree, 'DEBIAN')));
  const lines = execFileSync('md5sum', sums.map((path) => path.slice(tree.length + 1)).sort(), { cwd: tree });
  writeInto(tree, 'DEBIAN/md5sums', lines, 0o644);
}

/** User, folders and what goes with them are those of the plan of an installation. */
function filled(script: string): string {
  const words: Readonly<Record<string, string>> = {
    '@EXECUTABLE@': PLACES.executable,
    '@UNIT@': PLACES.unit,
    '@PASSWORDS@': PLACES.passwords,
    '@CONFIGURATION_FOLDER@': PLACES.configurationFolder,
    '@OLD_RELEASE_KEYS@': PLACES.oldReleaseKeys,
    '@RELEASE_KEYS@': PLACES.releaseKeys,
    '@KEEP_RELEASE_KEYS@': describeStep(KEEP_RELEASE_KEYS),
    '@GIVE_CONFIGURATION@': describeStep(GIVE_CONFIGURATION),
    '@STATE_FOLDER@': describeStep(STATE_FOLDER),
    '@PURGE@': PURGE_STEPS.map(describeStep).join('\n  '),
  };
  return script.replace(/@[A-Z_]+@/g, (word) => {
    const text = words[word];
    if (text === undefined) throw new Error(`Cannot fill ${word}: nobody says what it is`);
    return text;
  });
}

function changelog({ version, date }: Stamp): string {
  const at = new Date(date).toUTCString().replace('GMT', '+0000');
  return `midge (${debianVersion(version)}) stable; urgency=medium\n\n  * Release ${version}. The changes are in the notes of the release.\n\n -- ${maintainer()}  ${at}\n`;
}

/** https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/ */
function copyright(): string {
  const lines = readFileSync(join(ROOT, 'LICENSE'), 'utf8').trim().split('\n');
  const year = lines.find((line) => line.startsWith('Copyright')) ?? '';
  const text = lines
    .slice(lines.indexOf(year) + 1)
    .join('\n')
    .trim();
  const indented = text.split('\n').map((line) => (line === '' ? ' .' : ` ${line}`));
  return `Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/
Upstream-Name: midge
Comment: The executable contains Node.js and packages of npm.
 "midge licences" prints the licence of each.

Files: *
Copyright: ${year.replace('Copyright (c) ', '')}
License: Expat
${indented.join('\n')}
`;
}

function maintainer(): string {
  const { author } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { author: string }; // NAME <ADDRESS>
  return author;
}

function packed(text: string): Buffer {
  return gzipSync(text, { level: 9 });
}

function writeInto(tree: string, path: string, content: string | Uint8Array, mode: number): void {
  mkdirSync(dirname(join(tree, path)), { recursive: true });
  writeFileSync(join(tree, path), content);
  chmodSync(join(tree, path), mode);
}

/** Whatever the umask: folders are for all, and every time is that of the commit. */
function settle(tree: string, seconds: number): void {
  chmodSync(join(tree, 'usr/bin/midge'), 0o755);
  const paths = readdirSync(tree, { recursive: true, encoding: 'utf8' }).map((name) => join(tree, name));
  for (const path of [...paths, tree]) {
    if (statSync(path).isDirectory()) chmodSync(path, 0o755);
    utimesSync(path, seconds, seconds);
  }
}

function filesIn(tree: string): string[] {
  const entries = readdirSync(tree, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map(({ parentPath, name }) => join(parentPath, name));
}
