// Every view in every look: nothing keeps anybody from using it, and nothing is wider than the screen.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LOOKS, noBrowser, openBrowser } from './browser.ts';
import { openSeededBox } from './seeded-box.ts';

/** The addresses behind #, with a place inside a view where there is one. */
const PLACES = [
  'overview',
  'clients',
  'clients?show=refused',
  'clients/home-hub',
  'people',
  'people/john',
  'phones',
  'outside',
  'topics',
  'topics/owntracks%2Fjane%2Fphone',
  'phones',
  'where',
  'where/jane/phone',
  'bridges',
  'certificates',
  'settings',
  'log',
  'log?show=why',
  'log?show=changes',
  'backup',
];

for (const look of LOOKS) {
  test(`every view is for everybody: ${look.name}`, { skip: noBrowser }, async (context) => {
    const browser = await openBrowser(context);
    const { box, session } = await openSeededBox(context);
    const { page, audit } = await browser.visit(box, { look, session });
    await page.goto(box.url);
    for (const place of PLACES) {
      await page.goto(`${box.url}/#/${place}`);
      await page.locator('main h1, main h2').first().waitFor();
      while ((await page.locator('.face.loading').count()) > 0) await page.waitForTimeout(20);
      await audit();
      const [wide, screen] = (await page.evaluate('[document.documentElement.scrollWidth, innerWidth]')) as [number, number];
      assert.ok(wide <= screen, `${place} is ${wide} pixels wide on a screen of ${screen}`);
    }
  });
}

test('clients stay in sight until those that are searched have come, and go when the search is refused', {
  skip: noBrowser,
}, async (context) => {
  const browser = await openBrowser(context);
  const { box, session } = await openSeededBox(context);
  const { page, expect } = await browser.visit(box, { session });
  const client = (id: string) => page.getByRole('link', { name: id, exact: true });
  await page.goto(`${box.url}/#/clients`);
  await client('johns-phone').waitFor();
  const release = Promise.withResolvers<void>();
  await page.route(/clients\?.*search=kitchen/, async (route) => {
    await release.promise;
    await route.continue();
  });
  const asked = page.waitForRequest(/clients\?.*search=kitchen$/);
  await page.getByLabel('Search clients').pressSequentially('kitchen');
  await asked;
  assert.equal(await client('johns-phone').count(), 1);
  release.resolve();
  await client('johns-phone').waitFor({ state: 'detached' });
  await client('kitchen-sensor-4f21').waitFor();

  expect(/ 422 /);
  await page.route(/clients\?.*search=porch/, (route) =>
    route.fulfill({ status: 422, contentType: 'application/problem+json', body: '{"detail":"The input does not fit","status":422}' }),
  );
  await page.getByLabel('Search clients').fill('porch');
  await page.getByText('The input does not fit').waitFor();
  assert.equal(await client('kitchen-sensor-4f21').count(), 0);
});
