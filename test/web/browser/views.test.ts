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
  'topics',
  'topics/owntracks%2Fjane%2Fphone',
  'bridges',
  'certificates',
  'settings',
  'log',
  'log?show=why',
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
