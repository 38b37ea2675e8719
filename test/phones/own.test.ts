// What people choose for their own phones, on the program itself: the card that others see, and places as a file and by MQTT.

import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { MqttClient } from 'mqtt';
import { readOtrw, waypointsFor } from '../../src/phones/places-file.ts';
import { runMidge } from '../support/process/midge-process.ts';
import { HOST, openHouse } from './house.ts';
import { setUp } from './scripted-phone.ts';
import { secureRequest } from './secure-request.ts';

/** One pixel. */
const PNG = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg==';

const HOME = { name: 'Home', lat: 52.5166, lon: 13.3777, radius: 100 };

test('card with a name and a picture comes to friends as the app reads it, from the terminal and over REST, and goes again', async (context) => {
  const house = await openHouse(context);
  const jane = await setUp(context, house, { person: 'jane', groups: ['family'], system: 'ios' });
  const john = await setUp(context, house, { person: 'john', groups: ['family'], system: 'android' });
  const friend = await john.phone.connect(john.fields);
  const next = () => messageOf(friend);
  const midge = (...words: string[]) => runMidge(house.folder, ['phone', ...words, '--state', house.state]);
  const file = join(house.folder, 'jane.png');
  writeFileSync(file, Buffer.from(PNG, 'base64'));
  let coming = next();
  const done = await midge('card', 'jane', '--name', 'Jane Doe', '--picture', file);
  assert.match(done.stdout, /^Changed the card at owntracks\/jane\/phone\/info\.$/m, done.stderr);
  const [topic, card = ''] = await coming;
  assert.equal(topic, 'owntracks/jane/phone/info');
  assert.deepEqual(JSON.parse(card), { _type: 'card', tid: 'JA', name: 'Jane Doe', face: PNG });
  coming = next();
  assert.equal((await midge('card', 'jane', 'phone', '--name', '')).status, 0);
  assert.deepEqual(JSON.parse((await coming)[1] ?? ''), { _type: 'card', tid: 'JA', face: PNG }, 'the picture is as before');
  assert.match((await midge('card', 'jane')).stderr, /Nothing to change/);
  assert.match((await midge('card', 'tom', '--name', 'T')).stderr, /Cannot find phone "tom" with OwnTracks/);
  writeFileSync(file, '<svg/>');
  assert.match((await midge('card', 'jane', '--picture', file)).stderr, /neither PNG nor JPEG/);
  await house.ask('add user', { username: 'owner', password: 'not a secret' });
  await house.ask('set role', { username: 'owner', role: 'admin' });
  await house.ask('add user', { username: 'jane', password: 'not a secret' });
  await house.ask('set role', { username: 'jane', role: 'viewer' });
  const rest = async (path: string, method: string, body: object, headers = {}) =>
    secureRequest(`https://${HOST}:${house.ports.secure}/api/v1${path}`, {
      ...{ ca: jane.phone.authority, method, body: JSON.stringify(body) },
      headers: { 'content-type': 'application/json', ...headers },
    });
  const session = await rest('/session', 'POST', { username: 'jane', password: 'not a secret' });
  const cookie = String(session.headers['set-cookie']).split(';', 1)[0] ?? '';
  const headers = { cookie, 'x-csrf-token': session.json.csrfToken };
  coming = next();
  const changed = await rest('/phones/jane/card', 'PATCH', { picture: null }, headers);
  assert.deepEqual([changed.status, changed.json], [200, { changed: ['owntracks/jane/phone/info'] }], changed.text);
  assert.deepEqual(await coming, ['owntracks/jane/phone/info', ''], 'nothing is left of it');
  assert.equal((await rest('/phones/john/card', 'PATCH', { name: 'J' }, headers)).status, 403, 'it is of somebody else');
  assert.equal((await rest('/phones/john/phone/places', 'POST', { places: [HOME] }, headers)).status, 403);
  assert.equal((await house.ask('locations')).phones.length, 0);
});

/** The next one that comes: topic and payload. */
function messageOf(client: MqttClient): Promise<[topic: string, payload: string]> {
  return new Promise((resolve) => client.once('message', (topic, payload) => resolve([topic, payload.toString()])));
}

test('places come to the phone as its command, as a file, and from a file, and a place that is known is moved', async (context) => {
  const house = await openHouse(context);
  const jane = await setUp(context, house, { person: 'jane', system: 'ios' });
  const client = await jane.phone.connect(jane.fields);
  const midge = (...words: string[]) => runMidge(house.folder, ['phone', 'places', ...words, '--state', house.state]);
  assert.match((await midge('jane', 'phone')).stdout, /has told no places/);
  const known = { _type: 'waypoint', desc: 'Office', lat: 52.5, lon: 13.5, rad: 50, tst: 1_700_000_000 };
  await client.publishAsync('owntracks/jane/phone/waypoint', JSON.stringify(known), { qos: 1 });
  assert.match((await midge('jane', 'phone')).stdout, /^NAME +LAT +LON +RADIUS\nOffice +52\.50000 +13\.50000 +50 m$/m);
  const command = messageOf(client);
  const sent = await midge('jane', 'phone', '--place', '52.5166,13.3777,100 Home', '--place', '52.6,13.6,80 Office');
  assert.match(sent.stdout, /^Sent 2 places to jane\/phone\./, sent.stderr);
  const [topic, payload] = await command;
  const { _type, action, waypoints } = JSON.parse(payload);
  assert.deepEqual([topic, _type, action, waypoints._type], ['owntracks/jane/phone/cmd', 'cmd', 'setWaypoints', 'waypoints']);
  const [home, office] = waypoints.waypoints;
  assert.deepEqual({ ...home, tst: 0 }, { _type: 'waypoint', desc: 'Home', lat: 52.5166, lon: 13.3777, rad: 100, tst: 0 });
  assert.deepEqual(office, { ...known, lat: 52.6, lon: 13.6, rad: 80 });
  const made = await midge('jane', 'phone', '--otrw', '--place', '52.5166,13.3777,100 Home');
  assert.deepEqual(
    readOtrw(made.stdout)?.map(({ desc, rad }) => [desc, rad]),
    [['Home', 100]],
    made.stderr,
  );
  const file = join(house.folder, 'home.otrw');
  writeFileSync(file, made.stdout);
  assert.match((await midge('jane', 'phone', '--import', file)).stdout, /^Sent 1 place to/);
  const many = Array.from({ length: 101 }, (_, at) => ({ ...known, desc: `Place ${at}`, tst: at, note: '"'.repeat(500) })); // more than 64 KiB
  writeFileSync(file, JSON.stringify({ _type: 'waypoints', waypoints: many }));
  assert.match((await midge('jane', 'phone', '--import', file)).stderr, /it has 101 places, and 100 are allowed/);
  writeFileSync(file, '{"_type":"location"}');
  assert.match((await midge('jane', 'phone', '--import', file)).stderr, /no \.otrw file/);
  assert.match((await midge('jane', 'phone', '--place', 'Home')).stderr, /Cannot read --place "Home"/);
  await setUp(context, house, { person: 'tom', system: 'android', use: 'owntracks-http' });
  assert.match((await midge('tom', 'phone', '--place', '1,2,3 X')).stderr, /takes no commands in HTTP mode/);
  assert.equal((await house.ask('send phone places', { person: 'tom', device: 'phone', places: [HOME], send: false })).sent, false);
});

test('places have times of their own by which OwnTracks knows them', () => {
  const place = (desc: string) => ({ desc, lat: 1, lon: 2, rad: 3 });
  const known = [
    { ...place('Home'), tst: 100 },
    { ...place('Office'), tst: 101 },
  ];
  assert.deepEqual(
    waypointsFor([place('Club'), place('Office'), place('School')], known, 100).map(({ desc, tst }) => [desc, tst]),
    [
      ['Club', 102],
      ['Office', 101],
      ['School', 103],
    ],
  );
});
