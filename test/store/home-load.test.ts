// What a home costs its card: a day's load, an hour of it second by second, and what the counter of written bytes says.
//
//   200 sensors, a retained QoS 0 value each minute, each time another value, spread over the minute: the worst that they can do
//   5 phones, kept sessions, two offline: a QoS 2 message from each every 5 minutes to the other four; those online acknowledge at once

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { IGNORED, StoreFolder } from '../support/store/open-store.ts';
import { durably, storedDelivery, storedMessage, storedSession } from '../support/store/stored.ts';

const SECONDS = 3600;
const SENSORS = 200;
const PHONES = 5;
const OFFLINE = 2;
const PHONE_INTERVAL = 300;
/** Megabytes that a day may cost. A card of 32 GB that endures 500 times its size, with ten bytes moved for each that is written, lives 1 TB. */
const MOST_PER_DAY = 1500;

test('DurableStore writes little when a home is quiet: sensors, phones, a day', async (t) => {
  const folder = new StoreFolder(t, { gather: 1, writeBehind: 3_600_000 });
  const store = await folder.open();
  await store.load(IGNORED);
  for (let phone = 0; phone < PHONES; phone++) store.saveSession(storedSession(`phone-${phone}`));
  let key = 0;
  const orders = new Array<number>(PHONES).fill(0);
  const start = store.counters();
  for (let second = 0; second < SECONDS; second++) {
    for (let sensor = 0; sensor < SENSORS; sensor++) {
      if (second % 60 !== sensor % 60) continue;
      const topicName = `zigbee2mqtt/room-${sensor % 12}/sensor-${sensor}`;
      const payload = Buffer.from(
        JSON.stringify({ temperature: 20 + (second % 100) / 10, humidity: 50 + (sensor % 9), battery: 97, linkquality: second % 255 }),
      );
      store.saveRetained(storedMessage(++key, { topicName, payload, qos: 0, retain: true }), true); // each second is a write-behind's end
    }
    if (second % (PHONE_INTERVAL / PHONES) === 0) await publish(second / (PHONE_INTERVAL / PHONES));
    await durably(store);
  }
  const end = store.counters();
  const perDay = ((end.bytesWritten - start.bytesWritten) / SECONDS) * 86_400;
  const syncs = (end.fsyncs - start.fsyncs) / SECONDS;
  t.diagnostic(`${(perDay / 1e6).toFixed(0)} MB a day, ${syncs.toFixed(2)} fsyncs a second`);
  assert.ok(perDay / 1e6 < MOST_PER_DAY, `${(perDay / 1e6).toFixed(0)} MB a day`);
  assert.ok(perDay > 0);

  async function publish(turn: number): Promise<void> {
    const from = turn % PHONES;
    const message = storedMessage(++key, { topicName: `owntracks/phone-${from}`, qos: 2, payload: Buffer.alloc(200, 'p') });
    store.saveIncoming(`phone-${from}`, 1, 11);
    for (let phone = 0; phone < PHONES; phone++) {
      if (phone !== from)
        store.saveDelivery(
          `phone-${phone}`,
          storedDelivery(++orders[phone]!, { qos: 2, state: phone < OFFLINE ? 'queued' : 'sent' }),
          message,
        );
    }
    await durably(store); // PUBREC
    for (let phone = OFFLINE; phone < PHONES; phone++) if (phone !== from) store.dropDelivery(`phone-${phone}`, orders[phone]!);
    store.dropIncoming(`phone-${from}`, 1);
    await durably(store); // PUBCOMP
  }
});
