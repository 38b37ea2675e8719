// Backups that root makes and restores where the broker's user owns the folder, and archives that somebody else has written.

import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { chownSync, existsSync, lstatSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { compactTime } from '../../src/base/clock.ts';
import { packArchive } from '../../src/state/archive.ts';
import { temporaryFolder } from '../support/disk/temporary-folder.ts';
import { midgeWords } from './attacked-broker.ts';
import { answerInPlace, Machine, skip, USER, withAuthority } from './planted-machine.ts';

const LIES = {
  'the copy to be a file of the system': { copy: '{etc}/shadow' },
  'the copy to lie one folder up': { copy: '{state}/../etc/shadow' },
  'the copy to be a link of the right name': { copy: '{state}/midge.db.backup-0123456789ab' },
  'the database to be a file of the system': { copy: null, database: '{etc}/shadow' },
  'the database and its copy to be in /etc': { copy: '{etc}/midge.db.backup-0123456789ab', database: '{etc}/midge.db' },
  'the configuration to be a file of the system': { copy: null, configuration: '{etc}/shadow' },
  'things that are no paths': { copy: 7, database: {}, folder: null, configuration: [], workingFolder: 1 },
} as const;

for (const [what, lie] of Object.entries(LIES)) {
  test(`backup by root removes nothing and takes nothing of root's when a false broker says ${what}`, { skip }, async (t) => {
    const machine = new Machine(t);
    machine.plant('midge.db.backup-0123456789ab', 'etc/shadow');
    const truth = { copy: null, database: '{state}/midge.db', folder: '{state}', configuration: null, workingFolder: '/' };
    const words = JSON.stringify({ ...truth, ...lie })
      .replaceAll('{etc}', machine.path('etc'))
      .replaceAll('{state}', machine.state);
    machine.write('passwd', '');
    await answerInPlace(t, machine, { ok: true, result: JSON.parse(words) });
    const { text } = await machine.run('backup', machine.path('home/backup.tar.gz'), '--state', machine.state);
    machine.assertUntouched();
    assert.doesNotMatch(text, /TypeError|node:internal/);
    if (existsSync(machine.path('home/backup.tar.gz'))) assert.doesNotMatch(contentOf(machine.path('home/backup.tar.gz')), /19000/);
  });
}

test("backup by root takes no file of root's that the user has linked to, and nothing of root's is left in the folder", {
  skip,
}, async (t) => {
  for (const name of ['passwd', 'certificates', 'midge.db']) {
    const machine = new Machine(t);
    if (name === 'certificates') {
      mkdirSync(join(machine.state, name));
      chownSync(join(machine.state, name), USER, USER);
      machine.plant('certificates/ca.key', 'etc/shadow');
      machine.write('passwd', '');
    } else machine.plant(name, 'etc/shadow');
    const backup = machine.path('home/backup.tar.gz');
    await machine.run('backup', backup, '--state', machine.state);
    machine.assertUntouched();
    if (existsSync(backup)) assert.doesNotMatch(contentOf(backup), /19000/);
    assert.deepEqual(
      ofRoot(machine.state),
      name === 'certificates' ? [] : [name].filter(() => lstatSync(join(machine.state, name)).uid === 0),
    );
  }
});

test('backup by root ends when the user has put a FIFO or an endless file in the place of a file', { skip, timeout: 60_000 }, async (t) => {
  const machine = new Machine(t);
  execFileSync('mkfifo', [join(machine.state, 'passwd')]);
  chownSync(join(machine.state, 'passwd'), USER, USER);
  const piped = await machine.run('backup', machine.path('home/backup.tar.gz'), '--state', machine.state);
  assert.notEqual(piped.status, 0, piped.text);
  const other = new Machine(t);
  other.write('passwd', '');
  execFileSync('truncate', ['-s', '8000000000', join(other.state, 'passwd')]);
  const { status, text } = await other.run('backup', other.path('home/backup.tar.gz'), '--state', other.state);
  assert.notEqual(status, 0);
  assert.match(text, /passwd".* too large/);
  assert.equal(existsSync(other.path('home/backup.tar.gz')), false);
});

/** An archive as anybody can write it. */
async function forge(machine: Machine, files: Readonly<Record<string, string>>, manifest: object = {}): Promise<string> {
  const said = { format: 1, program: 'x', host: 'x', time: 'x', database: 'midge.db', configuration: [], ...manifest };
  const all = Object.entries({ 'backup.json': JSON.stringify(said), ...files });
  const file = machine.path('home/forged.tar.gz');
  await packArchive(
    file,
    all.map(([name, text]) => ({ name, content: Buffer.from(text) })),
  );
  return file;
}

test('restore writes no file outside its folders that was not allowed by name, whatever the archive calls it', { skip }, async (t) => {
  const machine = new Machine(t);
  const keys = machine.path('home/.ssh/authorized_keys');
  const forged = await forge(machine, { 'configuration/0': 'ssh-rsa AAAA\n' }, { configuration: [keys] });
  const words = ['restore', forged, '--state', machine.state];
  const refused = await machine.run(...words);
  assert.equal(refused.status, 1);
  assert.match(refused.text, /it would write ".*authorized_keys", outside \/etc\/midge and .* --allow PATH/);
  assert.equal(existsSync(machine.path('home/.ssh')), false);
  assert.deepEqual(readdirSync(machine.state), []);
  const allowed = await machine.run(...words, '--allow', keys);
  assert.equal(allowed.status, 0, allowed.text);
  assert.match(allowed.text, /^writes {4}.*authorized_keys$/m);
  assert.equal(readFileSync(keys, 'utf8'), 'ssh-rsa AAAA\n');
});

test('restore writes no database elsewhere, and follows no link out of its folders', { skip }, async (t) => {
  const machine = new Machine(t);
  const asDatabase = { database: 'authorized_keys', configuration: [machine.path('home/.ssh/authorized_keys')] };
  const forged = await forge(machine, { 'configuration/0': 'ssh-rsa AAAA\n' }, asDatabase);
  const refused = await machine.run('restore', forged, '--state', machine.state, '--state-only');
  assert.match(refused.text, /it would write ".*authorized_keys"/);
  rmSync(forged);
  machine.plant('inside', 'etc');
  const linked = await forge(
    machine,
    { 'configuration/0': 'root::0:0:99999:7:::\n' },
    { configuration: [join(machine.state, 'inside/shadow')] },
  );
  assert.match((await machine.run('restore', linked, '--state', machine.state)).text, /it would write ".*shadow"/);
  machine.assertUntouched();
});

test("restore by root reaches nothing of root's when the user has linked the names that it uses", { skip }, async (t) => {
  const machine = new Machine(t);
  for (const name of ['certificates', 'midge.db-wal']) machine.plant(name, name === 'certificates' ? 'etc' : 'etc/shadow');
  machine.plant('passwd', 'etc/shadow');
  for (let second = 0; second < 30; second++) {
    const stamp = compactTime(Date.now() + second * 1000);
    for (const name of [`restore-${stamp}.unpacking`, `restore-${stamp}.leaving`, `before-${stamp}`]) machine.plant(name, 'etc');
  }
  const forged = await forge(machine, { 'state/shadow': 'root::0:0:99999:7:::\n', 'state/passwd': '', 'state/certificates/shadow': '' });
  const { status, text } = await machine.run('restore', forged, '--state', machine.state, '--yes');
  assert.equal(status, 1, text);
  machine.assertUntouched();
});

test("restore gives the state folder's user what it restores, and nothing else", { skip }, async (t) => {
  const machine = new Machine(t);
  const forged = await forge(machine, { 'state/passwd': '', 'state/certificates/clients/01.crt': 'x' });
  const { status, text } = await machine.run('restore', forged, '--state', machine.state);
  assert.equal(status, 0, text);
  for (const name of ['passwd', 'certificates', 'certificates/clients', 'certificates/clients/01.crt'])
    assert.equal(lstatSync(join(machine.state, name)).uid, USER, name);
  machine.assertUntouched();
});

test('restore refuses an archive that claims or holds more than a backup can, before it writes any of it', { skip }, async (t) => {
  const machine = new Machine(t);
  const bomb = machine.path('home/bomb.tar.gz');
  const manifest = JSON.stringify({ format: 1, program: 'x', host: 'x', time: 'x', database: 'midge.db', configuration: [] });
  mkdirSync(machine.path('home/state'));
  writeFileSync(machine.path('home/backup.json'), manifest);
  execFileSync('truncate', ['-s', '200M', machine.path('home/state/passwd')]);
  execFileSync('tar', ['-czf', bomb, '--format=ustar', '-C', machine.path('home'), 'backup.json', 'state/passwd']);
  const { status, text } = await machine.run('restore', bomb, '--state', machine.state);
  assert.equal(status, 1);
  assert.match(text, /holds more than a backup can hold: "state\/passwd"/);
  for (const [kind, make] of [
    ['link', () => symlinkSync('/etc', machine.path('home/state/l'))],
    ['pipe', () => execFileSync('mkfifo', [machine.path('home/state/l')])],
  ] as const) {
    make();
    execFileSync('tar', ['-czf', bomb, '--format=ustar', '-C', machine.path('home'), 'backup.json', 'state/l']);
    assert.match((await machine.run('restore', bomb, '--state', machine.state)).text, /holds more than plain files/, kind);
    rmSync(machine.path('home/state/l'));
  }
  assert.deepEqual(readdirSync(machine.state), []);
});

test('restore brings back no account and no password of then without a yes', { skip }, async (t) => {
  const machine = new Machine(t);
  machine.write('passwd', 'adam:$6$new\n');
  const forged = await forge(machine, { 'state/passwd': 'adam:$6$old\neve:$6$gone\n' });
  const words = ['restore', forged, '--state', machine.state];
  const { status, text } = await machine.run(...words);
  assert.equal(status, 1);
  assert.match(text, /account "eve" comes back/);
  assert.match(text, /account "adam" gets the password or key of the backup/);
  assert.match(text, /nothing was changed; say --yes/);
  assert.equal(readFileSync(join(machine.state, 'passwd'), 'utf8'), 'adam:$6$new\n');
  assert.equal((await machine.run(...words, '--yes')).status, 0);
  assert.match(readFileSync(join(machine.state, 'passwd'), 'utf8'), /eve/);
});

test('restore of an older backup leaves a revoked certificate revoked', { skip }, async (t) => {
  const machine = await withAuthority(t);
  const at = ['--state', machine.state];
  assert.equal((await machine.run('cert', 'client', 'phone', ...at)).status, 0);
  const backup = machine.path('home/backup.tar.gz');
  assert.equal((await machine.run('backup', backup, ...at)).status, 0);
  assert.equal((await machine.run('cert', 'revoke', 'phone', ...at)).status, 0);
  const restored = await machine.run('restore', backup, ...at);
  assert.match(restored.text, /older than these revocations\. The certificates stay revoked: 1/);
  assert.match((await machine.run('cert', 'list', ...at)).text, /phone +revoked/);
});

test('restore makes the folder that the configuration includes, with the modes of then', { skip }, async (t) => {
  const machine = new Machine(t);
  const main = machine.path('home/midge.conf');
  mkdirSync(machine.path('home/conf.d'));
  writeFileSync(main, `allow_anonymous true\ninclude_dir ${machine.path('home/conf.d')}\n`, { mode: 0o644 });
  const backup = machine.path('home/backup.tar.gz');
  assert.equal((await machine.run('backup', backup, '--state', machine.state, '-c', main)).status, 0);
  for (const name of ['midge.conf', 'conf.d']) rmSync(machine.path(`home/${name}`), { recursive: true });
  const { status, text } = await machine.run('restore', backup, '--state', machine.state, '-c', main);
  assert.equal(status, 0, text);
  assert.equal(lstatSync(main).mode & 0o777, 0o644);
  assert.equal((await machine.run('check', main)).status, 0);
});

/** A machine in a mount namespace: root's own /etc and /var/lib are not touched. */
const MOVE = `set -e
mount -t tmpfs none "$1"
mkdir "$1/upper" "$1/work"
mount -t overlay -o "lowerdir=/etc,upperdir=$1/upper,workdir=$1/work" none /etc
mount -t tmpfs none /var/lib
cd "$1"
shift
mkdir -p /etc/midge/conf.d /var/lib/midge
printf 'include_dir /etc/midge/conf.d\npassword_file /var/lib/midge/passwd\nlistener 1883\n' >/etc/midge/midge.conf
: >/var/lib/midge/passwd
chown -R ${USER}:${USER} /var/lib/midge
chmod 700 /var/lib/midge
"$@" backup -c /etc/midge/midge.conf backup.tar.gz
rm -r /etc/midge /var/lib/midge
"$@" restore backup.tar.gz
"$@" serve -c /etc/midge/midge.conf --test-config
stat -c '%n %a' /etc/midge /etc/midge/conf.d /etc/midge/midge.conf /var/lib/midge /var/lib/midge/passwd`;

const OVERLAY =
  'mount -t tmpfs none /mnt && mkdir /mnt/u /mnt/w && mount -t overlay -o lowerdir=/etc,upperdir=/mnt/u,workdir=/mnt/w none /etc';
const noOverlay = skip || (spawnSync('unshare', ['-m', 'sh', '-c', OVERLAY]).status === 0 ? false : 'no overlay can be mounted here');

test('restore on an empty machine gives a configuration that install takes, with an empty conf.d', { skip: noOverlay }, async (t) => {
  const [command, words] = midgeWords();
  const said = execFileSync('unshare', ['-m', 'sh', '-c', MOVE, 'sh', temporaryFolder(t), command, ...words], { encoding: 'utf8' });
  assert.match(said, /^writes {4}\/etc\/midge\/midge\.conf$/m);
  const modes = '/etc/midge 755\n/etc/midge/conf.d 755\n/etc/midge/midge.conf 644\n/var/lib/midge 700\n/var/lib/midge/passwd 600\n';
  assert.ok(said.endsWith(modes), said);
});

test('restore looks for room before it writes anything', { skip: noOverlay }, async (t) => {
  const machine = new Machine(t);
  const forged = await forge(machine, { 'state/midge.db': '\0'.repeat(8 * 1_048_576) });
  const [command, words] = midgeWords('restore', forged, '--state', machine.state);
  const script = 'mount -t tmpfs -o size=4m none "$1" && shift && "$@"';
  const { status, stdout, stderr } = spawnSync('unshare', ['-m', 'sh', '-c', script, 'sh', machine.state, command, ...words]);
  assert.equal(status, 1);
  assert.match(stderr.toString(), /holds more than the disk of ".*state" has room for/);
  assert.doesNotMatch(stdout.toString(), /^writes/m);
});

function contentOf(archive: string): string {
  return execFileSync('tar', ['-xzOf', archive], { encoding: 'utf8' });
}

function ofRoot(folder: string): string[] {
  return readdirSync(folder).filter((name) => lstatSync(join(folder, name)).uid === 0);
}
