// The plug is pulled at random moments while messages flow: what was acknowledged is there after the next boot.
//
// MIDGE_CUTS says how often, once without it: test/image/card-updates.test.ts cuts the power too, and forgets what the card was not told to keep.

import assert from 'node:assert/strict';
import { randomInt } from 'node:crypto';
import { test } from 'node:test';
import type { MqttClient } from 'mqtt';
import { Card, IMAGE, obstacle } from '../image/card.ts';
import { BOOT_PATIENCE, type Machine, type OnMessage, switchOn } from '../image/machine.ts';

const CUTS = Number(process.env['MIDGE_CUTS'] ?? 1);
const LOGIN = { username: 'jane', password: 'correct horse battery' };
/** Milliseconds that messages flow at the longest before the cut, from the first that was acknowledged: to a checkpoint of the database. */
const LONGEST = 8000;
/** Messages between two cuts: with every fifth retained too, fewer than the 1000 that the broker keeps for a client that is away. */
const MOST = 800;
/** Milliseconds without a message after which no more will come. */
const COLLECT_LIMIT = 240_000;

/** Ledger is what the broker has acknowledged. */
interface Ledger {
  sent: number;
  readonly acknowledged: Set<number>;
  /** Number of the latest retained one; 0 = there is none. */
  retained: number;
}

test(`image loses no acknowledged message when the power is cut (${CUTS})`, {
  skip: obstacle(),
  timeout: BOOT_PATIENCE * (CUTS + 1),
}, async (t) => {
  const card = new Card(t, IMAGE ?? '');
  card.write('midge.txt', `account = ${LOGIN.username} ${LOGIN.password}\n`);
  const root = card.rootDigest();
  const ledger: Ledger = { sent: 0, acknowledged: new Set(), retained: 0 };
  let machine = await switchOn(t, card);
  const authority = /authority=(\S+)/.exec(await machine.ready())?.[1]; // a sign-in that was tried before could come late, and take the session over
  assert.match(authority ?? '', /^[0-9A-F:]{95}$/);
  const first = await signInAsKeeper(machine);
  await first.subscribeAsync('log/#', { qos: 1 });
  await first.endAsync(); // what it acknowledges is not kept
  for (let cut = 1; cut <= CUTS; cut++) {
    await publishUntilCut(machine, ledger, randomInt(LONGEST));
    const start = Date.now();
    machine = await switchOn(t, card);
    const line = await machine.ready();
    const keeper = await collect(machine, ledger);
    const seconds = ((Date.now() - start) / 1000).toFixed(0);
    t.diagnostic(`cut ${cut}: ${ledger.sent} sent, all acknowledged ones there, ${seconds} s from the plug`);
    assert.ok(line.includes(`authority=${authority}`), `another authority after cut ${cut}: ${line}`);
    assert.match(line, /midge\.local is ready: .*accounts=1/);
    assert.doesNotMatch(line, /failed=/);
    await keeper.endAsync();
  }
  await machine.cut();
  assert.equal(card.rootDigest(), root);
});

/** The session that keeps what is published while nobody is there. */
function signInAsKeeper(machine: Machine, onMessage?: OnMessage): Promise<MqttClient> {
  return machine.connect({ ...LOGIN, clientId: 'keeper', clean: false }, onMessage);
}

async function publishUntilCut(machine: Machine, ledger: Ledger, milliseconds: number): Promise<void> {
  const client = await machine.connect({ ...LOGIN, clientId: 'publisher' });
  client.on('error', () => {}); // the cut
  const last = ledger.sent + MOST;
  const { promise: firstAcknowledged, resolve: acknowledge } = Promise.withResolvers<void>();
  const publishOn = async (): Promise<void> => {
    while (ledger.sent < last) {
      const number = ++ledger.sent;
      await client.publishAsync(`log/${number % 10}`, String(number), { qos: 1 });
      ledger.acknowledged.add(number);
      acknowledge();
      if (number % 5 !== 0) continue;
      await client.publishAsync('latest', String(number), { qos: 1, retain: true });
      ledger.retained = Math.max(ledger.retained, number);
    }
    await new Promise(() => {}); // the others go on until the plug is out
  };
  void Array.from({ length: 10 }, () => publishOn().catch(() => {}));
  await firstAcknowledged;
  await new Promise((resolve) => setTimeout(resolve, milliseconds)); // the moment of the cut is the point
  await machine.cut();
  client.end(true);
}

/** collect takes up the kept session until every acknowledged message has come, and gives its client. */
async function collect(machine: Machine, ledger: Ledger): Promise<MqttClient> {
  const missing = new Set(ledger.acknowledged);
  let latest = 0;
  let look = () => {};
  const keeper = await signInAsKeeper(machine, (topic, payload) => {
    if (topic === 'latest') latest = Number(payload);
    else missing.delete(Number(payload));
    look();
  });
  await keeper.subscribeAsync('latest', { qos: 1 });
  await new Promise<void>((resolve, reject) => {
    const complain = () =>
      reject(
        new Error(`lost: ${missing.size} acknowledged messages (${[...missing].slice(0, 20)}); retained ${latest} of ${ledger.retained}`),
      );
    const limit = setTimeout(complain, COLLECT_LIMIT);
    look = () => {
      limit.refresh();
      if (missing.size > 0 || latest < ledger.retained) return;
      clearTimeout(limit);
      resolve();
    };
    look();
  });
  ledger.acknowledged.clear();
  return keeper;
}
