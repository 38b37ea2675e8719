// Where everybody is: the list live, the way of a phone with and without a map, and what is kept deleted.

import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Page, Route } from 'playwright-core';
import { mqttClient } from '../../support/clients/mqtt-client.ts';
import { pmtilesFile } from '../../support/map/pmtiles-file.ts';
import { OWNER, openBox } from './box.ts';
import { LOOKS, noBrowser, openBrowser } from './browser.ts';
import { openSeededBox } from './seeded-box.ts';

const PICTURES = process.env['MIDGE_PICTURES'];

/** A red dot. */
const FACE = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg==';

const DAY_S = 24 * 3600;

/** From the Brandenburg Gate eastwards: a point three days ago, then one every two minutes up to now. */
function walk(count: number): readonly object[] {
  const now = Math.floor(Date.now() / 1000);
  return Array.from({ length: count }, (_, index) => ({
    ...{ _type: 'location', tid: 'JA', acc: 8, batt: 80 - index, bs: 1 },
    ...{ lat: 52.5163 + 0.0004 * Math.sin(index), lon: 13.3777 + 0.0011 * index },
    tst: now - (index === 0 ? 3 * DAY_S : 120 * (count - 1 - index)),
  }));
}

async function house(context: Parameters<typeof openBox>[0]) {
  const box = await openBox(context, { before: ['location_history all'] });
  const session = await box.claim();
  const client = await mqttClient(context, { port: box.port, clientId: 'walker', ...OWNER });
  const send = (topic: string, message: object, retain = true) => client.publishAsync(topic, JSON.stringify(message), { qos: 1, retain });
  return { box, session, send };
}

async function familyMoves(send: (topic: string, message: object, retain?: boolean) => Promise<unknown>): Promise<void> {
  await send('owntracks/jane/phone/info', { _type: 'card', name: 'Jane Doe', face: FACE });
  for (const each of walk(12)) await send('owntracks/jane/phone', each);
  await send('owntracks/tom/phone', { _type: 'encrypted', data: 'AAAA' });
  const tst = Math.floor(Date.now() / 1000);
  await send('owntracks/ann/tablet', { _type: 'location', lat: 52.52, lon: 13.41, tst: tst - 300, batt: 41, addr: 'Alexanderplatz 1' });
}

async function isWithin(page: Page): Promise<void> {
  assert.equal(await page.evaluate('document.documentElement.scrollWidth <= innerWidth'), true, 'nothing stands beyond the edge');
}

for (const look of LOOKS) {
  for (const hasMap of [false, true]) {
    test(`everybody is shown ${hasMap ? 'on the map' : 'on a plain sheet'}, moves live, and the history goes: ${look.name}`, {
      skip: noBrowser,
    }, async (context) => {
      const browser = await openBrowser(context, ['--use-gl=angle', '--use-angle=swiftshader', '--enable-unsafe-swiftshader']);
      const { box, session, send } = await house(context);
      if (hasMap) writeFileSync(join(box.state, 'tiles.pmtiles'), pmtilesFile());
      const { page, audit, expect } = await browser.visit(box, { session, look });
      expect(/^console: .*GL Driver Message .*GPU stall due to ReadPixels/);
      const picture = async (name: string) => {
        const file = `where-${look.name}-${hasMap ? 'map' : 'sheet'}-${name}.png`;
        if (PICTURES !== undefined) await page.screenshot({ path: join(PICTURES, file), fullPage: true });
      };
      await page.goto(`${box.url}/#/where`);
      await page.getByText('No phone whose location you may see').waitFor();
      await audit();
      await familyMoves(send);
      const table = page.getByRole('table', { name: 'Where is everybody' });
      const place = table.getByRole('link', { name: 'Alexanderplatz 1' });
      await place.waitFor();
      assert.deepEqual(await Promise.all(['href', 'target', 'rel'].map((name) => place.getAttribute(name))), [
        'https://www.openstreetmap.org/?mlat=52.52&mlon=13.41#map=17/52.52/13.41',
        '_blank',
        'noopener noreferrer',
      ]);
      await page.getByText('openstreetmap.org is told the place').waitFor();
      await table.getByText('encrypted', { exact: true }).waitFor();
      await table.getByRole('link', { name: 'Jane Doe · phone' }).waitFor();
      await page.locator('img.face-picture').waitFor();
      await page.getByText('5 minutes ago').first().waitFor();
      await page.getByLabel('Distance from').selectOption({ label: 'ann · tablet' });
      await table.getByText(/^1\.\d km$/).waitFor();
      await send(
        'owntracks/jane/phone/event',
        { _type: 'transition', event: 'enter', desc: 'home', tst: Math.floor(Date.now() / 1000), wtst: 1 },
        false,
      );
      await table.getByText('Jane Doe arrived at home').waitFor();
      await groundIsShown(page, hasMap ? look.colors : null);
      await audit();
      await isWithin(page);
      await picture('list');
      await table.getByRole('link', { name: 'Jane Doe · phone' }).click();
      await page.getByRole('heading', { level: 1, name: 'jane · phone' }).waitFor();
      const points = page.getByRole('table', { name: 'Points' });
      await points.getByText('69%').waitFor();
      assert.equal(await points.getByText('80%').count(), 0, 'of three days ago');
      await page.getByLabel('7 days').check();
      await points.getByText('80%').waitFor();
      assert.equal(await points.getByRole('row').count(), 13);
      await page.getByText('jane arrived at home').waitFor();
      await groundIsShown(page, hasMap ? look.colors : null);
      await audit();
      await isWithin(page);
      await picture('track');
      await page.getByLabel('From … to').check();
      await page.getByLabel('To', { exact: true }).fill('2020-01-01');
      await page.getByText('Nothing is kept of this time.').waitFor();
      await audit();
      await page.getByRole('button', { name: 'Delete history' }).click();
      const dialog = page.getByRole('dialog', { name: 'Delete the history of “jane/phone”?' });
      await dialog.getByText('Nothing of it is kept.').waitFor();
      await dialog.getByLabel('All of this phone').check();
      await dialog.getByText('13 locations of “jane/phone” would go. This cannot be undone. The last location goes too.').waitFor();
      await audit();
      await picture('delete');
      await dialog.getByRole('button', { name: 'Delete for good' }).click();
      await page.getByText('13 locations of “jane/phone” are deleted.').waitFor();
      await page.getByLabel('7 days').check();
      await page.getByText('Nothing is kept of this time.').waitFor();
    });
  }
}

test('a preview of a deletion is that of what is chosen', { skip: noBrowser }, async (context) => {
  const browser = await openBrowser(context);
  const { box, session, send } = await house(context);
  await familyMoves(send);
  const { page, audit, expect } = await browser.visit(box, { session });
  expect(/^console: Failed to load resource: .* 409 /);
  await page.goto(`${box.url}/#/where/jane/phone`);
  await page.getByRole('button', { name: 'Delete history' }).click();
  const dialog = page.getByRole('dialog', { name: 'Delete the history of “jane/phone”?' });
  await dialog.getByText(/^\d+ locations? of “jane\/phone” would go/).waitFor();
  let fail = () => {};
  const asked = new Promise<void>((resolve) => {
    const hold = (route: Route) => {
      fail = () => void route.fulfill({ status: 409, contentType: 'application/problem+json', json: { status: 409, detail: 'no disk' } });
      resolve();
    };
    void page.route('**/api/v1/location-deletions', hold, { times: 1 });
  });
  await dialog.getByLabel('All of this phone').check();
  await asked;
  await dialog.getByText(/would go/).waitFor({ state: 'detached' });
  assert.equal(await dialog.getByRole('button', { name: 'Delete for good' }).isDisabled(), true);
  await audit();
  fail();
  await dialog.getByText('no disk').waitFor();
  assert.equal(await dialog.getByRole('button', { name: 'Delete for good' }).isDisabled(), true);
  await dialog.getByRole('button', { name: 'Try again' }).click();
  await dialog.getByText(/^12 locations of “jane\/phone” would go/).waitFor();
  assert.equal(await dialog.getByRole('button', { name: 'Delete for good' }).isEnabled(), true);
});

test('owner changes what is kept, on trial, and a damaged map gives way to the sheet', { skip: noBrowser }, async (context) => {
  const browser = await openBrowser(context);
  const { box, session, send } = await house(context);
  writeFileSync(join(box.state, 'tiles.pmtiles'), 'no map at all');
  await familyMoves(send);
  const { page, audit } = await browser.visit(box, { session });
  await page.goto(`${box.url}/#/where`);
  await page.getByText('The map cannot be shown').waitFor();
  await page.locator('svg.track-plot').waitFor();
  await page.getByText('Locations are kept for 90 days, on this box only.').waitFor();
  await page.getByLabel('Days', { exact: true }).fill('30');
  await page.getByRole('button', { name: 'Save' }).click();
  await page.getByRole('button', { name: 'Keep' }).click();
  await page.getByText('Locations are kept for 30 days, on this box only.').waitFor();
  await audit();
  assert.match(readFileSync(box.file, 'utf8'), /^location_history_days 30$/m);
});

/** Pictures of a map until its tiles have been drawn. */
const MOST_LOOKS = 100;

/** As in src/web/where/map-style.ts. */
const WATER = { light: [181, 211, 231], dark: [20, 41, 58] } as const;

async function groundIsShown(page: Page, map: 'light' | 'dark' | null): Promise<void> {
  if (map === null) {
    await page.locator('svg.track-plot text').first().waitFor();
    const height = Number(await page.evaluate(heightOfWords));
    assert.ok(height >= 12, `words on the sheet are ${height} px high`);
    return;
  }
  const place = page.locator('.map-place[data-ready]');
  await place.locator('canvas').waitFor();
  await page.getByText('Test makers').waitFor();
  for (let looks = 0; looks < MOST_LOOKS; looks++) {
    const picture = (await place.screenshot()).toString('base64');
    if ((await page.evaluate(`(${countColour})(${JSON.stringify(picture)}, ${JSON.stringify(WATER[map])})`)) !== 0) return;
  }
  assert.fail('no tile was drawn');
}

/** Runs in the page: pixels of a word on the sheet. */
const heightOfWords = `(() => {
  const word = document.querySelector('svg.track-plot text');
  return parseFloat(getComputedStyle(word).fontSize) * word.getScreenCTM().a;
})()`;

/** Runs in the page: pixels of a picture that have a colour, or nearly. */
const countColour = `async (picture, colour) => {
  const image = new Image();
  image.src = 'data:image/png;base64,' + picture;
  await image.decode();
  const canvas = Object.assign(document.createElement('canvas'), { width: image.width, height: image.height });
  const context = canvas.getContext('2d');
  context.drawImage(image, 0, 0);
  const { data } = context.getImageData(0, 0, image.width, image.height);
  let count = 0;
  for (let at = 0; at < data.length; at += 4) if (colour.every((each, index) => Math.abs(data[at + index] - each) <= 2)) count++;
  return count;
}`;

test('phone of a box that keeps nothing says so, and its owner comes to the settings', { skip: noBrowser }, async (context) => {
  const browser = await openBrowser(context);
  const box = await openBox(context, { before: ['persistence false'] });
  const { page } = await browser.visit(box, { session: await box.claim() });
  await page.goto(`${box.url}/#/where/jane/phone`);
  await page.getByText('Nothing is kept: the box forgets everything when it restarts.').waitFor();
  await page.getByRole('link', { name: 'Open the settings' }).click();
  await page.getByRole('heading', { name: 'Settings', level: 1 }).waitFor();
  assert.equal(await page.getByLabel('Find a setting').inputValue(), 'persistence');
  await page.getByLabel('persistence', { exact: true }).waitFor();
});

test('guest who sees nobody but themselves is told whom to ask', { skip: noBrowser }, async (context) => {
  const browser = await openBrowser(context);
  const { box, session } = await openSeededBox(context);
  const answer = await fetch(`${box.url}/api/v1/roles/john`, {
    method: 'PUT',
    headers: { cookie: session.cookie, 'x-csrf-token': session.csrfToken, 'content-type': 'application/json' },
    body: JSON.stringify({ role: 'viewer' }),
  });
  assert.equal(answer.status, 200, await answer.text());
  const john = await box.signIn({ username: 'john', password: 'a long enough password' });
  const { page, audit } = await browser.visit(box, { session: john });
  const phone = (person: string) => ({
    ...{ topic: `owntracks/${person}/phone`, person, device: 'phone', name: null, picture: null, last: null, transition: null },
    waypoints: [],
  });
  let people = ['john'];
  await page.route('**/api/v1/locations', (route) => route.fulfill({ json: { phones: people.map(phone) } }));
  await page.goto(`${box.url}/#/where`);
  const hint = page.getByText('ask the owner of this box to put you in a group with them');
  await hint.waitFor();
  await audit();
  people = [];
  await page.reload();
  await hint.waitFor();
  people = ['john', 'ann'];
  await page.reload();
  await page.getByRole('link', { name: 'ann · phone' }).waitFor();
  assert.equal(await hint.count(), 0);
});
