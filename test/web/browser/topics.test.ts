// The view of topics in a real browser, at a real broker.

import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { mqttClient } from '../../support/clients/mqtt-client.ts';
import { temporaryFolder } from '../../support/disk/temporary-folder.ts';
import { ask, OWNER, openBox } from './box.ts';
import { LOOKS, noBrowser, openBrowser } from './browser.ts';
import { openSeededBox, topicLine } from './seeded-box.ts';

for (const look of LOOKS) {
  test(`topics are seen live, published and deleted: ${look.name}`, { skip: noBrowser }, async (context) => {
    const browser = await openBrowser(context);
    const { box, session, hub } = await openSeededBox(context);
    const jane = await browser.visit(box, { look, session });
    const { page } = jane;
    const topic = (name: string) => topicLine(page, name);
    await page.goto(`${box.url}/#/topics`);
    await topic('home').click();
    await topic('kitchen').click();
    await topic('temperature').filter({ hasText: '21.4' }).waitFor();
    await jane.audit();

    // Live, with a history.
    const follows = page.waitForResponse(/messages\/stream\?topic=home%2Fkitchen%2Ftemperature/);
    await topic('temperature').click();
    await page.getByRole('heading', { name: 'home/kitchen/temperature' }).waitFor();
    await follows;
    await page.getByText('A chart comes with the next value.').waitFor();
    for (const value of ['22.5', '23.5', '24.5']) await hub.publishAsync('home/kitchen/temperature', value, { retain: true });
    await page.locator('.topic-payload', { hasText: '24.5' }).waitFor();
    await page.locator('.topic-history canvas').waitFor();
    assert.equal(await page.getByText('A chart comes with the next value.').count(), 0);
    assert.deepEqual(await page.locator('.topic-history li code').allTextContents(), ['24.5', '23.5', '22.5', '21.4']);
    await page.getByText('What was retained when you opened the topics, and what has passed since.').waitFor();
    await jane.audit();
    await page.getByRole('button', { name: 'Close this topic' }).click();

    // Published from the page, and received by a client.
    await page.getByRole('button', { name: 'Publish', exact: true }).click();
    await page.getByLabel('Topic', { exact: true }).fill('home/note');
    await page.getByLabel('Message', { exact: true }).fill('{"from":"the page"}');
    await page.getByRole('checkbox', { name: /^Retain/ }).check();
    await jane.audit();
    const received = new Promise<string>((resolve) => {
      hub.on('message', (name, payload) => name === 'home/note' && resolve(payload.toString()));
    });
    await page.getByRole('button', { name: 'Publish message' }).click();
    assert.equal(await received, '{"from":"the page"}');
    await page.getByText('Published to home/note').waitFor();
    await page.getByRole('dialog').getByRole('button', { name: 'Close' }).last().click();
    await topic('note').filter({ hasText: 'the page' }).waitFor();

    // Found, and deleted after a look.
    await page.getByLabel('Find topics').fill('temperature');
    await page.getByText('3 topics found').waitFor();
    assert.equal(await page.getByRole('treeitem').count(), 3);
    await page.getByLabel('Find topics').fill('home/+/temperature');
    await page.getByRole('button', { name: 'Delete values' }).click();
    await page.getByText('3 retained messages go:').waitFor();
    await jane.audit();
    await page.getByRole('button', { name: 'Delete 3 messages' }).click();
    await page.getByText('3 retained messages deleted').waitFor();
    await page.getByText('No topic has this in its name.').waitFor();
    await page.getByRole('button', { name: 'Clear the search' }).click();
    await topic('kitchen').waitFor();
    assert.equal(await topic('temperature').count(), 0);
  });
}

for (const look of LOOKS.filter(({ name }) => name === 'desktop-light' || name === 'phone-dark')) {
  test(`deletion begins with what is open, and offers what is below a topic that it names: ${look.name}`, {
    skip: noBrowser,
  }, async (context) => {
    const browser = await openBrowser(context);
    const { box, session, hub } = await openSeededBox(context);
    const { page, audit } = await browser.visit(box, { look, session });
    await hub.publishAsync('home/kitchen', 'warm', { retain: true, qos: 1 });
    await page.goto(`${box.url}/#/topics`);
    const dialog = page.getByRole('dialog');
    const filter = () => dialog.getByLabel('Topic filter').inputValue();
    await topicLine(page, 'garden').click();
    await topicLine(page, 'pump').waitFor();
    await page.getByRole('button', { name: 'Delete values' }).click();
    assert.equal(await filter(), 'garden/#');
    assert.equal(await dialog.getByRole('button', { name: /^Delete \d/ }).count(), 0, 'nobody has said that it is to go');
    await dialog.getByRole('button', { name: 'Show what would go' }).click();
    await dialog.getByText('2 retained messages go:').waitFor();
    await dialog.getByLabel('Topic filter').fill('home');
    await dialog.getByRole('button', { name: 'Show what would go' }).click();
    await dialog.getByText('No retained message matches this filter.').waitFor();
    await dialog.getByText('Below it are 12 retained messages.').waitFor();
    await audit();
    await dialog.getByRole('button', { name: 'Take home/#' }).click();
    await dialog.getByText('12 retained messages go:').waitFor();
    assert.equal(await filter(), 'home/#');
    await dialog.getByLabel('Topic filter').fill('garden/pump/state');
    await dialog.getByRole('button', { name: 'Show what would go' }).click();
    await dialog.getByText('1 retained message goes:').waitFor();
    assert.equal(await dialog.getByText(/^Below it/).count(), 0);
    await page.goto(`${box.url}/#/topics/${encodeURIComponent('home/kitchen')}`);
    await page.reload();
    await page.getByRole('heading', { name: 'home/kitchen' }).waitFor();
    if (look.name.startsWith('phone')) return; // the topic stands in the place of the head
    await page.getByRole('button', { name: 'Delete values', exact: true }).click();
    await dialog.getByRole('button', { name: 'Show what would go' }).click();
    await dialog.getByText('1 retained message goes:').waitFor();
    await dialog.getByText('Below it are 3 retained messages.').waitFor();
    assert.equal(await filter(), 'home/kitchen');
  });
}

test('retained value is told beside one that has passed since, and not beside a newer one that is retained itself', {
  skip: noBrowser,
}, async (context) => {
  const browser = await openBrowser(context);
  const { box, session, hub } = await openSeededBox(context);
  const { page } = await browser.visit(box, { session });
  const follows = page.waitForResponse(/messages\/stream\?topic=home%2Fkitchen%2Ftemperature/);
  await page.goto(`${box.url}/#/topics/${encodeURIComponent('home/kitchen/temperature')}`);
  await follows;
  await page.getByText('Published by', { exact: true }).waitFor();
  const kept = page.getByText('Retained value', { exact: true });
  await hub.publishAsync('home/kitchen/temperature', '22.5', { retain: true });
  await page.locator('.topic-payload', { hasText: '22.5' }).waitFor();
  assert.equal(await kept.count(), 0);
  await hub.publishAsync('home/kitchen/temperature', '30');
  await page.locator('.topic-payload', { hasText: '30' }).waitFor();
  await kept.waitFor();
  await page.locator('dd', { hasText: /^22\.5 · .+ · hub$/ }).waitFor();
});

test('topic that comes below a closed level is counted with the others', { skip: noBrowser }, async (context) => {
  const browser = await openBrowser(context);
  const { box, session, hub } = await openSeededBox(context);
  const { page } = await browser.visit(box, { session });
  await page.goto(`${box.url}/#/topics`);
  await topicLine(page, 'home').waitFor();
  const before = Number.parseInt((await page.locator('.topics-summary').textContent()) ?? '', 10);
  const follows = page.waitForResponse(/retained-tree/);
  await hub.publishAsync('home/kitchen/pressure', '1013', { retain: true });
  await follows;
  await page.getByText(`${before + 1} topics`).waitFor();
  await hub.publishAsync('home/kitchen/pressure', '', { retain: true });
  await page.getByText(`${before} topics`).waitFor();
});

test('topic that was found by a search stands among all others when the search is cleared', { skip: noBrowser }, async (context) => {
  const browser = await openBrowser(context);
  const { box, session } = await openSeededBox(context);
  const { page } = await browser.visit(box, { session });
  await page.goto(`${box.url}/#/topics`);
  await topicLine(page, 'home').waitFor();
  const search = page.getByLabel('Find topics');
  await search.fill('kitchen/humidity');
  await page.getByText('1 topic found').waitFor();
  await page.locator('.topic-line').first().click();
  await page.getByRole('heading', { name: 'home/kitchen/humidity' }).waitFor();
  await search.fill('');
  for (const level of ['humidity', 'temperature', 'window', 'bathroom', 'living-room']) await topicLine(page, level).waitFor();
});

test('topics are moved through by the keyboard alone', { skip: noBrowser }, async (context) => {
  const browser = await openBrowser(context);
  const { box, session } = await openSeededBox(context);
  const { page } = await browser.visit(box, { session });
  await page.goto(`${box.url}/#/topics`);
  const tree = page.getByRole('tree', { name: 'Topics' });
  await topicLine(page, 'home').waitFor();
  await tree.focus();
  const active = () => page.locator('.topic-line.active .topic-level').textContent();
  for (const [key, at] of [
    ['ArrowDown', 'garden'],
    ['ArrowDown', 'home'],
    ['ArrowRight', 'home'],
  ] as const) {
    await page.keyboard.press(key);
    assert.equal(await active(), at);
  }
  await topicLine(page, 'bathroom').waitFor();
  for (const [key, at] of [
    ['ArrowRight', 'bathroom'],
    ['ArrowLeft', 'home'],
    ['ArrowLeft', 'home'],
    ['End', 'zigbee2mqtt'],
    ['Home', 'energy'],
  ] as const) {
    await page.keyboard.press(key);
    assert.equal(await active(), at);
  }
  assert.equal(await topicLine(page, 'bathroom').count(), 0);
});

test('ten thousand topics of one level are scrolled through, and only what is seen is in the document', {
  skip: noBrowser,
}, async (context) => {
  const browser = await openBrowser(context);
  const { box, session, hub } = await openSeededBox(context);
  for (let count = 0; count < 10_000; count++) hub.publish(`plant/sensor${count}`, String(count), { retain: true });
  await hub.publishAsync('plant/last', 'x', { retain: true, qos: 1 });
  const { page } = await browser.visit(box, { session });
  await page.goto(`${box.url}/#/topics`);
  await page
    .getByRole('treeitem', { name: 'plant' })
    .filter({ hasText: /10[.,]?001/ })
    .click();
  await topicLine(page, 'sensor0').waitFor();
  const last = topicLine(page, 'sensor9999');
  // Pages of the level are loaded as the end comes into sight.
  while ((await last.count()) === 0) {
    await page.evaluate("document.querySelector('.virtual-tree').scrollTop = 1e9");
    await page.waitForTimeout(50);
  }
  assert.ok((await page.getByRole('treeitem').count()) < 60, 'rows in the document');
});

test('viewer sees retained values, and nothing to change them with', { skip: noBrowser }, async (context) => {
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
  await page.goto(`${box.url}/#/topics`);
  await page.getByText('Your role sees retained values').waitFor();
  await topicLine(page, 'energy').waitFor();
  assert.equal(await page.getByRole('button', { name: /Publish|Delete/ }).count(), 0);
  await audit();
});

test('topics of an empty box say how some come here, and go on after the broker was away', { skip: noBrowser }, async (context) => {
  const browser = await openBrowser(context);
  const box = await openBox(context);
  const session = await box.claim();
  const { page, audit, expect } = await browser.visit(box, { session });
  await page.goto(`${box.url}/#/topics`);
  await page.getByText('Nothing here yet.').waitFor();
  await audit();
  expect(/Failed to load resource: net::/);
  expect(/Failed to load resource: .* 401 /);
  await box.stop();
  await page.getByText('The box does not answer').waitFor();
  await audit();
  await box.start();
  await page.getByRole('heading', { name: 'Sign in' }).waitFor();
});

test('value whose publisher has lost the right to publish it is told as one that nobody receives', { skip: noBrowser }, async (context) => {
  const browser = await openBrowser(context);
  const rules = join(temporaryFolder(context), 'acl');
  const owner = 'user jane\ntopic readwrite #\n';
  writeFileSync(rules, `${owner}user pump\ntopic write garden/#\n`, { mode: 0o600 });
  const box = await openBox(context, { before: [`acl_file ${rules}`] });
  const session = await box.claim();
  await ask(box, session, '/users', { method: 'POST', body: { username: 'pump', password: OWNER.password } });
  const pump = await mqttClient(context, { port: box.port, username: 'pump', password: OWNER.password });
  await pump.publishAsync('garden/pump', 'on', { retain: true, qos: 1 });
  const { page, audit } = await browser.visit(box, { session });
  await page.goto(`${box.url}/#/topics`);
  await topicLine(page, 'garden').click();
  await topicLine(page, 'pump').click();
  await page.getByText('Published by').waitFor();
  const nobody = page.getByText('Nobody receives this retained value: pump may not publish here any more.');
  assert.equal(await nobody.count(), 0);
  writeFileSync(rules, owner);
  await ask(box, session, '/reload', { method: 'POST' });
  await nobody.waitFor();
  await audit();
});

test('who may use a topic is told at the topic, with the way to each account', { skip: noBrowser }, async (context) => {
  const browser = await openBrowser(context);
  const rules = join(temporaryFolder(context), 'acl');
  writeFileSync(rules, 'user jane\ntopic readwrite #\nuser pump\ntopic write garden/#\nuser panel\ntopic read house/#\n', { mode: 0o600 });
  const box = await openBox(context, { before: [`acl_file ${rules}`] });
  const session = await box.claim();
  for (const username of ['pump', 'panel'])
    await ask(box, session, '/users', { method: 'POST', body: { username, password: OWNER.password } });
  const pump = await mqttClient(context, { port: box.port, username: 'pump', password: OWNER.password });
  await pump.publishAsync('garden/pump', 'on', { retain: true, qos: 1 });
  const { page, audit } = await browser.visit(box, { session });
  await page.goto(`${box.url}/#/topics`);
  await topicLine(page, 'garden').click();
  await topicLine(page, 'pump').click();
  await page.getByRole('button', { name: 'Who may use it?' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByText('Nobody else may read or write here.').waitFor();
  const told = await dialog.getByRole('listitem').allInnerTexts();
  assert.deepEqual(
    told.map((each) => each.replaceAll(/\s+/g, ' ')),
    ['jane reads writes', 'pump writes'],
  );
  await audit();
  await dialog.getByRole('link', { name: 'pump' }).click();
  await page.getByRole('heading', { name: 'pump', level: 1 }).waitFor();
});
