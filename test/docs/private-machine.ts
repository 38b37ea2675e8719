// A shell with a machine of its own: its network, its processes, and its /etc and /var/lib, whose changes nobody else sees.

import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Outcome } from '../support/process/outcome.ts';
import { PROJECT } from './page.ts';

/** HANG_MS ends commands that wait for something that never comes. */
const HANG_MS = 240_000;

/** PASSWORD is what a reader of the pages types when midge asks for one. */
const PASSWORD = 'a long password';

/** IN_CLONE is what a reader's clone of the project has, for the commands that run in it. */
const IN_CLONE = ['Makefile', 'build', 'src', 'test', 'package.json', 'package-lock.json', 'node_modules', 'docs', 'rootfs'];

const ISOLATED = ['--mount', '--net', '--pid', '--fork', '--kill-child'];

/** PRIVATE lays a layer in memory over what the commands of a page write as root. $1 is the folder. */
const PRIVATE = `
ip link set lo up
mount -t proc proc /proc
mount -t tmpfs tmpfs "$1/layers"
for folder in etc var/lib; do
  mkdir -p "$1/layers/$folder/new" "$1/layers/$folder/work"
  mount -t overlay overlay -o "lowerdir=/$folder,upperdir=$1/layers/$folder/new,workdir=$1/layers/$folder/work" "/$folder"
done
# Nothing of a midge that is installed here.
for folder in /etc/midge /var/lib/midge; do
  mkdir -p "$folder"
  mount -t tmpfs -o mode=0755 tmpfs "$folder"
done
`;

/** obstacle tells why there is no private machine here, or false. */
export function obstacle(): string | false {
  if (process.platform !== 'linux') return 'namespaces exist on Linux only';
  if (process.getuid?.() !== 0) return 'a network and an /etc of its own need root';
  const missing = ['ip', 'unshare', 'make'].find((program) => spawnSync(program, ['--version']).error);
  if (missing !== undefined) return `${missing} is not installed (Debian packages iproute2, util-linux, make)`;
  const tried = spawnSync('unshare', [...ISOLATED, 'sh', '-ec', 'mount -t tmpfs tmpfs /mnt && ip link set lo up'], { encoding: 'utf8' });
  return tried.status === 0 ? false : `namespaces cannot be made here: ${tried.stderr.trim()}`;
}

/** runPrivately runs a script of sh, which ends at its first failure, in an empty folder that looks like a clone, and waits for its end. */
export function runPrivately(folder: string, script: string): Outcome {
  const [home, programs] = [join(folder, 'home'), join(folder, 'programs')];
  for (const each of [home, programs, join(folder, 'layers')]) mkdirSync(each);
  for (const each of IN_CLONE) symlinkSync(join(PROJECT, each), join(home, each));
  writeFileSync(join(programs, 'answers'), `${PASSWORD}\n${PASSWORD}\n`);
  const answered = `[ "$1" != passwd ] || exec <'${join(programs, 'answers')}'`;
  program(join(programs, 'midge'), `${answered}\nexec '${process.execPath}' '${join(PROJECT, 'src/main.ts')}' "$@"`);
  program(join(programs, 'sudo'), 'exec "$@"');
  program(join(folder, 'script'), `set -eu\n${PRIVATE}\ncd "$1/home"\n${script}`);
  const { status, stdout, stderr } = spawnSync('unshare', [...ISOLATED, join(folder, 'script'), folder], {
    encoding: 'utf8',
    timeout: HANG_MS,
    killSignal: 'SIGKILL',
    env: { PATH: `${programs}:${process.env['PATH'] ?? ''}`, HOME: home, LC_ALL: 'C.UTF-8' },
  });
  return { status, stdout, stderr };
}

function program(path: string, text: string): void {
  writeFileSync(path, `#!/bin/sh\n${text}\n`);
  chmodSync(path, 0o755);
}
