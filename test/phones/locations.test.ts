// Where phones are and were, on the program itself: what the apps publish, who may see it, and what deleting leaves.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runMidge } from '../support/process/midge-process.ts';
import { HOST, openHouse } from './house.ts';
import { setUp } from './scripted-phone.ts';
import { secureEvents, secureRequest } from './secure-request.ts';

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

test('the page shows a person what the phones of that person may read, and an owner who may read everything nobody', async (context) => {
  const house = await openHouse(context);
  const jane = await setUp(context, house, { person: 'jane', groups: ['family'], system: 'ios' });
  const john = await setUp(context, house, { person: 'john', groups: ['family'], system: 'android' });
  const eve = await setUp(context, house, { person: 'eve', system: 'android' });
  for (const { phone, fields } of [jane, john, eve]) {
    const client = await phone.connect(fields);
    const location = JSON.stringify({ _type: 'location', ...HERE, tst: Math.floor(Date.now() / 1000) });
    await client.publishAsync(String(fields['pubTopicBase']), location, { qos: 1, retain: true });
  }
  const { phone } = jane;
  const page = `https://${HOST}:${house.ports.secure}/api/v1`;
  const signIn = async (path: string, body: object) => {
    const answer = await secureRequest(`${page}${path}`, {
      ca: phone.authority,
      method: 'POST',
      body: JSON.stringify(body),
      headers: { 'content-type': 'application/json' },
    });
    assert.equal(answer.status, 200, answer.text);
    const cookie = String(answer.headers['set-cookie']).split(';', 1)[0] ?? '';
    const ask = async (asked: string, method = 'GET', more?: object) =>
      secureRequest(`${page}${asked}`, {
        ca: phone.authority,
        method,
        headers: { cookie, 'x-csrf-token': answer.json.csrfToken, 'content-type': 'application/json' },
        ...(more === undefined ? {} : { body: JSON.stringify(more) }),
      });
    const follow = (asked: string) => secureEvents(context, `${page}${asked}`, { ca: phone.authority, headers: { cookie } });
    return Object.assign(ask, { follow });
  };
  const { code } = await house.ask('setup code');
  const owner = await signIn('/claim', { code, username: 'owner', password: 'not a secret' });
  await house.ask('add user', { username: 'jane', password: 'not a secret' });
  await house.ask('set role', { username: 'jane', role: 'viewer' });
  const person = await signIn('/session', { username: 'jane', password: 'not a secret' });
  const seenBy = async (ask: typeof owner) => (await ask('/locations')).json.phones.map(({ topic }: { topic: string }) => topic);
  assert.deepEqual(await seenBy(owner), [], 'a rule for everything shows nobody');
  assert.deepEqual(await seenBy(person), ['owntracks/jane/phone', 'owntracks/john/phone']);
  assert.equal((await person('/locations/john/phone')).json.locations.length, 1);
  assert.equal((await person('/locations/eve/phone')).status, 403);
  assert.equal((await owner('/locations/eve/phone')).status, 403);
  await house.ask('change rules', { username: 'owner', add: [{ kind: 'topic', access: 'read', filter: 'owntracks/eve/+' }] });
  assert.deepEqual(await seenBy(owner), ['owntracks/eve/phone'], 'a rule that names it does');
  const told = await person.follow('/locations/stream');
  for (const { phone: one, fields } of [eve, john]) {
    const client = await one.connect(fields);
    await client.publishAsync(
      String(fields['pubTopicBase']),
      JSON.stringify({ _type: 'location', ...HERE, lat: 1, tst: Math.floor(Date.now() / 1000) }),
      { qos: 1 },
    );
  }
  const [first] = await told(1);
  assert.deepEqual([first.topic, first.phone.last.lat], ['owntracks/john/phone', 1], "eve's did not come");
  assert.equal((await person('/location-deletions', 'POST', { person: 'john' })).status, 403);
  const preview = await person('/location-deletions', 'POST', { person: 'jane', preview: true });
  assert.deepEqual([preview.json.locations, preview.json.messages, preview.json.preview], [1, 1, true]);
  assert.equal((await person('/locations/jane/phone')).json.locations.length, 1, 'a preview deletes nothing');
  assert.equal((await person('/location-deletions', 'POST', { person: 'jane' })).status, 200);
  assert.equal((await person('/locations/jane/phone')).json.locations.length, 0);
  assert.deepEqual(await seenBy(person), ['owntracks/john/phone']);
});

test('removing a phone or a person deletes the history and says so, and locations of a time can be forgotten', async (context) => {
  const house = await openHouse(context);
  const jane = await setUp(context, house, { person: 'jane', system: 'ios' });
  const john = await setUp(context, house, { person: 'john', system: 'android' });
  const now = Math.floor(Date.now() / 1000);
  for (const { phone, fields } of [jane, john]) {
    const client = await phone.connect(fields);
    for (const tst of [now - 7200, now - 3600, now])
      await client.publishAsync(String(fields['pubTopicBase']), JSON.stringify({ _type: 'location', ...HERE, tst }), {
        qos: 1,
        retain: true,
      });
  }
  const midge = (...words: string[]) => runMidge(house.folder, ['phone', ...words, '--state', house.state]);
  const kept = async (person: string) => (await house.ask('location history', { person, device: 'phone' })).locations.length;
  assert.equal(await kept('jane'), 3);
  const listed = await midge('locations');
  assert.match(listed.stdout, /^PERSON +DEVICE +AT +LAT .*\njane +phone +\S+ +52\.51660 +13\.37770/m, listed.stderr);
  assert.equal((await midge('locations', 'jane')).stdout.trim().split('\n').length, 4);
  const hour = new Date((now - 3000) * 1000).toISOString();
  const forgotten = await midge('forget', 'jane', 'phone', '--to', hour, '--yes');
  assert.match(forgotten.stdout, /^jane\/phone: 2 locations\nDeleted 2 locations and 0 retained messages\.$/m, forgotten.stderr);
  assert.equal(await kept('jane'), 1);
  const removed = await midge('remove', 'jane');
  assert.match(removed.stdout, /^Deleted its history: 1 location\.$/m, removed.stderr);
  assert.equal(await kept('jane'), 0);
  assert.equal((await house.ask('remove user', { username: 'john/phone' })).locations, 3);
  assert.deepEqual((await house.ask('locations')).phones, []);
  assert.match((await midge('forget', 'jane')).stdout, /^Nothing is kept of jane\.$/m);
});

test('only phones that were set up are kept, unless all are wanted or none', async (context) => {
  const house = await openHouse(context);
  const jane = await setUp(context, house, { person: 'jane', system: 'ios' });
  const client = await jane.phone.connect(jane.fields);
  const now = Math.floor(Date.now() / 1000);
  const tell = async (ago: number) => {
    const location = JSON.stringify({ _type: 'location', ...HERE, tst: now - ago });
    await client.publishAsync('owntracks/jane/phone', location, { qos: 1 });
    await house.ask('publish', { topic: 'owntracks/tom/old', payload: location, username: 'jane/phone', qos: 1 }).catch(() => {});
  };
  await house.ask('change rules', { username: 'jane/phone', add: [{ kind: 'topic', access: 'readwrite', filter: 'owntracks/tom/#' }] });
  const kept = async () => [
    (await house.ask('location history', { person: 'jane', device: 'phone' })).locations.length,
    (await house.ask('location history', { person: 'tom', device: 'old' })).locations.length,
  ];
  await tell(10);
  assert.deepEqual(await kept(), [1, 0]);
  const set = async (keep: string) =>
    house.ask('confirm configuration', { confirm: (await house.ask('change location settings', { keep })).confirm });
  await set('all');
  await tell(9);
  assert.deepEqual(await kept(), [2, 1]);
  await set('none');
  await tell(8);
  assert.deepEqual(await kept(), [2, 1]);
  await client.publishAsync('owntracks/jane/phone', JSON.stringify({ _type: 'location', ...HERE, tst: now - 100 * 86_400 }), { qos: 1 });
  const { keep, days, isPersistent, phones } = await house.ask('location settings');
  assert.deepEqual({ keep, days, isPersistent, phones }, { keep: 'none', days: 90, isPersistent: true, phones: 2 });
});
