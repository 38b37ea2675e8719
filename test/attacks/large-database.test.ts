// A database that is larger than the machine: the broker starts on it, says what it leaves there, and loses nothing of it.

import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { ErrorWithReasonCode } from 'mqtt';
import { migrate } from '../../src/store/schema.ts';
import { mqttClient } from '../support/clients/mqtt-client.ts';
import { temporaryFolder } from '../support/disk/temporary-folder.ts';
import { attackObstacle, startAttacked } from './attacked-broker.ts';

const MEBIBYTE = 1024 * 1024;
const SMALLEST_MEMORY = 256 * MEBIBYTE;
/** Of each kind: 300 MB. */
const ROWS = 60_000;
const PAYLOAD = 5000;
const CONFIGURATION = 'listener {port} 127.0.0.1\nallow_anonymous true\npersistence true\nmax_queued_messages 0\n';

test('broker in 256 MB starts on 600 MB of queued and retained messages, and keeps all of them', { skip: attackObstacle() }, async (t) => {
  const folder = temporaryFolder(t);
  const file = join(folder, 'state', 'midge.db');
  mkdirSync(join(folder, 'state'), { mode: 0o700 });
  fill(file);
  for (let starts = 1; starts <= 2; starts++) {
    const broker = await startAttacked(t, { configuration: CONFIGURATION, memory: SMALLEST_MEMORY }, folder);
    const told = await broker.process.line(/stay in the database/);
    const [, retained, queued] =
      /Warning: (\d+) retained and (\d+) queued messages stay .* Queued for: (?:client\d \d+(?:, )?){4}\.$/.exec(told) ?? [];
    t.diagnostic(
      `${retained} retained and ${queued} queued messages stay; peak ${(broker.residentPeak() / MEBIBYTE).toFixed(0)} MiB resident`,
    );
    assert.ok(Number(retained) > 0 && Number(queued) > 0 && Number(queued) < ROWS, told);
    assert.equal(await broker.process.end(), 0);
  }
  assert.deepEqual(counts(file), [ROWS, ROWS, ROWS]);
});

test('broker in 256 MB starts on 480 MB of sessions with wills, keeps all of them, and refuses those for which it has no room', {
  skip: attackObstacle(),
}, async (t) => {
  const folder = temporaryFolder(t);
  const file = join(folder, 'state', 'midge.db');
  mkdirSync(join(folder, 'state'), { mode: 0o700 });
  const database = new DatabaseSync(file);
  migrate(database);
  database.exec(`PRAGMA synchronous = OFF; WITH RECURSIVE number(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM number WHERE n < 8000)
    INSERT INTO session SELECT n, 'client' || n, NULL, 5, 4294967295, unixepoch() * 1000, 'will/' || n, zeroblob(60000), 1, 0, x'18000fffff', 'x' FROM number`);
  database.close();
  const broker = await startAttacked(t, { configuration: CONFIGURATION, memory: SMALLEST_MEMORY }, folder);
  const told = await broker.process.line(/stay in the database/);
  const left = Number(/Warning: (\d+) sessions, whose clients are refused, 0 retained and 0 queued/.exec(told)?.[1]);
  t.diagnostic(`${left} sessions stay; peak ${(broker.residentPeak() / MEBIBYTE).toFixed(0)} MiB resident`);
  assert.ok(left > 0 && left < 8000, told);
  const refused = await mqttClient(t, { port: broker.port, clientId: 'client8000' }).then(
    () => null,
    (error: unknown) => (error instanceof ErrorWithReasonCode ? error.code : error),
  );
  assert.equal(refused, 0x97);
  const first = await mqttClient(t, { port: broker.port, clientId: 'client1', clean: false });
  await first.endAsync(true);
  assert.equal(await broker.process.end(), 0);
  const after = new DatabaseSync(file, { readOnly: true });
  const rows = after.prepare('SELECT count(*) AS n, sum(length(will_payload) = 60000) AS wills FROM session').get();
  after.close();
  assert.deepEqual({ ...rows }, { n: 7999, wills: 7999 }, 'all but that of the first, which ended its own');
});

function fill(file: string): void {
  const database = new DatabaseSync(file);
  migrate(database);
  const numbers = `WITH RECURSIVE number(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM number WHERE n < ${ROWS})`;
  database.exec(`PRAGMA synchronous = OFF; BEGIN;
    INSERT INTO session (id, client_id, version, expiry_interval, disconnected_at, listener)
      SELECT value, 'client' || value, 4, 4294967295, 1, 'x' FROM json_each('[1,2,3,4]');
    ${numbers} INSERT INTO message SELECT n, 'queued/' || n, zeroblob(${PAYLOAD}), 1, 0, x'', 0, NULL, NULL, NULL FROM number;
    ${numbers} INSERT INTO delivery SELECT n % 4 + 1, n, n, 1, 0, 0, NULL, 0, 0 FROM number;
    ${numbers} INSERT INTO retained SELECT 'retained/' || n, n, zeroblob(${PAYLOAD}), 0, 1, x'', 0, NULL, NULL, NULL FROM number;
    COMMIT`);
  database.close();
}

function counts(file: string): unknown[] {
  const database = new DatabaseSync(file, { readOnly: true });
  const found = ['message', 'delivery', 'retained'].map((table) => database.prepare(`SELECT count(*) AS n FROM ${table}`).get()?.['n']);
  database.close();
  return found;
}
