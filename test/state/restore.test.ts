// A restore is done whole or not at all, and says what of today it would replace.

import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { copyFileSync, existsSync, globSync, mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { type TestContext, test } from 'node:test';
import { STATE_NEEDS } from '../../src/app/state-needs.ts';
import { packArchive } from '../../src/state/archive.ts';
import { makeBackup } from '../../src/state/backup.ts';
import { mendRestore } from '../../src/state/mend-restore.ts';
import type { DatabaseTools } from '../../src/state/needs.ts';
import { PlacedFiles, writeList } from '../../src/state/placed-files.ts';
import { restoreBackup } from '../../src/state/restore.ts';
import type { RestorePlan } from '../../src/state/restore-plan.ts';
import { StateFolder } from '../../src/state/state-folder.ts';
import { StateSwap } from '../../src/state/state-swap.ts';
import { temporaryFolder } from '../support/disk/temporary-folder.ts';
import { testAuthority } from '../support/network/test-certificates.ts';
import { StoreFolder } from '../support/store/open-store.ts';
import { durably, storedSession } from '../support/store/stored.ts';

const HASH = '$7$101$AAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAA==';
const STAMP = '20260131T235959Z';

/** A broker's files: its state in `state`, its configuration in `etc`. */
interface House {
  readonly state: string;
  readonly etc: string;
  readonly backup: string;
}

async function backedUp(t: TestContext, files: Readonly<Record<string, string>>): Promise<House> {
  const folder = temporaryFolder(t);
  const house = { state: join(folder, 'state'), etc: join(folder, 'etc'), backup: join(folder, 'backup.tar.gz') };
  mkdirSync(house.state, { mode: 0o700 });
  mkdirSync(house.etc);
  fill(folder, files);
  const source = { folder: house.state, database: join(house.state, 'midge.db'), copy: null, readAs: null, program: 'midge test' };
  await makeBackup(house.backup, { ...source, configuration: join(house.etc, 'midge.conf'), workingFolder: house.etc }, STATE_NEEDS);
  return house;
}

function fill(folder: string, files: Readonly<Record<string, string>>): void {
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(join(folder, name, '..'), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
}

function contents({ state, etc }: House): Record<string, string> {
  const of = (folder: string, name: string) =>
    globSync('**', { cwd: folder }).flatMap((path) => {
      const file = join(folder, path);
      return statSync(file).isFile() ? [[`${name}/${path}`, readFileSync(file, 'utf8')]] : [];
    });
  return Object.fromEntries([...of(state, 'state'), ...of(etc, 'etc')]);
}

/** What a person would be asked. */
async function planOf(house: House): Promise<RestorePlan> {
  const shown: RestorePlan[] = [];
  const refuse = (plan: RestorePlan) => {
    shown.push(plan);
    return false;
  };
  assert.equal(await restoreBackup(house.backup, request(house, refuse), STATE_NEEDS), null);
  return shown[0] ?? assert.fail('nothing was asked');
}

async function revivals(house: House): Promise<readonly string[]> {
  return (await planOf(house)).revivals;
}

function request({ state, etc }: House, confirm: (plan: RestorePlan) => boolean = () => true) {
  return {
    folder: state,
    withConfiguration: true,
    configurationFolders: [etc],
    allowed: [],
    confirm: async (plan: RestorePlan) => confirm(plan),
  };
}

const CONFIGURATION = 'listener 1883\npassword_file people\npsk_file keys\n';
const THEN = {
  'etc/midge.conf': CONFIGURATION,
  'etc/people': `jane:${HASH}\nbob:${HASH}\n`,
  'etc/keys': 'sensor:abcdef\nlamp:0102\n',
  'state/passwd': `carol:${HASH}\n`,
};

test('restore says which accounts come back, whatever the names of their files and however they are named', async (t) => {
  const house = await backedUp(t, THEN);
  writeFileSync(join(house.etc, 'people'), `jane:${HASH.replace('AA==', 'BQ==')}\n`);
  writeFileSync(join(house.etc, 'keys'), 'sensor:abcdef\n');
  writeFileSync(join(house.state, 'passwd'), '# nobody\n');
  const said = (await revivals(house)).map((line) => line.replace(/: ".*\/(\w+)" does/, ': $1 does'));
  assert.deepEqual(said.sort(), [
    'account "bob" comes back: people does not have it any more',
    'account "carol" comes back: passwd does not have it any more',
    'account "jane" gets the password or key of the backup',
    'account "lamp" comes back: keys does not have it any more',
  ]);
});

test('restore says which accounts go that were made since, and asks about nothing for them', async (t) => {
  const house = await backedUp(t, THEN);
  writeFileSync(join(house.etc, 'people'), `${THEN['etc/people']}after:${HASH}\n`);
  const { losses, revivals } = await planOf(house);
  assert.deepEqual([losses, revivals], [[`account "after" goes: "${join(house.etc, 'people')}" of the backup does not have it`], []]);
});

test('restore knows the accounts that are locked, then or today', async (t) => {
  const house = await backedUp(t, { ...THEN, 'etc/people': `jane:!${HASH}\nbob:${HASH}\n` });
  writeFileSync(join(house.etc, 'people'), `jane:${HASH}\nbob:!${HASH}\nafter:!${HASH}\n`);
  const { losses, revivals } = await planOf(house);
  const people = join(house.etc, 'people');
  assert.deepEqual(losses, [`account "after" goes: "${people}" of the backup does not have it`]);
  assert.deepEqual(revivals, ['account "bob" can sign in again: today it cannot']);
});

test('restore says whose access rules become those of then, not of comments', async (t) => {
  const rules = 'topic read home/#\nuser jane\ntopic write home/#\n';
  const then = { ...THEN, 'etc/midge.conf': `${CONFIGURATION}acl_file rules\n`, 'etc/rules': rules };
  const house = await backedUp(t, then);
  writeFileSync(join(house.etc, 'rules'), `# of today\n${rules.replaceAll(' ', '  ')}\n`);
  assert.deepEqual(await revivals(house), []);
  writeFileSync(join(house.etc, 'rules'), rules.replace('write', 'deny'));
  assert.deepEqual(await revivals(house), [`the access rules of "${join(house.etc, 'rules')}" become those of the backup`]);
  writeFileSync(join(house.etc, 'rules'), '# nobody may do anything\n');
  assert.deepEqual(await revivals(house), [`the access rules of "${join(house.etc, 'rules')}" become those of the backup`]);
});

test('look at a backup says which file the broker may not write, and what comes back without the settings', async (t) => {
  const house = await backedUp(t, THEN);
  renameSync(house.etc, `${house.etc}-gone`);
  writeFileSync(house.etc, 'no folder, so that root may not write in it either', { mode: 0o600 });
  const look = { ...request(house, () => false), isLook: true };
  await assert.rejects(restoreBackup(house.backup, look, STATE_NEEDS), /it would write ".*midge\.conf", and the broker may not: /);
  const shown: RestorePlan[] = [];
  const confirm = async (plan: RestorePlan) => {
    shown.push(plan);
    return false;
  };
  assert.equal(await restoreBackup(house.backup, { ...look, withConfiguration: false, confirm }, STATE_NEEDS), null);
  assert.deepEqual(shown[0]?.brings.toSorted(), [join(house.state, 'passwd')]);
});

test('restore asks about nothing when nothing was taken away', async (t) => {
  assert.deepEqual(await revivals(await backedUp(t, THEN)), []);
});

test('restore names the other certificate authority that a backup brings', async (t) => {
  const [then, today] = [(await testAuthority()).cert, (await testAuthority()).cert];
  const house = await backedUp(t, { ...THEN, 'state/certificates/ca.crt': then });
  writeFileSync(join(house.state, 'certificates/ca.crt'), today);
  const [said = ''] = await revivals(house);
  for (const pem of [then, today]) assert.ok(said.includes(new X509Certificate(pem).fingerprint256), said);
  assert.match(said, /every phone and device/);
});

/** All that a restore renames or writes at the end of its files, to be ended at the `nth`. */
function endedAt(nth: number, database: DatabaseTools): DatabaseTools {
  let left = nth;
  const moveAside: DatabaseTools['moveAside'] = (path, aside) => {
    if (left-- === 0) throw new Error('the disk is broken');
    database.moveAside(path, aside);
  };
  return { ...database, moveAside };
}

test('restore changes nothing when one of its files cannot be put in place', async (t) => {
  const house = await backedUp(t, THEN);
  fill(join(house.state, '..'), { 'etc/midge.conf': 'listener 1884\n', 'etc/people': 'new', 'etc/keys': 'new', 'state/passwd': 'new' });
  const before = contents(house);
  for (let nth = 0; nth < 3; nth++) {
    const needs = { ...STATE_NEEDS, database: endedAt(nth, STATE_NEEDS.database) };
    await assert.rejects(
      restoreBackup(house.backup, request(house), needs),
      /it could not be put in place of ".*": the disk is broken - nothing was changed/,
    );
    assert.deepEqual(contents(house), before, `at ${nth}`);
  }
  const blocked = join(house.etc, 'people.restoring-');
  assert.deepEqual(globSync(`${blocked}*`), []);
  await restoreBackup(house.backup, request(house), STATE_NEEDS);
  const after = contents(house);
  for (const [name, text] of Object.entries(THEN)) assert.equal(after[name], text);
});

test('restore changes nothing when one of its files cannot be written', async (t) => {
  const house = await backedUp(t, THEN);
  writeFileSync(join(house.etc, 'midge.conf'), 'listener 1884\n');
  rmSync(join(house.etc, 'keys'));
  rmSync(house.etc, { recursive: true });
  writeFileSync(house.etc, 'a file where the folder was');
  await assert.rejects(
    restoreBackup(house.backup, request(house), STATE_NEEDS),
    /it could not be written beside ".*": .* - nothing was changed/,
  );
  assert.deepEqual(globSync('*', { cwd: house.state }), ['passwd']);
});

/** begunSwap is a restore that has unpacked a new password file beside the old one. */
function begunSwap(folder: string): { state: StateFolder; swap: StateSwap } {
  fill(folder, { 'state/passwd': 'old', 'etc/midge.conf': 'old' });
  const state = new StateFolder(join(folder, 'state'), 'midge.db');
  const swap = new StateSwap(state.path, STAMP);
  swap.begin();
  fill(swap.incoming, { passwd: 'new' });
  return { state, swap };
}

test('what a power cut has left beside files is put in place by the next start where the restore had begun, and else taken away', async (t) => {
  for (const isBegun of [true, false]) {
    const folder = temporaryFolder(t);
    const { state, swap } = begunSwap(folder);
    const [there, fresh] = [join(folder, 'etc/midge.conf'), join(folder, 'etc/acl')];
    writeList(swap.list, [there, fresh]);
    const files = new PlacedFiles(STAMP, renameSync);
    files.prepare([there, fresh].map((path) => ({ path, content: Buffer.from('new'), mode: 0o644 })));
    if (isBegun) swap.commit(state); // and then the power goes
    const said = mendRestore(state, renameSync) ?? '';
    assert.match(said, isBegun ? /midge has now completed it/ : /interrupted before it changed anything/);
    const kept = isBegun ? { [`midge.conf.before-${STAMP}`]: 'old' } : {};
    const expected = isBegun ? { 'midge.conf': 'new', acl: 'new', ...kept } : { 'midge.conf': 'old' };
    const found = Object.fromEntries(
      globSync('*', { cwd: join(folder, 'etc') }).map((name) => [name, readFileSync(join(folder, 'etc', name), 'utf8')]),
    );
    assert.deepEqual(found, expected);
    assert.equal(readFileSync(join(state.path, 'passwd'), 'utf8'), isBegun ? 'new' : 'old');
    assert.equal(mendRestore(state, renameSync), null);
    assert.equal(existsSync(swap.unpacking), false);
  }
});

test('files that this user may not put in place wait, and the words say who has to do it', (t) => {
  const folder = temporaryFolder(t);
  const { state, swap } = begunSwap(folder);
  const path = join(folder, 'etc/midge.conf');
  writeList(swap.list, [path]);
  new PlacedFiles(STAMP, renameSync).prepare([{ path, content: Buffer.from('new'), mode: 0o644 }]);
  swap.commit(state);
  const forbidden = () => {
    throw new Error('EACCES');
  };
  assert.match(mendRestore(state, forbidden) ?? '', /midge\.conf" waits beside it - run 'sudo midge restore --finish --state /);
  assert.equal(readFileSync(path, 'utf8'), 'old');
  assert.equal(mendRestore(state, renameSync), 'A restore was interrupted. midge has now completed it.');
  assert.equal(readFileSync(path, 'utf8'), 'new');
});

test('restore refuses a backup that would have the next start finish a restore of its own', async (t) => {
  const house = await backedUp(t, THEN);
  const manifest = { format: 1, program: 'midge', host: 'pi', time: '2026-01-31T23:59:59Z', database: 'midge.db', configuration: [] };
  for (const name of [`restore-${STAMP}.leaving/passwd`, `restore-${STAMP}.unpacking/files.json`, `before-${STAMP}/passwd`]) {
    const file = join(house.etc, 'planted.tar.gz');
    rmSync(file, { force: true });
    await packArchive(file, [
      { name: 'backup.json', content: Buffer.from(JSON.stringify(manifest)) },
      { name: `state/${name}`, content: Buffer.from(`eve:${HASH}\n`) },
    ]);
    await assert.rejects(restoreBackup(file, request(house), STATE_NEEDS), /which midge does not write/);
  }
});

test('restore says which rows of the database it cannot take before anything is changed', async (t) => {
  const folder = new StoreFolder(t);
  const store = await folder.open();
  store.saveSession(storedSession('phone'));
  assert.equal(await durably(store), 'durable');
  await store.stop();
  const database = new DatabaseSync(folder.file);
  database.exec(`UPDATE session SET expiry_interval = -5`);
  database.close();
  const house = await backedUp(t, { ...THEN, 'state/midge.db': '' });
  const copy = 'midge.db.backup-0123456789ab'; // as a running broker makes it
  copyFileSync(folder.file, join(house.state, copy));
  rmSync(house.backup);
  const source = { folder: house.state, database: join(house.state, 'midge.db'), copy, readAs: null, program: 'midge test' };
  await makeBackup(house.backup, { ...source, configuration: null, workingFolder: '/' }, STATE_NEEDS);
  const shown: RestorePlan[] = [];
  const report = await restoreBackup(
    house.backup,
    request(house, (plan) => shown.push(plan) < 0),
    STATE_NEEDS,
  );
  assert.equal(report, null);
  assert.match(shown[0]?.damage ?? '', /^1 of \d+ rows of the database are invalid \(session/);
});
