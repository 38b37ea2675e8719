// Wrong passwords in a real browser: who came with one, how it is put right, and the holds that they begin.

import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { mqttClient } from '../../support/clients/mqtt-client.ts';
import { ask, type Box, OWNER, type Session } from './box.ts';
import { LOOKS, noBrowser } from './browser.ts';
import { withRules } from './ruled-box.ts';

const PASSWORD = 'a long enough password';

test('client with a wrong password is explained, and its account is one click away', { skip: noBrowser }, async (context) => {
  const { box, page, audit } = await withRules(context);
  await page.goto(`${box.url}/#/clients?show=refused`);
  await page.getByText('Nothing was refused since the broker started.').waitFor();
  const login = { port: box.port, clientId: 'old-phone', username: 'tom', password: 'wrong', reconnectPeriod: 0 };
  await assert.rejects(mqttClient(context, login));
  await page.getByText('old-phone (tom)').waitFor();
  await page.getByText('“tom” had no account here at that time.').waitFor();
  await audit();
  await page.getByRole('link', { name: 'Add “tom”' }).click();
  const dialog = page.getByRole('dialog');
  assert.equal(await dialog.getByLabel('Name', { exact: true }).inputValue(), 'tom');
  await dialog.getByRole('button', { name: 'Make the account' }).click();
  await dialog.getByText('It is shown only now').waitFor();
});

test('wrong password leads to a new one by one link', { skip: noBrowser }, async (context) => {
  const { box, session, page, audit } = await withRules(context);
  await ask(box, session, '/users', { method: 'POST', body: { username: 'tom', password: PASSWORD } });
  const login = { port: box.port, clientId: 'old-phone', username: 'tom', reconnectPeriod: 0 };
  await assert.rejects(mqttClient(context, { ...login, password: 'wrong' }));
  await page.goto(`${box.url}/#/clients?show=refused`);
  await page.getByRole('link', { name: 'Give “tom” a new password' }).click();
  const dialog = page.getByRole('dialog');
  await audit();
  await dialog.getByRole('button', { name: 'Set the new password' }).click();
  await dialog.getByText('It is shown only now').waitFor();
  await audit();
  const password = (await dialog.locator('.secret code').textContent()) ?? '';
  await dialog.getByText('Nothing has connected with this password so far.').waitFor();
  assert.equal(await dialog.locator('.reasons li').count(), 0, 'what was refused before');
  await mqttClient(context, { ...login, password });
  await dialog.getByText(/^Connected at /).waitFor();
  await dialog.getByRole('button', { name: 'Done' }).click();
  assert.equal(await dialog.count(), 0);
});

test('new password is shown even where nobody can say what came with it', { skip: noBrowser }, async (context) => {
  const { box, session, page, expect } = await withRules(context);
  await ask(box, session, '/users', { method: 'POST', body: { username: 'tom', password: PASSWORD } });
  expect(/^console: Failed to load resource: .* 409 /);
  let isSet = false;
  await page.route('**/api/v1/users/tom/password', (route) => {
    isSet = true;
    void route.continue();
  });
  await page.route('**/api/v1/why?*', (route) =>
    isSet
      ? route.fulfill({ status: 409, contentType: 'application/problem+json', json: { status: 409, detail: 'not now' } })
      : route.continue(),
  );
  await page.goto(`${box.url}/#/people/tom?password`);
  const dialog = page.getByRole('dialog');
  await dialog.getByRole('button', { name: 'Set the new password' }).click();
  const password = (await dialog.locator('.secret code').textContent()) ?? '';
  await mqttClient(context, { port: box.port, clientId: 'phone', username: 'tom', password });
});

test('passwords that somebody tries at the page are told of, with the account to look after', { skip: noBrowser }, async (context) => {
  const { box, session, page, audit } = await withRules(context);
  const tryAs = (username: string) => box.signIn({ username, password: 'wrong' }).catch(() => {});
  for (let times = 0; times < 3; times++) await tryAs(OWNER.username);
  await tryAs('root');
  await ask(box, session, '/users', { method: 'POST', body: { username: 'tom', password: PASSWORD } });
  await box.signIn({ username: 'tom', password: PASSWORD }).catch(() => {});
  await page.goto(`${box.url}/#/log?show=why`);
  const rowOf = (words: string) => page.locator('.reasons li', { hasText: words });
  const tried = rowOf('Somebody wanted to sign in to this page, but the password for “jane” was wrong.');
  await tried.getByText('3 times').waitFor();
  await tried.getByText('If not, somebody is trying passwords from this address.').waitFor();
  assert.equal(await page.getByText('Put the right password into the device').count(), 0);
  const stranger = rowOf('Somebody wanted to sign in to this page, but “root” had no account here at that time.');
  await stranger.getByText('somebody is trying names and passwords').waitFor();
  assert.equal(await stranger.getByRole('link').count(), 0);
  await rowOf('the account “tom” may not use it').getByRole('link', { name: 'Show what “tom” may do' }).waitFor();
  await audit();
  await tried.getByRole('link', { name: 'Give “jane” a new password' }).click();
  await page.getByRole('dialog').waitFor();
});

test('device that knows its password already keeps it', { skip: noBrowser }, async (context) => {
  const { box, page } = await withRules(context);
  const login = { port: box.port, clientId: 'pump-1', username: 'pump', password: 'pump123', reconnectPeriod: 0 };
  for (let times = 0; times < 5; times++) await assert.rejects(mqttClient(context, login));
  await page.goto(`${box.url}/#/clients?show=refused`);
  await page.getByText('“pump” had no account here at that time.').first().waitFor();
  await page.getByRole('link', { name: 'Add “pump”' }).first().click();
  const dialog = page.getByRole('dialog');
  assert.equal(await dialog.getByLabel('Topics below').inputValue(), 'home/pump');
  await dialog.getByLabel('Password, if the device has one already').fill('pump123');
  await dialog.getByRole('button', { name: 'Make the account' }).click();
  await dialog.getByText('The account has the password that you typed.').waitFor();
  assert.equal(await dialog.getByText('pump123').count(), 0);
  await dialog.getByRole('button', { name: 'Done' }).click();
  await page.goto(`${box.url}/#/clients?show=refused`);
  await page.getByRole('link', { name: 'Give “pump” a new password' }).first().waitFor();
  assert.equal(await page.getByRole('link', { name: 'Add “pump”' }).count(), 0);
});

for (const { name, user, refused, advice, link } of [
  {
    ...{ name: 'desktop-dark', user: 'tom' },
    refused: '“tom” had no account here at that time. After 6 wrong passwords it is held back.',
    advice: 'Add it with the password that the device has: that ends the hold, too.',
    link: 'Add “tom”',
  },
  {
    ...{ name: 'phone-light', user: OWNER.username },
    refused: 'The password for “jane” is wrong. After 6 wrong passwords it is held back.',
    advice: 'Put the right password into the device and let it try again.',
    link: 'Give “jane” a new password',
  },
]) {
  test(`device that is held back is one row, and comes in when the hold is ended: ${name}`, { skip: noBrowser }, async (context) => {
    const look = LOOKS.find((each) => each.name === name) ?? assert.fail();
    const { box, session, page, audit } = await withRules(context, { look });
    const login = { port: box.port, username: user, password: user === OWNER.username ? OWNER.password : PASSWORD };
    await beHeld(context, box, session, user);
    await page.goto(`${box.url}/#/clients?show=refused`);
    await page.getByText(refused).waitFor();
    await page.getByText(advice).waitFor();
    await page.getByRole('link', { name: link }).waitFor();
    assert.equal(await page.locator('.reasons li').count(), 1);
    await audit();
    await assert.rejects(mqttClient(context, login), 'whatever its password');
    if (user === OWNER.username) {
      await page.getByRole('button', { name: `Let “${user}” try again now` }).click();
      await page.getByText(`“${user}” may try again.`).waitFor();
    } else {
      await ask(box, session, '/users', { method: 'POST', body: { username: user, password: PASSWORD } });
    }
    await page.getByText('held back', { exact: true }).waitFor({ state: 'detached' });
    await mqttClient(context, login);
    await page.getByText('Nothing is to be done: the causes of earlier refusals are gone.').waitFor();
  });
}

/** beHeld gives wrong passwords until a hold lasts longer than this page needs. */
async function beHeld(context: TestContext, box: Box, session: Session, username: string): Promise<void> {
  const failures = async () => {
    const holds = (await ask(box, session, '/throttle')) as { failures: number }[]; // as the operation gives it
    return holds[0]?.failures ?? 0;
  };
  while ((await failures()) < 6) {
    await assert.rejects(mqttClient(context, { port: box.port, clientId: 'lamp', username, password: 'not it' }));
  }
}

test('hold of a whole address leads to the setting that lets its wrong passwords not count', { skip: noBrowser }, async (context) => {
  const { box, page } = await withRules(context);
  for (let index = 0; index < 10; index++)
    await assert.rejects(mqttClient(context, { port: box.port, username: `user${index}`, password: 'not it' }));
  await page.goto(`${box.url}/#/clients?show=refused`);
  await page.getByText('Wrong passwords of several accounts came from this address.').waitFor();
  await page.getByRole('link', { name: 'Open the setting for it' }).click();
  await page.getByLabel('login_throttle_exempt', { exact: true }).waitFor();
});
