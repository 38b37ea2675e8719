// Certificates and passwords that root makes in a folder that the broker's user owns: whatever that user has planted there, no file that is
// not the user's is read, changed or given away.

import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { lstatSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { MADE_HERE } from '../../src/state/folder-ownership.ts';
import { watchProcess } from '../support/process/watched-process.ts';
import { midgeWords } from './attacked-broker.ts';
import { Machine, skip, USER, withAuthority } from './planted-machine.ts';

test("cert gives root's folder to nobody, and writes nothing there, when the user has linked clients to it", { skip }, async (t) => {
  const machine = await withAuthority(t);
  machine.plant('certificates/clients', 'etc');
  for (const verb of ['client', 'revoke'])
    await machine.run('cert', verb, 'phone', '--state', machine.state, '--out', machine.path('home'));
  machine.assertUntouched();
});

test("cert reads and replaces no file of root's when the user has linked ca.crl and a certificate to it", { skip }, async (t) => {
  const machine = await withAuthority(t);
  const clients = join(machine.state, 'certificates/clients');
  assert.equal((await machine.run('cert', 'client', 'phone', '--state', machine.state)).status, 0);
  assert.equal(lstatSync(clients).uid, USER);
  const [first = ''] = readdirSync(clients);
  assert.equal(lstatSync(join(clients, first)).uid, USER);
  assert.equal(lstatSync(machine.path('home/phone.key')).uid, 0);
  machine.plant('certificates/ca.crl', 'etc/shadow');
  machine.plant('certificates/clients/0a.crt', 'etc/shadow');
  const { status, text } = await machine.run('cert', 'revoke', 'phone', '--state', machine.state);
  assert.notEqual(status, 0);
  assert.match(text, /as user (nobody|65534)/);
  assert.doesNotMatch(text, /19000/);
  machine.assertUntouched();
});

test('cert overwrites no file when a link of the name of a key lies where it writes', { skip }, async (t) => {
  const machine = await withAuthority(t);
  for (const end of ['crt', 'key', 'p12']) machine.plant(`phone.${end}`, 'etc/shadow');
  const { status } = await machine.run('cert', 'client', 'phone', '--state', machine.state, '--out', machine.state);
  assert.notEqual(status, 0);
  machine.assertUntouched();
});

test("passwd changes no file of root's that the user has linked to, and says why", { skip, timeout: 60_000 }, async (t) => {
  const machine = new Machine(t);
  machine.plant('passwd', 'etc/shadow');
  const file = join(machine.state, 'passwd');
  for (const words of [
    ['-b', file, 'eve', 'secret'],
    ['-c', '-b', file, 'eve', 'secret'],
    ['-U', file],
    ['-D', file, 'root'],
  ]) {
    const { status, text } = await machine.run('passwd', ...words);
    assert.equal(status, 1, text);
    assert.match(text, /Unable to open password file .*It is a link, which root does not follow there/);
    machine.assertUntouched();
  }
  symlinkSync(machine.path('etc'), machine.path('state/inside'));
  const through = await machine.run('passwd', '-b', join(machine.state, 'inside/shadow'), 'eve', 'secret');
  assert.notEqual(through.status, 0, through.text);
  execFileSync('mkfifo', [join(machine.state, 'pipe')]);
  assert.match((await machine.run('passwd', '-b', join(machine.state, 'pipe'), 'eve', 'secret')).text, /is no regular file/);
  machine.assertUntouched();
});

test("passwd by root makes and changes the user's own file as the user, and follows root's own links", { skip }, async (t) => {
  const machine = new Machine(t);
  const file = join(machine.state, 'passwd');
  assert.equal((await machine.run('passwd', '-c', '-b', file, 'eve', 'secret')).status, 0);
  assert.equal((await machine.run('passwd', '-b', file, 'adam', 'secret')).status, 0);
  assert.deepEqual([lstatSync(file).uid, lstatSync(file).mode & 0o777], [USER, 0o600]);
  writeFileSync(machine.path('home/real'), '');
  symlinkSync(machine.path('home/real'), machine.path('etc/link'));
  assert.equal((await machine.run('passwd', '-b', machine.path('etc/link'), 'eve', 'secret')).status, 0);
  assert.match(readFileSync(machine.path('home/real'), 'utf8'), /^eve:/);
});

const DATABASE = join(import.meta.dirname, '../import/mosquitto-2.0.11.db');

/** A mosquitto of root's, whose configuration has a folder for more. */
function mosquittoOf(machine: Machine): string {
  writeFileSync(machine.path('home/passwords'), 'eve:$7$101$c2FsdHNhbHRzYWx0$aGFzaA==\n', { mode: 0o600 });
  mkdirSync(machine.path('home/more'));
  writeFileSync(machine.path('home/more/lan.conf'), 'listener 1883 127.0.0.1\n');
  const file = machine.path('home/mosquitto.conf');
  writeFileSync(file, `password_file ${machine.path('home/passwords')}\ninclude_dir ${machine.path('home/more')}\n`);
  return file;
}

const PLANTED = { 'conf.d': 'etc', 'midge.conf': 'etc/midge.conf', passwd: 'etc/passwd', 'passwd.midge.new': 'etc/shadow' } as const;

for (const [name, target] of Object.entries(PLANTED)) {
  test(`import by root writes no file of root's when the user has linked ${name} to ${target}`, { skip }, async (t) => {
    const machine = new Machine(t);
    const source = mosquittoOf(machine);
    machine.plant(name, target);
    const { text } = await machine.run('import', 'mosquitto', source, '--out', machine.state, '--state', machine.path('home/state'));
    machine.assertUntouched();
    assert.doesNotMatch(text, /19000|node:internal/);
  });
}

test("import by root makes no database of root's when the user has linked midge.db there, and gives the user what it makes", {
  skip,
}, async (t) => {
  const machine = new Machine(t);
  machine.plant('midge.db', 'etc/midge.db');
  assert.notEqual((await machine.run('import', 'mosquitto', DATABASE, '--state', machine.state)).status, 0);
  machine.assertUntouched();

  const honest = new Machine(t);
  const source = mosquittoOf(honest);
  for (const words of [[DATABASE], [source, '--out', join(honest.state, 'conf')]]) {
    const { text } = await honest.run('import', 'mosquitto', ...words, '--state', honest.state);
    assert.match(text, /^wrote/m);
  }
  for (const name of ['midge.db', 'conf', 'conf/passwd', 'conf/midge.conf', 'conf/conf.d/01-lan.conf'])
    assert.equal(lstatSync(join(honest.state, name)).uid, USER, name);
});

/** Nothing but this machine is served, or told. */
const ALONE = spawnSync('unshare', ['-n', 'ip', 'link', 'set', 'lo', 'up']).status === 0 ? false : 'no network namespace can be made here';

test("serve by root makes its first account in the user's folder, for that user, whatever lies there", {
  skip: skip || ALONE,
}, async (t) => {
  const machine = new Machine(t);
  machine.write('.midge-state', MADE_HERE);
  machine.plant('passwd.midge.new', 'etc/shadow');
  const [command, words] = midgeWords('serve', '--lan', '-p', '0', '--state', machine.state);
  const alone = ['-n', 'sh', '-c', 'ip link set lo up && exec "$@"', 'sh', command, ...words];
  const broker = watchProcess(t, ['unshare', alone], { HOME: machine.path('home') });
  await broker.line(/running$/);
  const { uid, mode } = lstatSync(join(machine.state, 'passwd'));
  assert.deepEqual([uid, mode & 0o7777], [USER, 0o600]);
  assert.match(readFileSync(join(machine.state, 'passwd'), 'utf8'), /^midge:\$/);
  machine.assertUntouched();
});
