// The Debian package on each Debian that it is for: installed, upgraded, removed and purged by apt-get, in a container.

import assert from 'node:assert/strict';
import { appendFileSync, copyFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { readStamp } from '../../build/bundle.ts';
import { DEBIAN_ARCHITECTURES, makeDebianPackage } from '../../build/release/debian.ts';
import { temporaryFolder } from '../support/disk/temporary-folder.ts';
import { missing, runForeign } from '../support/process/foreign-program.ts';
import type { Outcome } from '../support/process/outcome.ts';
import { type Debian, obstacle, RELEASES, startDebian } from './debian.ts';
import { succeed } from './installation.ts';
import { commandsOf } from './page.ts';

const DIST = join(import.meta.dirname, '../../dist');
const ARCHITECTURE = process.arch === 'arm64' ? 'arm64' : 'x64';
const EXECUTABLE = join(DIST, `midge-linux-${ARCHITECTURE}`);
const skip = obstacle(EXECUTABLE) || missing(['lintian'], 'lintian');
const LOGIN = ['-h', '127.0.0.1', '-u', 'jane', '-P', 'secret', '-t', 'a'] as const;

/** What is newer has another number only: Debian's tools look at nothing else. */
const [OLD, NEW] = ['0.1.0', '0.1.1'] as const;
let made: Promise<string> | null = null;

for (const architecture of ['x64', 'arm64'] as const) {
  test(`lintian finds nothing in the package for ${architecture}`, { skip }, async (context) => {
    const folder = architecture === ARCHITECTURE ? await packages() : temporaryFolder(context);
    const executable = join(DIST, `midge-linux-${architecture}`);
    const name =
      architecture === ARCHITECTURE
        ? nameOf(OLD)
        : makeDebianPackage({ executable, architecture, stamp: stampOf(OLD), folder, compression: 0 });
    const { status, stdout, stderr } = await runForeign('lintian', ['--fail-on', 'error,warning', '--allow-root', join(folder, name)]);
    assert.deepEqual([status, stdout.toString(), stderr], [0, '', '']);
  });
}

for (const release of RELEASES) {
  test(`package is installed, upgraded, removed and purged on Debian ${release}`, { skip }, async (context) => {
    const { root, run } = await startDebian(context, release);
    const folder = await packages();
    copyFileSync(join(folder, nameOf(OLD)), join(root, 'root', nameOf(OLD)));
    await followPage(run);
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
    const left = await run('find', '/etc', '/usr', '/var/lib', '/run', '-name', '*midge*', '-not', '-path', '/run/credentials/*');
    assert.equal(left.stdout, '');
    assert.notEqual((await run('id', 'midge')).status, 0);
    const { stdout: log } = await run('journalctl', '-b', '-o', 'cat', '--no-pager');
    assert.doesNotMatch(log, /midge\.service:\d+: Unknown/, 'this version of systemd knows every word of the unit');
  });
}

test('package leaves the ports to a mosquitto that runs, and takes over what midge install has left', { skip }, async (context) => {
  const { root, run } = await startDebian(context, 'trixie', 'mosquitto');
  copyFileSync(join(await packages(), nameOf(OLD)), join(root, 'root', nameOf(OLD)));
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

/** Both versions for this machine, made once. */
function packages(): Promise<string> {
  made ??= Promise.resolve().then(() => {
    const folder = temporaryFolder({ after: (act) => void process.once('exit', act as () => void) } as TestContext); // it needs no more of a test
    for (const version of [OLD, NEW])
      makeDebianPackage({ executable: EXECUTABLE, architecture: ARCHITECTURE, stamp: stampOf(version), folder, compression: 0 });
    return folder;
  });
  return made;
}

/** What docs/releases.md says, as a person types it. */
async function followPage(run: Debian['run']): Promise<void> {
  const [install = '', account = '', status = ''] = commandsOf('Debian package', 'docs/releases.md');
  const type = (line: string) => succeed(run('sh', '-c', `cd /root && ${line}`));
  assert.match((await type(install)).stdout, /create an account: sudo midge passwd \/var\/lib\/midge\/passwd NAME/);
  await type(`printf 'secret\\nsecret\\n' | ${account}`);
  assert.match((await type(status)).stdout, /midge version/);
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

function nameOf(version: string): string {
  return `midge_${version}_${DEBIAN_ARCHITECTURES[ARCHITECTURE]}.deb`;
}

function stampOf(version: string) {
  return { ...readStamp(), version };
}
