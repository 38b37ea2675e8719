// Pictures of the views of a seeded box: npm run screenshots
//
// They go into docs/pictures/, those that the pages for users show. MIDGE_PICTURES=FOLDER takes every view in every look into a folder of yours;
// MIDGE_LOOKS=phone-dark takes those of some looks only, MIDGE_VIEWS=topics,settings those of some views, and MIDGE_LANGUAGE=de those in German.

import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Page } from 'playwright-core';
import { LOOKS, openBrowser } from './browser.ts';
import { openSeededBox, topicLine } from './seeded-box.ts';

const FOLDER = process.env['MIDGE_PICTURES'] ?? join(import.meta.dirname, '../../../docs/pictures');

const LANGUAGE = process.env['MIDGE_LANGUAGE'] ?? 'en';
const LOCALES: Readonly<Record<string, string>> = { en: 'en-GB', de: 'de-DE', fr: 'fr-FR' };
const WORDS = JSON.parse(
  readFileSync(join(import.meta.dirname, `../../../src/web/locales/${LANGUAGE}.json`), 'utf8'),
) as typeof import('../../../src/web/locales/en.json');

/** IN_DOCS are the pictures of docs/. */
const IN_DOCS: ReadonlySet<string> = new Set([
  'overview-desktop-light',
  'overview-phone-dark',
  'clients-desktop-light',
  'people-phone-dark',
  'topic-history-desktop-light',
  'topics-phone-dark',
  'settings-review-desktop-light',
  'bridges-phone-dark',
]);

/** Scene is a view as somebody finds it, after what they did there. */
interface Scene {
  readonly name: string;
  readonly path: string;
  readonly act?: (page: Page) => Promise<void>;
}

const SCENES: readonly Scene[] = [
  { name: 'overview', path: '#/overview' },
  { name: 'clients', path: '#/clients' },
  { name: 'client', path: '#/clients/home-hub' },
  { name: 'clients-refused', path: '#/clients?show=refused' },
  { name: 'people', path: '#/people' },
  { name: 'people-add', path: '#/people?add=porch-light' },
  { name: 'person', path: '#/people/john' },
  {
    name: 'outside',
    path: '#/outside',
    async act(page) {
      await page.getByRole('button', { name: WORDS['outside.checkDo'] }).click();
      await page.locator('.outside-steps li').first().waitFor();
    },
  },
  {
    name: 'topics',
    path: '#/topics',
    async act(page) {
      for (const level of ['home', 'kitchen']) await topicLine(page, level).click();
      await topicLine(page, 'temperature').waitFor();
    },
  },
  {
    name: 'topic',
    path: '#/topics',
    async act(page) {
      await topicLine(page, 'owntracks').click();
      await topicLine(page, 'jane').click();
      await topicLine(page, 'phone').click();
      await page.getByRole('heading', { name: 'owntracks/jane/phone' }).waitFor();
    },
  },
  {
    name: 'topic-history',
    path: '#/topics/home%2Fkitchen%2Ftemperature',
    async act(page) {
      await page.locator('.topic-history li').nth(4).waitFor();
      await page.locator('.topic-detail dd', { hasText: 'hub' }).waitFor();
    },
  },
  {
    name: 'topics-delete',
    path: '#/topics',
    async act(page) {
      await page.getByRole('button', { name: WORDS['topics.deleteRetained'] }).click();
      await page.getByLabel(WORDS['topics.filter']).fill('home/#');
      await page.getByRole('button', { name: WORDS['topics.preview'] }).click();
      await page.getByText(WORDS['topics.goesForGood']).waitFor();
    },
  },
  {
    name: 'topics-publish',
    path: '#/topics',
    act: async (page) => page.getByRole('button', { name: WORDS['topics.publish'], exact: true }).click(),
  },
  {
    name: 'settings',
    path: '#/settings',
    act: async (page) => page.locator('summary').nth(1).click(),
  },
  {
    name: 'settings-review',
    path: '#/settings',
    async act(page) {
      await page.getByPlaceholder(WORDS['settings.search']).fill('max_keepalive');
      const field = page.getByLabel('max_keepalive', { exact: true });
      await field.fill('120');
      await field.press('Enter');
      await page.getByRole('button', { name: WORDS['settings.review'] }).click();
      await page.getByRole('button', { name: WORDS['settings.apply'] }).waitFor();
    },
  },
  { name: 'log', path: '#/log' },
  { name: 'why', path: '#/log?show=why' },
  { name: 'certificates', path: '#/certificates' },
  { name: 'phones', path: '#/phones' },
  { name: 'updates', path: '#/updates' },
  { name: 'where', path: '#/where' },
  { name: 'backup', path: '#/backup' },
  {
    name: 'bridges',
    path: '#/bridges',
    async act(page) {
      await page.getByRole('button', { name: WORDS['bridges.test'] }).click();
      await page.getByLabel(WORDS['bridges.steps']).waitFor();
    },
  },
  {
    name: 'bridges-connect',
    path: '#/bridges',
    act: async (page) => page.getByRole('button', { name: WORDS['bridges.connect'] }).click(),
  },
  {
    name: 'settings-listener',
    path: '#/settings',
    act: async (page) => void (await page.getByLabel(WORDS['settings.of']).selectOption({ index: 1 })),
  },
];

test('screenshots', async (context) => {
  const browser = await openBrowser(context);
  const { box, session, hub } = await openSeededBox(context);
  mkdirSync(FOLDER, { recursive: true });
  const isWanted = (name: string, of: string | undefined) => of === undefined || of.split(',').includes(name);
  const scenes = SCENES.filter(({ name }) => isWanted(name, process.env['MIDGE_VIEWS']));
  let count = 0;
  const sensor = setInterval(() => {
    const temperature = (22 + Math.sin(count++)).toFixed(1);
    hub.publish('home/kitchen/temperature', temperature, { retain: true });
  }, 3000);
  context.after(() => clearInterval(sensor));
  for (const look of LOOKS.filter(({ name }) => isWanted(name, process.env['MIDGE_LOOKS']))) {
    const { page } = await browser.visit(box, { look, session, locale: LOCALES[LANGUAGE] ?? LANGUAGE });
    for (const { name, path, act } of scenes) {
      if (process.env['MIDGE_PICTURES'] === undefined && !IN_DOCS.has(`${name}-${look.name}`)) continue;
      await page.goto('about:blank');
      await page.goto(`${box.url}/${path}`);
      await page
        .getByRole('heading', { level: 1 })
        .or(page.getByRole('heading', { level: 2 }))
        .first()
        .waitFor();
      await act?.(page);
      await page.waitForTimeout(700); // charts are drawn, numbers have come
      await page.screenshot({ path: join(FOLDER, `${name}-${look.name}.png`), fullPage: process.env['MIDGE_PICTURES'] !== undefined });
    }
  }
});
