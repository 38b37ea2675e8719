// Coming to a box and leaving it, in a real browser: the claim, the sign-in, another tab, another password, a restart of the broker.

import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import type { Page, Route } from 'playwright-core';
import { freePorts } from '../../support/network/free-ports.ts';
import { type Box, OWNER, openBox } from './box.ts';
import { LOOKS, noBrowser, openBrowser } from './browser.ts';

/** Chromium writes each answer that is no success into the console. */
const REFUSED = /^console: Failed to load resource: .* (401|403|422) /;
const GONE = /^console: (Failed to load resource: net::ERR_|.*ERR_CONNECTION)/;

async function signIn(page: Page, { username, password }: { readonly username: string; readonly password: string }): Promise<void> {
  await page.getByLabel('Name', { exact: true }).fill(username);
  await page.getByLabel('Password', { exact: true }).fill(password);
  await page.getByRole('button', { name: 'Sign in' }).click();
}

async function atWork(page: Page): Promise<void> {
  await page.getByRole('heading', { name: 'Overview', level: 1 }).waitFor();
}

async function chooseMenu(page: Page, words: string): Promise<void> {
  await page.getByRole('button', { name: OWNER.username }).click();
  await page.getByRole('dialog').getByText(words, { exact: true }).click();
}

for (const look of LOOKS) {
  test(`new box says where its code is, refuses another one, and gets its first account: ${look.name}`, {
    skip: noBrowser,
  }, async (context) => {
    const browser = await openBrowser(context);
    const box = await openBox(context);
    const { page, audit, expect } = await browser.visit(box, { look });
    expect(REFUSED);
    await page.goto(box.url);
    await page.getByRole('heading', { name: 'Welcome to your broker' }).waitFor();
    await page.getByText('Where do I find the code?').click();
    await page.getByText('sudo midge status').waitFor();
    await audit();
    await page.getByLabel('Set-up code').fill('0000-0000');
    await page.getByLabel('Your name').fill(OWNER.username);
    await page.getByLabel('Password', { exact: true }).fill(OWNER.password);
    await page.getByRole('button', { name: 'Make the account' }).click();
    await page.getByText('The set-up code is a different one.').waitFor();
    await audit();
    await page.getByLabel('Set-up code').fill(box.setupCode().toUpperCase().replaceAll('-', ' '));
    await page.getByRole('button', { name: 'Make the account' }).click();
    await atWork(page);
    await page.getByRole('link', { name: 'Add a phone' }).waitFor();
    await page.locator('.chart canvas').first().waitFor();
    await audit();
    const cookies = await page.context().cookies();
    assert.deepEqual(
      cookies.map(({ httpOnly, sameSite }) => [httpOnly, sameSite]),
      [[true, 'Strict']],
    );
  });
}

for (const look of LOOKS.filter(({ name }) => name === 'desktop-light' || name === 'phone-dark')) {
  test(`new box without a file of accounts says before the form how it gets one, and goes on when it is there: ${look.name}`, {
    skip: noBrowser,
  }, async (context) => {
    const browser = await openBrowser(context);
    const box = await openBox(context, { hasNoAccounts: true });
    const { page, audit } = await browser.visit(box, { look });
    await page.goto(box.url);
    await page.getByText('its configuration names no file of accounts').waitFor();
    assert.equal(await page.getByLabel('Set-up code').count(), 0);
    await page.getByText(box.file, { exact: true }).waitFor();
    await audit();
    const [make = '', line = '', reload = ''] = await page.locator('.to-do .command code').allTextContents();
    assert.equal(reload, 'sudo systemctl reload midge');
    const [, file = ''] = /^sudo midge passwd -c (\S+) jane$/.exec(make) ?? [];
    assert.equal(line, `password_file ${file}`);
    await box.midge(['passwd', '-c', '-b', file, OWNER.username, OWNER.password]);
    writeFileSync(box.file, readFileSync(box.file, 'utf8').replace(/^listener/m, `${line}\nlistener`));
    process.kill(box.pid, 'SIGHUP');
    await page.getByLabel('Set-up code').fill(box.setupCode());
    await page.getByLabel('Your name').fill(OWNER.username);
    await page.getByLabel('Password', { exact: true }).fill(OWNER.password);
    await page.getByRole('button', { name: 'Make the account' }).click();
    await atWork(page);
  });
}

test('new box whose only account stands in its configuration asks for that one', { skip: noBrowser }, async (context) => {
  const browser = await openBrowser(context);
  const box = await openBox(context, { hasNoAccounts: true, before: [`username ${OWNER.username}`, `password ${OWNER.password}`] });
  const { page, audit } = await browser.visit(box);
  await page.goto(box.url);
  await page.getByText('That of an account which the broker has already').waitFor();
  await page.getByText('How do I make a new account instead?').click();
  await page.getByText(/^password_file /).waitFor();
  await audit();
  await page.getByLabel('Set-up code').fill(box.setupCode());
  await page.getByLabel('Your name').fill(OWNER.username);
  await page.getByLabel('Password', { exact: true }).fill(OWNER.password);
  await page.getByRole('button', { name: 'Make the account' }).click();
  await atWork(page);
});

test('wrong password is explained, and the right one lets in', { skip: noBrowser }, async (context) => {
  const { box, page, audit, expect } = await claimed(context);
  expect(REFUSED);
  await page.goto(box.url);
  await signIn(page, { ...OWNER, password: 'wrong' });
  await page.getByText('The name or the password is wrong').waitFor();
  await audit();
  assert.equal(await page.getByLabel('Password', { exact: true }).inputValue(), '');
  await signIn(page, OWNER);
  await atWork(page);
});

test('tabs are signed out together, and say so', { skip: noBrowser }, async (context) => {
  const { box, page, openTab } = await claimed(context);
  await page.goto(box.url);
  await signIn(page, OWNER);
  await atWork(page);
  const other = await openTab();
  await other.goto(box.url);
  await atWork(other);
  await chooseMenu(other, 'Sign out');
  await other.getByText('You are signed out.').waitFor();
  await page.getByText('You signed out in another tab.').waitFor();
});

test('address that is typed without https leads to the page', { skip: noBrowser }, async (context) => {
  const browser = await openBrowser(context);
  const box = await openBox(context);
  const { page, expect } = await browser.visit(box);
  expect(/^console: Failed to load resource: .* 400 /);
  await page.goto(box.url.replace('https:', 'http:'));
  await page.getByRole('heading', { name: 'Welcome to your broker' }).waitFor();
  assert.equal(new URL(page.url()).origin, new URL(box.url).origin);
});

test('page waits for a broker that starts again, and goes on', { skip: noBrowser }, async (context) => {
  const { box, page, audit, expect } = await claimed(context);
  expect(REFUSED);
  expect(GONE);
  await page.goto(`${box.url}/#/settings`);
  await signIn(page, OWNER);
  await page.getByRole('heading', { name: 'Settings', level: 1 }).waitFor();
  await page.getByLabel('Find a setting').waitFor();
  await box.stop();
  await page.getByText('The box does not answer. This page keeps trying.').waitFor();
  await audit();
  await box.start();
  await page.getByText('The broker was restarted. Sign in to go on.').waitFor();
  await signIn(page, OWNER);
  await page.getByRole('heading', { name: 'Settings', level: 1 }).waitFor();
});

test('page says that the broker was restarted also where it has noticed nothing', { skip: noBrowser }, async (context) => {
  const { box, page, expect } = await claimed(context);
  expect(REFUSED);
  await page.goto(`${box.url}/#/clients`);
  await signIn(page, OWNER);
  await page.getByRole('heading', { name: 'Clients', level: 1 }).waitFor();
  const held: Route[] = [];
  const isOver = Promise.withResolvers<void>();
  await page.route('**/api/**', async (route) => {
    held.push(route); // as if the restart were over between two requests
    await isOver.promise;
    await route.continue();
  });
  while (held.length === 0) await page.waitForTimeout(20);
  await box.stop();
  await box.start();
  isOver.resolve();
  await page.getByText('The broker was restarted. Sign in to go on.').waitFor();
});

test('password of its own is changed by who knows the current one, and other sessions end', { skip: noBrowser }, async (context) => {
  const { box, page, audit, expect } = await claimed(context);
  expect(REFUSED);
  const elsewhere = await box.signIn(OWNER);
  await page.goto(box.url);
  await signIn(page, OWNER);
  await chooseMenu(page, 'Change password');
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('Current password', { exact: true }).fill('wrong');
  await dialog.getByLabel('New password', { exact: true }).fill('another long password');
  await dialog.getByRole('button', { name: 'Change password' }).click();
  await dialog.getByText('The current password is a different one.').waitFor();
  await audit();
  await dialog.getByLabel('Current password', { exact: true }).fill(OWNER.password);
  await dialog.getByRole('button', { name: 'Change password' }).click();
  await page.getByText('Your password is changed.').waitFor();
  const answer = await fetch(`${box.url}/api/v1/status`, { headers: { cookie: elsewhere.cookie } });
  assert.equal(answer.status, 401);
  await page.reload();
  await atWork(page);
  await box.signIn({ ...OWNER, password: 'another long password' });
});

test('language and colours are those of the browser until others are chosen, and then stay', { skip: noBrowser }, async (context) => {
  const { box, page, audit } = await claimed(context, 'de-AT');
  await page.goto(box.url);
  await page.getByRole('heading', { name: 'Anmelden' }).waitFor();
  await page.getByRole('radio', { name: 'Français' }).click();
  await page.getByRole('heading', { name: 'Connexion' }).waitFor();
  assert.equal(await page.locator('html').getAttribute('lang'), 'fr');
  await page.getByLabel('Nom', { exact: true }).fill(OWNER.username);
  await page.getByLabel('Mot de passe', { exact: true }).fill(OWNER.password);
  await page.getByRole('button', { name: 'Se connecter' }).click();
  await page.getByRole('heading', { name: 'Aperçu' }).waitFor();
  await page.getByRole('button', { name: OWNER.username }).click();
  await page.getByRole('radio', { name: 'Sombre' }).click();
  await audit();
  await page.reload();
  await page.getByRole('heading', { name: 'Aperçu' }).waitFor();
  assert.equal(await page.locator('html').getAttribute('data-theme'), 'dark');
});

test('times are those of the region of the browser, in whatever language the page is', { skip: noBrowser }, async (context) => {
  for (const [locale, language, isTwelveHours] of [
    ['en-GB', 'English', false],
    ['en-US', 'English', true],
    ['de-AT', 'English', false],
    ['en-US', 'Français', true],
  ] as const) {
    const { box, page } = await claimed(context, locale);
    await page.goto(`${box.url}/#/log`);
    await page.getByRole('radio', { name: language }).click();
    await page.locator('form input').nth(0).fill(OWNER.username);
    await page.locator('form input[type=password]').fill(OWNER.password);
    await page.locator('form button[type=submit]').click();
    const time = (await page.locator('time, .log-time').first().textContent()) ?? '';
    assert.equal(/[AP]M/.test(time), isTwelveHours, `${time} in ${language} by ${locale}`);
  }
});

test('first steps say whether this browser trusts the certificate of the box', { skip: noBrowser }, async (context) => {
  for (const isTrusted of [false, true]) {
    const browser = await openBrowser(context, isTrusted ? ['--ignore-certificate-errors'] : []);
    const [port = 0] = await freePorts(1);
    const box = await openBox(context, { after: [`listener ${port} 127.0.0.1`, 'protocol http', 'secure true'] });
    const url = `https://127.0.0.1:${port}`;
    await box.claim();
    const { page, audit, expect } = await browser.visit({ url }, { isPastWarnings: true });
    expect(/An SSL certificate error occurred when fetching the script/);
    await page.goto(url);
    await signIn(page, OWNER);
    const step = page.getByRole('listitem').filter({ hasText: 'Trust the certificate of this box' });
    await step.getByText(isTrusted ? '(done)' : 'This browser does not trust it yet.').waitFor();
    await audit();
  }
});

test('first steps offer the port with TLS that a box has not, and show what would change', { skip: noBrowser }, async (context) => {
  const browser = await openBrowser(context);
  const box = await openBox(context, { hasNoTls: true });
  const { page, audit } = await browser.visit(box, { session: await box.claim() });
  await page.goto(box.url);
  const step = page.getByRole('listitem').filter({ hasText: 'Let devices connect with encryption' });
  await step.getByRole('button', { name: 'Open port 8883' }).waitFor();
  await audit();
  await step.getByRole('button', { name: 'Open port 8883' }).click();
  const dialog = page.getByRole('dialog', { name: 'Review changes' });
  await dialog.getByText('listener 8883').waitFor();
  await dialog.getByText('secure true').waitFor();
  await dialog.getByRole('button', { name: 'Apply for 60 seconds' }).waitFor();
  await audit();
});

/** claimed opens a box that has its admin, and a browser in which nobody is signed in. */
async function claimed(context: Parameters<typeof openBox>[0], locale = 'en-GB') {
  const browser = await openBrowser(context);
  const box: Box = await openBox(context);
  await box.claim();
  return { box, ...(await browser.visit(box, { locale })) };
}
