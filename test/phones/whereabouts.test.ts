// What OwnTracks' messages mean, as both apps send them and as nobody should: https://owntracks.org/booklet/tech/json

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { jsonObject, readOwnTracks } from '../../src/phones/owntracks-message.ts';
import { Whereabouts } from '../../src/phones/whereabouts.ts';

const NOW = Date.UTC(2026, 5, 1);
const CLOCK = { now: NOW, isTrusted: true };
const HERE = { _type: 'location', lat: 52.5, lon: 13.4 };
const TST = NOW / 1000 - 600;

function recordOf(message: object, clock = CLOCK) {
  const read = readOwnTracks(jsonObject(Buffer.from(JSON.stringify(message))) ?? {}, clock);
  return read?.type === 'record' ? read.record : null;
}

for (const { title, tst, at, isTrusted = true } of [
  { title: 'right', tst: TST, at: TST * 1000 },
  { title: 'a little ahead', tst: NOW / 1000 + 300, at: NOW + 300_000 },
  { title: 'far ahead', tst: NOW / 1000 + 86_400, at: NOW },
  { title: 'of 1970', tst: 17, at: NOW },
  { title: 'missing', tst: undefined, at: NOW },
  { title: 'no number', tst: 'soon', at: NOW },
  { title: 'beyond all time', tst: 1e300, at: NOW },
  { title: 'text, as some senders write it', tst: String(TST), at: TST * 1000 },
  { title: 'ahead of a box that does not know the time', tst: NOW / 1000 + 9e6, at: NOW + 9e9, isTrusted: false },
]) {
  test(`a location is known by a time that hides no other when the phone's time is ${title}`, () => {
    assert.equal(recordOf({ ...HERE, tst }, { now: NOW, isTrusted })?.at, at);
  });
}

test('a location keeps what the apps send, without pictures, and nothing that is out of range', () => {
  const record = recordOf({
    ...HERE,
    tst: TST,
    acc: 4.7,
    batt: '80',
    vel: -1,
    cog: 900,
    bs: 2,
    conn: 'w',
    tid: 'JA',
    t: 'u',
    SSID: 'Home',
    _id: 'x',
    image: 'x'.repeat(9999),
    long: 'y'.repeat(900),
  });
  const { acc, batt, vel, cog, bs, conn, tid, t, details } = record ?? assert.fail('it is a location');
  assert.deepEqual(
    { acc, batt, vel, cog, bs, conn, tid, t },
    { acc: 4.7, batt: 80, vel: null, cog: null, bs: 2, conn: 'w', tid: 'JA', t: 'u' },
  );
  assert.equal(details, '{"SSID":"Home"}');
  for (const bad of [{ lat: 91 }, { lon: -181 }, { lat: null }, { lon: 'east' }])
    assert.equal(recordOf({ ...HERE, tst: TST, ...bad }), null);
});

test('an encrypted message stays what it is', () => {
  const data = 'R7S1ePjbEdSpTHl1dLPDEJGk1oCYcQQhKd2Bh0VdTQ1yMFZXmQ==';
  const record = recordOf({ _type: 'encrypted', data });
  assert.deepEqual([record?.kind, record?.at, record?.lat, record?.details], ['encrypted', NOW, null, JSON.stringify({ data })]);
  for (const bad of ['', '<b>', 17, 'x'.repeat(9000)]) assert.equal(recordOf({ _type: 'encrypted', data: bad }), null);
});

test('whereabouts keep the latest of each kind, forget by time, and a deleted retained message takes its location along', () => {
  const live = new Whereabouts();
  const told: (string | null)[] = [];
  live.onChange(({ record }) => told.push(record?.kind ?? null));
  const take = (end: string, message: object | '') =>
    live.take(`owntracks/jane/phone${end}`, Buffer.from(message === '' ? '' : JSON.stringify(message)), CLOCK);
  assert.equal(take('', { ...HERE, tst: TST })?.topic, 'owntracks/jane/phone');
  take('', { ...HERE, lat: 1, tst: TST - 60 });
  assert.equal(live.find('owntracks/jane/phone')?.last?.lat, 52.5, 'an older one that comes late is not the last');
  take('/event', { _type: 'transition', event: 'leave', desc: 'Work', lat: 52.4, lon: 13.3, tst: TST + 60, wtst: 1 });
  take('/info', { _type: 'card', name: 'Jane', face: '<script>' });
  take('/waypoints', {
    _type: 'waypoints',
    waypoints: [{ desc: 'Home', lat: 1, lon: 2, tst: 7, rad: 50 }, { desc: 'no place', tst: 8 }, 17],
  });
  take('/waypoint', { _type: 'waypoint', desc: 'New home', lat: 3, lon: 4, tst: 7, rad: 60 });
  const { transition, card, waypoints } = live.find('owntracks/jane/phone') ?? assert.fail();
  assert.deepEqual(
    [transition?.lat, card, waypoints],
    [52.4, { name: 'Jane', face: null }, [{ tst: 7, desc: 'New home', lat: 3, lon: 4, rad: 60 }]],
  );
  assert.deepEqual(told, ['location', 'location', 'transition', null, null, null]);
  live.forget('owntracks/jane/phone', 0, TST * 1000);
  assert.deepEqual([live.find('owntracks/jane/phone')?.last, live.find('owntracks/jane/phone')?.transition?.lat], [null, 52.4]);
  take('', { ...HERE, tst: TST });
  take('/info', '');
  take('', '');
  assert.deepEqual(live.list(), []);
  for (const topic of ['owntracks/jane', 'owntracks//phone', 'home/jane/phone', 'owntracks/jane/phone/a/b'])
    assert.equal(live.take(topic, Buffer.from(JSON.stringify(HERE)), CLOCK), null);
});

test('encrypted messages that come at once are several', () => {
  const live = new Whereabouts();
  const data = ['AAAA', 'BBBB', 'CCCC'];
  const times = data.map(
    (each) => live.take('owntracks/jane/phone', Buffer.from(JSON.stringify({ _type: 'encrypted', data: each })), CLOCK)?.at,
  );
  assert.deepEqual(times, [NOW, NOW + 1, NOW + 2]);
});

test('whereabouts take anything that a client may publish, and hold no more phones than there is room for', () => {
  const live = new Whereabouts();
  fc.assert(
    fc.property(
      fc.constantFrom('', '/event', '/info', '/waypoint', '/waypoints'),
      fc.jsonValue(),
      fc.constantFrom('location', 'transition', 'card', 'waypoints', 'encrypted', 'x'),
      (end, value, type) => {
        const fields = typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...HERE, ...value, _type: type } : value;
        const record = live.take(`owntracks/a/b${end}`, Buffer.from(JSON.stringify(fields)), CLOCK);
        if (record !== null) for (const number of [record.at, record.lat ?? 0, record.lon ?? 0]) assert.ok(Number.isFinite(number));
      },
    ),
  );
  for (let index = 0; index < 1500; index++) live.take(`owntracks/p${index}/d`, Buffer.from(JSON.stringify({ ...HERE, tst: TST })), CLOCK);
  assert.equal(live.list().length, 1000);
});
