// A backup, and a file factory-reset, on the boot partition.

import assert from 'node:assert/strict';
import { copyFileSync, readdirSync, rmSync } from 'node:fs';
import { type TestContext, test } from 'node:test';
import { parsePasswordFile } from '../../../src/access/password-file.ts';
import { hashPassword, verifyPassword } from '../../../src/access/password-hash.ts';
import { applyBootPartition } from '../../../src/app/boot/boot.ts';
import { STATE_NEEDS } from '../../../src/app/state-needs.ts';
import { makeBackup } from '../../../src/state/backup.ts';
import { makeMachine } from './machine.ts';

const BACKUP = '/boot/firmware/midge-2026-01-31.tar.gz';
const AUTHORITY = '/var/lib/midge/certificates/ca.crt';

test('boot apply forgets all when factory-reset lies on the boot partition, and does not again', async (t) => {
  const machine = makeMachine(t, { 'midge.txt': 'account = jane secret one\nwifi_name = home\nwifi_password = secret two\n' });
  await applyBootPartition(machine.world);
  machine.write('/var/lib/midge/certificates/ca.key', 'old');
  machine.write('/boot/firmware/factory-reset.txt', '');
  const { events } = await applyBootPartition(machine.world);
  assert.match(events.join(), /^Reset/);
  assert.equal(machine.read('/var/lib/midge/passwd'), '');
  for (const path of ['/var/lib/midge/certificates', '/var/lib/iwd/home.psk']) assert.ok(!machine.exists(path), path);
  assert.deepEqual((await applyBootPartition(machine.world)).events, []);
});

test('boot apply resets what is ours only when the system is another', async (t) => {
  const machine = makeMachine(t, { 'midge.txt': '# nothing\n', 'factory-reset': '' });
  const theirs = ['/var/log/journal/system.journal', '/var/lib/iwd/home.psk', '/var/lib/ssh/authorized_keys'];
  for (const path of [...theirs, AUTHORITY]) machine.write(path, 'old');
  await applyBootPartition(machine.world, { only: 'broker' });
  for (const path of theirs) assert.ok(machine.exists(path), path);
  assert.ok(!machine.exists(AUTHORITY));
});

test('boot apply restores a backup when nothing is kept yet, and puts it away', async (t) => {
  const machine = makeMachine(t, { 'midge.txt': 'account = jane secret one\n' });
  await putBackup(t, machine.path(BACKUP));
  const { events } = await applyBootPartition(machine.world);
  assert.match(events[0] ?? '', /^Restored midge-2026-01-31\.tar\.gz, a backup of /);
  assert.match(machine.read('/var/lib/midge/passwd'), /^joe:.*\njane:/);
  assert.equal(machine.read(AUTHORITY), 'the old authority');
  assert.ok(!machine.exists(BACKUP));
  assert.ok(machine.exists(`${BACKUP}.restored`));
  assert.doesNotMatch(machine.read('/boot/firmware/midge.txt'), /secret/);
  machine.write(AUTHORITY, 'a newer authority');
  assert.deepEqual((await applyBootPartition(machine.world)).events, []);
  assert.equal(machine.read(AUTHORITY), 'a newer authority');
});

test('boot apply makes a new machine when factory-reset lies beside a backup that was restored', async (t) => {
  const machine = makeMachine(t, { 'midge.txt': '# nothing\n' });
  await putBackup(t, machine.path(BACKUP));
  await applyBootPartition(machine.world);
  machine.write('/boot/firmware/factory-reset', '');
  await applyBootPartition(machine.world);
  assert.equal(machine.read('/var/lib/midge/passwd'), '');
  assert.ok(!machine.exists(AUTHORITY));
});

test('boot apply makes the backup that make-backup asks for, which another machine restores', async (t) => {
  const machine = makeMachine(t, { 'midge.txt': 'account = jane secret one\ntopics = jane home/#\n' });
  await applyBootPartition(machine.world);
  machine.write(AUTHORITY, 'of this machine');
  machine.write('/boot/firmware/Make-Backup.txt', '');
  machine.write('/boot/firmware/factory-reset', '');
  machine.write('/boot/firmware/midge-old.tar.gz.unfinished', 'cut off');
  const { events } = await applyBootPartition(machine.world);
  const name = /The backup (midge-\S+\.tar\.gz) was made\. It holds the keys/.exec(events.join('\n'))?.[1] ?? '';
  assert.match(events.join('\n'), /^factory-reset was not followed, because make-backup lies beside it/m);
  assert.equal(machine.read(AUTHORITY), 'of this machine');
  assert.deepEqual(readdirSync(machine.path('/boot/firmware')).sort(), ['cmdline.txt', 'factory-reset', name, 'midge.txt']);
  machine.remove('/boot/firmware/factory-reset');
  assert.match((await applyBootPartition(machine.world)).events.join(), /is a backup of this machine\. .* delete it here/);

  const other = makeMachine(t, { 'midge.txt': '# nothing\n' });
  copyFileSync(machine.path(`/boot/firmware/${name}`), other.path(`/boot/firmware/${name}`));
  assert.match((await applyBootPartition(other.world)).events.join(), /^Restored midge-/);
  assert.match(other.read('/var/lib/midge/passwd'), /^jane:/);
  assert.equal(other.read(AUTHORITY), 'of this machine');
  assert.match(other.read('/var/lib/midge/acl'), /^topic readwrite home\/#$/m);
});

test('boot apply leaves the order, and no half of a backup, when make-backup cannot be followed', async (t) => {
  const machine = makeMachine(t, { 'midge.txt': '# nothing\n', 'make-backup': '' });
  machine.write('/var/lib/midge/certificates/ca.crt', 'x'.repeat(17_000_000));
  const { events } = await applyBootPartition(machine.world);
  assert.match(events.join(), /Cannot make the backup: .*ca\.crt.* too large/);
  assert.ok(machine.exists('/boot/firmware/make-backup'));
  assert.deepEqual(
    readdirSync(machine.path('/boot/firmware')).filter((name) => /backup-|tar/.test(name)),
    [],
  );
});

test('boot apply says that a backup is not restored when the machine is in use, and restores it beside factory-reset', async (t) => {
  const machine = makeMachine(t, { 'midge.txt': '# nothing\n' });
  machine.write(AUTHORITY, 'of this machine');
  await putBackup(t, machine.path(BACKUP));
  const { events } = await applyBootPartition(machine.world);
  assert.match(events.join(), /tar\.gz was not restored: this machine is in use\. .* put a file factory-reset beside it/);
  assert.equal(machine.read(AUTHORITY), 'of this machine');
  machine.write('/boot/firmware/factory-reset', '');
  await applyBootPartition(machine.world);
  assert.equal(machine.read(AUTHORITY), 'the old authority');
});

test('boot apply restores a backup later when it could not at the first time, and keeps what has come meanwhile', async (t) => {
  const machine = makeMachine(t, { 'midge.txt': 'account = jane secret one\n', 'midge-2026-01-31.tar.gz': 'no archive' });
  const { events } = await applyBootPartition(machine.world);
  assert.match(events.join('\n'), /Cannot take up the backup: .*\. It is tried again at each start/);
  assert.match(machine.read('/var/lib/midge/passwd'), /^jane:/);
  assert.match(machine.read('/boot/firmware/midge.txt'), /secret one/, 'the account would go when the backup comes');
  machine.write(AUTHORITY, 'made meanwhile');
  await putBackup(t, machine.path(BACKUP));
  const again = await applyBootPartition(machine.world);
  assert.match(again.events.join('\n'), /Restored .* What was here before is in .*before-/);
  assert.equal(machine.read(AUTHORITY), 'the old authority');
  assert.match(machine.read('/var/lib/midge/passwd'), /^joe:.*\njane:/);
  const before = readdirSync(machine.path('/var/lib/midge')).find((name) => name.startsWith('before-'));
  assert.equal(machine.read(`/var/lib/midge/${before}/certificates/ca.crt`), 'made meanwhile');
  assert.doesNotMatch(machine.read('/boot/firmware/midge.txt'), /secret/);
});

test('boot apply leaves a password that was changed as it is when a backup still fails, and when it is taken away', async (t) => {
  const machine = makeMachine(t, { 'midge.txt': 'account = jane secret one\n', 'midge-2026-01-31.tar.gz': 'no archive' });
  await applyBootPartition(machine.world);
  assert.ok(await isPasswordOfJane(machine, 'secret one'));
  machine.write('/var/lib/midge/passwd', `jane:${await hashPassword('changed since')}\n`);
  await applyBootPartition(machine.world);
  assert.ok(await isPasswordOfJane(machine, 'changed since'), 'at the second start');
  assert.match(machine.read('/boot/firmware/midge.txt'), /secret one/);
  machine.remove(BACKUP);
  const cmdline = machine.read('/boot/firmware/cmdline.txt');
  machine.remove('/boot/firmware/cmdline.txt');
  machine.remove('/boot/firmware/midge.txt');
  await applyBootPartition(machine.world);
  assert.ok(await isPasswordOfJane(machine, 'changed since'), 'without the boot partition');
  machine.write('/boot/firmware/cmdline.txt', cmdline);
  machine.write('/boot/firmware/midge.txt', 'account = jane secret one\n');
  await applyBootPartition(machine.world);
  assert.ok(await isPasswordOfJane(machine, 'changed since'), 'when the backup is gone');
  assert.doesNotMatch(machine.read('/boot/firmware/midge.txt'), /secret/);
  machine.write('/boot/firmware/midge.txt', 'account = jane secret one\n');
  await applyBootPartition(machine.world);
  assert.ok(await isPasswordOfJane(machine, 'secret one'), 'when it is asked for anew');
});

test('boot apply follows an account line that is changed when a backup still fails', async (t) => {
  const machine = makeMachine(t, { 'midge.txt': 'account = jane secret one\n', 'midge-2026-01-31.tar.gz': 'no archive' });
  await applyBootPartition(machine.world);
  machine.write('/boot/firmware/midge.txt', 'account = jane secret one\naccount = jane secret two\n');
  for (const when of ['at once', 'later']) {
    await applyBootPartition(machine.world);
    assert.ok(await isPasswordOfJane(machine, 'secret two'), when);
  }
  assert.doesNotMatch(machine.read('/var/lib/midge-boot/accounts'), /secret/);
  assert.equal(machine.mode('/var/lib/midge-boot/accounts'), 0o600);
});

test('boot apply gives an account of midge.txt its password also when the backup that comes later has another', async (t) => {
  const machine = makeMachine(t, { 'midge.txt': 'account = joe secret one\n', 'midge-2026-01-31.tar.gz': 'no archive' });
  await applyBootPartition(machine.world);
  await putBackup(t, machine.path(BACKUP));
  const { events } = await applyBootPartition(machine.world);
  assert.match(events.join('\n'), /Restored .*\nAccount "joe" was taken/);
  assert.doesNotMatch(machine.read('/var/lib/midge/passwd'), /aGFzaA==/);
  assert.ok(!machine.exists('/var/lib/midge-boot/accounts'));
});

test('boot apply tries a backup again when the boot partition was away in between', async (t) => {
  const machine = makeMachine(t, { 'midge-2026-01-31.tar.gz': 'no archive' });
  await applyBootPartition(machine.world);
  machine.write(AUTHORITY, 'made meanwhile');
  for (const path of [BACKUP, '/boot/firmware/cmdline.txt']) machine.remove(path);
  await applyBootPartition(machine.world);
  machine.write('/boot/firmware/cmdline.txt', '');
  await putBackup(t, machine.path(BACKUP));
  assert.match((await applyBootPartition(machine.world)).events.join(), /^Restored/);
});

test('boot apply begins to use a machine when the backup that failed is taken away', async (t) => {
  const machine = makeMachine(t, { 'midge.txt': '# nothing\n', 'midge-2026-01-31.tar.gz': 'no archive' });
  await applyBootPartition(machine.world);
  machine.write(AUTHORITY, 'made meanwhile');
  machine.remove(BACKUP);
  await applyBootPartition(machine.world);
  await putBackup(t, machine.path(BACKUP));
  assert.match((await applyBootPartition(machine.world)).events.join(), /this machine is in use/);
});

async function isPasswordOfJane(machine: ReturnType<typeof makeMachine>, password: string): Promise<boolean> {
  const { users } = parsePasswordFile(machine.read('/var/lib/midge/passwd'), 'passwd');
  return await verifyPassword(users.get('jane')!.hash, Buffer.from(password));
}

/** Of a machine that knew joe. */
async function putBackup(t: TestContext, file: string): Promise<void> {
  const old = makeMachine(t, {});
  old.write('/var/lib/midge/passwd', 'joe:$7$101$c2FsdHNhbHRzYWx0$aGFzaA==\n');
  old.write(AUTHORITY, 'the old authority');
  rmSync(file, { force: true });
  const source = {
    database: 'midge.db',
    copy: null,
    configuration: null,
    workingFolder: '/',
    readAs: null,
    program: 'midge version 0.1.0',
  };
  await makeBackup(file, { ...source, folder: old.path('/var/lib/midge') }, STATE_NEEDS);
}
