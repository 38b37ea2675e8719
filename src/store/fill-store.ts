// Fills an empty store with sessions and retained values that come from elsewhere, after a trial in a folder of its own.

import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '../base/clock.ts';
import { OperatorError } from '../base/errors.ts';
import { silentLogger } from '../base/logger.ts';
import type { LoadedSession, SessionStore, StoredMessage } from '../broker/ports.ts';
import { dryLoad, dryLoadText } from './dry-load.ts';
import { STORE_DEFAULTS } from './options.ts';
import { openStore } from './store.ts';

/** Sessions noted before their commit is waited for: bounds the memory. */
const SESSIONS_AT_ONCE = 1000;
const RETAINED_AT_ONCE = 10_000;

/** What comes from elsewhere. */
type Content = { readonly sessions: readonly LoadedSession[]; readonly retained: readonly StoredMessage[] };

/** tryFilling writes a database that nobody keeps, and says which of its rows a start would leave out; null = none. */
export async function tryFilling({ sessions, retained }: Content): Promise<string | null> {
  const folder = mkdtempSync(join(tmpdir(), 'midge-import-'));
  try {
    const store = await openStore({ ...STORE_DEFAULTS, folder, synchronous: 'NORMAL' }, { clock: systemClock, log: silentLogger });
    try {
      await fill(store, sessions, retained);
    } finally {
      await store.stop();
    }
    return dryLoadText(dryLoad(join(folder, STORE_DEFAULTS.file)));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** fillStore writes the database of a state folder; with `dryRun` it only looks whether it could. Throws OperatorError when a broker uses the folder, or something is kept there already. */
export async function fillStore(folder: string, content: Content, dryRun: boolean): Promise<void> {
  if (dryRun && !existsSync(join(folder, STORE_DEFAULTS.file))) return;
  const store = await openStore({ ...STORE_DEFAULTS, folder }, { clock: systemClock, log: silentLogger });
  try {
    const health = store.health();
    if (health.state !== 'ok') throw new OperatorError(`Cannot write the database in "${folder}": ${health.text}`);
    let found = 0;
    await store.load({ session: () => void found++, retained: () => void found++ });
    if (found > 0) {
      throw new OperatorError(
        `Cannot import into "${folder}": sessions or retained messages are kept there already - name another folder with --state`,
      );
    }
    if (!dryRun) await fill(store, content.sessions, content.retained);
  } finally {
    await store.stop();
  }
}

async function fill(store: SessionStore, sessions: readonly LoadedSession[], retained: readonly StoredMessage[]): Promise<void> {
  for (let at = 0; at < sessions.length; at += SESSIONS_AT_ONCE) {
    for (const session of sessions.slice(at, at + SESSIONS_AT_ONCE)) saveSession(store, session);
    await durably(store);
  }
  for (let at = 0; at < retained.length; at += RETAINED_AT_ONCE) {
    for (const message of retained.slice(at, at + RETAINED_AT_ONCE)) store.saveRetained(message, true);
    await durably(store);
  }
}

function saveSession(store: SessionStore, { session, subscriptions, deliveries, incoming }: LoadedSession): void {
  const { clientId } = session;
  store.saveSession(session);
  for (const subscription of subscriptions) store.saveSubscription(clientId, subscription);
  for (const { delivery, message } of deliveries) store.saveDelivery(clientId, delivery, message);
  for (const [packetId, digest] of incoming) store.saveIncoming(clientId, packetId, digest);
}

function durably(store: SessionStore): Promise<void> {
  return new Promise((done, fail) => {
    store.whenDurable((outcome) => {
      if (outcome === 'durable') done();
      else fail(new OperatorError(`Cannot write the database: ${outcome === 'full' ? 'the disk is full' : 'writing failed'}`));
    });
  });
}
