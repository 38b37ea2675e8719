// OwnTracks' HTTP mode and the interface of its Recorder, on the program itself, with the documented payloads of both apps.
// https://owntracks.org/booklet/tech/http, /tech/json; https://github.com/owntracks/recorder API.md

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import WebSocket from 'ws';
import { HOST, type House, openHouse } from './house.ts';
import { type Fields, type ScriptedPhone, setUp } from './scripted-phone.ts';
import { secureRequest } from './secure-request.ts';

const NOW = Math.floor(Date.now() / 1000);

/** As iOS sends them. */
const IOS = {
  location: {
    ...{
      _type: 'location',
      BSSID: 'b0:f2:8:45:94:33',
      SSID: 'Home',
      acc: 5,
      alt: 154,
      batt: 53,
      bs: 1,
      cog: 254,
      conn: 'w',
      created_at: NOW,
    },
    ...{ inregions: ['Home'], inrids: ['6da9cf'], lat: 52.5, lon: 13.4, m: 1, p: 100.2, t: 'u', tid: 'JA', tst: NOW - 60, vac: 4, vel: 0 },
  },
  transition: {
    _type: 'transition',
    acc: 16,
    desc: 'Home',
    event: 'enter',
    lat: 52.5,
    lon: 13.4,
    t: 'b',
    tid: 'JA',
    tst: NOW - 50,
    wtst: NOW - 9000,
  },
  card: { _type: 'card', name: 'Jane', face: 'iVBORw0KGgo=', tid: 'JA' },
};

/** As Android sends them in HTTP mode: with the topic that they would have. */
const ANDROID = {
  _type: 'location',
  ...{
    BSSID: '02:00:00:00:00:00',
    SSID: 'Office',
    _id: 'd3c1',
    acc: 14,
    alt: 95,
    batt: 87,
    bs: 2,
    cog: 0,
    conn: 'm',
    created_at: NOW,
    lat: 52.6,
  },
  ...{ lon: 13.5, m: 2, tid: 'JO', topic: 'owntracks/john/phone', tst: NOW - 40, vac: 2, vel: 31 },
};

const ENCRYPTED = { _type: 'encrypted', data: 'R7S1ePjbEdSpTHl1dLPDEJGk1oCYcQQhKd2Bh0VdTQ1yMFZXmQ==' };

interface Person {
  readonly phone: ScriptedPhone;
  readonly fields: Fields;
}

function poster(house: House, { phone, fields }: Person) {
  const authorization = `Basic ${Buffer.from(`${fields['username']}:${fields['password']}`).toString('base64')}`;
  const ask = (path: string, more: { method?: string; headers?: Record<string, string>; body?: string } = {}) =>
    secureRequest(`https://${HOST}:${house.ports.secure}${path}`, {
      ca: phone.authority,
      ...more,
      headers: { authorization, ...more.headers },
    });
  return {
    ask,
    authorization,
    post: (message: object | string, headers: Record<string, string> = {}, query = '') =>
      ask(`/pub${query}`, {
        method: 'POST',
        body: typeof message === 'string' ? message : JSON.stringify(message),
        headers: { 'content-type': 'application/json', ...headers },
      }),
  };
}

test('a phone in HTTP mode publishes by its own rules, once, and is told where its friends are', async (context) => {
  const house = await openHouse(context);
  const jane = await setUp(context, house, { person: 'jane', groups: ['family'], system: 'ios' });
  const john = await setUp(context, house, { person: 'john', groups: ['family'], system: 'android' });
  const eve = await setUp(context, house, { person: 'eve', system: 'android' });
  const seen: string[] = [];
  const watcher = await john.phone.connect(john.fields);
  const { promise: allSeen, resolve } = Promise.withResolvers<void>();
  watcher.on('message', (topic, payload) => {
    if (seen.push(`${topic} ${payload}`) === 5) resolve();
  });
  await watcher.subscribeAsync(['owntracks/+/+', 'owntracks/+/+/event', 'owntracks/+/+/info'], { qos: 1 });
  const [janes, johns, eves] = [poster(house, jane), poster(house, john), poster(house, eve)];
  for (const message of [IOS.card, IOS.transition, IOS.location]) {
    const answer = await janes.post(message, { 'x-limit-u': 'jane/phone', 'x-limit-d': 'phone' });
    assert.deepEqual([answer.status, answer.json], [200, []], answer.text);
  }
  const again = await janes.post(IOS.location);
  assert.deepEqual([again.status, again.json], [200, []]);
  assert.deepEqual((await janes.post('')).json, [], 'a body without anything is ignored');
  const [{ steps }] = (await house.ask('phones')).filter(({ person }: { person: string }) => person === 'jane');
  assert.ok(steps.tls !== null && steps.signedIn !== null && steps.location !== null);
  const told = await johns.post(ANDROID, {}, '?u=john&d=phone');
  assert.equal(told.status, 200);
  assert.deepEqual(told.json, [
    { _type: 'card', tid: 'JA', name: 'Jane', face: 'iVBORw0KGgo=', topic: 'owntracks/jane/phone/info' },
    { ...IOS.location, topic: 'owntracks/jane/phone' },
  ]);
  assert.deepEqual(
    (await johns.post({ ...ANDROID, tst: NOW - 30 })).json.map(({ _type }: { _type: string }) => _type),
    ['location'],
    'the picture is not told each time',
  );
  assert.deepEqual((await eves.post({ ...ANDROID, tid: 'EV' })).json, [], 'eve shares with nobody');
  await allSeen;
  assert.deepEqual(
    seen.map((line) => line.split(' ', 1)[0]).sort(),
    ['owntracks/jane/phone', 'owntracks/jane/phone/event', 'owntracks/jane/phone/info', 'owntracks/john/phone', 'owntracks/john/phone'],
    'the repetition was published once',
  );
  const encrypted = await janes.post(ENCRYPTED);
  assert.equal(encrypted.status, 200);
  const { letIn } = await house.ask('why', { about: 'jane/phone' });
  assert.deepEqual([letIn?.clientId, letIn?.address], ['', '127.0.0.1']);
  const { phones } = await house.ask('locations');
  const { last } = phones.find(({ person }: { person: string }) => person === 'jane');
  assert.deepEqual([last.kind, last.lat, last.data], ['encrypted', null, ENCRYPTED.data]);
  assert.deepEqual((await johns.post({ ...ANDROID, tst: NOW - 20 })).json, [{ ...ENCRYPTED, topic: 'owntracks/jane/phone' }]);
});

for (const system of ['ios', 'android'] as const) {
  test(`link for HTTP mode sets ${system} up: it posts with exactly what it was handed, and comes to every check mark`, async (context) => {
    const house = await openHouse(context);
    const jane = await setUp(context, house, { person: 'jane', groups: ['family'], system, use: 'owntracks-http' });
    const { url, mode, username, password, deviceId, tid, auth } = jane.fields;
    assert.deepEqual([mode, auth, url], [3, true, `https://${HOST}:${house.ports.secure}/pub`]);
    assert.deepEqual(
      jane.answer.json.fields.map(([, value]: string[]) => value),
      ['HTTP', url, username, password, deviceId, tid],
      'to be typed',
    );
    const answer = await secureRequest(String(url), {
      ca: jane.phone.authority,
      method: 'POST',
      body: JSON.stringify({ ...IOS.location, tid }),
      headers: {
        ...{ 'content-type': 'application/json', 'x-limit-u': String(username), 'x-limit-d': String(deviceId) },
        authorization: `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`,
      },
    });
    assert.deepEqual([answer.status, answer.json], [200, []], answer.text);
    const { steps, isSetUp, problem } = await jane.phone.state(jane.next);
    assert.ok(Object.values(steps).every((at) => at !== null));
    assert.deepEqual({ isSetUp, problem }, { isSetUp: true, problem: null });
    const [{ use, hasAccount }] = await house.ask('phones');
    assert.deepEqual({ use, hasAccount }, { use: 'owntracks-http', hasAccount: true });
    assert.equal((await house.ask('locations')).phones[0].topic, 'owntracks/jane/phone');
    assert.deepEqual((await house.ask('remove phone', { person: 'jane' })).removed, ['jane/phone']);
  });
}

test('HTTP mode refuses wrong passwords, the topics of others, plain HTTP, other web pages and what is no message', async (context) => {
  const house = await openHouse(context);
  const jane = await setUp(context, house, { person: 'jane', system: 'ios' });
  const { post, ask, authorization } = poster(house, jane);
  assert.equal((await post(IOS.location, {}, '?u=john&d=phone')).status, 403);
  assert.equal((await post('[]')).status, 422);
  assert.equal((await post({ _type: 'cmd', action: 'dump' })).status, 422);
  assert.equal((await post({ ...IOS.location, x: 'x'.repeat(300_000) })).status, 413);
  assert.equal((await post(IOS.location, { origin: 'https://elsewhere.example' })).status, 403);
  const none = await ask('/pub', { method: 'POST', body: '{}', headers: { authorization: 'Basic' } });
  assert.deepEqual([none.status, none.headers['www-authenticate']], [401, 'Basic realm="midge", charset="UTF-8"']);
  const wrong = { authorization: `Basic ${Buffer.from('jane/phone:wrong').toString('base64')}` };
  assert.equal((await post(IOS.location, wrong)).status, 401);
  const {
    refusals: [why],
  } = await house.ask('why', { about: 'jane/phone' });
  assert.match(why.reason, /password/);
  for (let index = 0; index < 12; index++) await post(IOS.location, wrong);
  assert.ok((await house.ask('throttle')).length > 0, 'wrong passwords count');
  const plain = await fetch(`http://${HOST}:${house.ports.plain}/pub`, { method: 'POST', body: '{}', headers: { authorization } });
  assert.notEqual(plain.status, 404); // this machine is private to itself
  assert.deepEqual((await house.ask('locations')).phones, []);
});

test("the Recorder's interface answers its documented questions, of those whom the rules let the account read", async (context) => {
  const house = await openHouse(context);
  const jane = await setUp(context, house, { person: 'jane', groups: ['family'], system: 'ios' });
  const john = await setUp(context, house, { person: 'john', groups: ['family'], system: 'android' });
  const eve = await setUp(context, house, { person: 'eve', system: 'android' });
  const [janes, johns, eves] = [poster(house, jane), poster(house, john), poster(house, eve)];
  for (const [index, lat] of [52.1, 52.2, 52.3].entries()) await janes.post({ ...IOS.location, lat, tst: NOW - 600 + index * 60 });
  await janes.post(IOS.card);
  await eves.post({ ...ANDROID, tid: 'EV' });
  const get = async (path: string) => (await johns.ask(path)).json;
  assert.deepEqual(await get('/api/0/list'), { results: ['jane'] });
  assert.deepEqual(await get('/api/0/list?user=jane'), { results: ['phone'] });
  assert.deepEqual(await get('/api/0/list?user=jane&device=phone'), {
    results: [`jane/phone/${new Date((NOW - 600) * 1000).toISOString().slice(0, 7)}.rec`],
  });
  const [last, ...others] = await get('/api/0/last');
  assert.deepEqual(others, []);
  assert.deepEqual(
    [last._type, last.lat, last.tst, last.username, last.device, last.topic, last.name, last.isotst],
    [
      'location',
      52.3,
      NOW - 480,
      'jane',
      'phone',
      'owntracks/jane/phone',
      'Jane',
      `${new Date((NOW - 480) * 1000).toISOString().slice(0, 19)}Z`,
    ],
  );
  assert.deepEqual(await get('/api/0/last?fields=tst,tid&user=JANE'), [{ tst: NOW - 480, tid: 'JA' }]);
  const form = await johns.ask('/api/0/locations', {
    method: 'POST',
    body: 'user=jane&device=phone',
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
  });
  assert.deepEqual(
    [form.json.count, form.json.status, form.json.data.map(({ lat }: { lat: number }) => lat)],
    [3, 200, [52.1, 52.2, 52.3]],
  );
  const limited = await johns.ask('/api/0/locations?limit=1', { headers: { 'x-limit-user': 'jane', 'x-limit-device': 'phone' } });
  assert.deepEqual(
    limited.json.data.map(({ lat }: { lat: number }) => lat),
    [52.3],
  );
  const query = '/api/0/locations?user=jane&device=phone';
  const year = new Date().getUTCFullYear();
  assert.equal((await get(`${query}&from=${year}-01-01&to=${year}-01-02`)).count, 0);
  assert.equal((await get(`${query}&from=${new Date((NOW - 550) * 1000).toISOString().slice(0, 19)}`)).count, 2);
  const geojson = await get(`${query}&format=geojson`);
  assert.deepEqual(
    [geojson.type, geojson.features.length, geojson.features[0].geometry],
    ['FeatureCollection', 3, { type: 'Point', coordinates: [13.4, 52.1] }],
  );
  const line = await get(`${query}&format=linestring`);
  assert.deepEqual(line.geometry, {
    type: 'LineString',
    coordinates: [
      [13.4, 52.1],
      [13.4, 52.2],
      [13.4, 52.3],
    ],
  });
  assert.match((await johns.ask(`${query}&format=csv&fields=lat,lon`)).text, /^lat,lon\r\n52.1,13.4\r\n/);
  assert.match((await johns.ask(`${query}&format=gpx`)).text, /<trkpt lat="52.1" lon="13.4"><ele>154<\/ele>/);
  const xml = await johns.ask(`${query}&format=xml`);
  assert.equal(xml.headers['content-type'], 'application/xml; charset=utf-8');
  assert.match(xml.text, /^<\?xml version="1.0".*\n<owntracks>\n <point>\n(?: {2}<.*\n)* {2}<lat>52.1<\/lat>\n/);
  assert.match(
    (await johns.ask(`${query}&format=xml&fields=tid,lat`)).text,
    / <point>\n {2}<tid>JA<\/tid>\n {2}<lat>52.1<\/lat>\n <\/point>\n/,
  );
  assert.match((await johns.ask('/api/0/monitor')).text, /^\d{10} owntracks\/jane\/phone\n$/);
  const photo = await johns.ask('/api/0/photo/?user=jane');
  assert.deepEqual([photo.headers['content-type'], photo.body.toString('base64')], ['image/png', IOS.card.face]);
  const unseen = await eves.ask('/api/0/photo?user=jane');
  assert.deepEqual([unseen.body.readUInt32BE(16), unseen.body.readUInt32BE(20)], [40, 40], 'an empty picture of 40 by 40');
  assert.deepEqual(await get('/api/0/q?lat=52.3&lon=13.4'), {}, 'no address was sent');
  await janes.post({ ...IOS.location, lat: 52.3, tst: NOW - 300, addr: 'Street <1> & more', cc: 'DE' });
  assert.deepEqual(await get('/api/0/q?lat=52.3002&lon=13.4003'), { cc: 'DE', addr: 'Street <1> & more', tst: NOW - 300 });
  assert.deepEqual(await get('/api/0/q?lat=52.31&lon=13.4'), {}, 'it is elsewhere');
  assert.deepEqual((await eves.ask('/api/0/q?lat=52.3&lon=13.4')).json, {}, 'eve may not read it');
  assert.equal((await johns.ask('/api/0/q?lat=x&lon=13.4')).status, 422);
  assert.match((await johns.ask(`${query}&format=xml`)).text, /<addr>Street &lt;1&gt; &amp; more<\/addr>/);
  assert.equal((await get('/api/0/version')).version, '0.9.9');
  assert.equal((await johns.ask('/api/0/kill?user=jane&device=phone')).status, 403);
  assert.equal((await johns.ask(`${query}&from=yesterday`)).status, 422);
  assert.equal((await johns.ask('/api/0/locations')).status, 422);
  assert.deepEqual((await eves.ask(query)).json.data, [], 'eve may not read it');
  assert.equal((await johns.ask('/api/0/last', { headers: { authorization: 'Basic am9objp4' } })).status, 401);
});

test('WebSocket of the Recorder tells the last on demand, and each location as it comes', async (context) => {
  const house = await openHouse(context);
  const jane = await setUp(context, house, { person: 'jane', groups: ['family'], system: 'ios' });
  const john = await setUp(context, house, { person: 'john', groups: ['family'], system: 'android' });
  const [janes, johns] = [poster(house, jane), poster(house, john)];
  await janes.post(IOS.location);
  const url = `wss://${HOST}:${house.ports.secure}/ws/last`;
  const open = (headers: Record<string, string>) => new WebSocket(url, { ca: jane.phone.authority, headers });
  const [, refused] = (await once(open({}), 'unexpected-response')) as [unknown, { statusCode: number }];
  assert.equal(refused.statusCode, 401);
  const socket = open({ authorization: johns.authorization });
  context.after(() => socket.terminate());
  await once(socket, 'open');
  const next = async () => JSON.parse(String((await once(socket, 'message'))[0]));
  socket.send('LAST');
  assert.deepEqual([(await next()).tst, 'x'], [NOW - 60, 'x']);
  const coming = next();
  await janes.post({ ...IOS.location, lat: 52.9, tst: NOW });
  const { _type, lat, topic, username } = await coming;
  assert.deepEqual({ _type, lat, topic, username }, { _type: 'location', lat: 52.9, topic: 'owntracks/jane/phone', username: 'jane' });
});
