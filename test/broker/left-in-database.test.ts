// A database that is larger than the memory for clients: what fits is loaded, the rest is told and stays, and nothing is written over it.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Store } from '../../src/store/store.ts';
import { startTestBroker, type TestBroker, type TestBrokerOptions } from '../support/broker/test-broker.ts';
import { recordingLog } from '../support/ports/recording-log.ts';
import { StoreFolder } from '../support/store/open-store.ts';

const OLD = 40;
const LATER = 5;
/** In flight, not acknowledged. */
const SENT = 3;
const PAYLOAD = 2000;
const AWAY = { clientId: 'away', version: 4, cleanStart: false } as const;

test('messages for which a start has no room stay in the database, are told by client, and are loaded by a start that has', async (t) => {
  const folder = new StoreFolder(t);
  await during(folder, {}, async (house) => {
    const away = await house.connect(AWAY);
    away.send("82 [ 0001 't' 01 ]");
    await away.expect('90 03 0001 01');
    await publish(house, 0, OLD);
    for (let at = 0; at < SENT; at++) await away.next();
    away.abort();
  });

  const log = recordingLog();
  await during(folder, { log, options: { memoryLimit: 60_000 } }, async (house) => {
    const told = log.lines.find((line) => line.includes('stay in the database')) ?? '';
    const count = Number(/ 0 retained and (\d+) queued messages .* Queued for: away \1\.$/.exec(told)?.[1]);
    assert.ok(count > 5 && count < OLD, `${told} of ${log.lines}`);
    house.broker.setOptions({ ...house.broker.options, memoryLimit: 0 });
    await publish(house, OLD, OLD + LATER);
  });

  await during(folder, {}, async (house) => {
    const away = await house.connect(AWAY);
    const heard = new Set<number>();
    while (heard.size < OLD + LATER) {
      const packet = await away.next();
      assert.ok(packet instanceof Buffer && (packet[0]! & 0xf0) === 0x30, `after ${heard.size} came ${String(packet)}`);
      heard.add(packet.readUInt16BE(packet.length - 2));
      away.send(`40 02 ${packet.subarray(6, 8).toString('hex')}`);
    }
  });
});

async function during(folder: StoreFolder, more: TestBrokerOptions, use: (house: TestBroker) => Promise<void>): Promise<void> {
  let store: Store | null = null;
  const openStore = async () => {
    store = await folder.open();
    return store;
  };
  const options = { maxInflightMessages: SENT, maxQueuedMessages: 0, ...more.options };
  const house = await startTestBroker({ ...more, options, openStore });
  try {
    await use(house);
  } finally {
    await house.stop();
    await (store as Store | null)?.stop();
  }
}

/** Each with its number at its end. */
async function publish(house: TestBroker, from: number, to: number): Promise<void> {
  const publisher = await house.connect({ clientId: 'publisher', version: 4 });
  for (let at = from; at < to; at++) {
    publisher.send(`32 [ 't' 0001 00*${PAYLOAD - 2} ${at.toString(16).padStart(4, '0')} ]`);
    await publisher.expect('40 02 0001');
  }
  publisher.abort();
}
