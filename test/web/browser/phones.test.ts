// The view of phones: from the link on the screen of the owner to a phone that is set up, while the owner looks on.

import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { ScriptedPhone } from '../../phones/scripted-phone.ts';
import { mqttClient } from '../../support/clients/mqtt-client.ts';
import { temporaryFolder } from '../../support/disk/temporary-folder.ts';
import { freePorts } from '../../support/network/free-ports.ts';
import { ask, OWNER, openBox } from './box.ts';
import { LOOKS, noBrowser, openBrowser } from './browser.ts';

/** A red dot. */
const RED = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg==';

/** A dot of a kind that the page does not make. */
const WEBP = 'UklGRiQAAABXRUJQVlA4IBgAAAAwAQCdASoBAAEAAwA0JaQAA3AA/vuUAAA=';

const PICTURES = process.env['MIDGE_PICTURES'];

for (const look of LOOKS.filter(({ name }) => name === 'desktop-light' || name === 'phone-dark')) {
  test(`phone is added by its link, followed until it is set up, and removed: ${look.name}`, { skip: noBrowser }, async (context) => {
    const browser = await openBrowser(context);
    const folder = temporaryFolder(context);
    const acl = join(folder, 'acl');
    writeFileSync(acl, 'user jane\ntopic readwrite #\n', { mode: 0o600 });
    const [mqtt = 0, secure = 0, plain = 0] = await freePorts(3);
    const listeners = [
      `listener ${mqtt}`,
      'secure true',
      `listener ${secure}`,
      'protocol http',
      `listener ${plain}`,
      'protocol http',
      'secure false',
    ];
    const box = await openBox(context, { before: [`acl_file ${acl}`, 'certificate_names localhost', ...listeners] });
    const session = await box.claim();
    const { page, audit } = await browser.visit(box, { session, look });
    const picture = async (name: string) => {
      if (PICTURES !== undefined) await page.screenshot({ path: join(PICTURES, `phones-${look.name}-${name}.png`), fullPage: true });
    };
    await page.goto(`${box.url}/#/phones?add=anna`);
    assert.equal(await page.getByRole('dialog').getByLabel('Person').inputValue(), 'anna');
    await page.keyboard.press('Escape');
    await page.getByText('No phone was set up yet.').waitFor();
    await audit();
    await page.getByRole('button', { name: 'Add a phone' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel('Person').fill('jane');
    await dialog.getByLabel('Shares locations in').fill('family');
    await audit();
    await picture('form');
    await dialog.getByRole('button', { name: 'Make the link' }).click();
    await dialog.getByRole('img', { name: 'The link as a QR code' }).waitFor();
    await audit();
    await picture('link');
    const scrolled = await page.evaluate(
      "Math.max(...[document.querySelector('dialog'), ...document.querySelectorAll('dialog *')].map((each) => each.scrollTop))",
    );
    assert.equal(scrolled, 0, 'the link is shown from its first sentence on');
    const isWithin = await page.evaluate("document.querySelector('dialog').scrollWidth <= document.querySelector('dialog').clientWidth");
    assert.equal(isWithin, true, 'nothing stands beyond the edge');
    const link = (await dialog.locator('.secret code').textContent()) ?? '';
    const phone = new ScriptedPhone(context, link, 'ios');
    const first = await phone.scan();
    await phone.trust(first);
    await dialog.locator('li.done').getByText('Certificate loaded').waitFor();
    const fields = phone.configure(await phone.open(phone.next(first)));
    const client = await phone.connect(fields);
    await dialog.locator('li.done').getByText('Signed in').waitFor();
    await phone.publish(client, fields, { lat: 1, lon: 2 });
    await dialog.getByText('All is set up.').waitFor();
    await audit();
    await dialog.getByRole('link', { name: 'Show where everybody is' }).click();
    await page.getByRole('heading', { name: 'Where is everybody' }).waitFor();
    assert.equal(await dialog.count(), 0);
    await page.goto(`${box.url}/#/phones`);
    await page.getByText('connected', { exact: true }).waitFor();
    await audit();
    await picture('list');
    const heard = new Map<string, string>();
    client.on('message', (topic, payload) => heard.set(topic, String(payload)));
    const told = async (topic: string, name?: string) => {
      const message = () => JSON.parse(heard.get(topic) ?? 'null');
      while (message() === null || (name !== undefined && message().name !== name))
        await new Promise((resolve) => client.once('message', resolve));
      return message();
    };
    const fromPhone = { _type: 'card', name: 'Jay', face: WEBP };
    await client.publishAsync('owntracks/jane/phone/info', JSON.stringify(fromPhone), { qos: 1, retain: true });
    await page.goto(`${box.url}/#/where/jane/phone`);
    await page.locator('img.face-picture').waitFor();
    await page.getByRole('button', { name: 'Change name and picture' }).click();
    await dialog.getByLabel('Name').fill('Jane');
    await dialog.getByRole('button', { name: 'Save' }).click();
    assert.equal((await told('owntracks/jane/phone/info', 'Jane')).face, WEBP, 'the picture of the phone stays');
    await dialog.waitFor({ state: 'detached' });
    await page.getByRole('button', { name: 'Change name and picture' }).click();
    await dialog.getByLabel('Name').fill('Jane Doe');
    await dialog.getByLabel('Picture').setInputFiles({ name: 'jane.png', mimeType: 'image/png', buffer: Buffer.from(RED, 'base64') });
    await dialog.locator('img.face-picture').waitFor();
    await audit();
    await picture('card');
    await dialog.getByRole('button', { name: 'Save' }).click();
    await page.getByText('The card is changed.').first().waitFor();
    const card = await told('owntracks/jane/phone/info', 'Jane Doe');
    assert.match(card.face, /^\/9j\/.{500}/, 'it is a JPEG');
    await page.getByRole('button', { name: 'Send places' }).click();
    await dialog.getByLabel('Name of the place').fill('Home');
    await dialog.getByRole('button', { name: 'Save as a file' }).click();
    await dialog.getByText('A place needs a name, a latitude').waitFor();
    for (const [label, text] of [
      ['Latitude', '52,5166'],
      ['Longitude', '13.3777'],
    ] as const)
      await dialog.getByLabel(label).fill(text);
    await audit();
    await picture('places');
    const saving = page.waitForEvent('download');
    await dialog.getByRole('button', { name: 'Save as a file' }).click();
    assert.equal((await saving).suggestedFilename(), 'jane-phone.otrw');
    await dialog.getByRole('button', { name: 'Send places' }).click();
    await page.getByText('1 place is sent.').waitFor();
    const { action, waypoints } = await told('owntracks/jane/phone/cmd');
    const [{ desc, lat, lon, rad }] = waypoints.waypoints;
    assert.deepEqual([action, desc, lat, lon, rad], ['setWaypoints', 'Home', 52.5166, 13.3777, 100]);
    await page.goto(`${box.url}/#/phones`);
    await page.getByRole('button', { name: 'New link for “jane/phone”' }).click();
    await dialog.getByText('This phone is set up. It stays so until a phone opens the new link').waitFor();
    await audit();
    await picture('new-link');
    await dialog.getByRole('button', { name: 'Make the link' }).click();
    await dialog.getByRole('img', { name: 'The link as a QR code' }).waitFor();
    assert.notEqual(await dialog.locator('.secret code').textContent(), link);
    await dialog.locator('.actions').getByRole('button', { name: 'Close' }).click();
    await page.getByRole('button', { name: 'Remove' }).click();
    await dialog.getByRole('button', { name: 'Remove' }).click();
    await page.getByText('“jane/phone” is removed.').waitFor();
    await page.getByText('No phone was set up yet.').waitFor();
  });
}

test('first phone begins the rules where there are none, and everybody keeps what they may', { skip: noBrowser }, async (context) => {
  const browser = await openBrowser(context);
  const [mqtt = 0, secure = 0] = await freePorts(2);
  const listeners = [`listener ${mqtt}`, 'secure true', `listener ${secure}`, 'protocol http'];
  const box = await openBox(context, { before: ['certificate_names localhost', ...listeners] });
  const { page, audit } = await browser.visit(box, { session: await box.claim(), locale: 'de-DE' });
  const client = await mqttClient(context, { port: box.port, ...OWNER });
  await page.goto(`${box.url}/#/phones?add=`);
  const dialog = page.getByRole('dialog');
  await dialog.getByText('Es gibt noch keine Regeln.').waitFor();
  await dialog.getByLabel('Person').fill('john');
  await audit();
  await dialog.getByRole('button', { name: 'Link erstellen' }).click();
  await dialog.getByRole('img').waitFor();
  await dialog.locator('.actions').getByRole('button', { name: 'Schließen' }).click();
  const rules = readFileSync(join(box.folder, 'acl'), 'utf8');
  assert.match(rules, /^user jane$\n^topic readwrite #$/m);
  assert.match(rules, /^user john\/phone$/m);
  assert.match(readFileSync(box.file, 'utf8'), /^acl_file /m);
  assert.equal(client.connected, true);
  await client.publishAsync('home/door', 'open', { qos: 1 });
  await page.goto(`${box.url}/#/people/jane`);
  await page.getByText('readwrite').or(page.getByText('lesen und schreiben')).first().waitFor();
  await audit();
});

for (const look of LOOKS.filter(({ name }) => name === 'desktop-light' || name === 'phone-dark')) {
  test(`ports that phones lack are all named, and opened by one button on trial: ${look.name}`, { skip: noBrowser }, async (context) => {
    const browser = await openBrowser(context);
    const box = await openBox(context);
    const { page, audit } = await browser.visit(box, { session: await box.claim(), look });
    const [mqtt = 0, pages = 0] = await freePorts(2);
    await page.route('**/api/v1/phone-setup', async (route) => {
      const answer = await route.fetch();
      const text = (await answer.text()).replaceAll('listener 8883', `listener ${mqtt}`).replaceAll('listener 8443', `listener ${pages}`); // of this test alone
      await route.fulfill({ response: answer, body: text });
    });
    const picture = async (name: string) => {
      if (PICTURES !== undefined) await page.screenshot({ path: join(PICTURES, `ports-${look.name}-${name}.png`) });
    };
    await page.goto(`${box.url}/#/phones?add=anna`);
    await page.getByText('Phones sign in by TLS only, and no listener with TLS is open to the network.').waitFor();
    await page.getByText('Phones load their settings from this box by HTTPS, and no listener for that').waitFor();
    assert.equal(await page.getByRole('button', { name: 'Add a phone' }).count(), 0);
    await audit();
    await picture('missing');
    const open = page.getByRole('button', { name: `Open ports ${mqtt} and ${pages}` });
    await open.click();
    const dialog = page.getByRole('dialog');
    const come = dialog.locator('.diff-line.come code');
    await come.filter({ hasText: 'protocol http' }).waitFor();
    assert.deepEqual(
      (await come.allTextContents()).filter((line) => line !== ''),
      [`listener ${mqtt}`, 'secure true', `listener ${pages}`, 'protocol http'],
    );
    await audit();
    await picture('review');
    await dialog.getByRole('button', { name: 'Apply for 60 seconds' }).click();
    await page.getByRole('dialog', { name: /^Keep the ports? open\?$/ }).waitFor();
    await page.getByText('Phones cannot be set up yet').waitFor({ state: 'detached' });
    assert.equal(await dialog.count(), 1, 'no form is above the question');
    assert.equal(await dialog.getByLabel('Person').count(), 0);
    assert.equal(await page.locator('.trial').filter({ visible: true }).count(), 1);
    await audit();
    await picture('trial');
    await dialog.getByRole('button', { name: 'Take back now' }).click();
    await open.waitFor();
    assert.equal(await dialog.count(), 0);
    assert.doesNotMatch(readFileSync(box.file, 'utf8'), new RegExp(`listener (${mqtt}|${pages})`));
    await open.click();
    await dialog.getByRole('button', { name: 'Apply for 60 seconds' }).click();
    await dialog.getByRole('button', { name: 'Keep the changes' }).click();
    await page.getByText('The new settings stay.').waitFor();
    assert.match(readFileSync(box.file, 'utf8'), new RegExp(`\n\nlistener ${mqtt}\nsecure true\nlistener ${pages}\nprotocol http\n$`));
    await dialog.getByLabel('Person').waitFor();
    assert.equal(await dialog.getByLabel('Person').inputValue(), 'anna');
    await audit();
  });
}

test('groups of somebody whose phone is there already are changed, and who sees nobody is led there', {
  skip: noBrowser,
}, async (context) => {
  const browser = await openBrowser(context);
  const folder = temporaryFolder(context);
  const acl = join(folder, 'acl');
  writeFileSync(acl, '# none so far\n', { mode: 0o600 });
  const [mqtt = 0, secure = 0] = await freePorts(2);
  const listeners = [`listener ${mqtt}`, 'secure true', `listener ${secure}`, 'protocol http'];
  const box = await openBox(context, { before: [`acl_file ${acl}`, 'certificate_names localhost', ...listeners] });
  const session = await box.claim();
  const { page, audit, expect } = await browser.visit(box, { session, look: LOOKS.find(({ name }) => name === 'phone-dark')! });
  expect(/status of 422/);
  const picture = async (name: string) => {
    if (PICTURES !== undefined) await page.screenshot({ path: join(PICTURES, `groups-${name}.png`) });
  };
  const addPhone = (person: string, groups: string[]) => ask(box, session, '/phones', { method: 'POST', body: { person, groups } });
  const rulesOf = (user: string) =>
    readFileSync(acl, 'utf8')
      .split(/^user /m)
      .find((block) => block.startsWith(`${user}\n`)) ?? '';
  await page.goto(`${box.url}/#/where`);
  await page.getByRole('link', { name: 'Phones', exact: true }).last().waitFor();
  await addPhone('lena', ['family']);
  await page.reload();
  await page.getByRole('link', { name: 'Add a phone of your own' }).click();
  const dialog = page.getByRole('dialog');
  assert.equal(await dialog.getByLabel('Person').inputValue(), OWNER.username);
  await dialog.getByText('Others are in: family (lena)').waitFor();
  const groups = dialog.getByLabel('Shares locations in');
  while ((await groups.inputValue()) !== 'family'); // the groups of the others come with an answer
  await page.keyboard.press('Escape');
  await addPhone(OWNER.username, []);
  assert.doesNotMatch(rulesOf('jane/phone'), /lena/);
  await page.goto(`${box.url}/#/where`);
  await page.getByRole('link', { name: 'Change your groups' }).click();
  await page.getByRole('dialog', { name: `Change the groups of “${OWNER.username}”` }).waitFor();
  await dialog.getByText('Others are in: family (lena)').waitFor();
  await audit();
  await picture('dialog');
  await dialog.getByLabel('Shares locations in').fill('family, no!');
  await dialog.getByRole('button', { name: 'Save' }).click();
  await dialog.getByText(/must have letters, digits/).waitFor();
  await audit();
  await dialog.getByLabel('Shares locations in').fill('family, club family');
  await dialog.getByRole('button', { name: 'Save' }).click();
  await page.getByText(`The groups of “${OWNER.username}” are changed.`).waitFor();
  await dialog.waitFor({ state: 'detached' });
  await page.getByRole('cell', { name: /family, club/ }).waitFor();
  assert.match(rulesOf('jane/phone'), /^topic read owntracks\/lena\/\+$/m);
  assert.match(rulesOf('lena/phone'), /^topic read owntracks\/jane\/\+$/m);
  await audit();
  await picture('list');
});

for (const hasPlain of [true, false]) {
  test(`warning of the browser is ${hasPlain ? 'not announced where the phone loads the certificate first' : 'announced beside the link, and in what is copied'}`, {
    skip: noBrowser,
  }, async (context) => {
    const browser = await openBrowser(context);
    const [mqtt = 0, secure = 0, plain = 0] = await freePorts(3);
    const pages = [`listener ${secure}`, 'protocol http', ...(hasPlain ? [`listener ${plain}`, 'protocol http', 'secure false'] : [])];
    const box = await openBox(context, { before: ['certificate_names localhost', `listener ${mqtt}`, 'secure true', ...pages] });
    const { page, audit, context: person } = await browser.visit(box, { session: await box.claim() });
    await person.grantPermissions(['clipboard-read', 'clipboard-write']);
    await page.goto(`${box.url}/#/phones?add=jane`);
    const dialog = page.getByRole('dialog');
    const hint = dialog.getByText('By HTTP it connects only to send its own location');
    await hint.waitFor();
    await dialog.getByLabel('App').selectOption({ label: 'OwnTracks, by HTTP' });
    assert.equal(await hint.count(), 1);
    await dialog.getByLabel('App').selectOption({ label: 'Another app for MQTT' });
    assert.equal(await hint.count(), 0);
    await dialog.getByLabel('App').selectOption({ label: 'OwnTracks' });
    await dialog.getByRole('button', { name: 'Make the link' }).click();
    await dialog.getByRole('img').waitFor();
    await audit();
    const warning = dialog.getByText('The phone will warn that the connection is not private');
    assert.equal(await warning.count(), hasPlain ? 0 : 1);
    await dialog.getByRole('button', { name: 'Copy' }).click();
    await dialog.getByRole('button', { name: 'Copied' }).waitFor();
    const [link = '', ...more] = String(await page.evaluate('navigator.clipboard.readText()')).split('\n');
    assert.match(link, hasPlain ? /^http:\/\/\S+#\S+$/ : /^https:\/\/\S+#\S+$/);
    assert.equal(link, await dialog.locator('.secret code').textContent());
    assert.deepEqual(more, hasPlain ? [] : [await warning.textContent()]);
  });
}

test('name that no phone can have is told of at the claim, and leads nowhere in vain afterwards', { skip: noBrowser }, async (context) => {
  const browser = await openBrowser(context);
  const acl = join(temporaryFolder(context), 'acl');
  writeFileSync(acl, 'user Anna Müller\ntopic readwrite home/#\n', { mode: 0o600 });
  const [mqtt = 0, secure = 0] = await freePorts(2);
  const listeners = [`listener ${mqtt}`, 'secure true', `listener ${secure}`, 'protocol http'];
  const box = await openBox(context, { before: [`acl_file ${acl}`, 'certificate_names localhost', ...listeners] });
  const { page, audit } = await browser.visit(box, { look: LOOKS.find(({ name }) => name === 'phone-dark')! });
  await page.goto(box.url);
  const name = page.getByLabel('Your name');
  await name.fill('Anna Müller');
  await page.getByText('“Anna Müller” could not have a phone').waitFor();
  await audit();
  if (PICTURES !== undefined) await page.screenshot({ path: join(PICTURES, 'name-claim.png'), fullPage: true });
  await page.getByRole('button', { name: 'Take “anna”' }).click();
  assert.equal(await name.inputValue(), 'anna');
  await page.getByText('could not have a phone').waitFor({ state: 'detached' });
  await name.fill('Anna Müller');
  await page.getByLabel('Set-up code').fill(box.setupCode());
  await page.getByLabel('Password', { exact: true }).fill(OWNER.password);
  await page.getByRole('button', { name: 'Make the account' }).click();
  await page.getByRole('heading', { name: 'Overview' }).waitFor();
  await page.goto(`${box.url}/#/phones?add=${encodeURIComponent('Anna Müller')}`);
  const dialog = page.getByRole('dialog');
  await dialog.getByRole('button', { name: 'Take “anna”' }).click();
  await dialog.getByLabel('Device').fill('tablet');
  await dialog.getByRole('button', { name: 'Make the link' }).click();
  await dialog.getByRole('img', { name: 'The link as a QR code' }).waitFor();
  await page.goto(`${box.url}/#/where`);
  await page.getByText('With the rule “read owntracks/+/+” you see all of them.').waitFor();
  await audit();
  await page.getByRole('button', { name: 'Add this rule' }).click();
  await page.getByText('The rule counts from now on.').waitFor();
  assert.match(readFileSync(acl, 'utf8'), /^user Anna Müller\ntopic readwrite home\/#\ntopic read owntracks\/\+\/\+$/m);
  await page.getByText('No phone whose location you may see has told where it is.').waitFor();
  await page.getByRole('button', { name: 'Add this rule' }).waitFor({ state: 'detached' });
});
