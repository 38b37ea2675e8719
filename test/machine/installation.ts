// The life of an installation on whatever Debian with systemd: install, use, upgrade, a bad upgrade that goes back by itself, uninstall.

import assert from 'node:assert/strict';
import { chmodSync, copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readStamp } from '../../build/bundle.ts';
import { sealed } from '../../src/install/seal.ts';
import { SCHEMA_VERSION } from '../../src/store/schema.ts';
import type { Outcome } from '../support/process/outcome.ts';

const LOGIN = ['-h', '127.0.0.1', '-u', 'jane', '-P', 'secret', '-t', 'a'] as const;
const AUTHORITY = '/var/lib/midge/certificates/ca.crt';

/** Guest is a machine to install on. It runs words as root, to their end. */
export type Guest = (...words: [string, ...string[]]) => Promise<Outcome>;

/** Programs are executables on the guest. */
export interface Programs {
  readonly first: string;
  /** The same with another size. */
  readonly better: string;
  /** One whose service never starts, but has changed the database by then. */
  readonly bad: string;
}

/** What a later midge does before it fails: it keeps the database as it was and makes it of a newer version. */
const LATER = `#!/bin/sh
cd /var/lib/midge
if [ ! -e midge.db.version-${SCHEMA_VERSION} ]; then
  cp -p midge.db midge.db.version-${SCHEMA_VERSION}
  printf '\\000\\000\\000\\${(SCHEMA_VERSION + 1).toString(8).padStart(3, '0')}' | dd of=midge.db bs=1 seek=60 conv=notrunc 2>/dev/null
fi
echo 'the later midge has changed the database and fails'
exit 1
`;

/** writePrograms makes the executables of a guest, whose `root` is a folder here, of one that `make binary` made. */
export function writePrograms(root: string, executable: string): Programs {
  const bytes = readFileSync(executable);
  copyFileSync(executable, join(root, 'root/midge'));
  writeFileSync(join(root, 'root/better'), sealed(Buffer.concat([bytes, Buffer.from('\n')])));
  writeFileSync(join(root, 'root/bad'), withLaterCommand(bytes));
  mkdirSync(join(root, 'usr/local/bin'), { recursive: true });
  writeFileSync(join(root, 'usr/local/bin/later-midge'), LATER);
  chmodSync(join(root, 'usr/local/bin/later-midge'), 0o755);
  for (const name of ['midge', 'better', 'bad']) chmodSync(join(root, 'root', name), 0o755);
  return { first: '/root/midge', better: '/root/better', bad: '/root/bad' };
}

/** The other command is as long as the one that stands in the unit in the executable. */
function withLaterCommand(bytes: Buffer): Buffer {
  const command = 'ExecStart=/usr/local/bin/midge serve';
  const place = bytes.indexOf(command);
  assert.ok(place > 0, 'the unit stands in the executable');
  const changed = Buffer.from(bytes);
  changed.write('ExecStart=/usr/local/bin/later-midge', place);
  return sealed(changed);
}

/** ofVersion gives the same program under another number, of the same length. */
export function ofVersion(bytes: Buffer, version: string): Buffer {
  const own = `version:"${readStamp().version}",commit:"`;
  const place = bytes.indexOf(own);
  assert.ok(place > 0 && version.length === readStamp().version.length, 'the version stands in the executable');
  const changed = Buffer.from(bytes);
  changed.write(`version:"${version}",commit:"`, place);
  return sealed(changed);
}

/** liveThrough installs, uses, upgrades and removes midge, and leaves nothing. `patience` are more words for each installation. */
export async function liveThrough(run: Guest, programs: Programs, patience: readonly string[] = []): Promise<void> {
  const install = (program: string, ...words: readonly string[]) => run(program, 'install', ...patience, ...words);
  await dryRun(run, programs.first);
  await refuseTruncated(run, programs.first);
  await refusePortsInUse(run, programs.first);
  await firstInstallation(run, programs.first, patience);
  const before = await pidOf(run);
  assert.match((await succeed(install(programs.first))).stdout, /^midge \S+ is already installed, and runs$/m);
  assert.equal(await pidOf(run), before, 'the same version is not started anew');
  assert.match((await succeed(install(programs.better))).stdout, /^Replacing midge \S+ by another build of the same version$/m);
  assert.notEqual(await pidOf(run), before);
  assert.equal(await isThere(run, '/usr/local/bin/midge.old'), false, 'the old version is gone');
  assert.equal((await receive(run, 'mosquitto_sub')).stdout, 'kept\n');
  await interruptUpgrade(run, programs.bad);
  await badUpgrade(run, install(programs.bad), programs.better);
  await uninstall(run, () => install(programs.first));
}

async function dryRun(run: Guest, program: string): Promise<void> {
  const { stdout } = await succeed(run(program, 'install', '--dry-run'));
  assert.match(stdout, /^useradd .* midge$/m);
  assert.equal(await isThere(run, '/etc/midge'), false, 'a dry run changes nothing');
}

/** So little is missing that it still runs. */
async function refuseTruncated(run: Guest, program: string): Promise<void> {
  await succeed(run('sh', '-c', `cp ${program} /root/truncated && truncate -s -10 /root/truncated`));
  assert.match((await run('/root/truncated', 'install')).stderr, /"\/root\/truncated" is not whole/);
  assert.equal(await isThere(run, '/etc/midge'), false);
  await run('rm', '/root/truncated');
}

/** Another broker of midge has the port of MQTT with TLS. */
async function refusePortsInUse(run: Guest, program: string): Promise<void> {
  const other = `${program} serve -c /root/other.conf --state /root/other >/root/other.log 2>&1 & other=$!`;
  const wait = 'until grep -q "midge version .* running" /root/other.log; do kill -0 $other || exit 9; sleep 0.2; done';
  const begin = 'printf "listener 8883 127.0.0.1\\nallow_anonymous true\\n" >/root/other.conf';
  const { status, stderr } = await run(
    'sh',
    '-c',
    `${begin}; ${other}; ${wait}; ${program} install; status=$?; kill $other; wait $other; exit $status`,
  );
  assert.equal(status, 1, stderr);
  assert.match(
    stderr,
    /other programs have the ports that midge is to open\. Nothing was changed\.\n {2}port 8883: midge \(process \d+\)\n/,
  );
  assert.equal(await isThere(run, '/etc/midge'), false);
  await run('sh', '-c', 'rm -rf /root/other*');
}

async function firstInstallation(run: Guest, program: string, patience: readonly string[]): Promise<void> {
  const install = `echo secret | ${program} install --user jane --password-file - --with-mosquitto-names ${patience.join(' ')}`;
  const { stdout, stderr } = await succeed(run('sh', '-c', install));
  const { stdout: log } = await run('journalctl', '-b', '-o', 'cat', '--no-pager');
  assert.doesNotMatch(log, /midge\.service:\d+: Unknown/, 'this version of systemd knows every word of the unit');
  assert.match(stdout, /port 8883 \(MQTT with TLS\): the users in \/var\/lib\/midge\/passwd/);
  assert.match(stdout, /^ {2}([0-9A-F]{2}:){31}[0-9A-F]{2}$/m);
  assert.match(stdout, /^The page for browsers: https:\/\/[\w.-]+$/m);
  assert.match(stdout, /set-up code there: ([0-9a-f]{4}-){7}[0-9a-f]{4}$/m);
  assert.ok(!`${stdout}${stderr}`.includes('secret'), 'a given password is not shown');
  assert.equal((await run('systemctl', 'is-active', 'midge')).stdout, 'active\n');
  assert.equal((await run('systemctl', 'is-enabled', 'midge')).stdout, 'enabled\n');
  assert.equal((await run('stat', '-c', '%a %U', '/var/lib/midge')).stdout, '700 midge\n');
  assert.equal((await run('stat', '-c', '%U', `/proc/${await pidOf(run)}`)).stdout, 'midge\n');
  await succeed(run('mosquitto_pub', ...LOGIN, '-m', 'b'));
  assert.notEqual((await run('mosquitto_pub', '-h', '127.0.0.1', '-t', 'a', '-m', 'b')).status, 0);
  await succeed(run('mosquitto_pub', '-p', '8883', '--cafile', AUTHORITY, ...LOGIN, '-m', 'kept', '-q', '1', '-r'));
}

/** Ends the installation as a lost connection does, when all of it is in place and nothing is proved. */
async function interruptUpgrade(run: Guest, program: string): Promise<void> {
  const inPlace = 'grep -q later-midge /etc/systemd/system/midge.service';
  await run('sh', '-c', `${program} install >/dev/null 2>&1 & until ${inPlace}; do sleep 0.1; done; kill -KILL $!; wait`);
  assert.equal(await isThere(run, '/usr/local/bin/midge.old'), true, 'the old version is kept');
}

/** It was interrupted before. */
async function badUpgrade(run: Guest, installation: Promise<Outcome>, inPlace: string): Promise<void> {
  const { status, stdout, stderr } = await installation;
  assert.equal(status, 1);
  assert.match(stdout, /^An upgrade was interrupted/m);
  assert.match(stderr, /the later midge has changed the database and fails/);
  assert.match(stderr, /the old version is in place again$/m);
  assert.match((await run('ls', '/var/lib/midge')).stdout, /^midge\.db\.newer-\d{8}T\d{6}Z$/m);
  assert.equal((await run('systemctl', 'is-active', 'midge')).stdout, 'active\n');
  await succeed(run('cmp', inPlace, '/usr/local/bin/midge'));
  for (const old of ['/usr/local/bin/midge.old', '/etc/systemd/system/midge.service.old'])
    assert.equal(await isThere(run, old), false, old);
  assert.equal((await receive(run, 'mosquitto_sub')).stdout, 'kept\n');
}

async function uninstall(run: Guest, installAgain: () => Promise<Outcome>): Promise<void> {
  await succeed(run('midge', 'uninstall'));
  assert.notEqual((await run('systemctl', 'is-active', 'midge')).status, 0);
  for (const path of ['/usr/local/bin/midge', '/usr/local/bin/mosquitto_pub']) assert.equal(await isThere(run, path), false, path);
  for (const path of ['/var/lib/midge/midge.db', '/etc/midge/midge.conf']) assert.equal(await isThere(run, path), true, path);
  await succeed(installAgain());
  assert.equal((await receive(run, 'midge', 'sub')).stdout, 'kept\n', 'what was kept is there again');
  await succeed(run('midge', 'uninstall', '--purge'));
  for (const path of ['/var/lib/midge', '/etc/midge']) assert.equal(await isThere(run, path), false, path);
  assert.notEqual((await run('id', 'midge')).status, 0);
}

function receive(run: Guest, ...program: [string, ...string[]]): Promise<Outcome> {
  return run(...program, ...LOGIN, '-C', '1', '-W', '60');
}

/** succeed gives what a command that must succeed has written. */
export async function succeed(outcome: Promise<Outcome>): Promise<Outcome> {
  const { status, stdout, stderr } = await outcome;
  assert.equal(status, 0, stdout + stderr);
  return { status, stdout, stderr };
}

async function pidOf(run: Guest): Promise<string> {
  return (await run('systemctl', 'show', '-p', 'MainPID', '--value', 'midge')).stdout.trim();
}

async function isThere(run: Guest, path: string): Promise<boolean> {
  return (await run('test', '-e', path)).status === 0;
}
