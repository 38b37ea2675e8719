// Where phones are and were, on the program itself: what the apps publish, who may see it, and what deleting leaves.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openHouse } from './house.ts';
import { setUp } from './scripted-phone.ts';

const HERE = { lat: 52.5166, lon: 13.3777 };

test('locations of a phone are told by the latest and by the history, over a restart too', async (context) => {
  const house = await openHouse(context);
  const { phone, fields } = await setUp(context, house, { person: 'jane', groups: ['family'], system: 'ios' });
  const client = await phone.connect(fields);
  const now = Math.floor(Date.now() / 1000);
  const publish = (message: object, end = '') =>
    client.publishAsync(`owntracks/jane/phone${end}`, JSON.stringify(message), { qos: 1, retain: end !== '/event' });
  for (const [index, lat] of [52.1, 52.2, 52.3].entries())
    await publish({
      _type: 'location',
      ...HERE,
      lat,
      tst: now - 300 + index * 60,
      batt: 80 - index,
      bs: 1,
      conn: 'm',
      tid: 'JA',
      acc: 4.5,
      addr: 'Street 1',
      inregions: ['Home'],
    });
  await publish(
    { _type: 'transition', ...HERE, tst: now - 100, wtst: now - 9000, event: 'enter', desc: 'Home', acc: 9, t: 'c', tid: 'JA' },
    '/event',
  );
  await publish({ _type: 'card', name: 'Jane', face: 'iVBORw0KGgo=' }, '/info');
  await publish({ _type: 'location', ...HERE, tst: now + 90_000 }); // a clock that is ahead
  const look = async () => {
    const { phones } = await house.ask('locations');
    const [{ last, transition, ...rest }] = phones;
    return { last, transition, rest };
  };
  const { last, transition, rest } = await look();
  assert.deepEqual(rest, {
    person: 'jane',
    device: 'phone',
    topic: 'owntracks/jane/phone',
    name: 'Jane',
    picture: 'iVBORw0KGgo=',
    waypoints: [],
    isKept: true,
  });
  assert.deepEqual([transition.event, transition.place], ['enter', 'Home']);
  assert.ok(Date.parse(last.at) <= Date.now(), 'a clock that is ahead hides nothing');
  const history = await house.ask('location history', { person: 'jane', device: 'phone' });
  assert.deepEqual(
    history.locations.map(({ lat }: { lat: number }) => lat),
    [52.5166, 52.3, 52.2, 52.1],
  );
  assert.deepEqual(history.locations[1], {
    kind: 'location',
    at: `${new Date((now - 180) * 1000).toISOString().slice(0, 19)}Z`,
    received: history.locations[1].received,
    ...{ lat: 52.3, lon: 13.3777, accuracy: 4.5, altitude: null, velocity: null, course: null, battery: 78, batteryState: 'unplugged' },
    ...{ connection: 'mobile', trigger: null, tid: 'JA', address: 'Street 1', regions: ['Home'], data: null },
  });
  assert.equal(history.transitions.length, 1);
  await house.restart();
  assert.deepEqual(await house.ask('location history', { person: 'jane', device: 'phone' }), history);
  assert.equal((await look()).transition.place, 'Home');
  const first = await house.ask('location history', { person: 'jane', device: 'phone', limit: 3 });
  const second = await house.ask('location history', { person: 'jane', device: 'phone', limit: 3, cursor: first.cursor });
  assert.deepEqual([...first.locations, ...second.locations], history.locations);
  assert.equal(second.cursor, null);
});
