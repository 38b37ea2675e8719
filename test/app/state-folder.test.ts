// Where the state is kept.

import assert from 'node:assert/strict';
import { statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { test } from 'node:test';
import { StateFolder, stateFolderPath } from '../../src/app/state-folder.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const NOWHERE = { asked: null, location: null, isRoot: false, env: {} };

test('state folder is the first that is named: flag, persistence_location, systemd, root, XDG, home', () => {
  const env = { STATE_DIRECTORY: '/systemd:/second', XDG_STATE_HOME: '/xdg', HOME: '/home/jane' };
  assert.equal(stateFolderPath({ asked: 'here', location: '/location', isRoot: true, env }), resolve('here'));
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
