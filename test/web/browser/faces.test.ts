// Each view in the states that a good day does not have: nothing there yet, no answer yet, a refusal, and a box that is away.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { Page, Route } from 'playwright-core';
import { openBox } from './box.ts';
import { LOOKS, noBrowser, openBrowser } from './browser.ts';

/** As in the table of views, and places inside some of them. */
const VIEWS = [
  ...Array.from(
    readFileSync(join(import.meta.dirname, '../../../src/web/views.ts'), 'utf8').matchAll(/path: '([\w-]+)', title/g),
    ([, path = '']) => path,
  ),
  'clients/nobody',
  'clients?show=refused',
  'people/nobody',
  'topics/home%2Fdoor',
  'where/jane/phone',
];

/** Views that show a form at once, and ask the box when somebody uses it. */
const NOTHING_TO_LOAD = ['backup'];
const LOADING = VIEWS.filter((each) => !NOTHING_TO_LOAD.includes(each));

/** What the page asks before there is a view. */
const WELCOME = /\/api\/v1\/(welcome|session)$/;

const SENTENCE = 'The cupboard under the stairs is locked';

/** Chromium writes each answer that is no success into the console. */
const NO_SUCCESS = /^console: (Failed to load resource|.*ERR_)/;

for (const look of LOOKS.filter(({ name }) => name === 'desktop-light' || name === 'phone-dark')) {
  test(`every view says that nothing is there yet, and how something comes: ${look.name}`, { skip: noBrowser }, async (context) => {
    const { visitView, page, audit } = await open(context, look);
    for (const view of VIEWS) {
      await visitView(view);
      while ((await page.locator('.face.loading:visible').count()) > 0) await page.waitForTimeout(20);
      assert.equal(await page.locator('.face.failed').count(), 0, view);
      await audit();
    }
  });

  test(`every view says that it loads: ${look.name}`, { skip: noBrowser }, async (context) => {
    const { visitView, page, audit, intercept } = await open(context, look);
    for (const view of LOADING) {
      const held: Route[] = [];
      const end = await intercept((route) => void held.push(route));
      await visitView(view);
      await page
        .locator('.face.loading:visible')
        .first()
        .waitFor()
        .catch(() => assert.fail(`${view} does not say that it loads`));
      await audit();
      await end();
      for (const route of held) await route.continue().catch(() => {}); // the page may have left meanwhile
    }
  });

  test(`every view says why it shows nothing, and comes when it is asked again: ${look.name}`, { skip: noBrowser }, async (context) => {
    const { visitView, page, audit, intercept } = await open(context, look);
    const problem = JSON.stringify({ type: 'about:blank', title: 'Conflict', status: 409, detail: SENTENCE });
    for (const view of LOADING) {
      const end = await intercept((route) => route.fulfill({ status: 409, contentType: 'application/problem+json', body: problem }));
      await visitView(view);
      await page
        .getByText(SENTENCE)
        .filter({ visible: true })
        .first()
        .waitFor()
        .catch(() => assert.fail(`${view} does not say why`));
      await audit();
      await end();
      while ((await page.locator('.face.failed:visible').count()) > 0) {
        await page
          .locator('.face.failed:visible')
          .getByRole('button')
          .first()
          .click({ timeout: 1000 })
          .catch(() => {}); // it may have gone by itself
        await page.waitForTimeout(20);
      }
      await audit();
    }
  });

  test(`every view says that the box is away, and goes on by itself: ${look.name}`, { skip: noBrowser }, async (context) => {
    const { visitView, page, audit, intercept } = await open(context, look);
    const banner = page.locator('.disconnected');
    for (const view of LOADING) {
      const end = await intercept((route) => route.abort());
      await visitView(view);
      await banner.waitFor();
      await audit();
      await end();
      await banner.waitFor({ state: 'detached' });
      while ((await page.locator('.face.loading:visible, .face.failed:visible').count()) > 0) await page.waitForTimeout(20);
    }
  });
}

async function open(context: TestContext, look: (typeof LOOKS)[number]) {
  const browser = await openBrowser(context);
  const box = await openBox(context);
  const { page, audit, expect } = await browser.visit(box, { look, session: await box.claim() });
  expect(NO_SUCCESS);
  await page.goto(box.url);
  await page.locator('main h1').waitFor();
  return {
    page,
    /** audit looks when there is a heading, which comes with the code of the view. */
    async audit() {
      await page.locator('h1').first().waitFor({ state: 'attached' });
      await audit();
    },
    visitView: (view: string) => visitView(page, box.url, view),
    /** intercept answers in the place of the box, until the function that it gives is called. */
    async intercept(answer: (route: Route) => unknown) {
      await visitView(page, box.url, 'backup'); // away from what has been loaded
      const isMeant = ({ pathname }: URL) => (pathname.startsWith('/api/') || pathname === '/ready') && !WELCOME.test(pathname);
      await page.route(isMeant, answer);
      return () => page.unroute(isMeant, answer);
    },
  };
}

async function visitView(page: Page, url: string, view: string): Promise<void> {
  await page.goto(`${url}/#/${view}`);
  await page.locator('main h1, main .face').first().waitFor();
}
