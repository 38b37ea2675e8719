// An invitation to a bridge in a real browser: made on one box, looked at and added on another.

import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { freePorts } from '../../support/network/free-ports.ts';
import { OWNER, openBox } from './box.ts';
import { LOOKS, noBrowser, openBrowser } from './browser.ts';
import { openSeededBox } from './seeded-box.ts';

const PICTURES = process.env['MIDGE_PICTURES'];

test('another box is invited, and accepts after it has seen what the bridge carries', { skip: noBrowser }, async (context) => {
  const browser = await openBrowser(context);
  const [port = 0] = await freePorts(1);
  const box = await openBox(context, { before: ['certificate_names localhost'], after: [`listener ${port}`, 'secure true'] });
  const { page, audit } = await browser.visit(box, { look: LOOKS[0]!, session: await box.claim() });
  await page.goto(`${box.url}/#/bridges`);
  const dialog = page.getByRole('dialog');
  await page.getByRole('button', { name: 'Invite another box' }).click();
  await audit();
  await dialog.getByLabel('Name of the other box').fill('anna');
  await dialog.getByLabel('Topic 1').fill('family/#');
  await dialog.getByLabel('Topic 2').fill('news/#');
  const homeOnly = dialog.getByText('is found at home only');
  await homeOnly.waitFor();
  await dialog.getByLabel('Name of this box').fill('box.example.org');
  await homeOnly.waitFor({ state: 'detached' });
  await dialog.getByLabel('Name of this box').fill('');
  await homeOnly.waitFor();
  await audit();
  await dialog.getByRole('button', { name: 'Make the invitation' }).click();
  await dialog.getByText(`, port ${port}. On the page of the other box`).waitFor();
  const text = dialog.getByRole('textbox', { name: 'Invitation for anna' });
  await text.waitFor();
  await audit();
  const invitation = await text.inputValue();
  assert.match(invitation, /^topic family\/# both 1$/m);
  const [, password = ''] = /^remote_password (.+)$/m.exec(invitation) ?? [];
  assert.ok(password !== '' && !box.lines().join('\n').includes(password), 'no log has it');
  assert.match(readFileSync(join(box.folder, 'acl'), 'utf8'), /^user anna\ntopic readwrite family\/#\ntopic readwrite news\/#$/m);

  await dialog.locator('.actions').getByRole('button', { name: 'Close' }).click();
  await dialog.getByRole('button', { name: 'Close anyway' }).click();
  await page.getByText('not accepted yet').waitFor();
  await page.getByRole('link', { name: 'Its account “anna”' }).waitFor();
  await audit();

  const other = await openBox(context);
  const visit = await browser.visit(other, { look: LOOKS[0]!, session: await other.claim() });
  await visit.page.goto(`${other.url}/#/bridges`);
  const second = visit.page.getByRole('dialog');
  await visit.page.getByRole('button', { name: 'Accept an invitation' }).click();
  await second.getByLabel('Or its text').fill(invitation);
  await visit.audit();
  await second.getByRole('button', { name: 'See what it carries' }).click();
  await second.getByText('family/#').waitFor();
  await visit.audit();
  const called = second.getByLabel('Name of the bridge here');
  assert.equal(await called.inputValue(), hostname(), 'it says to whom it goes');
  await called.fill('grandma');
  await second.getByRole('button', { name: 'Add the bridge' }).click();
  await visit.page.getByRole('heading', { name: 'grandma' }).waitFor();
  assert.match(readFileSync(join(other.folder, 'bridge-grandma.conf'), 'utf8'), /^remote_username anna$/m);
  await visit.page.getByText('connected', { exact: true }).waitFor();
  await page.getByText('connected', { exact: true }).waitFor();
  await page.getByText('accepted', { exact: false }).first().waitFor();
  await page.getByRole('list', { name: 'Topics' }).getByText('news/#').waitFor();
  await audit();
  await visit.page.goto(`${other.url}/#/clients`);
  await visit.page.getByRole('link', { name: 'bridge “grandma” of this box' }).waitFor();
  assert.equal(await visit.page.getByRole('button', { name: /^Disconnect/ }).count(), 0, 'a bridge ends in its own view');
  await visit.audit();
  await box.midge(['passwd', '-D', join(box.folder, 'passwd'), 'anna', '--state', box.state]);
  await page.getByText('This box has no bridge.').waitFor();
});

for (const look of LOOKS.filter(({ name }) => name === 'desktop-light' || name === 'phone-dark')) {
  test(`box without a port for others says so before anything is filled in, and opens one: ${look.name}`, {
    skip: noBrowser,
  }, async (context) => {
    const browser = await openBrowser(context);
    const box = await openBox(context, { before: ['certificate_names localhost'], hasNoTls: true });
    const { page, audit } = await browser.visit(box, { look, session: await box.claim() });
    const [port = 0] = await freePorts(1);
    await page.route('**/api/v1/bridge-invitations/setup', async (route) => {
      const answer = await route.fetch();
      await route.fulfill({ response: answer, body: (await answer.text()).replaceAll('listener 8883', `listener ${port}`) }); // of this test alone
    });
    const picture = async (name: string) => {
      if (PICTURES !== undefined) await page.screenshot({ path: join(PICTURES, `invite-${look.name}-${name}.png`) });
    };
    await page.goto(`${box.url}/#/bridges`);
    const dialog = page.getByRole('dialog');
    await page.getByRole('button', { name: 'Invite another box' }).click();
    await dialog.getByText('no listener with TLS is open to the network').waitFor();
    assert.equal(await dialog.getByRole('textbox').count(), 0, 'nothing is to be filled in');
    await audit();
    await picture('missing');
    await dialog.getByRole('button', { name: `Open port ${port}` }).click();
    await dialog.getByRole('button', { name: 'Apply for 60 seconds' }).click();
    await page.getByRole('dialog', { name: /^Keep the ports? open\?$/ }).waitFor();
    await audit();
    await picture('trial');
    await dialog.getByRole('button', { name: 'Keep the changes' }).click();
    await dialog.getByLabel('Name of the other box').fill('anna');
    await dialog.getByLabel('Topic 1').fill('family/#');
    await picture('form');
    await dialog.getByRole('button', { name: 'Make the invitation' }).click();
    await dialog.getByText(`, port ${port}. On the page of the other box`).waitFor();
    assert.match(readFileSync(box.file, 'utf8'), new RegExp(`\n\nlistener ${port}\nsecure true\n`));
  });
}

test('box whose ports all want a client certificate says so before anything is filled in', { skip: noBrowser }, async (context) => {
  const browser = await openBrowser(context);
  const [port = 0] = await freePorts(1);
  const after = [`listener ${port}`, 'secure true', 'require_certificate true'];
  const box = await openBox(context, { hasNoTls: true, after });
  const { page, audit } = await browser.visit(box, { session: await box.claim() });
  await page.goto(`${box.url}/#/bridges`);
  await page.getByRole('button', { name: 'Invite another box' }).click();
  await page.getByRole('dialog').getByText('asks for a client certificate (require_certificate)').waitFor();
  await page
    .getByRole('dialog')
    .getByRole('button', { name: /^Open port \d+$/ })
    .waitFor();
  await audit();
});

test('bridge whose next try is due says so, and no time that is over', { skip: noBrowser }, async (context) => {
  const browser = await openBrowser(context);
  const { box, session } = await openSeededBox(context);
  const { page } = await browser.visit(box, { session });
  await page.route('**/api/v1/bridges', async (route) => {
    const bridges = (await (await route.fetch()).json()) as readonly object[];
    await route.fulfill({ json: bridges.map((bridge) => ({ ...bridge, nextAttempt: new Date(Date.now() - 2000).toISOString() })) });
  });
  await page.goto(`${box.url}/#/bridges`);
  await page.getByText('tries again now').waitFor();
  await page.unroute('**/api/v1/bridges');
  await page.getByText(/tries again in \d+ seconds/).waitFor();
});

test('boxes that were invited are as far below the bridges as the bridges are apart', { skip: noBrowser }, async (context) => {
  const browser = await openBrowser(context);
  const { box, session } = await openSeededBox(context);
  const { page } = await browser.visit(box, { session });
  const guest = {
    name: 'anna',
    invited: new Date().toISOString(),
    accepted: null,
    topics: [],
    connected: false,
    since: null,
    address: null,
  };
  await page.route('**/api/v1/bridge-invitations', (route) => route.fulfill({ json: [guest] }));
  await page.goto(`${box.url}/#/bridges`);
  const heading = await page.getByRole('heading', { name: 'Boxes that were invited' }).boundingBox();
  const card = await page.locator('section.bridges').locator('xpath=preceding-sibling::*[1]').boundingBox();
  assert.ok(heading !== null && card !== null && heading.y - card.y - card.height >= 12, JSON.stringify({ heading, card }));
});

test('device that comes and goes is no refusal on the page, and has advice', { skip: noBrowser }, async (context) => {
  const browser = await openBrowser(context);
  const { box, session } = await openSeededBox(context);
  const { page } = await browser.visit(box, { session });
  const client = { username: null, clientId: 'door', address: '192.0.2.7', listenerPort: 1883, topicName: null, settled: null };
  const restless = {
    ...client,
    ...{ cause: 'flapping', what: '', reason: 'connected', values: { count: 10, seconds: 27, address: '192.0.2.7' } },
    ...{ adviceCode: 'comes and goes', advice: 'sleep', adviceValues: {}, count: 2, isBrowser: false },
    ...{ first: Date.now(), last: Date.now() - 12_000 },
  };
  await page.route('**/api/v1/why*', (route) => route.fulfill({ json: { refusals: [restless], held: [], deaf: [] } }));
  await page.goto(`${box.url}/#/clients?show=refused`);
  await page.getByText('Nothing was refused since the broker started.').waitFor();
  await page.getByRole('heading', { name: 'Let in, but coming and going' }).waitFor();
  await page.getByText('If it sleeps between its messages').waitFor();
  await page.getByText(/^1[2-5] seconds ago$/).waitFor();
  await page.getByText(/^1[6-9] seconds ago$/).waitFor(); // without a visit anew
});

test('refusals that need nothing any more are counted one by one', { skip: noBrowser }, async (context) => {
  const browser = await openBrowser(context);
  const { box, session } = await openSeededBox(context);
  const { page } = await browser.visit(box, { session });
  const who = { username: 'tom', clientId: '', address: '192.0.2.7', topicName: null, settled: Date.now(), isBrowser: false };
  const why = { cause: 'held', what: '', reason: 'held', adviceCode: null, advice: null, values: {}, adviceValues: {} };
  const refusals = [{ ...who, ...why, count: 18, first: Date.now(), last: Date.now() }];
  await page.route('**/api/v1/why*', (route) => route.fulfill({ json: { refusals, held: [], deaf: [] } }));
  await page.goto(`${box.url}/#/clients?show=refused`);
  await page.getByText('18 refusals that need nothing any more').click();
  await page.getByText('18 times', { exact: true }).waitFor();
  const browsers = refusals.map((each) => ({ ...each, settled: null, isBrowser: true }));
  await page.route('**/api/v1/why*', (route) => route.fulfill({ json: { refusals: browsers, held: [], deaf: [] } }));
  await page.getByText('Browsers refuse the certificate of this box until they trust it.').waitFor();
});

for (const look of LOOKS.filter(({ name }) => name === 'desktop-light' || name === 'phone-dark')) {
  test(`broker of another kind is connected, and the bridge is removed: ${look.name}`, { skip: noBrowser }, async (context) => {
    const browser = await openBrowser(context);
    const other = await openBox(context, { before: ['login_throttle false'] }); // else it may hold the bridge for longer than a test waits
    await other.claim();
    const box = await openBox(context);
    const { page, audit } = await browser.visit(box, { look, session: await box.claim() });
    await page.goto(`${box.url}/#/bridges`);
    await page.getByRole('button', { name: 'Connect to a broker' }).click();
    const dialog = page.getByRole('dialog');
    const authority = join(other.state, 'certificates', 'ca.crt');
    for (const [label, text] of [
      ['Name of the bridge', 'the cellar'],
      ['Address of the other broker', `127.0.0.1:${other.tlsPort}`],
      ['User name there', OWNER.username],
      ['Password there', OWNER.password],
      ['Topic 1', 'home/#'],
      ['Topic 2', 'garden/#'],
    ] as const)
      await dialog.getByLabel(label, { exact: true }).fill(text);
    await dialog.getByLabel('Certificate of its authority').setInputFiles(authority);
    for (const topic of ['Topic 1 goes', 'Topic 2 goes']) await dialog.getByLabel(topic).selectOption('out');
    await audit();
    await dialog.getByRole('button', { name: 'Add the bridge' }).click();
    await dialog.getByText('The name of a bridge has letters, digits').waitFor();
    await audit();
    await dialog.getByLabel('Name of the bridge').fill('cellar');
    await dialog.getByRole('button', { name: 'Add the bridge' }).click();
    await page.getByRole('heading', { name: 'cellar' }).waitFor();
    await page.getByText('connected', { exact: true }).waitFor();
    await audit();
    assert.match(readFileSync(join(box.folder, 'bridge-cellar.conf'), 'utf8'), /^topic garden\/# out 1$/m);
    assert.ok(!box.lines().join('\n').includes(OWNER.password), 'no log has the password');

    await page.getByRole('list', { name: 'Topics' }).getByText('garden/#').waitFor();
    const found = page.getByRole('list', { name: 'What the test found' });
    await page.getByRole('button', { name: 'Edit the bridge “cellar”' }).click();
    await dialog.getByLabel('New password there', { exact: true }).fill('a wrong one');
    assert.equal(await dialog.getByLabel('User name there').inputValue(), OWNER.username);
    await audit();
    await dialog.getByRole('button', { name: 'Save' }).click();
    await page.getByText('not connected', { exact: true }).waitFor();
    await page
      .getByText(/check the user name and the password/i)
      .first()
      .waitFor(); // on the card
    await page.getByRole('button', { name: 'Test the connection' }).click();
    await found.getByText(/check the user name and the password/i).waitFor(); // the bridge tries too: the other broker may refuse all for a second
    assert.match((await found.getByRole('listitem').first().textContent()) ?? '', /^127\.0\.0\.1:/);
    assert.equal(await found.getByRole('listitem').first().getAttribute('class'), 'address', 'what is tried is no step that is done');
    await page.getByRole('button', { name: 'Edit the bridge “cellar”' }).click();
    await dialog.getByLabel('New password there', { exact: true }).fill(OWNER.password);
    await dialog.getByLabel('Topic 2', { exact: true }).fill('');
    await dialog.getByLabel('Topic 3', { exact: true }).fill('shed/#');
    await dialog.getByRole('button', { name: 'Save' }).click();
    await page.getByRole('list', { name: 'Topics' }).getByText('shed/#').waitFor();
    assert.match(readFileSync(join(box.folder, 'bridge-cellar.conf'), 'utf8'), /^topic home\/# out 1\ntopic shed\/# both 1$/m);
    await page.getByText('connected', { exact: true }).waitFor();
    await page
      .getByText(/check the user name and the password/i)
      .first()
      .waitFor({ state: 'detached' });

    await page.getByRole('button', { name: 'Remove the bridge “cellar”' }).click();
    await dialog.getByText('The account that it uses at the other broker stays.').waitFor();
    await audit();
    await dialog.getByRole('button', { name: 'Remove' }).click();
    await page.getByText('This box has no bridge.').waitFor();
    assert.doesNotMatch(readFileSync(box.file, 'utf8'), /cellar/);
    assert.ok(!existsSync(join(box.folder, 'bridge-cellar.conf')));
  });
}

test('bridge keeps TLS with another address, and loses it only when that is said', { skip: noBrowser }, async (context) => {
  const browser = await openBrowser(context);
  const [port = 0, next = 0] = await freePorts(2);
  const after = ['connection barn', `address mqtts://127.0.0.1:${port}`, 'topic a/# out', 'restart_timeout 30'];
  const box = await openBox(context, { after });
  const { page, audit } = await browser.visit(box, { session: await box.claim() });
  await page.goto(`${box.url}/#/bridges`);
  const dialog = page.getByRole('dialog');
  const edit = async (change: () => Promise<void>) => {
    await page.getByRole('button', { name: 'Edit the bridge “barn”' }).click();
    await dialog.getByLabel('Address of the other broker').waitFor();
    await change();
    await audit();
    await dialog.getByRole('button', { name: 'Save' }).click();
    await dialog.waitFor({ state: 'detached' });
  };
  await edit(() => dialog.getByLabel('Address of the other broker').fill(`127.0.0.1:${next}`));
  assert.match(readFileSync(box.file, 'utf8'), new RegExp(`^address mqtts://127\\.0\\.0\\.1:${next}$`, 'm'));
  await edit(() => dialog.getByLabel('With TLS').uncheck());
  assert.match(readFileSync(box.file, 'utf8'), new RegExp(`^address 127\\.0\\.0\\.1:${next}$`, 'm'));
});
