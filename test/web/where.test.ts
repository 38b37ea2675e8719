// Places on the earth, on a sheet and in days: the sums behind the view of where everybody is.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { spanOf } from '../../src/web/views/where/span.ts';
import { typedPlace } from '../../src/web/views/where/typed-place.ts';
import { distance, flattened, roundLength } from '../../src/web/where/geo.ts';

const BERLIN = { lat: 52.5163, lon: 13.3777 };
const MUNICH = { lat: 48.1374, lon: 11.5755 };

/** Share by which a length may be wrong. */
function assertNear(actual: number, wanted: number, share: number): void {
  assert.ok(Math.abs(actual - wanted) <= wanted * share, `${actual} is not ${wanted}`);
}

test('distance is that over a globe, also across the date line and to the other side', () => {
  assertNear(distance(BERLIN, MUNICH), 504_000, 0.005);
  assert.equal(distance(BERLIN, BERLIN), 0);
  assertNear(distance({ lat: 0, lon: 179.5 }, { lat: 0, lon: -179.5 }), 111_195, 0.005);
  assertNear(distance({ lat: 90, lon: 0 }, { lat: -90, lon: 0 }), 20_015_000, 0.005);
});

test('sheet has the same scale in both directions, and a track across the date line in one piece', () => {
  for (const lat of [0, 52, -70]) {
    const [here, east, north] = flattened([
      { lat, lon: 10 },
      { lat, lon: 10.01 },
      { lat: lat + 0.01, lon: 10 },
    ]);
    assert.ok(here !== undefined && east !== undefined && north !== undefined);
    assertNear(east.x - here.x, distance({ lat, lon: 10 }, { lat, lon: 10.01 }), 0.001);
    assertNear(north.y - here.y, distance({ lat, lon: 10 }, { lat: lat + 0.01, lon: 10 }), 0.001);
    assert.equal(east.y, here.y);
  }
  const [west, east] = flattened([
    { lat: 0, lon: 179.99 },
    { lat: 0, lon: -179.99 },
  ]);
  assertNear((east?.x ?? 0) - (west?.x ?? 0), 2224, 0.001);
  assert.deepEqual(flattened([]), []);
});

test('scale is 1, 2 or 5 times a power of ten, and no longer than its place', () => {
  assert.deepEqual([1, 1.9, 2, 4.99, 5, 99, 1000, 25_000].map(roundLength), [1, 1, 2, 2, 5, 50, 1000, 20_000]);
});

test('time that is asked for has whole days of the reader, both ends included', () => {
  const now = new Date(2026, 2, 29, 15, 30); // of a night with another hour, in Europe
  const noDays = { from: '', to: '' };
  const day = (date: number) => new Date(2026, 2, date).toISOString();
  assert.deepEqual(spanOf('today', noDays, now), { from: day(29), to: null });
  assert.deepEqual(spanOf('week', noDays, now), { from: day(23), to: null });
  assert.deepEqual(spanOf('range', noDays, now), { from: null, to: null });
  const last = new Date(new Date(2026, 2, 30).getTime() - 1000).toISOString();
  assert.deepEqual(spanOf('range', { from: '2026-03-29', to: '2026-03-29' }, now), { from: day(29), to: last });
});

test('place is taken with a name and coordinates only, also with a comma, and without a radius as a point', () => {
  const typed = { name: ' Home ', lat: '52,5166', lon: '-13.3777', radius: '' };
  assert.deepEqual(typedPlace(typed), { name: 'Home', lat: 52.5166, lon: -13.3777, radius: 0 });
  assert.equal(typedPlace({ ...typed, radius: ' 80 ' })?.radius, 80);
  const wrong = [
    { name: ' ' },
    { lat: '' },
    { lon: '' },
    { lat: 'north' },
    { lat: '90.1' },
    { lon: '-181' },
    { radius: '-1' },
    { radius: 'far' },
  ];
  for (const each of wrong) assert.equal(typedPlace({ ...typed, ...each }), null, JSON.stringify(each));
});
