// The Debian package on each Debian that it is for: installed, upgraded, removed and purged by apt-get, in a container.

import assert from 'node:assert/strict';
import { appendFileSync, copyFileSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { missing, runForeign } from '../support/process/foreign-program.ts';
import type { Outcome } from '../support/process/outcome.ts';
import { type Debian, obstacle, RELEASES, type Release, startDebian } from './debian.ts';
import { ARCHITECTURE, apt, executableFor, LOGIN, NEW, nameOf, nothingIsLeft, OLD, packages } from './debian-package.ts';
import { succeed } from './installation.ts';
import { commandsOf } from './page.ts';

const EXECUTABLE = executableFor(ARCHITECTURE);
const skip = obstacle(EXECUTABLE) || missing(['lintian'], 'lintian');

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

function receive(run: Debian['run']): Promise<Outcome> {
  return run('midge', 'sub', ...LOGIN, '-C', '1', '-W', '60');
}

async function pidOf(run: Debian['run']): Promise<string> {
  return (await run('systemctl', 'show', '-p', 'MainPID', '--value', 'midge')).stdout.trim();
}
