// Kept sessions for a run: new ones each time, so that no run meets the messages of the one before.

import { Client, PLAIN } from './generator/client.ts';
import type { Load } from './loads.ts';

/** prepareSessions ends the kept sessions of an earlier run, and makes those that are away in this one. Does nothing for other loads. */
export async function prepareSessions(port: number, { sessions, settings }: Load): Promise<void> {
  const { subscribers = 1, topics = 1, qos = 0 } = settings;
  for (let i = 0; sessions !== 'clean' && i < subscribers; i++) {
    await visit(port, i, false, async () => {});
    if (sessions === 'away') await visit(port, i, true, (client) => client.subscribe(`bench/${String(i % topics).padStart(2, '0')}`, qos));
  }
}

/** As the generator's subscriber number `i`. */
async function visit(port: number, i: number, kept: boolean, work: (client: Client) => Promise<void>): Promise<void> {
  const client = new Client({ ...PLAIN, port, kept }, `sub${i}`, () => {});
  await client.open();
  await work(client);
  client.close();
}
