// People and clients in a real browser: somebody is added by a template, connects, is asked about, disconnected, forgotten and removed.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Locator, Page } from 'playwright-core';
import { mqttClient } from '../../support/clients/mqtt-client.ts';
import { ask, OWNER, openBox } from './box.ts';
import { LOOKS, noBrowser, openBrowser } from './browser.ts';
import { withRules } from './ruled-box.ts';

const PASSWORD = 'a long enough password';

/** Chromium writes each answer that is no success into the console. */
const REFUSED = /^console: Failed to load resource: .* (403|404|409|422) /;

for (const look of LOOKS) {
  test(`sensor is added, may use its own topics only, and is removed with its rules: ${look.name}`, {
    skip: noBrowser,
  }, async (context) => {
    const { box, rules, page, audit } = await withRules(context, { look });
    await page.goto(`${box.url}/#/people`);
    await page.getByRole('button', { name: 'Add somebody' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByRole('radio', { name: /^Sensor/ }).click();
    await dialog.getByLabel('Name', { exact: true }).fill('kitchen');
    await dialog.getByText('home/kitchen/#').waitFor();
    await dialog.getByLabel('Topics below').fill('home/kitchen/temperature');
    await dialog.getByText('home/kitchen/temperature/#').waitFor();
    await dialog.getByLabel('Topics below').fill('');
    await dialog.getByRole('heading', { name: 'It may' }).waitFor({ state: 'detached' });
    await dialog.getByLabel('Topics below').fill('home/kitchen');
    await audit();
    await dialog.getByRole('button', { name: 'Make the account' }).click();
    await dialog.getByText('It is shown only now').waitFor();
    await audit();
    const password = (await dialog.locator('.secret code').textContent()) ?? '';
    assert.match(password, /^([a-z2-9]{5}-){3}[a-z2-9]{5}$/);
    await dialog.getByText('Nothing has connected with this password so far.').waitFor();
    const login = { port: box.port, clientId: 'kitchen-1', username: 'kitchen' };
    await assert.rejects(mqttClient(context, { ...login, password: 'wrong' }));
    await dialog.getByText('A connection with this name was refused:').waitFor();
    assert.ok(await isInSight(page, dialog.getByText('The password for “kitchen” is wrong.')));
    await audit();
    const client = await mqttClient(context, { ...login, password });
    await dialog.getByText(/^Connected at .*, from 127\.0\.0\.1\.$/).waitFor();
    assert.equal(await dialog.getByText('The password for “kitchen” is wrong.').count(), 0);
    await audit();
    await dialog.getByRole('button', { name: 'Done' }).click();
    assert.equal(client.connected, true);
    assert.match(readFileSync(rules, 'utf8'), /^user kitchen\ntopic readwrite home\/kitchen\/#$/m);
    await page.locator('td', { hasText: 'read and write home/kitchen/#' }).waitFor();

    await page.getByRole('link', { name: 'kitchen' }).click();
    await page.getByText('1 client is connected with this account').waitFor();
    await page.getByLabel('Topic', { exact: true }).fill('home/kitchen/temperature');
    await page.getByRole('button', { name: 'Ask the broker' }).click();
    await page.getByText('This rule decides:').waitFor();
    await page.getByLabel('Topic', { exact: true }).fill('home/door');
    await page.getByRole('button', { name: 'Ask the broker' }).click();
    const answer = page.getByText('No rule allows it.');
    await answer.waitFor();
    assert.ok(await isInSight(page, answer));
    await audit();

    await page.getByRole('button', { name: 'Remove', exact: true }).click();
    await dialog.getByText('Remove “kitchen”?').waitFor();
    await dialog.getByText('the rule “read and write home/kitchen/#”').waitFor();
    await dialog.getByText('This disconnects 1 client.').waitFor();
    await audit();
    await dialog.getByRole('button', { name: 'Remove' }).click();
    await page.getByText('“kitchen” is removed.').waitFor();
    assert.doesNotMatch(readFileSync(rules, 'utf8'), /home\/kitchen/);
  });
}

test('rules begin with the first account that is limited, and all others keep all rights', { skip: noBrowser }, async (context) => {
  const browser = await openBrowser(context);
  const box = await openBox(context);
  const session = await box.claim();
  const { page, audit } = await browser.visit(box, { session });
  await page.goto(`${box.url}/#/people?add=tom`);
  const dialog = page.getByRole('dialog');
  await dialog.getByText('There are no rules yet: they begin with this account.').waitFor();
  await dialog.getByRole('radio', { name: /^Read only/ }).click();
  await audit();
  await dialog.getByRole('button', { name: 'Make the account' }).click();
  await dialog.getByText('It is shown only now').waitFor();
  await dialog.getByRole('button', { name: 'Done' }).click();
  const rules = readFileSync(join(box.folder, 'acl'), 'utf8');
  assert.match(rules, /^user jane\ntopic readwrite #$/m);
  assert.match(rules, /^user tom\ntopic read home\/#$/m);
});

test('device is added with the rules of a device, unless somebody chooses otherwise', { skip: noBrowser }, async (context) => {
  const { box, rules, page, audit } = await withRules(context);
  await page.goto(`${box.url}/#/clients`);
  await page.getByRole('button', { name: 'Add a device' }).click();
  const dialog = page.getByRole('dialog', { name: 'Add a device' });
  await dialog.waitFor();
  assert.equal(await dialog.getByRole('radio', { name: /^Sensor/ }).isChecked(), true);
  await dialog.getByLabel('Name', { exact: true }).fill('temp-bath');
  await audit();
  await dialog.getByRole('button', { name: 'Make the account' }).click();
  await page.getByText('It is shown only now').waitFor();
  await page.getByText('home/temp-bath/#').waitFor();
  await page.getByText('No device reaches these ports').waitFor(); // the box of the tests listens on loopback
  assert.match(readFileSync(rules, 'utf8'), /^user temp-bath\ntopic readwrite home\/temp-bath\/#$/m);
});

test('sensor that only sends gets no right to read', { skip: noBrowser }, async (context) => {
  const { box, rules, page, audit } = await withRules(context);
  await page.goto(`${box.url}/#/clients`);
  await page.getByRole('button', { name: 'Add a device' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('Name', { exact: true }).fill('temp-bath');
  await dialog.getByRole('checkbox', { name: /^It only sends/ }).check();
  await audit();
  await dialog.getByRole('radio', { name: /^Person/ }).click();
  assert.equal(await dialog.getByRole('checkbox', { name: /^It only sends/ }).count(), 0);
  await dialog.getByRole('radio', { name: /^Sensor/ }).click();
  await dialog.getByRole('button', { name: 'Make the account' }).click();
  await page.getByText('It is shown only now').waitFor();
  assert.match(readFileSync(rules, 'utf8'), /^user temp-bath\ntopic write home\/temp-bath\/#$/m);
});

test('rules begin at a button, after a question', { skip: noBrowser }, async (context) => {
  const browser = await openBrowser(context);
  const box = await openBox(context);
  const { page, audit } = await browser.visit(box, { session: await box.claim() });
  await page.goto(`${box.url}/#/people`);
  await page.getByRole('button', { name: 'Begin with rules' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByText('All accounts that are there now keep all their rights.').waitFor();
  await audit();
  await dialog.getByRole('button', { name: 'Begin with rules' }).click();
  await page.getByText('Rules count from now on.').waitFor();
  await page.getByText('There are no rules', { exact: true }).waitFor({ state: 'detached' });
});

test('phone is added in one way: its template leads there, with the name that was typed', { skip: noBrowser }, async (context) => {
  const { box, page, audit } = await withRules(context);
  await page.goto(`${box.url}/#/people?add=anna`);
  const dialog = page.getByRole('dialog');
  await dialog.getByRole('radio', { name: /^Phone/ }).click();
  await audit();
  await dialog.getByRole('button', { name: 'Go on under Phones' }).click();
  await page.getByRole('heading', { name: 'Phones', level: 1 }).waitFor();
  assert.match(page.url(), /#\/phones\?add=anna$/);
});

test('rules of a person are added and taken away, a mistake stands beside its field', { skip: noBrowser }, async (context) => {
  const { box, session, rules, page, audit, expect } = await withRules(context);
  expect(REFUSED);
  await ask(box, session, '/users', { method: 'POST', body: { username: 'tom', password: PASSWORD } });
  await page.goto(`${box.url}/#/people/tom`);
  await page.getByText('No rule allows this account anything.').waitFor();
  await page.getByRole('button', { name: 'Add a rule' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('It may').selectOption('read');
  await dialog.getByLabel('Topics').fill('home/#/door');
  await dialog.getByRole('button', { name: 'Add a rule' }).click();
  await dialog.locator('.field-error').waitFor();
  await audit();
  await dialog.getByLabel('Topics').fill('home/#');
  await dialog.getByRole('button', { name: 'Add a rule' }).click();
  await page.getByText('The rule counts from now on.').waitFor();
  assert.match(readFileSync(rules, 'utf8'), /^user tom\ntopic read home\/#$/m);
  await page.getByRole('button', { name: 'Remove the rule for home/#' }).click();
  await dialog.getByRole('button', { name: 'Remove the rule' }).click();
  await page.getByText('The rule is removed.').waitFor();
  assert.doesNotMatch(readFileSync(rules, 'utf8'), /read home/);

  await page.getByLabel('May use this page as').selectOption('viewer');
  await page.getByText('The access of “tom” to this page is changed.').waitFor();
  await box.signIn({ username: 'tom', password: PASSWORD });
});

for (const look of LOOKS.filter(({ name }) => name === 'desktop-light' || name === 'phone-dark')) {
  test(`client appears as it connects, is disconnected and forgotten after a question that names it: ${look.name}`, {
    skip: noBrowser,
  }, async (context) => {
    const { box, session, page, audit, expect } = await withRules(context, { look });
    expect(REFUSED);
    await ask(box, session, '/users', { method: 'POST', body: { username: 'tom', password: PASSWORD } });
    await page.goto(`${box.url}/#/clients`);
    await page.getByText('Nobody is connected.').waitFor();
    await audit();
    const login = { port: box.port, clientId: 'toms-phone', username: 'tom', password: PASSWORD, reconnectPeriod: 0 };
    const client = await mqttClient(context, { ...login, properties: { sessionExpiryInterval: 3600 } });
    await client.subscribeAsync('home/#', { qos: 1 });
    await page.getByText(/^for \d+ seconds?$/).waitFor();
    await page.getByRole('link', { name: 'toms-phone' }).click();
    await page.getByText('home/#', { exact: true }).waitFor();
    await page.locator('.lead', { hasText: /^connected for \d+ seconds?$/ }).waitFor();
    await audit();
    const dialog = page.getByRole('dialog');
    await page.getByRole('button', { name: 'Disconnect' }).click();
    await dialog.getByText('Disconnect “toms-phone”?').waitFor();
    await audit();
    await dialog.getByRole('button', { name: 'Disconnect' }).click();
    await page.getByText('“toms-phone” is disconnected.').waitFor();
    await page.getByRole('button', { name: 'Forget' }).click();
    await dialog.getByText('1 subscription', { exact: true }).waitFor();
    await audit();
    await dialog.getByRole('button', { name: 'Forget' }).click();
    await page.getByText('“toms-phone” is forgotten.').waitFor();
    await page.getByRole('radio', { name: 'Away' }).click();
    await page.getByText('Nobody is away.').waitFor();
  });
}

for (const look of LOOKS.filter(({ name }) => name === 'desktop-dark' || name === 'phone-light')) {
  test(`client is kept out by locking its account, which is undone: ${look.name}`, { skip: noBrowser }, async (context) => {
    const { box, session, page, audit } = await withRules(context, { look });
    await ask(box, session, '/users', { method: 'POST', body: { username: 'tom', password: PASSWORD } });
    const login = { port: box.port, clientId: 'toms-phone', username: 'tom', password: PASSWORD, reconnectPeriod: 0 };
    const client = await mqttClient(context, login);
    await page.goto(`${box.url}/#/clients`);
    const dialog = page.getByRole('dialog');
    await page.getByRole('button', { name: 'Disconnect toms-phone' }).click();
    await audit();
    await dialog.getByRole('link', { name: 'Keep it out: lock its account “tom”' }).click();
    await dialog.getByText('Lock “tom”?').waitFor();
    await dialog.getByText('This disconnects 1 client.').waitFor();
    await audit();
    const gone = new Promise((resolve) => client.once('close', () => resolve(null)));
    await dialog.getByRole('button', { name: 'Lock' }).click();
    await page.getByText('“tom” is locked.').waitFor();
    await page.getByText('This account is locked').waitFor();
    await gone;
    await audit();
    await assert.rejects(mqttClient(context, login));
    await page.goto(`${box.url}/#/clients?show=refused`);
    await page.getByText('The account “tom” is locked.').waitFor();
    await audit();
    await page.getByRole('link', { name: 'Unlock the account “tom”' }).click();
    await dialog.getByText('Unlock the account “tom”?').waitFor();
    await audit();
    await dialog.getByRole('button', { name: 'Unlock' }).click();
    await page.getByText('“tom” is unlocked').waitFor();
    await page.getByText('This account is locked').waitFor({ state: 'detached' });
    await mqttClient(context, login);
    await page.goto(`${box.url}/#/clients?show=refused`);
    await page.getByText('Nothing is to be done: the causes of earlier refusals are gone.').waitFor();
    await page.getByText('1 refusal that needs nothing any more').click();
    await page.getByText('Its account lets it in again: nothing is to be done.').waitFor();
    await audit();
    await page.goto(`${box.url}/#/people/jane?lock`); // of this very session
    await page.getByRole('button', { name: 'Remove', exact: true }).waitFor();
    assert.deepEqual([await dialog.count(), await page.getByRole('button', { name: 'Lock' }).count()], [0, 0]);
  });
}

test('message that no rule allows leads to the rule, of which only a look is missing', { skip: noBrowser }, async (context) => {
  const { box, session, rules, page, audit } = await withRules(context);
  await ask(box, session, '/users', { method: 'POST', body: { username: 'pump', password: PASSWORD } });
  const pump = await mqttClient(context, { port: box.port, clientId: 'pump-7c', username: 'pump', password: PASSWORD });
  await pump.publishAsync('garden/pump1/state', 'running', { qos: 1 }).catch(() => {}); // refused with a reason code
  await page.goto(`${box.url}/#/overview`);
  await page.getByText('The box is well').waitFor();
  await page.getByText('One refusal to look at').waitFor();
  await page.getByText('Turned away, or not let through: pump-7c (pump).').waitFor();
  await audit();
  await page.getByRole('link', { name: 'Show who, and why' }).click();
  await page.getByText('It may not publish to “garden/pump1/state”').waitFor();
  await page.getByRole('link', { name: 'Allow “pump” to do it' }).click();
  const dialog = page.getByRole('dialog');
  assert.equal(await dialog.getByLabel('Topics', { exact: true }).inputValue(), 'garden/pump1/state');
  await audit();
  await dialog.getByRole('button', { name: 'Add a rule' }).click();
  await page.getByText('The rule counts from now on.').waitFor();
  assert.match(readFileSync(rules, 'utf8'), /^user pump\ntopic write garden\/pump1\/state$/m);
  await page.goto(`${box.url}/#/clients?show=refused`);
  await page.getByText('Nothing is to be done: the causes of earlier refusals are gone.').waitFor();
  await page.goto(`${box.url}/#/log?show=changes`);
  await page.getByText('Rules of “pump” changed').waitFor();
  await page.getByLabel('Find a change').fill('account pump');
  await page.getByText('Account “pump” added').waitFor();
  assert.equal(await page.getByText('Rules of “pump” changed').count(), 0);
  await page.getByText('jane on the page, from 127.0.0.1').waitFor();
  await audit();
});

test('link to add somebody leads to the account where there is one by now', { skip: noBrowser }, async (context) => {
  const { box, session, page } = await withRules(context);
  await ask(box, session, '/users', { method: 'POST', body: { username: 'tom', password: PASSWORD } });
  await page.goto(`${box.url}/#/people?add=tom`);
  await page.getByRole('button', { name: 'New password' }).waitFor();
  assert.equal(await page.getByRole('dialog').count(), 0);
});

test('dialog to add somebody comes with all that it shows, stays as it is while others publish, and takes a click on its words', {
  skip: noBrowser,
}, async (context) => {
  const { box, page } = await withRules(context);
  const held = Promise.withResolvers<void>();
  await page.route('**/api/v1/phone-setup', async (route) => {
    await held.promise;
    await route.continue();
  });
  const asked = page.waitForRequest('**/api/v1/phone-setup');
  await page.goto(`${box.url}/#/people?add=lamp`);
  await asked;
  const dialog = page.getByRole('dialog');
  assert.equal(await dialog.count(), 0);
  held.resolve();
  await dialog.getByText('Sensor', { exact: true }).waitFor();
  const hub = await mqttClient(context, { port: box.port, ...OWNER });
  const traffic = setInterval(() => hub.publish('home/load', 'x'), 5);
  context.after(() => clearInterval(traffic));
  const watch = 'new MutationObserver((changes) => element.setAttribute("data-changes", String(changes.length)))';
  await dialog.evaluate(`(element) => ${watch}.observe(element, { subtree: true, childList: true, characterData: true })`);
  for (let times = 0; times < 2; times++) await page.waitForResponse('**/api/v1/phone-setup'); // the view behind it has been asked again
  assert.equal(await dialog.getAttribute('data-changes'), null);
  await dialog.getByText('Sensor', { exact: true }).click();
  assert.equal(await dialog.getByRole('radio', { name: /^Sensor/ }).isChecked(), true);
});

test('message that the rules of the owner refuse leads to these rules', { skip: noBrowser }, async (context) => {
  const { box, session, page, audit, expect } = await withRules(context);
  expect(REFUSED);
  const rule = { kind: 'topic', access: 'readwrite', filter: '#' };
  await ask(box, session, '/rules', { method: 'PATCH', body: { username: 'jane', remove: [rule] } });
  await page.goto(`${box.url}/#/topics`);
  await page.getByRole('button', { name: 'Publish', exact: true }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('Topic', { exact: true }).fill('test/x');
  await dialog.getByRole('button', { name: 'Publish message' }).click();
  await dialog.getByText('the rules do not let user "jane" write there').waitFor();
  await audit();
  await dialog.getByRole('link', { name: 'Show what “jane” may do' }).click();
  await page.getByText('No rule allows this account anything.').waitFor();
  assert.equal(await dialog.count(), 0);
  await page.getByText('May “jane” use a topic?').waitFor();
});

/** Above the bar at the bottom, too, which a phone has. */
async function isInSight(page: Page, element: Locator): Promise<boolean> {
  const box = await element.boundingBox();
  const bar = await page.locator('.bottom-nav').boundingBox();
  return box !== null && box.y >= 0 && box.y + box.height <= (bar?.y ?? page.viewportSize()?.height ?? 0);
}
