// `midge backup` and `midge restore`, with and without a broker that runs.

import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import {
  appendFileSync,
  copyFileSync,
  existsSync,
  globSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join, relative } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { type TestContext, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { hashPassword } from '../../src/access/password-hash.ts';
import { packArchive } from '../../src/state/archive.ts';
import { copyName } from '../../src/store/earlier-version.ts';
import { SCHEMA_VERSION } from '../../src/store/schema.ts';
import { dialAs } from '../support/clients/dial.ts';
import type { WirePeer } from '../support/clients/wire-peer.ts';
import { temporaryFolder } from '../support/disk/temporary-folder.ts';
import { openPort, runMidge, startMidge } from '../support/process/midge-process.ts';

const NO_MOUNT = spawnSync('unshare', ['-m', 'mount', '-t', 'tmpfs', 'none', '/mnt']).status === 0 ? false : 'only root may mount';

/** Home is a folder with a configuration and a state folder. */
class Home {
  readonly folder: string;
  readonly state: string;
  readonly #test: TestContext;

  constructor(test: TestContext) {
    this.#test = test;
    this.folder = temporaryFolder(test);
    this.state = join(this.folder, 'state/midge');
    writeFileSync(this.path('rules'), 'topic readwrite #\n');
    writeFileSync(this.path('more.conf'), `acl_file ${this.path('rules')}\n`);
    writeFileSync(this.path('midge.conf'), 'allow_anonymous true\npersistence true\ninclude more.conf\n');
  }

  path(name: string): string {
    return join(this.folder, name);
  }

  async start(): Promise<{ port: number; end: () => Promise<unknown> }> {
    const broker = startMidge(this.#test, this.folder, ['serve', '-p', '0', '-c', this.path('midge.conf')]);
    return { port: await openPort(broker), end: () => broker.end() };
  }

  /** live runs the broker once; `payload` stays as a retained message. */
  async live(payload: string): Promise<void> {
    const { port, end } = await this.start();
    await retain(port, payload);
    await end();
  }

  /** backUp backs up while the broker does not run, and gives the path of the file. */
  async backUp(name: string): Promise<string> {
    const file = this.path(name);
    assert.equal((await this.run('backup', '-c', this.path('midge.conf'), file)).status, 0);
    return file;
  }

  run(...words: string[]) {
    return runMidge(this.folder, words);
  }
}

async function retain(port: number, payload: string): Promise<void> {
  const peer = await client(port, 'publisher');
  peer.send(`33 [ 'home/lamp' 0001 {} |${payload}| ]`);
  await peer.expect('40 [ 0001 * ]');
  peer.abort();
}

async function expectRetained(port: number, payload: string): Promise<void> {
  const peer = await client(port, 'reader');
  peer.send("82 [ 0001 {} 'home/#' 00 ]");
  await peer.expect('90 [ 0001 {} 00 ]');
  await peer.expect(`31 [ 'home/lamp' {} |${payload}| ]`);
  peer.abort();
}

async function client(port: number, clientId: string): Promise<WirePeer> {
  const peer = dialAs(port, { clientId });
  await peer.expect('20 [ 00 00 { ... } ]');
  return peer;
}

test('backup of a running broker is restored, and what was there is kept aside', async (t) => {
  const home = new Home(t);
  const first = await home.start();
  mkdirSync(join(home.state, 'certificates/clients'), { recursive: true });
  writeFileSync(join(home.state, 'certificates/clients/phone.crt'), 'certificate');
  await retain(first.port, 'before');
  const file = home.path('backup.tar.gz');
  const backup = await home.run('backup', file);
  assert.deepEqual([backup.status, backup.stderr], [0, '']);
  assert.equal(backup.stdout, `${file}: 2 files of ${home.state}, 3 of the configuration.\n`);
  assert.equal(statSync(file).mode & 0o777, 0o600);
  assert.deepEqual(globSync('*.backup-*', { cwd: home.state }), []);
  const names = execFileSync('tar', ['-tzf', file], { encoding: 'utf8' }).trim().split('\n');
  assert.deepEqual(names, [
    'backup.json',
    'state/midge.db',
    'state/certificates/clients/phone.crt',
    'configuration/0',
    'configuration/1',
    'configuration/2',
  ]);
  await retain(first.port, 'after');
  const refused = await home.run('restore', '-c', home.path('midge.conf'), file);
  assert.equal(refused.status, 1);
  assert.match(refused.stderr, /Cannot restore .*: a broker runs with its state in .* - stop it/);
  await first.end();

  appendFileSync(home.path('rules'), 'topic deny secret/#\n');
  const asked = await home.run('restore', '-c', home.path('midge.conf'), file);
  assert.equal(asked.status, 1);
  assert.match(asked.stderr, /^Warning: the access rules of ".*rules" become those of the backup\.\n.*say --yes/);
  const restored = await home.run('restore', '--yes', '-c', home.path('midge.conf'), file);
  assert.equal(restored.status, 0, restored.stderr);
  assert.equal(readFileSync(home.path('rules'), 'utf8'), 'topic readwrite #\n');
  const kept = [...restored.stdout.matchAll(/^kept +(.*)$/gm)].map((match) => match[1] ?? '');
  assert.equal(kept.length, 2, restored.stdout);
  assert.ok(kept.every((path) => existsSync(path)));
  assert.equal(readFileSync(join(home.state, 'certificates/clients/phone.crt'), 'utf8'), 'certificate');
  await expectRetained((await home.start()).port, 'before');
});

test('backup holds the file of dynamic security, and restore asks before one of its clients comes back', async (t) => {
  const home = new Home(t);
  const file = join(home.state, 'dynamic-security.json');
  const encoded_password = await hashPassword('janes', 'sha512-pbkdf2');
  const withClients = (...names: string[]) => JSON.stringify({ clients: names.map((username) => ({ username, encoded_password })) });
  mkdirSync(home.state, { recursive: true, mode: 0o700 });
  writeFileSync(file, withClients('jane', 'joe'), { mode: 0o600 });
  writeFileSync(home.path('midge.conf'), `persistence true\ndynamic_security_file ${file}\n`);
  await (await home.start()).end();
  const backup = await home.backUp('backup.tar.gz');
  const names = execFileSync('tar', ['-tzf', backup], { encoding: 'utf8' });
  assert.match(names, /^state\/dynamic-security\.json$/m);
  writeFileSync(file, withClients('joe'), { mode: 0o600 });
  const asked = await home.run('restore', '-c', home.path('midge.conf'), backup);
  assert.match(asked.stdout + asked.stderr, /account "jane" comes back: ".*dynamic-security\.json" does not have it any more/);
  assert.doesNotMatch(asked.stdout + asked.stderr, /account "joe"/);
  assert.equal(readFileSync(file, 'utf8'), withClients('joe'));
  const restored = await home.run('restore', '-c', home.path('midge.conf'), '--yes', backup);
  assert.equal(restored.status, 0, restored.stderr);
  assert.equal(readFileSync(file, 'utf8'), withClients('jane', 'joe'));
  assert.equal(statSync(file).mode & 0o777, 0o600);
});

test('backup of a broker that does not run is restored where nothing is left', async (t) => {
  const home = new Home(t);
  await home.live('kept');
  const file = await home.backUp('backup.tar.gz');
  const again = await home.run('backup', file);
  assert.match(again.stderr, /Cannot write backup .*: it exists already/);
  for (const name of ['state', 'midge.conf', 'more.conf', 'rules']) rmSync(home.path(name), { recursive: true });
  const restored = await home.run('restore', '-c', home.path('midge.conf'), file);
  assert.equal(restored.status, 0, restored.stderr);
  assert.deepEqual([statSync(home.state).mode & 0o777, statSync(join(home.state, 'midge.db')).mode & 0o777], [0o700, 0o600]);
  await expectRetained((await home.start()).port, 'kept');
});

test('backup says so when nothing is kept', async (t) => {
  const { status, stderr } = await runMidge(temporaryFolder(t), ['backup', 'backup.tar.gz']);
  assert.equal(status, 1);
  assert.match(stderr, /Cannot back up .*: nothing is kept there - name another folder with --state/);
});

test('restore changes nothing when the backup is damaged, cut, hostile or of a newer midge', async (t) => {
  const home = new Home(t);
  await home.live('kept');
  const good = await home.backUp('good.tar.gz');

  const manifest = (more: object = {}) => ({
    name: 'backup.json',
    content: Buffer.from(
      JSON.stringify({ format: 1, program: 'x', host: 'x', time: 'x', database: 'midge.db', configuration: [], ...more }),
    ),
  });
  const notes = { name: 'state/midge.db', content: Buffer.alloc(8192, 'SQLite format 3\0') };
  const cases: [string, RegExp, () => Promise<void>][] = [
    ['cut', /damaged|not complete|too early/, async () => truncateSync(copyOf(good, 'cut', home), statSync(good).size - 100)],
    [
      'text',
      /Cannot restore ".*text\.tar\.gz": it is no backup of midge - choose the file of a backup/,
      async () => writeFileSync(home.path('text.tar.gz'), 'hello'),
    ],
    ['picture', /it is no backup of midge/, async () => writeFileSync(home.path('picture.tar.gz'), gzipSync(Buffer.alloc(2000, 'hello')))],
    ['stranger', /it is no backup of midge/, () => packArchive(home.path('stranger.tar.gz'), [notes])],
    ['climber', /holds "state\/\.\.\/x"/, () => packArchive(home.path('climber.tar.gz'), [manifest(), { ...notes, name: 'state/../x' }])],
    ['newer', /a newer midge wrote it/, () => packArchive(home.path('newer.tar.gz'), [manifest({ format: 2 }), notes])],
    ['relative', /is invalid/, () => packArchive(home.path('relative.tar.gz'), [manifest({ configuration: ['../x'] }), notes])],
    ['rotten', /its database is not sound/, () => packArchive(home.path('rotten.tar.gz'), [manifest(), notes])],
  ];
  const before = readdirSync(join(home.folder, 'state'));
  for (const [name, reason, make] of cases) {
    await make();
    const { status, stderr } = await home.run('restore', '-c', home.path('midge.conf'), home.path(`${name}.tar.gz`));
    assert.equal(status, 1, name);
    assert.match(stderr, reason, name);
  }
  assert.deepEqual(readdirSync(join(home.folder, 'state')), before);
  await expectRetained((await home.start()).port, 'kept');
});

function copyOf(file: string, name: string, home: Home): string {
  const copy = home.path(`${name}.tar.gz`);
  writeFileSync(copy, readFileSync(file));
  return copy;
}

test('restore says before it changes anything which rows of the backup make no sense, and restores the rest', async (t) => {
  const home = new Home(t);
  await home.live('kept');
  const file = join(home.state, 'midge.db');
  const database = new DatabaseSync(file);
  database.exec("INSERT INTO retained SELECT 'not/#', 9, payload, qos, retain, properties, expires_at, NULL, NULL, NULL FROM retained");
  database.close();
  const manifest = { format: 1, program: 'x', host: 'x', time: 'x', database: 'midge.db', configuration: [] };
  const archive = home.path('odd.tar.gz');
  await packArchive(archive, [
    { name: 'backup.json', content: Buffer.from(JSON.stringify(manifest)) },
    { name: 'state/midge.db', content: readFileSync(file) },
  ]);
  const { status, stderr } = await home.run('restore', '-c', home.path('midge.conf'), archive);
  assert.equal(stderr, 'Warning: 1 of 2 rows of the database are invalid (retained 1 ("not/#")). midge leaves them out.\n');
  assert.equal(status, 0);
  assert.deepEqual(globSync('**/*.dry-load*', { cwd: home.state }), []);
  await expectRetained((await home.start()).port, 'kept');
});

test('restore leaves the things of others in the state folder alone', async (t) => {
  const home = new Home(t);
  const first = await home.start();
  await first.end();
  const file = home.path('backup.tar.gz');
  assert.equal((await home.run('backup', file)).status, 0);
  writeFileSync(join(home.state, 'notes.txt'), 'mine');
  const { status, stderr } = await home.run('restore', '-c', home.path('midge.conf'), file);
  assert.equal(status, 0, stderr);
  assert.equal(readFileSync(join(home.state, 'notes.txt'), 'utf8'), 'mine');
});

test('backup and restore work when the state folder is a mount point', { skip: NO_MOUNT }, async (t) => {
  const home = new Home(t);
  await home.live('kept');
  const file = await home.backUp('backup.tar.gz');
  const main = join(import.meta.dirname, '../../src/main.ts');
  const script = `mount -t tmpfs none "$1" && touch "$1/midge.db" && "$2" "$3" restore --state "$1" --state-only "$4" && cd "$1" && ls -A . before-*`;
  const words = ['-m', 'sh', '-c', script, 'sh', home.state, process.execPath, main, file];
  const said = execFileSync('unshare', words, { encoding: 'utf8' });
  assert.match(said, /^restored {2}.*\nkept {6}.*\/before-\S+\n\.:\nbefore-\S+\nmidge\.db\n\nbefore-\S+:\nmidge\.db\n$/m);
});

test('midge brings a restore that a power cut interrupted to its end, also when its configuration names files that are not back yet', async (t) => {
  const home = new Home(t);
  await home.live('kept');
  const leaving = join(home.state, 'restore-20260131T235959Z.leaving');
  mkdirSync(leaving);
  for (const name of ['midge.db']) renameSync(join(home.state, name), join(leaving, name));
  writeFileSync(join(leaving, 'rules'), 'topic readwrite #\n');
  writeFileSync(home.path('more.conf'), `acl_file ${join(home.state, 'rules')}\n`);
  await expectRetained((await home.start()).port, 'kept');
  assert.deepEqual(
    readdirSync(home.state).filter((name) => name.startsWith('restore-')),
    [],
  );
});

test('backup finds what the configuration names by relative paths where the broker finds it', async (t) => {
  const home = new Home(t);
  const [file, elsewhere] = [home.path('backup.tar.gz'), home.path('some/where/else')];
  mkdirSync(elsewhere, { recursive: true });
  writeFileSync(home.path('more.conf'), `acl_file ${relative(process.cwd(), home.path('rules'))}\n`); // the broker works here
  const broker = await home.start();
  const running = await runMidge(elsewhere, ['backup', '--state', home.state, file]);
  assert.deepEqual([running.status, running.stderr], [0, '']);
  assert.match(running.stdout, /3 of the configuration/);
  await broker.end();

  const lost = await runMidge(elsewhere, ['backup', '--state', home.state, '-c', home.path('midge.conf'), home.path('lost.tar.gz')]);
  assert.equal(lost.status, 1);
  assert.match(
    lost.stderr,
    /rules", which it names, is not there - relative paths start at the folder that the broker works in: run this there/,
  );
  assert.ok(!existsSync(home.path('lost.tar.gz')));
  writeFileSync(home.path('more.conf'), 'acl_file rules\n');
  const standing = await home.run('backup', '-c', home.path('midge.conf'), home.path('standing.tar.gz'));
  assert.match(standing.stdout, /3 of the configuration/, standing.stderr);
  rmSync(home.path('rules'));
  assert.equal((await home.run('restore', '-c', home.path('midge.conf'), file)).status, 0);
  assert.equal(readFileSync(home.path('rules'), 'utf8'), 'topic readwrite #\n');
});

test('restore --before-upgrade puts back what a newer midge has changed, and changes nothing when it is not needed', async (t) => {
  const home = new Home(t);
  await home.live('kept');
  const database = join(home.state, 'midge.db');
  const words = ['restore', '--before-upgrade', '-c', home.path('midge.conf')];
  assert.match((await home.run(...words)).stdout, /has no newer version: nothing was changed/);
  copyFileSync(database, copyName(database));
  const bytes = readFileSync(database);
  bytes.writeUInt32BE(SCHEMA_VERSION + 1, 60); // https://www.sqlite.org/fileformat2.html 1.3: user version
  writeFileSync(database, bytes);
  const refused = await home.run('serve', '-p', '0', '-c', home.path('midge.conf'));
  assert.match(refused.stderr + refused.stdout, /newer midge.*"midge restore --before-upgrade"/);
  const back = await home.run(...words);
  assert.match(back.stdout, /^restored {2}.*midge\.db\nkept {6}.*midge\.db\.newer-\d{8}T\d{6}Z\n$/, back.stderr);
  await expectRetained((await home.start()).port, 'kept');
});

test('backup and restore take a configuration that is in the state folder along', async (t) => {
  const folder = temporaryFolder(t);
  const state = join(folder, 'state/midge');
  const file = join(folder, 'backup.tar.gz');
  mkdirSync(join(state, 'conf.d'), { recursive: true });
  writeFileSync(join(state, 'appliance.conf'), `include_dir ${join(state, 'conf.d')}\n`);
  writeFileSync(join(state, 'conf.d/own.conf'), 'allow_anonymous true\n');
  const backup = await runMidge(folder, ['backup', '-c', join(state, 'appliance.conf'), file]);
  assert.equal(backup.stdout, `${file}: 2 files of ${state}, 0 of the configuration.\n`, backup.stderr);
  writeFileSync(join(state, 'conf.d/own.conf'), 'allow_anonymous false\n');
  const restored = await runMidge(folder, ['restore', file]);
  assert.equal(restored.status, 0, restored.stderr);
  assert.equal(readFileSync(join(state, 'conf.d/own.conf'), 'utf8'), 'allow_anonymous true\n');
});
