// Backups that root makes and restores where the broker's user owns the folder, and archives that somebody else has written.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chownSync, existsSync, lstatSync, mkdirSync, readdirSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { Machine, skip, USER } from './planted-machine.ts';

/** A program of the user's in the place of the broker. */
async function answer(t: TestContext, machine: Machine, result: object): Promise<void> {
  const path = join(machine.state, 'control.sock');
  const server = createServer((socket) => socket.end(`${JSON.stringify({ ok: true, result })}\n`));
  t.after(() => server.close());
  await new Promise<void>((resolve) => server.listen(path, resolve));
  chownSync(path, USER, USER);
}

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
    await answer(t, machine, JSON.parse(words));
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

function contentOf(archive: string): string {
  return execFileSync('tar', ['-xzOf', archive], { encoding: 'utf8' });
}

function ofRoot(folder: string): string[] {
  return readdirSync(folder).filter((name) => lstatSync(join(folder, name)).uid === 0);
}
