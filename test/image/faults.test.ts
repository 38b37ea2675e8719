// What goes wrong in years: a midge.txt full of mistakes, a damaged database, a full card, a destroyed file system. Each boots to a broker that says so.

import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { hashPassword } from '../../src/access/password-hash.ts';
import { STATE_NEEDS } from '../../src/app/state-needs.ts';
import { makeBackup } from '../../src/state/backup.ts';
import { temporaryFolder } from '../support/disk/temporary-folder.ts';
import { CARD_BYTES, Card, IMAGE, obstacle } from './card.ts';
import { BOOT_PATIENCE, switchOn } from './machine.ts';

const skip = obstacle();
/** Of ext4 with blocks of 4 KiB. */
const GROUP_BYTES = 2 ** 27;
const HEAD_BYTES = 2 ** 25;
const LOGIN = { username: 'jane', password: 'correct horse battery' };
const BAD_MIDGE_TXT = `hostname = not a name
port = 99999
\u0000\u0000\u0000
wifi_name = home
wifi_password = short
account = jane correct horse battery
adress = 10.0.0.1/24
`;

test('image boots to a working broker when things go wrong', { skip, timeout: 4 * BOOT_PATIENCE }, async (t) => {
  const card = new Card(t, IMAGE ?? '', CARD_BYTES);

  await t.test('image tells every mistake and puts the database aside when midge.txt is bad and the database is damaged', async (t) => {
    card.write('midge.txt', BAD_MIDGE_TXT);
    const damaged = join(card.folder, 'damaged');
    writeFileSync(damaged, randomBytes(40_000));
    const database = '/lib/midge/midge.db';
    const owned = ['/lib/midge', database].map((path) => `sif ${path} uid ${card.brokerUser()}`);
    card.debugData('mkdir /lib/midge', `write ${damaged} ${database}`, `sif ${database} mode 0100600`, ...owned);
    const report = await bootAndReport(t, card);
    for (const line of [1, 2, 3, 5, 7]) assert.match(report, new RegExp(`midge\\.txt line ${line}: `), `no line ${line} in\n${report}`);
    assert.match(report, /did you mean address\?/);
    assert.match(report, /A damaged database was put aside: /);
  });

  await t.test('image still carries messages and says that the card is full when it is', async (t) => {
    card.checkData();
    const filler = join(card.folder, 'filler');
    const free = Number(/Free blocks:\s+(\d+)/.exec(card.debugData('stats'))?.[1]);
    writeFileSync(filler, randomBytes((free - 400) * 4096));
    card.debugData(`write ${filler} /filler`);
    assert.match(await bootAndReport(t, card), /The data partition is full: \d+ MB are free/);
  });

  await t.test(
    'image makes an empty data partition, says so, restores the backup and keeps the log that midge.txt asks for when its file system is destroyed',
    async (t) => {
      destroyFileSystem(card);
      card.write('midge.txt', 'persistent_log = yes\n');
      card.put(await backupOf(t), 'midge-2026-01-31.tar.gz');
      const report = await bootAndReport(t, card);
      assert.match(report, /damaged beyond repair/);
      assert.match(report, /Restored midge-2026-01-31\.tar\.gz/);
      assert.match(report, /accounts +jane\r\n/);
      assert.ok(card.names().includes('midge-2026-01-31.tar.gz.restored'), 'a reset would restore it again');
      card.checkData();
      assert.match(card.debugData('ls /log/journal'), /[0-9a-f]{32}/, 'no log on the card');
    },
  );
});

/** A backup of another machine that knew the same person. */
async function backupOf(t: TestContext): Promise<string> {
  const folder = temporaryFolder(t);
  mkdirSync(join(folder, 'state'));
  writeFileSync(join(folder, 'state/passwd'), `${LOGIN.username}:${await hashPassword(LOGIN.password)}\n`);
  const file = join(folder, 'backup.tar.gz');
  const source = {
    database: 'midge.db',
    copy: null,
    configuration: null,
    workingFolder: '/',
    readAs: null,
    program: 'midge version 0.1.0',
  };
  await makeBackup(file, { ...source, folder: join(folder, 'state') }, STATE_NEEDS);
  return file;
}

/** The head of each group of blocks: there are the superblock and its copies. */
function destroyFileSystem(card: Card): void {
  const { start, size } = card.partition('data');
  for (let at = 0; at < size; at += GROUP_BYTES) card.overwrite(start + at, randomBytes(Math.min(HEAD_BYTES, size - at)));
}

/** bootAndReport boots, sends a message through the broker, and gives the report. */
async function bootAndReport(t: TestContext, card: Card): Promise<string> {
  const machine = await switchOn(t, card);
  const { promise, resolve } = Promise.withResolvers<string>();
  const client = await machine.connect(LOGIN, (_, payload) => resolve(payload));
  await client.subscribeAsync('a/b');
  await client.publishAsync('a/b', 'hello');
  assert.equal(await promise, 'hello');
  assert.match(await machine.ready(), /\.local is ready/);
  await client.endAsync();
  await machine.cut();
  return card.read('midge-report.txt') ?? '';
}
