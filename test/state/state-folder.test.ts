// Where the state is kept.

import assert from 'node:assert/strict';
import {
  chmodSync,
  chownSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { join, resolve } from 'node:path';
import { after, before, test } from 'node:test';
import type { FolderOwnership } from '../../src/state/folder-ownership.ts';
import { findState, otherAuthorities, StateFolder, type StateFolderFacts } from '../../src/state/state-folder.ts';
import { temporaryFolder } from '../support/disk/temporary-folder.ts';

const NOT_ROOT = process.getuid?.() === 0 ? false : 'only root gives files away (run the tests as root)';

const NOWHERE = { asked: null, location: null, file: 'midge.db', isRoot: false, env: {} };

/** Some places of earlier versions are in the working folder: the tests have an empty one. */
const STARTED_IN = process.cwd();
let workingFolder = STARTED_IN;

before(() => {
  workingFolder = mkdtempSync(join(tmpdir(), 'midge-test-'));
  process.chdir(workingFolder);
});

after(() => {
  process.chdir(STARTED_IN);
  rmSync(workingFolder, { recursive: true, force: true });
});

const pathOf = (facts: StateFolderFacts) => findState(facts).path;

test('state folder is the first that is named: flag, systemd, root, XDG, home; never another for another working folder', () => {
  const env = { STATE_DIRECTORY: '/systemd:/second', XDG_STATE_HOME: '/xdg', HOME: '/home/jane' };
  assert.equal(pathOf({ ...NOWHERE, asked: 'here', isRoot: true, env }), resolve('here'));
  assert.equal(pathOf({ ...NOWHERE, isRoot: true, env }), '/systemd');
  assert.equal(pathOf({ ...NOWHERE, isRoot: true }), '/var/lib/midge');
  assert.equal(pathOf({ ...NOWHERE, env: { XDG_STATE_HOME: '/xdg', HOME: '/home/jane' } }), '/xdg/midge');
  assert.equal(pathOf({ ...NOWHERE, env: { HOME: '/home/jane' } }), '/home/jane/.local/state/midge');
  assert.equal(pathOf(NOWHERE), join(userInfo().homedir, '.local/state/midge'));
});

test('database is in the state folder, or where it is named; a relative name has one meaning', () => {
  const databaseOf = (facts: Partial<StateFolderFacts>) => findState({ ...NOWHERE, asked: '/state', ...facts }).database;
  assert.equal(databaseOf({}), '/state/midge.db');
  assert.equal(databaseOf({ file: 'data/home.db' }), '/state/data/home.db');
  assert.equal(databaseOf({ file: 'data/home.db', location: '/location' }), '/location/data/home.db');
  assert.equal(databaseOf({ file: '/data/home.db', location: '/location' }), '/data/home.db');
  assert.equal(databaseOf({ location: '/location', env: { MOSQUITTO_PERSISTENCE_LOCATION: '/mosquitto' } }), '/mosquitto/midge.db');
});

test('certificates stay in the state folder when the database is elsewhere, and where an earlier version has made them', (context) => {
  const [own, location] = [temporaryFolder(context), temporaryFolder(context)];
  const facts = { ...NOWHERE, location, env: { STATE_DIRECTORY: own } };
  assert.equal(pathOf(facts), own);
  mkdirSync(join(location, 'certificates'));
  writeFileSync(join(location, 'certificates/ca.key'), '');
  assert.equal(pathOf(facts), location);
  mkdirSync(join(own, 'certificates'));
  writeFileSync(join(own, 'certificates/ca.key'), '');
  assert.equal(pathOf(facts), own);
  assert.equal(findState(facts).database, join(location, 'midge.db'));
});

test('authorities of earlier starts are found where systemd, a home, the service of the machine and the working folder have them', (context) => {
  const [own, systemd, home, system] = [1, 2, 3, 4].map(() => temporaryFolder(context)) as [string, string, string, string]; // four of them
  const env = { STATE_DIRECTORY: systemd, HOME: home };
  const others = () => otherAuthorities(own, { isRoot: false, env }, system);
  assert.deepEqual(others(), []);
  const places = [systemd, join(home, '.local/state/midge'), system, resolve('.midge')];
  context.after(() => rmSync(resolve('.midge'), { recursive: true }));
  for (const place of [own, ...places]) {
    mkdirSync(join(place, 'certificates'), { recursive: true });
    writeFileSync(join(place, 'certificates/ca.key'), '');
  }
  assert.deepEqual(others(), places);
});

/** Folders that are there when midge starts. */
const FOLDERS: readonly {
  readonly what: string;
  readonly kind: FolderOwnership['kind'];
  readonly mode?: number;
  fill(path: string): void;
}[] = [
  { what: 'empty', kind: 'ours', fill: () => {} },
  { what: 'a new file system', kind: 'ours', fill: (path) => mkdirSync(join(path, 'lost+found')) },
  { what: 'of files of others', kind: 'foreign', fill: (path) => writeFileSync(join(path, 'hosts'), '') },
  { what: 'like /etc, with a database of an earlier version in it', kind: 'foreign', fill: likeEtc },
  { what: 'one where everybody may write', kind: 'foreign', mode: 0o1777, fill: () => {} },
  { what: 'made by an earlier version', kind: 'ours', mode: 0o700, fill: (path) => writeFileSync(join(path, 'midge.db'), '') },
  {
    what: 'one that an earlier version shared with others',
    kind: 'ours',
    fill: (path) => {
      for (const name of ['mosquitto.db', 'midge.db']) writeFileSync(join(path, name), '');
    },
  },
  {
    what: 'with accounts of midge',
    kind: 'ours',
    fill: (path) => writeFileSync(join(path, 'passwd'), 'jane:$7$101$c2FsdHNhbHRzYWx0$aGFzaA==\n'),
  },
];

for (const { what, kind, mode = 0o755, fill } of FOLDERS) {
  test(`state folder is ${kind} when it is ${what}, and nothing in a foreign one is touched`, (context) => {
    const path = temporaryFolder(context);
    fill(path);
    chmodSync(path, mode);
    const before = readdirSync(path);
    const state = new StateFolder(path, 'midge.db');
    assert.equal(state.judge().kind, kind);
    if (kind === 'foreign') {
      assert.throws(() => state.make(), /^OperatorError: Cannot use ".+" as state folder: .+ - name a folder of its own with --state$/);
      state.giveTo(65534, 65534);
      assert.deepEqual(readdirSync(path), before);
      assert.ok(before.every((name) => lstatSync(join(path, name)).uid === process.getuid?.()));
    } else {
      state.make();
      writeFileSync(join(path, 'of somebody else'), '');
      assert.equal(new StateFolder(path, 'midge.db').judge().kind, 'ours', 'the marker is not recognised');
      state.giveTo(process.getuid?.() ?? 0, process.getgid?.() ?? 0);
    }
    assert.equal(statSync(path).mode & 0o7777, mode);
  });
}

test('state folder is ours when it holds what the image puts there before the first start', (context) => {
  const path = temporaryFolder(context);
  mkdirSync(join(path, 'conf.d'));
  for (const name of ['appliance.conf', 'passwd']) writeFileSync(join(path, name), '');
  assert.notEqual(new StateFolder(path, join(path, 'midge.db')).judge().kind, 'foreign');
});

test('a marker does not count when another user has put it there', { skip: NOT_ROOT }, (context) => {
  const path = temporaryFolder(context);
  new StateFolder(path, 'midge.db').make();
  writeFileSync(join(path, 'stranger'), '');
  chownSync(join(path, '.midge-state'), 65534, 65534);
  assert.equal(new StateFolder(path, 'midge.db').judge().kind, 'foreign');
});

function likeEtc(path: string): void {
  writeFileSync(join(path, 'passwd'), 'root:x:0:0:root:/root:/bin/bash\n');
  for (const name of ['shadow', 'midge.db']) writeFileSync(join(path, name), '');
}

test('state folder is for its owner only when it is made', (context) => {
  const state = new StateFolder(join(temporaryFolder(context), 'a/b'), 'midge.db');
  state.make();
  state.make();
  assert.equal(statSync(state.path).mode & 0o777, 0o700);
});

test('state folder names the path when it can not be made', () => {
  assert.throws(
    () => new StateFolder('/proc/midge', 'midge.db').make(),
    /^OperatorError: Cannot make state folder "\/proc\/midge": .* - name another one with --state$/,
  );
});

test('state folder is given away with databases that were moved aside, and not when somebody else keeps something in it', {
  skip: NOT_ROOT,
}, (context) => {
  const NOBODY = 65534;
  const state = new StateFolder(join(temporaryFolder(context), 'state'), 'midge.db');
  state.make();
  const ours = ['midge.db', 'midge.db-wal', 'midge.db.corrupt-20260131T235959Z', 'midge.db.corrupt-20260131T235959Z-wal'];
  for (const name of ours) writeFileSync(join(state.path, name), '');
  mkdirSync(join(state.path, 'certificates/clients'), { recursive: true });
  writeFileSync(join(state.path, 'certificates/clients/phone.crt'), '');
  const victim = join(temporaryFolder(context), 'victim');
  writeFileSync(victim, '');
  symlinkSync(victim, join(state.path, 'certificates/clients/link'));
  state.giveTo(NOBODY, NOBODY);
  const inside = ['certificates', 'certificates/clients', 'certificates/clients/phone.crt'];
  for (const name of ['', ...ours, ...inside]) assert.equal(statSync(join(state.path, name)).uid, NOBODY, name);
  assert.equal(statSync(victim).uid, 0);

  const shared = new StateFolder(join(temporaryFolder(context), 'shared'), 'midge.db');
  shared.make();
  for (const name of ['midge.db.corrupt-1', 'midge.dbase']) writeFileSync(join(shared.path, name), '');
  shared.giveTo(NOBODY, NOBODY);
  assert.deepEqual(
    ['', 'midge.db.corrupt-1', 'midge.dbase'].map((name) => statSync(join(shared.path, name)).uid),
    [0, NOBODY, 0],
  );
});
