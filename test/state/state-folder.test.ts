// Where the state is kept.

import assert from 'node:assert/strict';
import { mkdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { test } from 'node:test';
import { StateFolder, stateFolderPath } from '../../src/state/state-folder.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const NOT_ROOT = process.getuid?.() === 0 ? false : 'only root gives files away (run the tests as root)';

const NOWHERE = { asked: null, location: null, isRoot: false, env: {} };

test('state folder is the first that is named: flag, MOSQUITTO_PERSISTENCE_LOCATION, persistence_location, systemd, root, XDG, home', () => {
  const env = { STATE_DIRECTORY: '/systemd:/second', XDG_STATE_HOME: '/xdg', HOME: '/home/jane' };
  assert.equal(stateFolderPath({ asked: 'here', location: '/location', isRoot: true, env }), resolve('here'));
  assert.equal(stateFolderPath({ ...NOWHERE, location: '/location', env: { MOSQUITTO_PERSISTENCE_LOCATION: '/mosquitto' } }), '/mosquitto');
  assert.equal(stateFolderPath({ ...NOWHERE, location: '/location', isRoot: true, env }), '/location');
  assert.equal(stateFolderPath({ ...NOWHERE, isRoot: true, env }), '/systemd');
  assert.equal(stateFolderPath({ ...NOWHERE, isRoot: true }), '/var/lib/midge');
  assert.equal(stateFolderPath({ ...NOWHERE, env: { XDG_STATE_HOME: '/xdg', HOME: '/home/jane' } }), '/xdg/midge');
  assert.equal(stateFolderPath({ ...NOWHERE, env: { HOME: '/home/jane' } }), '/home/jane/.local/state/midge');
  assert.equal(stateFolderPath(NOWHERE), resolve('.midge'));
});

test('state folder is for its owner only when it is made', (context) => {
  const state = new StateFolder(join(temporaryFolder(context), 'a/b'), 'midge.db');
  state.make();
  state.make();
  assert.equal(statSync(state.path).mode & 0o777, 0o700);
});

test('state folder names the path when it can not be made', () => {
  assert.throws(
    () => new StateFolder('/dev/null/midge', 'midge.db').make(),
    /^OperatorError: Cannot make state folder "\/dev\/null\/midge": .* - name another one with --state$/,
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
