// A Debian with systemd in a container of its own, made from packages once and started fresh for each test.

import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { TestContext } from 'node:test';
import { DEBIAN_ARCHITECTURES } from '../../build/release/debian.ts';
import { temporaryFolder } from '../support/disk/temporary-folder.ts';
import { missing } from '../support/process/foreign-program.ts';
import type { Outcome } from '../support/process/outcome.ts';

const ROOT = join(import.meta.dirname, '../..');

/** RELEASES of Debian that a container can be of. */
export const RELEASES = ['bookworm', 'trixie'] as const;

export type Release = (typeof RELEASES)[number];

const PACKAGES = 'systemd,systemd-sysv,dbus,passwd,libstdc++6,apt';

/** No systemd runs in that of another architecture: see unpackForeign. Each package costs seconds under emulation. */
const FOREIGN_PACKAGES = 'systemd-standalone-sysusers,passwd,libstdc++6,apt';

/** The packages are unpacked without waiting for the disk. The Debian that has come of it waits again. */
const UNSYNCED = ['--dpkgopt=force-unsafe-io', '--customize-hook=rm "$1/etc/dpkg/dpkg.cfg.d/99mmdebstrap"'];

/** Of two files that want an archive at once, one makes it. */
const MAKE_ONCE = '[ -e "$0" ] || { mmdebstrap -q --variant=essential "$@" - >"$0.new" && mv "$0.new" "$0"; }';

/** VARIANTS of a container, by what is there beside the bare system. */
const VARIANTS = { bare: PACKAGES, mosquitto: `${PACKAGES},mosquitto,mosquitto-clients` } as const;

const ENVIRONMENT = ['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', 'HOME=/root', 'TERM=dumb'];

const OWN_ARCHITECTURE = DEBIAN_ARCHITECTURES[process.arch === 'arm64' ? 'arm64' : 'x64'];

/** How the kernel starts programs of arm64, binfmt_misc. */
const EMULATION = '/proc/sys/fs/binfmt_misc/qemu-aarch64';

/** In each tree of control groups one for the container alone, named $0: nspawn would put two containers that it finds in one group into one. */
const IN_OWN_GROUP =
  'for tree in /sys/fs/cgroup /sys/fs/cgroup/systemd /sys/fs/cgroup/unified; do [ ! -e $tree/cgroup.procs ] || { mkdir $tree/$0 && echo $$ >$tree/$0/cgroup.procs; }; done; exec systemd-nspawn "$@"';

/** With the groups that the system in the container has made, and until the last of its killed programs has been taken down. */
const REMOVE_GROUP =
  'for try in $(seq 100); do find /sys/fs/cgroup -depth -type d -path "*/$0*" -exec rmdir {} + 2>/dev/null && break; sleep 0.05; done';

/** Milliseconds for a container to come up. */
const PATIENCE = 60_000;

/** obstacle says why no container can run here, or false. */
export function obstacle(executable: string): string | false {
  if (process.getuid?.() !== 0) return 'a container can only be started by root';
  for (const [program, name] of [
    ['systemd-nspawn', 'systemd-container'],
    ['mmdebstrap', 'mmdebstrap'],
    ['nsenter', 'util-linux'],
  ] as const) {
    if (spawnSync(program, ['--version']).status !== 0) return `${program} is not installed (Debian package ${name})`;
  }
  return existsSync(executable) ? false : 'dist has no executable for this machine, run make binary first';
}

/** Debian is a running container. */
export interface Debian {
  /** Its root as a folder of ours. */
  readonly root: string;
  /** run runs a command inside, to its end. */
  run(...words: [string, ...string[]]): Promise<Outcome>;
  /** inNetwork runs a command of this machine in the network of the container, to its end. */
  inNetwork(...words: [string, ...string[]]): Promise<Outcome>;
}

/** Foreign is a Debian of arm64 on another machine: its programs run by qemu, each by itself. */
export type Foreign = Pick<Debian, 'root' | 'run'>;

/** foreignObstacle says why no program of arm64 can run here, or false. */
export function foreignObstacle(): string | false {
  if (process.arch === 'arm64') return 'a machine of arm64 needs no emulation';
  const reason = missing(['qemu-aarch64-static'], 'qemu-user-static');
  if (reason !== false) return reason;
  if (!existsSync('/proc/sys/fs/binfmt_misc/register'))
    spawnSync('mount', ['-t', 'binfmt_misc', 'binfmt_misc', '/proc/sys/fs/binfmt_misc']);
  if (!existsSync(EMULATION)) spawnSync('update-binfmts', ['--enable', 'qemu-aarch64']);
  return existsSync(EMULATION) ? false : 'the kernel has no binfmt_misc, by which it would start programs of arm64';
}

/** unpackForeign unpacks a Debian of arm64. No systemd runs in it: the qemu of Debian 12 does not know the system calls that shut a service in. */
export function unpackForeign(test: TestContext, release: Release): Foreign {
  const root = temporaryFolder(test);
  execFileSync('tar', ['-C', root, '-xf', archiveOf(release, FOREIGN_PACKAGES, 'arm64')]);
  const place = ['-q', '-D', root, '--register=no', '--keep-unit', '--private-network', '--console=pipe'];
  const run: Debian['run'] = async (...words) => {
    const { status, stdout, stderr } = spawnSync('systemd-nspawn', [...place, 'env', '-i', ...ENVIRONMENT, ...words], { encoding: 'utf8' });
    return { status, stdout, stderr };
  };
  return { root, run };
}

/** startDebian starts a container without a network; it ends with the test. */
export async function startDebian(test: TestContext, release: Release, variant: keyof typeof VARIANTS = 'bare'): Promise<Debian> {
  const root = temporaryFolder(test);
  execFileSync('tar', ['-C', root, '-xf', archiveOf(release, VARIANTS[variant], OWN_ARCHITECTURE)]);
  const words = ['-q', '-D', root, '--boot', '--register=no', '--keep-unit', '--private-network', '--console=pipe'];
  const container = spawn('sh', ['-c', IN_OWN_GROUP, basename(root), ...words], { stdio: 'ignore' });
  const ended = new Promise((resolve) => container.once('exit', resolve));
  let leader = 0;
  test.after(async () => {
    try {
      if (leader > 0) process.kill(leader, 'SIGKILL'); // with process 1 all others of the container end; nspawn alone would leave them
    } catch {
      // It has ended by itself.
    }
    container.kill('SIGKILL');
    await ended;
    spawnSync('sh', ['-c', REMOVE_GROUP, basename(root)]);
  });
  leader = await until(() => childOf(container.pid ?? 0));
  const enter = async (...words: readonly string[]) => {
    const { status, stdout, stderr } = spawnSync('nsenter', ['-t', String(leader), ...words], { encoding: 'utf8' });
    return { status, stdout, stderr };
  };
  const run: Debian['run'] = (...words) => enter('-m', '-u', '-i', '-n', '-p', '-C', '-r', '-w', 'env', '-i', ...ENVIRONMENT, ...words);
  const inNetwork: Debian['inNetwork'] = (...words) => enter('-n', ...words);
  await until(async () => (/running|degraded/.test((await run('systemctl', 'is-system-running')).stdout) ? true : null));
  return { root, run, inNetwork };
}

/** The packages of a container as one archive: dist/ is swept by hand only. `architecture` is Debian's name of it. */
function archiveOf(release: Release, packages: string, architecture: string): string {
  const kind = [release, architecture, packages.replaceAll(/\W+/g, '-')].join('-');
  const archive = join(ROOT, `dist/test-debian-${kind}.tar`);
  if (existsSync(archive)) return archive;
  mkdirSync(join(ROOT, 'dist'), { recursive: true });
  const wanted = [`--architectures=${architecture}`, `--include=${packages}`, ...UNSYNCED, '--format=tar', release];
  execFileSync('flock', [`${archive}.new`, 'sh', '-c', MAKE_ONCE, archive, ...wanted], { stdio: 'inherit' });
  return archive;
}

/** nspawn has a child that is the container's process 1, or that has it as its own child. */
function childOf(pid: number): number | null {
  const parents = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  for (const name of parents) {
    const status = readStatus(name);
    if (status.parent === pid && status.isFirst) return Number(name);
  }
  return null;
}

function readStatus(pid: string): { parent: number; isFirst: boolean } {
  try {
    const text = readFileSync(`/proc/${pid}/status`, 'utf8');
    return { parent: Number(/^PPid:\s+(\d+)/m.exec(text)?.[1]), isFirst: /^NSpid:.*\s1$/m.test(text) };
  } catch {
    return { parent: 0, isFirst: false }; // it has ended meanwhile
  }
}

async function until<T>(look: () => T | null | Promise<T | null>): Promise<T> {
  const deadline = Date.now() + PATIENCE;
  for (;;) {
    const found = await look();
    if (found !== null) return found;
    if (Date.now() > deadline) throw new Error('the container does not come up');
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}
