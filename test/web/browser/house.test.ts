// A house and its page in a real browser: from the first visit to a restored backup, beside clients of MQTT.

import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Page } from 'playwright-core';
import { mqttClient } from '../../support/clients/mqtt-client.ts';
import { ask, OWNER, openBox } from './box.ts';
import { LOOKS, noBrowser, openBrowser } from './browser.ts';
import { openSeededBox } from './seeded-box.ts';

/** What Chromium itself writes into the console while the box is away, or somebody is not signed in. */
const AWAY = /^console: Failed to load resource: (net::|.* 401 )/;

async function signIn(page: Page, { username, password } = OWNER as { username: string; password: string }): Promise<void> {
  await page.getByRole('heading', { name: 'Sign in' }).waitFor();
  await page.getByLabel('Name', { exact: true }).fill(username);
  await page.getByLabel('Password', { exact: true }).fill(password);
  await page.getByRole('button', { name: 'Sign in' }).click();
}

test('port for client certificates is offered, and looked at before it opens', { skip: noBrowser }, async (context) => {
  const browser = await openBrowser(context);
  const box = await openBox(context);
  const { page, audit } = await browser.visit(box, { session: await box.claim() });
  await page.goto(`${box.url}/#/certificates`);
  await page.getByRole('button', { name: 'Open port 8884' }).click();
  const dialog = page.getByRole('dialog');
  for (const line of ['listener 8884', 'secure true', 'require_certificate true', 'use_identity_as_username true'])
    await dialog.getByText(line, { exact: true }).waitFor();
  await dialog.getByRole('button', { name: 'Apply for 60 seconds' }).waitFor();
  await audit();
});

for (const look of LOOKS) {
  test(`box is claimed, a client is seen live, a wrong password is explained, and somebody is let in: ${look.name}`, {
    skip: noBrowser,
  }, async (context) => {
    const browser = await openBrowser(context);
    const box = await openBox(context);
    const { page, audit, expect } = await browser.visit(box, { look });
    await page.goto(box.url);
    await page.getByRole('heading', { name: 'Welcome to your broker' }).waitFor();
    await audit();
    expect(/status of 403 .*\/claim$/);
    await page.getByLabel('Set-up code').fill('0000-0000-0000');
    await page.getByLabel('Your name').fill(OWNER.username);
    await page.getByLabel('Password', { exact: true }).fill(OWNER.password);
    await page.getByRole('button', { name: 'Make the account' }).click();
    await page.getByText('The set-up code is a different one.').waitFor();
    await audit();
    await page.getByLabel('Set-up code').fill(box.setupCode());
    await page.getByRole('button', { name: 'Make the account' }).click();
    await page.getByRole('heading', { name: 'Overview', level: 1 }).waitFor();
    await audit();

    await page.goto(`${box.url}/#/clients`);
    await page.getByRole('heading', { name: 'Clients', level: 1 }).waitFor();
    await mqttClient(context, { port: box.port, clientId: 'kitchen-sensor', ...OWNER });
    await page.getByText('kitchen-sensor').first().waitFor();
    await audit();
    await assert.rejects(mqttClient(context, { port: box.port, clientId: 'porch-sensor', username: 'jane', password: 'wrong' }));

    // Somebody is let in: the password is shown once, and is good.
    await page.goto(`${box.url}/#/people`);
    await page.getByRole('button', { name: 'Add somebody' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel('Name', { exact: true }).fill('tom');
    await audit();
    await dialog.getByRole('button', { name: 'Make the account' }).click();
    await dialog.getByText('This is the password.').waitFor();
    await audit();
    const password = (await dialog.locator('code').first().textContent()) ?? '';
    await mqttClient(context, { port: box.port, clientId: 'toms-phone', username: 'tom', password });
    await dialog.getByRole('button', { name: 'Done' }).click();
    await page.getByRole('link', { name: 'tom' }).waitFor();

    await page.goto(`${box.url}/#/log?show=why`);
    await page.getByText('porch-sensor (jane)').waitFor();
    await page
      .getByText(/password/i)
      .first()
      .waitFor();
    await audit();
  });

  test(`certificate is issued, and revoked after a question: ${look.name}`, { skip: noBrowser }, async (context) => {
    const browser = await openBrowser(context);
    const box = await openBox(context);
    const session = await box.claim();
    const { page, audit } = await browser.visit(box, { look, session });
    await page.goto(`${box.url}/#/certificates`);
    await page.getByText('No client has a certificate so far.').waitFor();
    await audit();
    await page.getByRole('button', { name: 'Issue a certificate' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.locator('datalist option[value="jane"]').waitFor({ state: 'attached' }); // the accounts are offered
    await dialog.getByLabel('Name of the client').fill('porch-camera');
    await dialog.getByText('No account is called “porch-camera”.').waitFor();
    await dialog.getByRole('radio', { name: 'Devices and programs (PEM)' }).check();
    await audit();
    await dialog.getByRole('button', { name: 'Issue', exact: true }).click();
    await dialog.getByRole('button', { name: 'Save porch-camera.pem' }).waitFor();
    for (let time = 0; time < 3; time += 1) {
      await page.keyboard.press('Escape'); // the key would be lost
      await dialog.getByText('The box cannot show this again.').waitFor();
      if (time === 0) await audit();
      await dialog.getByRole('button', { name: 'Cancel' }).click();
    }
    const download = page.waitForEvent('download');
    await dialog.getByRole('button', { name: 'Save porch-camera.pem' }).click();
    const file = join(box.folder, 'porch-camera.pem');
    await (await download).saveAs(file);
    assert.match(readFileSync(file, 'utf8'), /BEGIN CERTIFICATE.*BEGIN PRIVATE KEY/s);
    await audit();
    await dialog.getByRole('button', { name: 'Close' }).last().click();
    await page.getByText('valid', { exact: true }).waitFor();
    await audit();
    await page.getByRole('button', { name: 'Revoke' }).click();
    await dialog.getByText('Revoke the certificate of “porch-camera”?').waitFor();
    await audit();
    await dialog.getByRole('button', { name: 'Revoke' }).click();
    await page.getByText(/^revoked \w/).waitFor();
    const { items } = (await ask(box, session, '/certificates/clients')) as { items: { state: string }[] };
    assert.deepEqual(
      items.map(({ state }) => state),
      ['revoked'],
    );
  });

  test(`backup is taken, and restored after a look at what it replaces: ${look.name}`, { skip: noBrowser }, async (context) => {
    const browser = await openBrowser(context);
    const box = await openBox(context);
    const session = await box.claim();
    const { page, audit, expect } = await browser.visit(box, { look, session });
    await ask(box, session, '/messages', { method: 'POST', body: { topic: 'home/door', payload: 'before', qos: 1, retain: true } });
    await page.goto(`${box.url}/#/backup`);
    const take = page.getByRole('button', { name: 'Download a backup' });
    await take.waitFor();
    await audit();
    const download = page.waitForEvent('download');
    await take.click();
    const file = join(box.folder, 'backup.tar.gz');
    await (await download).saveAs(file);
    await page.getByText(/ is downloaded: /).waitFor();
    await ask(box, session, '/messages', { method: 'POST', body: { topic: 'home/door', payload: 'after', qos: 1, retain: true } });

    const dialog = page.getByRole('dialog');
    await page.getByLabel('Restore settings, accounts and rules too').uncheck();
    await page.getByLabel('File of a backup').setInputFiles(file);
    await dialog.getByText('The accounts stay as they are now').waitFor();
    await dialog.getByText(`${join(box.folder, 'passwd')}: accounts`).waitFor();
    await audit();
    await dialog.getByRole('button', { name: 'Cancel' }).click();
    await page.getByLabel('Restore settings, accounts and rules too').check();
    await page.getByLabel('File of a backup').setInputFiles(file);
    await dialog.getByText('you sign in again with the accounts of the backup').waitFor();
    await dialog.getByText(/^Restore the backup of /).waitFor();
    await audit();
    expect(AWAY);
    await dialog.getByRole('button', { name: 'Restore and restart' }).click();
    await page.getByText('The broker was restarted with the backup.').waitFor();
    await signIn(page);
    await page.goto(`${box.url}/#/topics/home%2Fdoor`);
    await page.locator('.topic-payload', { hasText: 'before' }).waitFor();
  });
}

test('file that is no backup is refused in words, and nothing has changed', { skip: noBrowser }, async (context) => {
  const browser = await openBrowser(context);
  const box = await openBox(context);
  const session = await box.claim();
  const { page, audit, expect } = await browser.visit(box, { session });
  const file = join(box.folder, 'holiday.jpg.gz');
  writeFileSync(file, 'no archive');
  expect(/status of 4\d\d .*\/restores/);
  await page.goto(`${box.url}/#/backup`);
  await page.getByLabel('File of a backup').setInputFiles(file);
  const alert = page.getByRole('alert');
  await alert.getByText('“holiday.jpg.gz”: Cannot restore this file: it is no backup of midge - choose the file of a backup').waitFor();
  assert.doesNotMatch((await alert.textContent()) ?? '', /damaged|\.\w+\/|state/);
  await audit();
});

test('page says to look whether something was done only where something may have been done', { skip: noBrowser }, async (context) => {
  const browser = await openBrowser(context);
  const box = await openBox(context);
  const { page, audit, expect } = await browser.visit(box, { session: await box.claim() });
  expect(AWAY);
  await page.route('**/api/v1/backup', (route) => route.abort());
  await page.route('**/api/v1/certificates/clients', (route) => (route.request().method() === 'POST' ? route.abort() : route.continue()));
  await page.goto(`${box.url}/#/backup`);
  await page.getByRole('button', { name: 'Download a backup' }).click();
  await page.getByText('The box does not answer. Try again when it is back.').waitFor();
  await audit();
  await page.goto(`${box.url}/#/certificates`);
  await page.getByRole('button', { name: 'Issue a certificate' }).click();
  await page.getByLabel('Name of the client').fill('porch-camera');
  await page.getByRole('dialog').getByRole('button', { name: 'Issue', exact: true }).click();
  await page.getByText('see whether this was done').waitFor();
});

test('page goes on by itself when the broker was away, and asks to sign in again', { skip: noBrowser }, async (context) => {
  const browser = await openBrowser(context);
  const box = await openBox(context);
  const session = await box.claim();
  const { page, audit, expect } = await browser.visit(box, { session, look: LOOKS[2]! });
  expect(AWAY);
  for (const path of ['overview', 'topics', 'settings', 'log', 'certificates', 'bridges', 'backup']) {
    await page.goto(`${box.url}/#/${path}`);
    await page.getByRole('heading', { level: 1 }).waitFor();
    await page.waitForTimeout(300);
  }
  await page.goto(`${box.url}/#/overview`);
  await page.getByText('All is well').waitFor();
  await box.stop();
  await page.getByText('The box does not answer').waitFor();
  await page.getByText('What stands here is from before the box fell silent.').waitFor();
  assert.equal(await page.getByText('All is well').count(), 0);
  await page.goto(`${box.url}/#/bridges`);
  await audit();
  await box.start();
  await signIn(page);
  await page.getByRole('heading', { name: 'Bridges', level: 1 }).waitFor();
  await page.getByText('This box has no bridge.').waitFor();
});

test('who signs out in one tab is signed out in the other', { skip: noBrowser }, async (context) => {
  const browser = await openBrowser(context);
  const box = await openBox(context);
  const session = await box.claim();
  const { page, openTab, expect, audit } = await browser.visit(box, { session });
  expect(/Failed to load resource: .* 401 /);
  const other = await openTab();
  for (const tab of [page, other]) {
    await tab.goto(`${box.url}/#/overview`);
    await tab.getByRole('heading', { name: 'Overview', level: 1 }).waitFor();
  }
  await page.getByRole('button', { name: 'jane' }).click();
  await page.getByRole('button', { name: 'Sign out' }).click();
  await page.getByText('You are signed out.').waitFor();
  await other.getByText('You signed out in another tab.').waitFor();
  await audit(other);
  await assert.rejects(ask(box, session, '/status'), /401/);
});

for (const look of [LOOKS[0]!, LOOKS[3]!]) {
  test(`bridge says in words why it is not connected, and is tried step by step: ${look.name}`, { skip: noBrowser }, async (context) => {
    const browser = await openBrowser(context);
    const { box, session } = await openSeededBox(context);
    const { page, audit } = await browser.visit(box, { session, look });
    await page.goto(`${box.url}/#/bridges`);
    await page
      .getByText(/no broker listens at/i)
      .first()
      .waitFor();
    await page.getByRole('button', { name: 'Test the connection' }).click();
    await page
      .getByLabel('What the test found')
      .getByText(/no broker listens at/i)
      .waitFor();
    await audit();
  });

  test(`log is followed, searched and held: ${look.name}`, { skip: noBrowser }, async (context) => {
    const browser = await openBrowser(context);
    const { box, session } = await openSeededBox(context);
    const { page, audit } = await browser.visit(box, { session, look });
    await page.goto(`${box.url}/#/log`);
    const lines = page.getByRole('list', { name: 'Log lines' });
    await lines.getByText(/running/).waitFor();
    await mqttClient(context, { port: box.port, clientId: 'late-guest', ...OWNER });
    await lines
      .getByText(/late-guest/)
      .first()
      .waitFor();
    await audit();
    await page.getByLabel('Find in the log').fill('porch-7c');
    await lines
      .getByText(/porch-7c/)
      .first()
      .waitFor();
    assert.equal(await lines.getByText(/late-guest/).count(), 0);
    await page.getByLabel('Level').selectOption('error');
    await page.getByText('No line fits.').waitFor();
    await audit();
  });
}

test('page says its words in German and in French', { skip: noBrowser }, async (context) => {
  const browser = await openBrowser(context);
  const box = await openBox(context);
  const session = await box.claim();
  for (const [locale, title, text] of [
    ['de-AT', 'Einstellungen', 'Text der Datei'],
    ['fr-CH', 'Réglages', 'Texte du fichier'],
  ] as const) {
    const { page, audit } = await browser.visit(box, { session, locale });
    await page.goto(`${box.url}/#/settings`);
    await page.getByRole('heading', { name: title, level: 1 }).waitFor();
    await page.getByText(text).waitFor();
    assert.equal(await page.locator('html').getAttribute('lang'), locale.slice(0, 2));
    await audit();
  }
});
