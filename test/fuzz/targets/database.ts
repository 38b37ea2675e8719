// The broker's own database with damage in its values and in its pages: it opens, loads what is sound, and closes, or is refused in words that are ours.

import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import fc from 'fast-check';
import { systemClock } from '../../../src/base/clock.ts';
import { OperatorError } from '../../../src/base/errors.ts';
import { silentLogger } from '../../../src/base/logger.ts';
import { STORE_DEFAULTS } from '../../../src/store/options.ts';
import { openStore } from '../../../src/store/store.ts';
import { type Mutation, mutate, mutation } from '../../support/random-packets.ts';
import { durably, storedDelivery, storedMessage, storedSession, storedSubscription } from '../../support/stored.ts';
import { startTestBroker } from '../../support/test-broker.ts';
import type { Target } from '../target.ts';

/** Change sets one value of one row of one table; tables, columns and rows are taken modulo their number. */
interface Change {
  readonly table: number;
  readonly column: number;
  readonly row: number;
  readonly value: null | number | bigint | string | Uint8Array;
}

const change: fc.Arbitrary<Change> = fc.record({
  table: fc.nat(20),
  column: fc.nat(20),
  row: fc.nat(20),
  value: fc.oneof(
    fc.constantFrom(null, 0, 1, -1, 2, 255, 65_535, 65_536, 1.5, 2n ** 31n, 2n ** 53n + 1n, -(2n ** 63n), 2n ** 63n - 1n),
    fc.constantFrom('', 'home/door', '#', '\u0000', '\ud800', '$share/g/a', 'x'.repeat(70_000)),
    fc.uint8Array({ maxLength: 40 }),
  ),
});

type Damage = { readonly values: readonly Change[]; readonly bytes: readonly Mutation[] };

export const DATABASE: Target<Damage> = {
  name: 'database',
  what: 'the database of kept state, damaged in its values or in its pages',
  input: fc.oneof(
    { weight: 4, arbitrary: fc.record({ values: fc.array(change, { minLength: 1, maxLength: 4 }), bytes: fc.constant([]) }) },
    {
      weight: 1,
      arbitrary: fc.record({
        values: fc.constant([]),
        bytes: fc.array(
          fc.tuple(mutation, fc.nat(60_000)).map(([one, at]) => ({ ...one, at })),
          { minLength: 1, maxLength: 4 },
        ),
      }),
    },
  ),
  async open() {
    const home = mkdtempSync(join(tmpdir(), 'midge-fuzz-'));
    const sound = await makeSound(join(home, 'sound'));
    let count = 0;
    return {
      async feed({ values, bytes }) {
        const folder = join(home, String(count++));
        mkdirSync(folder, { mode: 0o700 });
        const file = join(folder, STORE_DEFAULTS.file);
        copyFileSync(sound, file);
        if (values.length > 0) changeValues(file, values);
        if (bytes.length > 0) writeFileSync(file, bytes.reduce(mutate, readFileSync(file)));
        await startAndStop(folder);
        rmSync(folder, { recursive: true });
        return 1;
      },
      close: () => rmSync(home, { recursive: true }),
    };
  },
};

/** A broker that starts on the folder serves a client that meets what was loaded. */
async function startAndStop(folder: string): Promise<void> {
  try {
    const openBrokerStore = () =>
      openStore({ ...STORE_DEFAULTS, folder, synchronous: 'NORMAL' }, { clock: systemClock, log: silentLogger });
    let store: Awaited<ReturnType<typeof openBrokerStore>> | null = null;
    const house = await startTestBroker({
      openStore: async () => {
        store = await openBrokerStore();
        return store;
      },
    });
    const witness = await house.connect({ clientId: 'witness', version: 4 });
    witness.send(`82 [ 0001 '#' 02 ] 30 [ 'home/door' |here| ] C0 00`);
    for (let packet = await witness.next(); !(packet instanceof Buffer && packet[0] === 0xd0); packet = await witness.next());
    witness.abort();
    await house.stop();
    await (store as { stop(): Promise<void> } | null)?.stop();
  } catch (error) {
    if (!(error instanceof OperatorError)) throw error;
  }
}

async function makeSound(folder: string): Promise<string> {
  const store = await openStore({ ...STORE_DEFAULTS, folder }, { clock: systemClock, log: silentLogger });
  for (const clientId of ['phone', 'hub', 'sensor']) {
    store.saveSession(storedSession(clientId, clientId === 'phone' ? { disconnectedAt: 1, expiryInterval: 0xffffffff } : {}));
    store.saveSubscription(clientId, storedSubscription('home/#', { identifier: 7 }));
    store.saveSubscription(clientId, storedSubscription('$share/g/a', { mountedFilter: 'a', group: 'g' }));
    for (let key = 1; key <= 4; key++)
      store.saveDelivery(clientId, storedDelivery(key, { packetId: key > 2 ? key : 0 }), storedMessage(key));
    store.saveIncoming(clientId, 9, 99);
  }
  for (let key = 10; key < 20; key++) store.saveRetained(storedMessage(key, { topicName: `home/${key}`, retain: true }), true);
  await durably(store);
  await store.stop();
  return join(folder, STORE_DEFAULTS.file);
}

function changeValues(file: string, changes: readonly Change[]): void {
  const database = new DatabaseSync(file);
  const tables = database.prepare(`SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'`).all();
  for (const { table, column, row, value } of changes) {
    const { name } = tables[table % tables.length]!;
    const columns = database.prepare(`PRAGMA table_info("${name}")`).all();
    const key = columns[column % columns.length]!['name'];
    const rows = Number(database.prepare(`SELECT count(*) AS n FROM "${name}"`).get()!['n']);
    const first = columns.map((each) => `"${each['name']}"`).join();
    try {
      database
        .prepare(`UPDATE "${name}" SET "${key}" = ? WHERE (${first}) = (SELECT ${first} FROM "${name}" LIMIT 1 OFFSET ?)`)
        .run(value, row % Math.max(rows, 1));
    } catch {
      // A constraint of the table does not allow it: then no database has it.
    }
  }
  database.close();
}
