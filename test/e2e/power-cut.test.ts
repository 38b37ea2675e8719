// The program is killed again and again, at work and while it starts: what it has acknowledged is there.
//
// MIDGE_POWER_CUTS=1000 kills more often. Kills within checkpoints, and cuts that take along what was not synced, are in test/e2e/power-cut-disk.test.ts.

import { copyFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { type TestContext, test } from 'node:test';
import { MortalBroker } from '../support/broker/mortal-broker.ts';
import { nextTurn } from '../support/broker/turns.ts';
import { dial } from '../support/clients/dial.ts';
import type { WirePeer } from '../support/clients/wire-peer.ts';
import { temporaryFolder } from '../support/disk/temporary-folder.ts';
import { openPort, startMidge } from '../support/process/midge-process.ts';
import type { WatchedProcess } from '../support/process/watched-process.ts';

const KILLS = Number(process.env['MIDGE_POWER_CUTS'] ?? 60);

const DELETIONS = 3;

/** Lives in which the session that is mostly away comes to take its messages. */
const VISIT_EVERY = 4;

test(`midge has everything it acknowledged when it is killed ${KILLS} times`, async (t) => {
  const broker = new MortalBroker(t, temporaryFolder(t));
  await broker.warmUp();
  for (let life = 1; life <= KILLS; life++) {
    const moment = life % 6 === 0 ? 'start' : 'acknowledgements';
    await broker.live({ moment, isVisited: life % VISIT_EVERY === 1, isShaken: life % 3 === 0 });
  }
  await broker.finish();
  broker.check();
  t.diagnostic(broker.summary());
});

test('midge has everything it acknowledged when its database is deleted at work, and it is killed after that', async (t) => {
  const broker = new MortalBroker(t, temporaryFolder(t));
  await broker.warmUp();
  for (let life = 1; life <= DELETIONS; life++) await broker.live({ moment: 'deletion', isVisited: life === 1, isShaken: life === 2 });
  await broker.finish();
  broker.check();
  t.diagnostic(broker.summary());
});

test('midge has a subscription when it is killed right after its SUBACK, and no session when it is killed right after the CONNACK of a clean start', async (t) => {
  const folder = temporaryFolder(t);
  const first = await comeBack(t, folder, '00', false);
  first.peer.send("82 [ 0001 'a' 01 ]");
  await first.peer.expect('90 03 0001 01');
  await first.broker.kill();

  const second = await comeBack(t, folder, '00', true);
  second.peer.send("82 [ 0001 'b' 01 ]");
  await second.peer.expect('90 03 0001 01');
  await second.broker.kill();

  const third = await comeBack(t, folder, '00', true);
  for (const topicName of ['a', 'b']) {
    third.peer.send(`30 [ '${topicName}' |m| ]`);
    await third.peer.expect(`30 [ '${topicName}' |m| ]`);
  }
  await third.broker.kill();

  const fourth = await comeBack(t, folder, '02', false);
  await fourth.broker.kill();
  await comeBack(t, folder, '00', false);
});

test('midge says the will of a client without a kept session that was connected when it is killed, once, and none of a client that has left', async (t) => {
  const folder = temporaryFolder(t);
  const first = await comeBack(t, folder, '00', false);
  first.peer.send("82 [ 0001 '+/state' 01 ]");
  await first.peer.expect('90 03 0001 01');
  const port = await openPort(first.broker);
  const [lamp, guest] = [dial(port, { version: 4 }), dial(port, { version: 4 })];
  t.after(() => void [lamp, guest].map((peer) => peer.abort()));
  lamp.send("10 [ PROTOCOL 2E 0000 'lamp' 'lamp/state' 'offline' ] 31 [ 'lamp/state' |online| ]");
  guest.send("10 [ PROTOCOL 2E 0000 'guest' 'guest/state' 'offline' ]");
  for (const peer of [lamp, guest]) await peer.expect('20 02 00 00');
  await first.peer.expect("30 [ 'lamp/state' |online| ]");
  await written(folder, ['guest', 'lamp', 'phone']);
  guest.send('E0 00');
  await written(folder, ['lamp', 'phone']);
  await first.broker.kill();

  for (let life = 1; life <= 2; life++) {
    const { broker, peer } = await comeBack(t, folder, '00', true);
    if (life === 1) await peer.expect("32 [ 'lamp/state' 0001 |offline| ]");
    if (life === 1) peer.send('40 02 0001');
    peer.send("82 [ 0002 '+/state' 00 ]");
    await peer.expect('90 03 0002 00');
    await peer.expect("31 [ 'lamp/state' |offline| ]");
    await peer.expectSilence();
    await broker.kill();
  }
});

/** Resolves when the database holds these sessions. */
async function written(folder: string, clientIds: readonly string[]): Promise<void> {
  const copy = join(folder, 'copy.db');
  for (let found = ''; found !== clientIds.join(); ) {
    for (const end of ['', '-wal']) copyFileSync(join(folder, `state/midge/midge.db${end}`), copy + end);
    const database = new DatabaseSync(copy);
    const rows = database.prepare('SELECT client_id AS name FROM session ORDER BY client_id').all();
    found = rows.map(({ name }) => name).join();
    database.close();
    await nextTurn();
  }
}

/** The broker of a folder started anew, with the client of a kept session connected by these flags: is its session there? */
async function comeBack(
  t: TestContext,
  folder: string,
  flags: '00' | '02',
  isThere: boolean,
): Promise<{ broker: WatchedProcess; peer: WirePeer }> {
  const configuration = join(folder, 'midge.conf');
  writeFileSync(configuration, 'allow_anonymous true\npersistence true\n');
  const broker = startMidge(t, folder, ['serve', '-p', '0', '-c', configuration]);
  const peer = dial(await openPort(broker), { version: 4 });
  t.after(() => peer.abort());
  peer.send(`10 [ PROTOCOL ${flags} 0000 'phone' ]`);
  await peer.expect(isThere ? '20 02 01 00' : '20 02 00 00');
  return { broker, peer };
}
