// Tokens of programs in a real browser: one is made, shown once, used, and revoked after a question that names it.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ask, openBox } from './box.ts';
import { LOOKS, noBrowser, openBrowser } from './browser.ts';

for (const look of LOOKS.filter(({ name }) => name === 'desktop-light' || name === 'phone-dark')) {
  test(`token is made, shown once, used, and revoked after a question that names it: ${look.name}`, {
    skip: noBrowser,
  }, async (context) => {
    const browser = await openBrowser(context);
    const box = await openBox(context);
    const session = await box.claim();
    const { page, audit, expect } = await browser.visit(box, { look, session });
    expect(/ 409 /);
    const status = async (secret: string, path: string) =>
      (await fetch(`${box.url}/api/v1${path}`, { headers: { authorization: `Bearer ${secret}` } })).status;
    await page.goto(`${box.url}/#/people`);
    await page.getByText('There is no token.').waitFor();
    await page.getByRole('button', { name: 'Make a token' }).click();
    const dialog = page.getByRole('dialog');
    assert.equal(await dialog.getByLabel('May').inputValue(), 'monitoring');
    await dialog.getByLabel('Name').fill('prometheus');
    await audit();
    await dialog.getByRole('button', { name: 'Make a token' }).click();
    await dialog.getByText('It is shown only now').waitFor();
    await audit();
    const secret = (await dialog.locator('.command code').textContent()) ?? '';
    assert.equal(await status(secret, '/history?range=10m'), 200);
    assert.equal(await status(secret, '/users'), 403, 'monitoring reads no accounts');
    await page.keyboard.press('Escape');
    await page.keyboard.press('Escape');
    await page.keyboard.press('Escape');
    await dialog.getByRole('button', { name: 'Cancel' }).click();
    await dialog.getByRole('button', { name: 'Done' }).click();
    await page.getByRole('cell', { name: 'prometheus', exact: true }).waitFor();
    assert.equal((await page.content()).includes(secret), false);
    await audit();

    await page.getByRole('button', { name: 'Make a token' }).click();
    await dialog.getByLabel('Name').fill('prometheus');
    await dialog.getByRole('button', { name: 'Make a token' }).click();
    await dialog.getByText('There is a token of this name already.').waitFor();
    await dialog.getByRole('button', { name: 'Close' }).click();

    await page.goto(`${box.url}/#/people/jane`);
    await page.getByRole('button', { name: 'Revoke the token “prometheus”' }).click();
    await dialog.getByText('Revoke the token “prometheus”?').waitFor();
    await audit();
    await dialog.getByRole('button', { name: 'Revoke' }).click();
    await page.getByText('The token “prometheus” is revoked.').waitFor();
    await page.getByText('There is no token.').waitFor();
    assert.equal(await status(secret, '/history?range=10m'), 401);
    assert.deepEqual(await ask(box, session, '/tokens'), []);
  });
}

test('token of an account says what is left of its rights when the account has less', { skip: noBrowser }, async (context) => {
  const browser = await openBrowser(context);
  const box = await openBox(context);
  const session = await box.claim();
  const account = { username: 'tom', password: 'a long enough password' };
  await ask(box, session, '/users', { method: 'POST', body: account });
  await ask(box, session, '/roles/tom', { method: 'PUT', body: { role: 'admin' } });
  await ask(box, await box.signIn(account), '/tokens', { method: 'POST', body: { name: 'script', right: 'operator' } });
  await ask(box, session, '/roles/tom', { method: 'PUT', body: { role: 'viewer' } });
  const { page, audit } = await browser.visit(box, { session });
  await page.goto(`${box.url}/#/people`);
  await page.getByText('(made for: operator)').waitFor();
  await ask(box, session, '/roles/tom', { method: 'PUT', body: { role: null } });
  await page.getByText('nothing now').waitFor();
  await audit();
});
