// A real browser in a test: Debian's Chromium. Each page is watched; what no page of a box may do is a complaint, and fails the test.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { TestContext } from 'node:test';
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';
import { findProgram, missing } from '../../support/process/foreign-program.ts';
import type { Box, Session } from './box.ts';

/** noBrowser is the reason to skip a test, or false. */
export const noBrowser = missing(['chromium-headless-shell'], 'chromium-headless-shell');

/** It updates and syncs nothing, and finds no other host. */
const FLAGS = [
  '--no-sandbox',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--disable-dev-shm-usage',
  '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost',
];

/** Milliseconds that a page has for what must come: a machine in a test run may be busy. */
const PATIENCE = 30_000;

/** Look is how somebody sees a page. */
export interface Look {
  readonly name: string;
  readonly width: number;
  readonly height: number;
  readonly isPhone: boolean;
  readonly colors: 'light' | 'dark';
}

const DESKTOP = { width: 1280, height: 800, isPhone: false } as const;
const PHONE = { width: 390, height: 844, isPhone: true } as const;

/** LOOKS are those in which every view is tried. */
export const LOOKS: readonly Look[] = [
  { name: 'desktop-light', ...DESKTOP, colors: 'light' },
  { name: 'desktop-dark', ...DESKTOP, colors: 'dark' },
  { name: 'phone-light', ...PHONE, colors: 'light' },
  { name: 'phone-dark', ...PHONE, colors: 'dark' },
];

/** TestBrowser is one that ends with its test. */
export interface TestBrowser {
  /** visit opens a tab, empty so far. When the test ends, its complaints fail it. */
  visit(box: Pick<Box, 'url'>, options?: VisitOptions): Promise<Visit>;
}

/** openBrowser starts one. To be called before the box is opened: what ends first is not missed by a page. */
export async function openBrowser(test: Pick<TestContext, 'after'>, flags: readonly string[] = []): Promise<TestBrowser> {
  const executablePath = findProgram('chromium-headless-shell') ?? 'chromium-headless-shell';
  const browser = await chromium.launch({
    executablePath,
    args: [...FLAGS, ...flags],
    handleSIGINT: false,
    handleSIGTERM: false,
    handleSIGHUP: false,
  });
  const visits: Visit[] = [];
  test.after(async () => {
    const complaints = visits.flatMap((each) => each.complaints); // of before the end
    await browser.close();
    // Last of all: a hook that throws keeps those behind it from running, and what they would end from ending.
    test.after(() => assert.deepEqual(complaints, [], 'the page did what it may not'));
  });
  return {
    async visit(box, options = {}) {
      const made = await visit(browser, box, options);
      visits.push(made);
      return made;
    },
  };
}

/** Visit is a person with a browser: cookies and storage of its own, and one tab at first. */
export interface Visit {
  readonly page: Page;
  readonly context: BrowserContext;
  /** complaints are what the tabs did that no page of a box may do. */
  readonly complaints: readonly string[];
  /** openTab opens another tab with the same cookies. */
  openTab(): Promise<Page>;
  /** expect says which complaints belong to the test, for example /status of 401/: Chromium itself writes these into the console. */
  expect(pattern: RegExp): void;
  /** audit asks axe-core what keeps somebody from using the page as it is now, and whether a dialog cuts something off. Throws with what it found. */
  audit(page?: Page): Promise<void>;
}

/** VisitOptions say who comes. */
export interface VisitOptions {
  readonly look?: Look;
  /** null = nobody is signed in. */
  readonly session?: Session | null;
  readonly locale?: string;
  /** They click through the warning of a certificate that the browser does not trust. */
  readonly isPastWarnings?: boolean;
}

async function visit(browser: Browser, box: Pick<Box, 'url'>, options: VisitOptions): Promise<Visit> {
  const { look = LOOKS[0], session = null, locale = 'en-GB', isPastWarnings = false } = options;
  if (look === undefined) throw new Error('there is no look');
  const context = await browser.newContext({
    viewport: { width: look.width, height: look.height },
    colorScheme: look.colors,
    hasTouch: look.isPhone,
    isMobile: look.isPhone,
    locale,
    acceptDownloads: true,
    ignoreHTTPSErrors: isPastWarnings,
    reducedMotion: 'reduce',
  });
  context.setDefaultTimeout(PATIENCE);
  if (session !== null) await context.addCookies([cookieOf(box, session)]);
  const complaints: string[] = [];
  const expected: RegExp[] = [/^console: Failed to load resource: .* 401 .*\/api\/v1\/session$/];
  const complain = (what: string): void => {
    if (!expected.some((pattern) => pattern.test(what))) complaints.push(what);
  };
  context.on('page', (page) => watch(page, box.url, complain));
  const page = await context.newPage();
  return {
    page,
    context,
    complaints,
    openTab: () => context.newPage(),
    expect: (pattern) => void expected.push(pattern),
    audit: (which = page) => audit(which),
  };
}

function cookieOf({ url }: Pick<Box, 'url'>, { cookie }: Session) {
  const equals = cookie.indexOf('=');
  return { url, name: cookie.slice(0, equals), value: cookie.slice(equals + 1), httpOnly: true, sameSite: 'Strict' as const };
}

function watch(page: Page, url: string, complain: (what: string) => void): void {
  const ours = new URL(url).host;
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) complain(`console: ${message.text()} ${message.location().url}`.trim());
  });
  page.on('pageerror', (error) => complain(`error: ${error.stack ?? error.message}`));
  page.on('request', (request) => {
    const { protocol, host } = new URL(request.url());
    if (host !== ours && !['data:', 'blob:', 'about:'].includes(protocol)) complain(`request to ${request.url()}`);
  });
  page.on('response', (response) => {
    if (response.status() >= 500) complain(`answer ${response.status()} of ${response.url()}`);
  });
}

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

interface Violation {
  readonly id: string;
  readonly help: string;
  readonly nodes: readonly { readonly target: readonly unknown[]; readonly failureSummary?: string }[];
}

/** What changes its colour at the moment is looked at when it has: a spinner never ends. */
const SETTLED = 'document.getAnimations().every((each) => each.effect.getTiming().iterations === Infinity)';

/** What an open dialog, or its body that scrolls, holds beyond its right edge. */
const CUT_OFF =
  "[...document.querySelectorAll('dialog[open], dialog[open] > .dialog-body')].filter((each) => each.scrollWidth > each.clientWidth).map((each) => each.innerText)";

async function audit(page: Page): Promise<void> {
  // waitForFunction would evaluate text in the page, which its policy forbids.
  while (!(await page.evaluate(SETTLED))) await page.waitForTimeout(20);
  if (await page.evaluate("typeof axe === 'undefined'")) await page.evaluate(AXE);
  const violations: Violation[] = await page.evaluate(
    "axe.run(document, { resultTypes: ['violations'] }).then(({ violations }) => violations)",
  );
  const told = violations.flatMap(({ id, help, nodes }) =>
    nodes.map(({ target, failureSummary = '' }) => `${id}: ${help}: ${target.join(' ')}: ${failureSummary.replaceAll(/\s+/g, ' ')}`),
  );
  assert.deepEqual(told, [], `axe-core on ${page.url()}`);
  assert.deepEqual(await page.evaluate(CUT_OFF), [], `dialogs cut off on ${page.url()}`);
}
