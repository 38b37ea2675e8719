// Everything at once against a broker with 512 MB: it lives, others are served, and what it acknowledged is there after a restart.
//
// MIDGE_WORST_SECONDS says for how long (15); what others notice is told as a diagnostic: node build/test.ts test/attacks/worst-client.test.ts

import assert from 'node:assert/strict';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { MqttClient } from 'mqtt';
import { mqttClient } from '../support/clients/mqtt-client.ts';
import { watchProcess } from '../support/process/watched-process.ts';
import { type AttackedBroker, attackObstacle, startAttacked } from './attacked-broker.ts';

const SECONDS = Number(process.env['MIDGE_WORST_SECONDS'] ?? 15);
const MEMORY = 512 * 1024 * 1024;
const CONFIGURATION = 'listener {port} 127.0.0.1\nallow_anonymous true\npersistence true\nmax_queued_messages 0\n';

test('broker with 512 MB survives the worst clients of one account, and others are served', {
  skip: attackObstacle(),
  timeout: (SECONDS + 240) * 1000,
}, async (t) => {
  const broker = await startAttacked(t, { configuration: CONFIGURATION, memory: MEMORY });
  const [publisher, subscriber] = [await come(t, broker, 'house-publisher'), await come(t, broker, 'house-subscriber')];
  await subscriber.subscribeAsync('house/#', { qos: 1 });
  const idle = await measure(publisher, subscriber, async (round) => round < 200);
  const attackers = watchProcess(t, [
    process.execPath,
    [join(import.meta.dirname, 'worst-clients.ts'), String(broker.port), String(SECONDS)],
  ]);
  let isOver = false;
  void attackers.ended.then(() => {
    isOver = true;
  });
  const attacked = await measure(publisher, subscriber, async () => !isOver);
  assert.ok(broker.isRunning(), broker.process.lines.slice(-20).join('\n'));
  const tell = ({ p50, p99, rounds }: Measured) => `p50 ${p50.toFixed(2)} ms, p99 ${p99.toFixed(2)} ms of ${rounds}`;
  t.diagnostic(`one message to the other: idle ${tell(idle)}; attacked for ${SECONDS} s ${tell(attacked)}`);
  t.diagnostic(
    `most memory ${(broker.residentPeak() / 1048576).toFixed(0)} MiB, ${broker.processorSeconds().toFixed(0)} s of the processor`,
  );
  for (const client of [publisher, subscriber]) await client.endAsync(true);
  await broker.process.kill(); // as a power cut
  const started = performance.now();
  const again = await startAttacked(t, { configuration: CONFIGURATION, memory: MEMORY }, broker.folder);
  t.diagnostic(`runs again after ${((performance.now() - started) / 1000).toFixed(1)} s`);
  const reader = await come(t, again, 'house-reader');
  const value = new Promise<string>((resolve) => reader.once('message', (_topic, payload) => resolve(payload.toString())));
  await reader.subscribeAsync('house/value');
  assert.equal(await value, String(attacked.last)); // the last that was acknowledged
});

interface Measured {
  readonly p50: number;
  readonly p99: number;
  readonly rounds: number;
  /** The newest value that the broker has acknowledged. */
  readonly last: number;
}

let counter = 0;

/** One message at a time, retained, from one to the other: milliseconds until it has come. */
async function measure(publisher: MqttClient, subscriber: MqttClient, goesOn: (round: number) => Promise<boolean>): Promise<Measured> {
  const times: number[] = [];
  const lost = new Promise<never>((_, reject) => {
    for (const client of [publisher, subscriber])
      client.once('close', () => reject(new Error(`${client.options.clientId} has lost its connection`)));
  });
  lost.catch(() => {}); // it is also closed at the end
  for (let round = 0; await goesOn(round); round++) {
    const wanted = String(++counter);
    const heard = new Promise<void>((resolve) => {
      const look = (_topic: string, payload: Buffer) => {
        if (payload.toString() !== wanted) return;
        subscriber.off('message', look);
        resolve();
      };
      subscriber.on('message', look);
    });
    const started = performance.now();
    const acknowledged = publisher.publishAsync('house/value', wanted, { qos: 1, retain: true });
    await Promise.race([heard, lost]);
    times.push(performance.now() - started);
    await acknowledged;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  times.sort((one, other) => one - other);
  const at = (part: number) => times[Math.min(times.length - 1, Math.floor(times.length * part))] ?? 0;
  return { p50: at(0.5), p99: at(0.99), rounds: times.length, last: counter };
}

function come(t: TestContext, { port }: AttackedBroker, clientId: string): Promise<MqttClient> {
  return mqttClient(t, { port, clientId, protocolVersion: 4 });
}
