// The view of settings in a real browser: a change on trial, confirmed or gone back by itself; two who change one file; the texts from before.

import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Locator, Page } from 'playwright-core';
import { mqttClient } from '../../support/clients/mqtt-client.ts';
import { freePorts } from '../../support/network/free-ports.ts';
import { ask, OWNER, openBox } from './box.ts';
import { LOOKS, noBrowser, openBrowser } from './browser.ts';

async function setKeepalive(page: Page, value: string): Promise<void> {
  await page.getByLabel('Find a setting').fill('max_keepalive');
  const field = page.getByLabel('max_keepalive', { exact: true });
  await field.fill(value);
  await field.press('Enter');
  await page.getByRole('button', { name: 'Review changes' }).click();
}

/** Waits until a field does. */
async function holds(field: Locator, wanted: RegExp): Promise<void> {
  while (!wanted.test(await field.inputValue()));
}

for (const look of LOOKS) {
  test(`setting is found, changed, looked at and kept: ${look.name}`, { skip: noBrowser }, async (context) => {
    const browser = await openBrowser(context);
    const box = await openBox(context);
    const session = await box.claim();
    const { page, audit } = await browser.visit(box, { look, session });
    await page.goto(`${box.url}/#/settings`);
    await page.getByRole('heading', { name: 'Settings', level: 1 }).waitFor();
    await page.getByText('Whole program').last().click();
    await audit();
    await setKeepalive(page, '120');
    const dialog = page.getByRole('dialog');
    await dialog.getByText('max_keepalive 120').waitFor();
    await audit();
    const before = readFileSync(box.file, 'utf8');
    await dialog.getByRole('button', { name: 'Apply for 60 seconds' }).click();
    await page.getByText(/\d+ seconds left/).waitFor();
    await audit();
    await page.getByRole('button', { name: 'Keep the changes' }).click();
    await page.getByText('The new settings stay.').waitFor();
    assert.match(readFileSync(box.file, 'utf8'), /^max_keepalive 120$/m);

    // The text from before is one click away, and nothing of it is in force until it is applied.
    await page.getByRole('button', { name: 'Earlier versions' }).click();
    await dialog.locator('summary').first().click();
    await dialog.getByText('max_keepalive 120').waitFor();
    await audit();
    await dialog.getByRole('button', { name: 'Take this text' }).click();
    await page.getByText('Your changes are not in force yet.').waitFor();
    await page.getByRole('button', { name: 'Review changes' }).click();
    await dialog.getByRole('button', { name: 'Apply for 60 seconds' }).click();
    await page.getByRole('button', { name: 'Take back now' }).click();
    await page.getByText('The old settings are in force again.').waitFor();
    assert.notEqual(readFileSync(box.file, 'utf8'), before);
  });
}

test('listener gets another port, and devices connect there', { skip: noBrowser }, async (context) => {
  const browser = await openBrowser(context);
  const [port = 0] = await freePorts(1);
  const box = await openBox(context);
  const { page, audit } = await browser.visit(box, { look: LOOKS[3]!, session: await box.claim() });
  await page.goto(`${box.url}/#/settings`);
  await page.getByLabel('Settings of').selectOption({ label: `Listener ${box.port}` });
  const field = page.getByLabel('Port', { exact: true });
  await field.fill('seven');
  await field.press('Enter');
  await page.getByText('A port is a number from 1 to 65535.').waitFor();
  await audit();
  await field.fill(String(port));
  await field.press('Enter');
  await page.getByLabel('Settings of').getByText(`Listener ${port}`).waitFor({ state: 'attached' });
  assert.equal(await page.getByLabel('Port', { exact: true }).inputValue(), String(port));
  await page.getByRole('button', { name: 'Review changes' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByText(`listener ${port} 127.0.0.1`).waitFor();
  await dialog.getByRole('button', { name: 'Apply for 60 seconds' }).click();
  await page.getByRole('button', { name: 'Keep the changes' }).click();
  await page.getByText('The new settings stay.').waitFor();
  await mqttClient(context, { port, clientId: 'moved', ...OWNER });
});

test('review is offered while somebody types, and the text follows the field', { skip: noBrowser }, async (context) => {
  const browser = await openBrowser(context);
  const box = await openBox(context);
  const { page, audit } = await browser.visit(box, { session: await box.claim() });
  await page.goto(`${box.url}/#/settings`);
  await page.getByLabel('Find a setting').fill('packet_size');
  const field = page.getByLabel('max_packet_size', { exact: true });
  await field.pressSequentially('500000');
  await page.getByText('Your changes are not in force yet.').waitFor();
  const text = page.getByLabel('Text of the file');
  await holds(text, /^max_packet_size 500000$/m);
  assert.equal(await field.evaluate((element) => element === element.ownerDocument.activeElement), true, 'nobody has left the field');
  assert.equal(await field.inputValue(), '500000');
  await audit();

  // What is taken back while it is typed stays away, although the field is left by that.
  await field.pressSequentially('1');
  await page.getByRole('button', { name: 'Discard' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Discard' }).click();
  await page.getByText('Your changes are not in force yet.').waitFor({ state: 'hidden' });
  await holds(field, /^$/);
  assert.equal(await text.inputValue(), readFileSync(box.file, 'utf8'));

  await field.fill('4096');
  await page.getByRole('button', { name: 'Review changes' }).click();
  await page.getByRole('dialog').getByText('max_packet_size 4096').waitFor();
});

test('page that moves says where to, and the change is kept there', { skip: noBrowser }, async (context) => {
  const browser = await openBrowser(context);
  const [port = 0] = await freePorts(1);
  const box = await openBox(context);
  const session = await box.claim();
  const { page, audit, expect } = await browser.visit(box, { look: LOOKS[3]!, session });
  expect(/Failed to load resource: (net::|.* 401 )/);
  await page.goto(`${box.url}/#/settings`);
  const old = new URL(box.url).port;
  await page.getByLabel('Settings of').selectOption({ label: `Listener ${old} (this page)` });
  const field = page.getByLabel('Port', { exact: true });
  await field.fill(String(port));
  await page.getByRole('button', { name: 'Review changes' }).click();
  const address = `http://127.0.0.1:${port}/`;
  await page.getByText(`This page moves, too: to ${address}`).waitFor();
  await audit();
  await page.getByRole('button', { name: 'Apply for 60 seconds' }).click();
  await page.getByText('This page cannot reach the box any more.').waitFor();
  assert.equal(await page.getByText('This page keeps trying.').count(), 0, 'one bar says it');
  assert.equal(await page.getByText('Your changes are not in force yet.').count(), 0);
  await audit();
  assert.equal(await page.getByRole('link', { name: address }).getAttribute('href'), `${address}#/settings`);
  const there = await browser.visit({ ...box, url: address.slice(0, -1) }, { session });
  await there.page.goto(`${address}#/settings`);
  await there.page.getByRole('button', { name: 'Keep the changes' }).click();
  await there.page.getByText('The new settings stay.').waitFor();
  assert.match(readFileSync(box.file, 'utf8'), new RegExp(`^listener ${port} 127`, 'm'));
});

test('mistake in the text is named with its line, and cannot be applied', { skip: noBrowser }, async (context) => {
  const browser = await openBrowser(context);
  const box = await openBox(context);
  const session = await box.claim();
  const { page, audit } = await browser.visit(box, { session });
  await page.goto(`${box.url}/#/settings`);
  const text = page.getByLabel('Text of the file');
  const ground = (field: Locator) => field.evaluate('(element) => getComputedStyle(element).backgroundColor');
  assert.equal(await ground(text), await ground(page.getByLabel('Find a setting')), 'it looks like a field that takes something');
  await text.fill(`${readFileSync(box.file, 'utf8')}max_conections 5\n`);
  await page.getByRole('button', { name: /Line \d+: .*did you mean "max_connections"/ }).click();
  assert.equal(
    await page.evaluate(
      'getSelection().toString() || document.activeElement.value.slice(document.activeElement.selectionStart, document.activeElement.selectionEnd)',
    ),
    'max_conections 5',
  );
  await page.getByText('1 mistake').waitFor();
  assert.equal(await page.getByRole('button', { name: 'Review changes' }).isDisabled(), true);
  await audit();
  await page.getByRole('button', { name: 'Discard' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Discard' }).click();
  assert.equal(await text.inputValue(), readFileSync(box.file, 'utf8'));
});

test('way back to a text without rules is told with what it opens', { skip: noBrowser }, async (context) => {
  const browser = await openBrowser(context);
  const box = await openBox(context);
  const session = await box.claim();
  const acl = join(box.folder, 'acl');
  writeFileSync(acl, 'topic readwrite #\n', { mode: 0o600 });
  const { text, revision } = (await ask(box, session, '/configuration')) as { text: string; revision: string };
  const body = { text: `acl_file ${acl}\n${text}`, revision };
  const { confirm } = (await ask(box, session, '/configuration', { method: 'PUT', body })) as { confirm: string };
  await ask(box, session, '/configuration/confirmation', { method: 'POST', body: { confirm } });
  const { page, audit } = await browser.visit(box, { session });
  await page.goto(`${box.url}/#/settings`);
  await page.getByRole('button', { name: 'Earlier versions' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.locator('summary').first().click();
  await dialog.getByRole('button', { name: 'Take this text' }).click();
  await page.getByRole('button', { name: 'Review changes' }).click();
  await dialog.getByText(/^Listener \d+, \d+: without rules, everybody who may connect can read and write all topics\.$/).waitFor();
  await audit();
});

test('change of a file that somebody else has changed meanwhile is put onto theirs, and keeps it', {
  skip: noBrowser,
}, async (context) => {
  const browser = await openBrowser(context);
  const box = await openBox(context);
  const session = await box.claim();
  const { page, audit, expect } = await browser.visit(box, { session });
  await page.goto(`${box.url}/#/settings`);
  await page.getByLabel('Find a setting').waitFor();
  writeFileSync(box.file, `max_qos 2\n${readFileSync(box.file, 'utf8')}`);
  await setKeepalive(page, '120');
  await page.getByText('The file has changed since you began. This is').waitFor();
  await page.locator('.diff-line.come', { hasText: 'max_keepalive 120' }).waitFor();
  assert.equal(await page.locator('.diff-line.gone').count(), 0);
  writeFileSync(box.file, `max_packet_size 4096\n${readFileSync(box.file, 'utf8')}`);
  expect(/status of 412/);
  await page.getByRole('button', { name: 'Apply for 60 seconds' }).click();
  await page.getByText('Somebody else has changed the file').waitFor();
  await audit();
  await page.getByRole('button', { name: 'Put mine onto theirs' }).click();
  await page.getByText('Somebody else has changed the file').waitFor({ state: 'hidden' }); // it is read, and what stands here is of it
  await page.getByText('The file has changed since you began. This is').waitFor();
  await page.locator('.diff-line.come', { hasText: 'max_keepalive 120' }).waitFor();
  assert.equal(await page.locator('.diff-line.gone').count(), 0);
  await audit();
  await page.getByRole('button', { name: 'Apply for 60 seconds' }).click();
  await page.getByRole('button', { name: 'Keep the changes' }).click();
  await page.getByText('The new settings stay.').waitFor();
  const text = readFileSync(box.file, 'utf8');
  assert.match(text, /^max_packet_size 4096$/m);
  assert.match(text, /^max_keepalive 120$/m);

  // At the same place theirs goes, and the dialog says so.
  await setKeepalive(page, '150');
  await page.locator('.diff-line.come', { hasText: 'max_keepalive 150' }).waitFor(); // it has read the file
  writeFileSync(box.file, text.replace('max_keepalive 120', 'max_keepalive 180'));
  await page.getByRole('button', { name: 'Apply for 60 seconds' }).click();
  await page.getByRole('button', { name: 'Put mine onto theirs' }).click();
  await page.getByText('at the same place as yours').waitFor();
  await page.locator('.diff-line.gone', { hasText: 'max_keepalive 180' }).waitFor();
  await page.getByRole('button', { name: 'Cancel' }).click();
  await page.getByRole('button', { name: 'Discard' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Discard' }).click();
  assert.match(await page.getByLabel('Text of the file').inputValue(), /^max_keepalive 180$/m);
});

test('field takes a size with its unit, and tells a mistake of its own where it was typed', { skip: noBrowser }, async (context) => {
  const browser = await openBrowser(context);
  const box = await openBox(context);
  const { page, audit } = await browser.visit(box, { session: await box.claim() });
  await page.goto(`${box.url}/#/settings`);
  await page.getByLabel('Find a setting').fill('max_packet_size');
  const field = page.getByLabel('max_packet_size', { exact: true });
  await field.fill('5 MB');
  await field.press('Tab');
  await holds(field, /^5000000$/);
  await holds(page.getByLabel('Text of the file'), /^max_packet_size 5000000$/m);
  await field.fill('much');
  await field.press('Tab');
  await page.locator('.setting .field-error', { hasText: 'Invalid max_packet_size value (much)' }).waitFor();
  await audit();
});

test('port of the page is found by these words, at the listener that is named as the one of this page', {
  skip: noBrowser,
}, async (context) => {
  const browser = await openBrowser(context);
  const box = await openBox(context);
  const { page } = await browser.visit(box, { session: await box.claim() });
  await page.goto(`${box.url}/#/settings`);
  const port = new URL(box.url).port;
  const found = page.getByRole('button', { name: `Listener ${port} (this page) (` });
  for (const words of ['port of the page', 'page port', 'address of the page']) {
    await page.getByLabel('Find a setting').fill(words);
    await found.waitFor();
  }
  await found.click();
  assert.equal(await page.getByLabel('Port', { exact: true }).inputValue(), port);
  await page.getByLabel('Find a setting').fill('');
  assert.equal(await page.getByLabel('port', { exact: true }).count(), 0, 'the port of another listener');
});

test('default listener of a file is offered like the others, with its port and its settings', { skip: noBrowser }, async (context) => {
  const browser = await openBrowser(context);
  const [port = 0] = await freePorts(1);
  const box = await openBox(context, { before: [`port ${port}`, 'bind_address 127.0.0.1', 'max_connections 7'] });
  const { page, audit } = await browser.visit(box, { session: await box.claim() });
  await page.goto(`${box.url}/#/settings`);
  await page.getByLabel('Find a setting').fill('max_connections');
  await page.getByRole('button', { name: 'Default listener (1)' }).click();
  const field = page.getByLabel('max_connections', { exact: true });
  assert.equal(await field.inputValue(), '7');
  await field.fill('9');
  await page.getByLabel('Find a setting').fill('bind_address');
  assert.equal(await page.getByLabel('bind_address', { exact: true }).inputValue(), '127.0.0.1');
  await audit();
  await holds(page.getByLabel('Text of the file'), /^max_connections 9\n/m);
});

test('setting that locks the page out goes back by itself, and the page with it', { skip: noBrowser }, async (context) => {
  const browser = await openBrowser(context);
  const box = await openBox(context);
  const session = await box.claim();
  const { page, audit, expect } = await browser.visit(box, { look: LOOKS[3]!, session });
  expect(/Failed to load resource: (net::|.* 401 )/);
  await page.goto(`${box.url}/#/settings`);
  await page.getByRole('radio', { name: 'Text' }).check();
  const before = readFileSync(box.file, 'utf8');
  await page.getByLabel('Text of the file').fill(before.replace(/^listener \d+ 127\.0\.0\.1\nprotocol http\n/m, ''));
  await page.getByRole('button', { name: 'Review changes' }).click();
  await page.getByRole('button', { name: 'Apply for 60 seconds' }).click();
  await page.getByText('This page cannot reach the box any more.').waitFor();
  await audit();
  assert.doesNotMatch(readFileSync(box.file, 'utf8'), /protocol http/);
  await page.getByText('This page cannot reach the box any more.').waitFor({ state: 'hidden', timeout: 120_000 });
  assert.equal(readFileSync(box.file, 'utf8'), before);
  await page
    .getByText(/the old settings are in force again|Sign in/i)
    .first()
    .waitFor();
});

test('search of the settings leads to the listener that has what is sought', { skip: noBrowser }, async (context) => {
  const browser = await openBrowser(context);
  const box = await openBox(context);
  const { page, audit } = await browser.visit(box, { session: await box.claim() });
  await page.goto(`${box.url}/#/settings`);
  const search = page.getByLabel('Find a setting');
  const port = new URL(box.url).port;
  await search.fill(port);
  await page.getByRole('button', { name: `Listener ${port} (this page) (1)` }).waitFor();
  assert.equal(await page.getByText('No setting fits.').count(), 0);
  await audit();
  await page.getByRole('button', { name: `Listener ${port} (this page) (1)` }).click();
  assert.equal(await page.getByLabel('Port', { exact: true }).inputValue(), port);
  await search.fill('port');
  assert.equal(await page.getByRole('button', { name: `Listener ${port}` }).getAttribute('aria-pressed'), 'true');
  await page.getByRole('button', { name: 'Whole program' }).click();
  assert.equal(await page.getByLabel('Settings of').inputValue(), '');
});

test('change that was begun is there again after another view and another sign-in of the same person', {
  skip: noBrowser,
}, async (context) => {
  const browser = await openBrowser(context);
  const box = await openBox(context);
  const { page, expect } = await browser.visit(box, { session: await box.claim() });
  expect(/status of 401/);
  await page.goto(`${box.url}/#/settings`);
  await setKeepalive(page, '90');
  await page.getByRole('dialog').getByRole('button', { name: 'Apply for 60 seconds' }).click();
  await page.getByRole('button', { name: 'Keep the changes' }).click();
  await page.getByText('The new settings stay.').waitFor();
  const field = page.getByLabel('max_keepalive', { exact: true });
  await field.fill('120');
  await holds(page.getByLabel('Text of the file'), /^max_keepalive 120$/m);
  await page.getByRole('link', { name: 'Log' }).click();
  await page.getByRole('heading', { name: 'Log', level: 1 }).waitFor();
  await page.getByRole('link', { name: 'Settings' }).click();
  await page.getByText('Your changes are not in force yet.').waitFor();
  await page.context().clearCookies();
  await page.goto(`${box.url}/#/clients`);
  await page.getByLabel('Name', { exact: true }).fill(OWNER.username);
  await page.getByLabel('Password', { exact: true }).fill(OWNER.password);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByRole('link', { name: 'Settings' }).click();
  await page.getByText('Your changes are not in force yet.').waitFor();
  await page.getByLabel('Find a setting').fill('max_keepalive');
  await holds(field, /^120$/);
});

test('broker is restarted from the page for a setting that waits for it', { skip: noBrowser }, async (context) => {
  const browser = await openBrowser(context);
  const box = await openBox(context);
  const { page, audit, expect } = await browser.visit(box, { session: await box.claim() });
  expect(/Failed to load resource: (net::|.* 401 )/);
  await page.goto(`${box.url}/#/settings`);
  await page.getByLabel('Find a setting').fill('mdns_name');
  await page.getByLabel('mdns_name', { exact: true }).fill('porch');
  await page.getByRole('button', { name: 'Review changes' }).click();
  await page.getByRole('button', { name: 'Apply for 60 seconds' }).click();
  await page.getByText('These take effect at the next start only: mdns_name').waitFor();
  assert.equal(await page.getByText('Some settings wait for a restart').count(), 0);
  await page.getByRole('button', { name: 'Keep' }).click();
  await page.getByText('Some settings wait for a restart').waitFor();
  await audit();
  await page.goto(`${box.url}/#/overview`);
  await page.getByText('Some settings wait for a restart').waitFor();
  const before = box.lines().length;
  await page.getByRole('button', { name: 'Restart', exact: true }).click();
  await audit();
  await page.getByRole('button', { name: 'Restart now' }).click();
  await page.getByText('The broker was restarted. Sign in to go on.').waitFor();
  assert.ok(
    box
      .lines()
      .slice(before)
      .some((line) => line.endsWith(' running')),
  );
  await page.getByLabel('Name', { exact: true }).fill(OWNER.username);
  await page.getByLabel('Password', { exact: true }).fill(OWNER.password);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByRole('heading', { name: 'Overview', level: 1 }).waitFor();
  assert.equal(await page.getByText('Some settings wait for a restart').count(), 0);
});
