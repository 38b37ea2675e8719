// How long a start takes, and what memory it needs, with many sessions and retained messages on disk:
//
//   node test/bench/scale/start-up.ts [SESSIONS [RETAINED]]      100000 and 1000000 unless said
//
// Four starts: with nothing, with the sessions, with the retained messages, with both. The differences tell what one of them costs.

import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { LoadedSession, StoredMessage } from '../../../src/broker/ports.ts';
import { fillStore } from '../../../src/store/fill-store.ts';
import { freePort } from '../../support/network/free-ports.ts';
import { startChild } from '../child.ts';
import { packet, text } from '../generator/client.ts';
import { describeMachine, processorSeconds, residentBytes } from '../machine.ts';

const MAIN = join(import.meta.dirname, '../../../src/main.ts');
const SUBSCRIPTIONS = 2;
const RETRY_MS = 5;
/** A measured interval: garbage collection may follow the start. */
const SETTLE_MS = 3000;
const NOTHING = Buffer.alloc(0);

interface Outcome {
  readonly seconds: number;
  readonly processor: number;
  readonly resident: number;
  readonly database: number;
}

/** main prints one line per start and what a session and a retained message cost. */
async function main([sessions = '100000', retained = '1000000']: readonly string[]): Promise<void> {
  const [manySessions, manyRetained] = [Number(sessions), Number(retained)];
  for (const line of describeMachine()) console.log(line);
  const measure = async (sessions: number, retained: number) => {
    const outcome = await measureStart(sessions, retained);
    const { seconds, processor, resident, database } = outcome;
    console.log(
      `${sessions} sessions with ${SUBSCRIPTIONS} subscriptions each, ${retained} retained messages: first CONNACK after ${seconds.toFixed(1)} s ` +
        `(${processor.toFixed(1)} s of processor time), ${(resident / 2 ** 20).toFixed(0)} MiB, database ${(database / 1e6).toFixed(0)} MB`,
    );
    return outcome;
  };
  const nothing = await measure(0, 0);
  const withSessions = await measure(manySessions, 0);
  const withRetained = await measure(0, manyRetained);
  await measure(manySessions, manyRetained);
  const each = (outcome: Outcome, count: number) => Math.round((outcome.resident - nothing.resident) / count);
  console.log(`memory: ${each(withSessions, manySessions)} bytes a session, ${each(withRetained, manyRetained)} bytes a retained message`);
}

async function measureStart(sessions: number, retained: number): Promise<Outcome> {
  const folder = mkdtempSync(join(tmpdir(), 'midge-start-'));
  try {
    await fillStore(folder, { sessions: makeSessions(sessions), retained: makeRetained(retained) }, false);
    const configuration = join(folder, 'bench.conf');
    const port = await freePort();
    writeFileSync(configuration, `listener ${port} 127.0.0.1\nallow_anonymous true\npersistence true\npersistence_location ${folder}\n`);
    const began = performance.now();
    const child = await startChild(process.execPath, [MAIN, 'serve', '-c', configuration], null);
    child.process.stdout?.resume();
    while (!(await isServed(port))) await pause(RETRY_MS);
    const seconds = (performance.now() - began) / 1000;
    const processor = processorSeconds(child.pid);
    await pause(SETTLE_MS);
    const resident = residentBytes(child.pid);
    await child.stop();
    return { seconds, processor, resident, database: statSync(join(folder, 'midge.db')).size };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Resolves with true when a CONNECT was answered. */
function isServed(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port });
    socket.on('error', () => {}).once('close', () => resolve(false));
    socket.write(packet(0x10, [text('MQTT'), Buffer.from([4, 2, 0, 0]), text('first')]));
    socket.once('data', () => {
      resolve(true);
      socket.destroy();
    });
  });
}

const SESSION = { username: 'home', listener: '1883', version: 4, expiryInterval: 0xffffffff, disconnectedAt: 0, will: null } as const;

function makeSessions(count: number): LoadedSession[] {
  return Array.from({ length: count }, (_, at) => {
    const filters = [`home/${at}/command/#`, `home/${at}/+/state`];
    return {
      session: { ...SESSION, clientId: `client-${at}` },
      subscriptions: filters.slice(0, SUBSCRIPTIONS).map((topicFilter) => {
        return { topicFilter, mountedFilter: topicFilter, group: null, qos: 1, noLocal: false, retainAsPublished: false, identifier: 0 };
      }),
      deliveries: [],
      incoming: [],
    };
  });
}

function makeRetained(count: number): StoredMessage[] {
  const source = { clientId: 'gateway', username: 'home', listener: '1883' };
  return Array.from({ length: count }, (_, at) => {
    const topicName = `home/${Math.floor(at / 10_000)}/room/${Math.floor(at / 100) % 100}/sensor/${at % 100}`;
    const payload = Buffer.from(`{"value":${at}}`);
    return { key: at + 1, topicName, payload, qos: 1, retain: true, properties: NOTHING, expiresAt: 0, source };
  });
}

main(process.argv.slice(2)).catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
