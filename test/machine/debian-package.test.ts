// The Debian package on each Debian that it is for: installed, upgraded, removed and purged by apt-get, in a container; that of arm64 under emulation, too.

import assert from 'node:assert/strict';
import { appendFileSync, copyFileSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { readStamp } from '../../build/bundle.ts';
import { DEBIAN_ARCHITECTURES, makeDebianPackage } from '../../build/release/debian.ts';
import { temporaryFolder } from '../support/disk/temporary-folder.ts';
import { missing, runForeign } from '../support/process/foreign-program.ts';
import type { Outcome } from '../support/process/outcome.ts';
import { type Debian, type Foreign, foreignObstacle, obstacle, RELEASES, type Release, startDebian, unpackForeign } from './debian.ts';
import { succeed } from './installation.ts';
import { commandsOf } from './page.ts';

const DIST = join(import.meta.dirname, '../../dist');
const ARCHITECTURE = process.arch === 'arm64' ? 'arm64' : 'x64';
const EXECUTABLE = join(DIST, `midge-linux-${ARCHITECTURE}`);
const skip = obstacle(EXECUTABLE) || missing(['lintian'], 'lintian');
const LOGIN = ['-h', '127.0.0.1', '-u', 'jane', '-P', 'secret', '-t', 'a'] as const;

/** What is newer has another number only: Debian's tools look at nothing else. */
const [OLD, NEW] = ['0.1.0', '0.1.1'] as const;
const made = new Map<string, string>();

/** Where people read how to install the package: one page on each Debian. */
const COMMANDS: Readonly<Record<Release, () => readonly string[]>> = {
  bookworm: commandsOfReadme,
  trixie: () => commandsOf('Debian package', 'docs/releases.md'),
};

for (const architecture of ['x64', 'arm64'] as const) {
  test(`lintian finds nothing in the package for ${architecture}`, { skip }, async () => {
    const path = join(packages(architecture), nameOf(OLD, architecture));
    const { status, stdout, stderr } = await runForeign('lintian', ['--fail-on', 'error,warning', '--allow-root', path]);
    assert.deepEqual([status, stdout.toString(), stderr], [0, '', '']);
  });
}

for (const release of RELEASES) {
  test(`package is installed, upgraded, removed and purged on Debian ${release}`, { skip }, async (context) => {
    const { root, run } = await startDebian(context, release);
    const folder = packages(ARCHITECTURE);
    copyFileSync(join(folder, nameOf(OLD)), join(root, 'root', nameOf(OLD)));
    await follow(COMMANDS[release](), run);
    await use(run);
    copyFileSync(join(folder, nameOf(NEW)), join(root, 'root', nameOf(NEW)));
    await refuseOtherWays(run);
    appendFileSync(join(root, 'etc/midge/midge.conf'), '# mine\n');
    const before = await pidOf(run);
    await apt(run, 'install', `/root/${nameOf(NEW)}`);
    assert.notEqual(await pidOf(run), before, 'the new version runs');
    assert.match((await run('grep', '# mine', '/etc/midge/midge.conf')).stdout, /mine/, 'what the owner has written stays');
    assert.equal((await receive(run)).stdout, 'kept\n');
    await apt(run, 'remove', 'midge');
    assert.notEqual((await run('systemctl', 'is-active', 'midge')).status, 0);
    for (const path of ['/etc/midge/midge.conf', '/var/lib/midge/midge.db']) await succeed(run('test', '-e', path));
    await apt(run, 'install', `/root/${nameOf(OLD)}`);
    assert.equal((await receive(run)).stdout, 'kept\n', 'what was kept is there again');
    await apt(run, 'purge', 'midge');
    await nothingIsLeft(run);
    const { stdout: log } = await run('journalctl', '-b', '-o', 'cat', '--no-pager');
    assert.doesNotMatch(log, /midge\.service:\d+: Unknown/, 'this version of systemd knows every word of the unit');
  });
}

test('package leaves the ports to a mosquitto that runs, and takes over what midge install has left', { skip }, async (context) => {
  const { root, run } = await startDebian(context, 'trixie', 'mosquitto');
  copyFileSync(join(packages(ARCHITECTURE), nameOf(OLD)), join(root, 'root', nameOf(OLD)));
  copyFileSync(EXECUTABLE, join(root, 'root/midge'));
  const { stdout } = await apt(run, 'install', `/root/${nameOf(OLD)}`);
  assert.match(stdout, /mosquitto runs here and has the ports/);
  assert.equal((await run('systemctl', 'is-active', 'mosquitto')).stdout, 'active\n');
  assert.notEqual((await run('systemctl', 'is-enabled', 'midge')).status, 0);
  await apt(run, 'purge', 'midge');
  await succeed(run('systemctl', 'disable', '--now', 'mosquitto'));
  await succeed(run('sh', '-c', 'echo secret | /root/midge install --user jane --password-file -'));
  await succeed(run('midge', 'pub', ...LOGIN, '-m', 'kept', '-q', '1', '-r'));
  const refused = await run('apt-get', 'install', '-y', `/root/${nameOf(OLD)}`);
  assert.notEqual(refused.status, 0);
  assert.match(refused.stderr + refused.stdout, /Remove that first: sudo midge uninstall/);
  await succeed(run('midge', 'uninstall'));
  await apt(run, 'install', '-o', 'Dpkg::Options::=--force-confold', `/root/${nameOf(OLD)}`); // dpkg asks which configuration stays
  assert.equal((await receive(run)).stdout, 'kept\n', 'with its accounts');
});

test('package for arm64 is installed, upgraded, removed and purged on Debian trixie', {
  skip: skip || foreignObstacle(),
}, async (context) => {
  const { root, run } = unpackForeign(context, 'trixie');
  const folder = packages('arm64');
  for (const version of [OLD, NEW]) copyFileSync(join(folder, nameOf(version, 'arm64')), join(root, 'root', nameOf(version, 'arm64')));
  await apt(run, 'install', `/root/${nameOf(OLD, 'arm64')}`);
  await succeed(run('test', '-L', '/etc/systemd/system/multi-user.target.wants/midge.service'));
  assert.equal((await run('stat', '-c', '%a %U', '/var/lib/midge', '/var/lib/midge/passwd')).stdout, '700 midge\n600 midge\n');
  await succeed(run('sh', '-c', "printf 'secret\\nsecret\\n' | midge passwd /var/lib/midge/passwd jane"));
  await whileServing(run, `midge pub ${LOGIN.join(' ')} -m kept -q 1 -r`);
  appendFileSync(join(root, 'etc/midge/midge.conf'), '# mine\n');
  await apt(run, 'install', `/root/${nameOf(NEW, 'arm64')}`);
  assert.match(readFileSync(join(root, 'etc/midge/midge.conf'), 'utf8'), /^# mine$/m, 'what the owner has written stays');
  const receiving = `midge sub ${LOGIN.join(' ')} -C 1 -W 300`;
  assert.match((await whileServing(run, receiving)).stdout, /^kept$/m);
  await apt(run, 'remove', 'midge');
  for (const path of ['/etc/midge/midge.conf', '/var/lib/midge/midge.db']) await succeed(run('test', '-e', path));
  await apt(run, 'purge', 'midge');
  await nothingIsLeft(run);
});

/** Both versions, made once; the folder has them. */
function packages(architecture: 'x64' | 'arm64'): string {
  const before = made.get(architecture);
  if (before !== undefined) return before;
  const folder = temporaryFolder({ after: (act) => void process.once('exit', act as () => void) } as TestContext); // it needs no more of a test
  const executable = join(DIST, `midge-linux-${architecture}`);
  for (const version of [OLD, NEW]) makeDebianPackage({ executable, architecture, stamp: stampOf(version), folder, compression: 0 });
  made.set(architecture, folder);
  return folder;
}

/** What the page says, as a person types it. */
async function follow([install = '', account = '', status = '']: readonly string[], run: Debian['run']): Promise<void> {
  const type = (line: string) => succeed(run('sh', '-c', `cd /root && ${line}`));
  assert.match((await type(install)).stdout, /create an account: sudo midge passwd \/var\/lib\/midge\/passwd NAME/);
  await type(`printf 'secret\\nsecret\\n' | ${account}`);
  assert.match((await type(status)).stdout, /midge version/);
}

function commandsOfReadme(): readonly string[] {
  const readme = readFileSync(join(import.meta.dirname, '../../README.md'), 'utf8');
  const paragraph = readme.split(/\n\s*\n/).find((text) => text.startsWith('**A package for Debian')) ?? '';
  const commands = Array.from(paragraph.matchAll(/`sudo ([^`]+)`/g), ([, line = '']) => line.replace(/\s+/g, ' ').replace('NAME', 'jane'));
  assert.equal(commands.length, 3, paragraph);
  return commands;
}

/** Runs a line of the shell while the broker runs as its user, and midge status says so. */
function whileServing(run: Foreign['run'], line: string): Promise<Outcome> {
  const user = 'setpriv --reuid midge --regid midge --init-groups'; // not runuser: that stays between, and ends by the signal itself
  const serve = `${user} midge serve -c /etc/midge/midge.conf --state /var/lib/midge >/root/log 2>&1`;
  const wait = 'until grep -q "midge version .* running" /root/log; do kill -0 $broker || { cat /root/log; exit 1; }; sleep 1; done';
  return succeed(
    run('sh', '-ec', `${serve} & broker=$!; ${wait}; midge status | grep 'midge version'; ${line}; kill $broker; wait $broker`),
  );
}

async function nothingIsLeft(run: Debian['run']): Promise<void> {
  const left = await run('find', '/etc', '/usr', '/var/lib', '/run', '-name', '*midge*', '-not', '-path', '/run/credentials/*');
  assert.equal(left.stdout, '');
  assert.notEqual((await run('id', 'midge')).status, 0);
}

async function use(run: Debian['run']): Promise<void> {
  assert.equal((await run('systemctl', 'is-enabled', 'midge')).stdout, 'enabled\n');
  assert.equal((await run('stat', '-c', '%a %U', '/var/lib/midge', '/var/lib/midge/passwd')).stdout, '700 midge\n600 midge\n');
  await succeed(run('midge', 'pub', ...LOGIN, '-m', 'kept', '-q', '1', '-r'));
  assert.equal((await run('stat', '-c', '%U', `/proc/${await pidOf(run)}`)).stdout, 'midge\n');
}

async function refuseOtherWays(run: Debian['run']): Promise<void> {
  assert.match((await run('midge', 'install')).stderr, /Debian package of midge is here/);
  assert.match((await run('midge', 'upgrade', '/root')).stderr, /midge is a Debian package here/);
  assert.match((await run('midge', 'uninstall', '--purge')).stderr, /apt-get purge midge/);
}

function apt(run: Debian['run'], ...words: readonly string[]): Promise<Outcome> {
  return succeed(run('env', 'DEBIAN_FRONTEND=noninteractive', 'apt-get', '-q', '-y', ...words));
}

function receive(run: Debian['run']): Promise<Outcome> {
  return run('midge', 'sub', ...LOGIN, '-C', '1', '-W', '60');
}

async function pidOf(run: Debian['run']): Promise<string> {
  return (await run('systemctl', 'show', '-p', 'MainPID', '--value', 'midge')).stdout.trim();
}

function nameOf(version: string, architecture: 'x64' | 'arm64' = ARCHITECTURE): string {
  return `midge_${version}_${DEBIAN_ARCHITECTURES[architecture]}.deb`;
}

function stampOf(version: string) {
  return { ...readStamp(), version };
}
