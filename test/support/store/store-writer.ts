// A broker's life in small: a process that writes to a store until it is killed, and says what was confirmed.
//
//   node store-writer.ts FOLDER STEPS      each confirmed step is a line of the file FOLDER/../confirmed
//
// Step n saves delivery n and the retained value n of one of seven topics, and drops delivery n - 10. So whatever is found afterwards
// must be the state after some step, and not an earlier one than the last that was confirmed.

import { openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { systemClock } from '../../../src/base/clock.ts';
import { silentLogger } from '../../../src/base/logger.ts';
import type { SessionStore } from '../../../src/broker/ports.ts';
import { STORE_DEFAULTS } from '../../../src/store/options.ts';
import { openStore } from '../../../src/store/store.ts';
import { storedDelivery, storedMessage, storedSession } from './stored.ts';

/** KEPT deliveries wait at any time, TOPICS have retained values. */
export const KEPT = 10;
export const TOPICS = 7;

const STEPS_PER_TURN = 5;
const STEPS_PER_WAIT = 10;
const PAYLOAD = 1500;

/** takeStep notes what step `n` does, without asking for a commit. */
export function takeStep(store: SessionStore, n: number): void {
  if (n === 1) store.saveSession(storedSession('phone'));
  const payload = Buffer.alloc(PAYLOAD, String(n));
  store.saveDelivery('phone', storedDelivery(n), storedMessage(n, { payload }));
  if (n > KEPT) store.dropDelivery('phone', n - KEPT);
  store.saveRetained(storedMessage(n, { topicName: `topic/${n % TOPICS}`, payload }), true);
}

async function write(folder: string, steps: number): Promise<void> {
  const confirmed = openSync(join(folder, '../confirmed'), 'a');
  const store = await openStore({ ...STORE_DEFAULTS, folder }, { clock: systemClock, log: silentLogger });
  await store.load({ session: () => {}, retained: () => {} });
  let n = store.lastMessageKey;
  const last = n + steps;
  while (n < last) {
    for (let turn = 0; turn < STEPS_PER_TURN && n < last; turn++) takeStep(store, ++n);
    const step = n;
    store.whenDurable((outcome) => void writeSync(confirmed, `${outcome} ${step}\n`));
    await new Promise((resolve) => (n % STEPS_PER_WAIT === 0 ? store.whenDurable(resolve) : setImmediate(resolve)));
  }
  await store.stop();
}

if (import.meta.main) await write(process.argv[2] ?? '', Number(process.argv[3]));
