// Makes a container image of an executable, as an archive that docker, podman and skopeo load: OCI Image Format 1.0, without a daemon.
//
//   Debian's C library and what it needs, unpacked and not run --+
//   the executable                                             --+--> three layers --> configuration --> manifest --> index --> .tar
//   the folder for the state, the volume                       --+

import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { PLACES } from '../../src/install/plan.ts';
import { ROOT, type Stamp } from '../bundle.ts';
import { DEBIAN_ARCHITECTURES, type ForArchitecture } from './debian.ts';
import { tarOf } from './tar.ts';

const RELEASE = 'trixie';
const PACKAGES = ['base-files', 'libc6', 'libstdc++6', 'libgcc-s1'];

/** ID of the user and the group midge: the same in every release, for the files of the volume belong to it. */
const USER_ID = 1883;

const HEALTH = { Interval: 60e9, Timeout: 10e9, StartPeriod: 60e9, Retries: 3 }; // nanoseconds

/** What neither the executable nor its libraries read, and what mmdebstrap takes over from the machine that builds. */
const NEEDLESS = `usr/bin usr/sbin usr/games usr/src usr/include usr/share/man usr/share/info usr/share/lintian usr/share/bug usr/share/dict usr/share/gdb usr/share/gcc
  usr/share/base-files usr/share/misc usr/lib/gconv etc/apt etc/dpkg etc/default etc/skel etc/profile.d etc/update-motd.d etc/resolv.conf etc/hostname etc/fstab
  var boot home srv media mnt opt`;

/** DebianPackage is one that is part of something that we make, with the text of its copyright file. */
export interface DebianPackage {
  readonly name: string;
  readonly version: string;
  readonly copyright: string;
}

/** makeContainer gives the name of the archive that it writes into the folder, and Debian's packages in it. The same executable, stamp and packages give the same bytes. */
export function makeContainer(options: ForArchitecture): { readonly name: string; readonly packages: readonly DebianPackage[] } {
  const architecture = DEBIAN_ARCHITECTURES[options.architecture];
  const name = `midge-${options.stamp.version}-container-${architecture}.tar`;
  const seconds = Date.parse(options.stamp.date) / 1000;
  const work = mkdtempSync(join(tmpdir(), 'midge-container-'));
  try {
    const [system, program, layout] = ['system', 'program', 'layout'].map((each) => join(work, each)) as [string, string, string]; // three names
    const packages = unpackDebian(system, architecture, work);
    nameUsers(system);
    mkdirSync(join(program, 'usr/bin'), { recursive: true });
    copyFileSync(options.executable, join(program, 'usr/bin/midge'));
    mkdirSync(join(program, PLACES.state), { recursive: true, mode: 0o755 });
    execFileSync('chmod', ['-R', 'u=rwX,go=rX', system, program]);
    execFileSync('chmod', ['1777', join(system, 'tmp')]);
    execFileSync('chmod', ['700', join(program, PLACES.state)]);
    writeLayout(layout, options.stamp, architecture, [
      tarOf(system, '.', { seconds, owner: 0 }),
      tarOf(program, './usr/bin/midge', { seconds, owner: 0 }),
      tarOf(program, `.${PLACES.state}`, { seconds, owner: USER_ID }),
    ]);
    writeFileSync(join(options.folder, name), tarOf(layout, '.', { seconds, owner: 0 }));
    return { name, packages };
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/** No script of a package is run, and so no emulator is needed for another architecture. */
function unpackDebian(tree: string, architecture: string, work: string): readonly DebianPackage[] {
  const [archive, list, hook] = ['debian.tar', 'packages', 'list-packages'].map((each) => join(work, each)) as [string, string, string]; // three names
  const show = `dpkg-deb --showformat='\${Package} \${Version}\\n' --show "$each"`;
  writeFileSync(hook, `#!/bin/sh\nfor each in "$1"/var/cache/apt/archives/*.deb; do ${show}; done >${list}\n`, { mode: 0o755 });
  const words = [
    '--quiet',
    '--variant=extract',
    `--architectures=${architecture}`,
    `--include=${PACKAGES.join()}`,
    `--extract-hook=${hook} "$1"`,
  ];
  const [debian, security] = ['debian', 'debian-security'].map((name) =>
    execFileSync(join(ROOT, 'build/image/mirror.sh'), [name], { encoding: 'utf8' }).trim(),
  );
  const sources = [`deb ${debian} ${RELEASE} main`, `deb ${debian} ${RELEASE}-updates main`, `deb ${security} ${RELEASE}-security main`];
  try {
    execFileSync('mmdebstrap', [...words, RELEASE, archive, ...sources], { stdio: ['ignore', 'ignore', 'inherit'] });
  } catch (error) {
    throw new Error(
      `Cannot make the container image for ${architecture}: Debian's packages could not be fetched (mmdebstrap says why above) - make sure that ${debian} and ${security} answer, and run it again`,
      { cause: error },
    );
  }
  mkdirSync(tree);
  execFileSync('tar', ['-xf', archive, '-C', tree, '--no-same-owner', '--exclude=./dev/*']);
  const packages = readFileSync(list, 'utf8')
    .trim()
    .split('\n')
    .sort()
    .map((line) => packageOf(tree, line));
  for (const path of NEEDLESS.split(/\s+/)) rmSync(join(tree, path), { recursive: true, force: true });
  rmSync(join(tree, `usr/lib/${architecture === 'arm64' ? 'aarch64' : 'x86_64'}-linux-gnu/gconv`), { recursive: true, force: true });
  return packages;
}

function packageOf(tree: string, line: string): DebianPackage {
  const [name = '', version = ''] = line.split(' ');
  return { name, version, copyright: readFileSync(join(tree, 'usr/share/doc', name, 'copyright'), 'utf8') };
}

function nameUsers(tree: string): void {
  const nobodys = '/usr/sbin/nologin';
  writeFileSync(
    join(tree, 'etc/passwd'),
    `root:x:0:0:root:/root:${nobodys}\nmidge:x:${USER_ID}:${USER_ID}:MQTT broker:${PLACES.state}:${nobodys}\n`,
  );
  writeFileSync(join(tree, 'etc/group'), `root:x:0:\nmidge:x:${USER_ID}:\n`);
  writeFileSync(join(tree, 'etc/nsswitch.conf'), 'hosts: files dns\n');
}

/** https://github.com/opencontainers/image-spec/blob/v1.0.2/image-layout.md */
function writeLayout(folder: string, { version, commit, date }: Stamp, architecture: string, layers: readonly Buffer[]): void {
  const blobs = join(folder, 'blobs/sha256');
  mkdirSync(blobs, { recursive: true });
  const put = (mediaType: string, bytes: Buffer) => {
    const hash = sha256(bytes);
    writeFileSync(join(blobs, hash), bytes);
    return { mediaType: `application/vnd.oci.image.${mediaType}`, digest: `sha256:${hash}`, size: bytes.length };
  };
  const packed = layers.map((layer) => put('layer.v1.tar+gzip', gzipSync(layer)));
  const state = ['--state', PLACES.state];
  const configuration = {
    created: date,
    architecture,
    os: 'linux',
    config: {
      User: `${USER_ID}:${USER_ID}`,
      ExposedPorts: { '1883/tcp': {}, '8883/tcp': {}, '9001/tcp': {} },
      Env: ['PATH=/usr/bin', `HOME=${PLACES.state}`],
      Entrypoint: ['/usr/bin/midge'],
      Cmd: ['serve', '--lan', ...state],
      Volumes: { [PLACES.state]: {} },
      WorkingDir: PLACES.state,
      Labels: {
        'org.opencontainers.image.title': 'midge',
        'org.opencontainers.image.version': version,
        'org.opencontainers.image.revision': commit,
        'org.opencontainers.image.licenses': 'MIT',
      },
      // Docker's: the specification of OCI has no word for it, and lets others add theirs.
      Healthcheck: { Test: ['CMD', '/usr/bin/midge', 'status', ...state], ...HEALTH },
    },
    rootfs: { type: 'layers', diff_ids: layers.map((layer) => `sha256:${sha256(layer)}`) },
    history: [`Debian ${RELEASE}`, 'midge', 'its state'].map((what) => ({ created: date, created_by: what })),
  };
  const config = put('config.v1+json', json(configuration));
  const manifest = put(
    'manifest.v1+json',
    json({ schemaVersion: 2, mediaType: 'application/vnd.oci.image.manifest.v1+json', config, layers: packed }),
  );
  const annotations = { 'org.opencontainers.image.ref.name': version, 'io.containerd.image.name': `localhost/midge:${version}` };
  writeFileSync(
    join(folder, 'index.json'),
    json({ schemaVersion: 2, manifests: [{ ...manifest, platform: { architecture, os: 'linux' }, annotations }] }),
  );
  writeFileSync(join(folder, 'oci-layout'), json({ imageLayoutVersion: '1.0.0' }));
}

function json(value: unknown): Buffer {
  return Buffer.from(JSON.stringify(value));
}

function sha256(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}
