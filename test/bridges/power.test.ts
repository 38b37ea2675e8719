// The program is killed with a full queue for the other broker, and while it sends: nothing that it acknowledged is lost, and no QoS 2
// message comes twice.

import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { temporaryFolder } from '../support/disk/temporary-folder.ts';
import { freePort } from '../support/network/free-ports.ts';
import { openPort, startMidge } from '../support/process/midge-process.ts';
import { client, listening } from './clients.ts';
import { type FrailWire, frailWire } from './frail-wire.ts';
import { eventually, FARS } from './scene.ts';

/** Messages of each QoS. */
const QUEUED = 5000;
/** Kills while the queue goes over. */
const KILLS = 4;

for (const far of FARS) {
  test(`midge loses none of ${2 * QUEUED} queued messages and doubles no QoS 2 when it is killed, before and while they go to ${far.name}`, async (t) => {
    const other = await far.start(t);
    const wire = await frailWire(t, other.port);
    wire.isOpen = false;
    const there = await listening(t, other.port, 'q/#');
    const folder = temporaryFolder(t);
    const first = await start(t, folder, wire);
    await publishAll(t, first.port);
    await first.midge.kill();
    for (let kill = 1; kill <= KILLS; kill++) {
      const { midge } = await start(t, folder, wire);
      const goal = there.received.length + QUEUED / KILLS;
      wire.isOpen = true;
      await eventually(() => there.received.length >= goal, 'some go over');
      await midge.kill();
    }
    await start(t, folder, wire);
    const numbers = (qos: number) => there.received.filter((one) => one.qos === qos).map(({ text }) => Number(text));
    await eventually(() => new Set(numbers(1)).size === QUEUED && numbers(2).length >= QUEUED, 'all have come');
    assert.deepEqual(
      numbers(2),
      Array.from({ length: QUEUED }, (_, at) => at),
    );
  });
}

async function start(t: TestContext, folder: string, wire: FrailWire) {
  const port = await freePort();
  const file = join(folder, 'midge.conf');
  const lines = [
    `listener ${port} 127.0.0.1`,
    'persistence true',
    'allow_anonymous true',
    'max_queued_messages 0',
    'connection over',
    `address 127.0.0.1:${wire.port}`,
    'topic q/# out 2',
    'restart_timeout 1',
  ];
  writeFileSync(file, `${lines.join('\n')}\n`);
  const midge = startMidge(t, folder, ['serve', '-c', file]);
  await openPort(midge);
  return { midge, port };
}

async function publishAll(t: TestContext, port: number): Promise<void> {
  const publisher = await client(t, port, { protocolVersion: 4 });
  for (let at = 0; at < QUEUED; at += 500) {
    const some = Array.from({ length: 500 }, (_, more) => `${at + more}`);
    await Promise.all(
      some.flatMap((text) => [publisher.publishAsync('q/1', text, { qos: 1 }), publisher.publishAsync('q/2', text, { qos: 2 })]),
    );
  }
  await publisher.endAsync();
}
