// A backup of a broker whose database is not in its state folder.

import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { STATE_NEEDS } from '../../src/app/state-needs.ts';
import { makeBackup } from '../../src/state/backup.ts';
import { restoreBackup } from '../../src/state/restore.ts';
import { temporaryFolder } from '../support/disk/temporary-folder.ts';
import { StoreFolder } from '../support/store/open-store.ts';
import { durably, loadState, storedSession } from '../support/store/stored.ts';

test('backup holds a database that lies elsewhere, and restore puts it back there, with what was there kept', async (t) => {
  const state = join(temporaryFolder(t), 'state');
  mkdirSync(state);
  writeFileSync(join(state, 'passwd'), '');
  const elsewhere = new StoreFolder(t);
  const store = await elsewhere.open();
  store.saveSession(storedSession('phone'));
  assert.equal(await durably(store), 'durable');
  await store.stop();
  const file = join(temporaryFolder(t), 'backup.tar.gz');
  const source = {
    folder: state,
    database: elsewhere.file,
    copy: null,
    configuration: null,
    workingFolder: '/',
    readAs: null,
    program: 'midge test',
  };
  assert.deepEqual(await makeBackup(file, source, STATE_NEEDS), ['backup.json', 'state/passwd', 'configuration/0']);

  rmSync(elsewhere.file);
  writeFileSync(elsewhere.file, 'newer', { mode: 0o600 });
  writeFileSync(`${elsewhere.file}-wal`, 'its log');
  const request = { folder: state, withConfiguration: false, configurationFolders: [], confirm: async () => true };
  await assert.rejects(
    restoreBackup(file, { ...request, allowed: [] }, STATE_NEEDS),
    /it would write ".*midge\.db", outside .* nothing was changed/,
  );
  const { restored } = (await restoreBackup(file, { ...request, allowed: [elsewhere.file] }, STATE_NEEDS))!;
  assert.deepEqual(restored, [state, elsewhere.file]);
  assert.equal(statSync(elsewhere.file).mode & 0o777, 0o600);
  assert.equal(existsSync(join(state, 'midge.db')), false);
  const kept = readdirSync(elsewhere.path).map((name) => name.replace(/\d{8}T\d{6}Z/, 'T'));
  assert.deepEqual(kept.sort(), ['midge.db', 'midge.db.before-T', 'midge.db.before-T-wal']);
  assert.deepEqual((await loadState(await elsewhere.open())).sessions.length, 1);
});

test('backup holds the list of phones, and restore says which of them come back', async (t) => {
  const state = join(temporaryFolder(t), 'state');
  mkdirSync(state);
  const phone = (person: string) => `{"person":"${person}","device":"phone","use":"owntracks"}\n`;
  writeFileSync(join(state, 'phones'), phone('jane') + phone('john'));
  const file = join(temporaryFolder(t), 'backup.tar.gz');
  const source = { folder: state, database: join(state, 'midge.db'), copy: null, configuration: null, workingFolder: '/', readAs: null };
  assert.deepEqual(await makeBackup(file, { ...source, program: 'midge test' }, STATE_NEEDS), ['backup.json', 'state/phones']);
  writeFileSync(join(state, 'phones'), phone('john'));
  let said: unknown = null;
  const confirm = async (plan: unknown) => {
    said = plan;
    return true;
  };
  await restoreBackup(file, { folder: state, withConfiguration: false, configurationFolders: [], allowed: [], confirm }, STATE_NEEDS);
  assert.match(JSON.stringify(said), /phone jane\/phone comes back to the list/);
  assert.doesNotMatch(JSON.stringify(said), /john/);
  assert.equal(readFileSync(join(state, 'phones'), 'utf8'), phone('jane') + phone('john'));
});
