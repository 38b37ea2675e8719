// The view of the way in from outside in a real browser: the box's own values, and the check of it.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openBox } from './box.ts';
import { LOOKS, noBrowser, openBrowser } from './browser.ts';

for (const look of LOOKS) {
  test(`the way in is shown with the values of this box, and checked: ${look.name}`, { skip: noBrowser }, async (context) => {
    const browser = await openBrowser(context);
    const box = await openBox(context);
    const session = await box.claim();
    const { page, audit, expect } = await browser.visit(box, { look, session });
    expect(/status of 422/);
    await page.goto(`${box.url}/#/outside`);
    await page.getByRole('heading', { name: 'From outside', level: 1 }).waitFor();
    await page.getByText(`Port ${box.tlsPort}`).waitFor();
    assert.equal(await page.getByText(`Port ${box.port}`, { exact: true }).count(), 0, 'a port without TLS is not to be forwarded');
    await audit();
    await page.getByLabel('Names').fill('a_b..c');
    await page.getByRole('button', { name: 'Check' }).click();
    await page.getByRole('alert').first().waitFor();
    await audit();
    await page.getByLabel('Names').fill('');
    await page.getByRole('button', { name: 'Check' }).click();
    await page.getByText(/The router /).waitFor();
    await audit();
  });
}
