// Dynamic security in a real browser: a role, a group and a client are made, changed and removed, and the broker goes by them at once.

import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { mqttClient } from '../../support/clients/mqtt-client.ts';
import { temporaryFolder } from '../../support/disk/temporary-folder.ts';
import { openBox } from './box.ts';
import { LOOKS, noBrowser, openBrowser } from './browser.ts';

for (const look of LOOKS.filter(({ name }) => name === 'desktop-light' || name === 'phone-dark')) {
  test(`roles, groups and clients of dynamic security are made, changed and removed: ${look.name}`, {
    skip: noBrowser,
  }, async (context) => {
    const browser = await openBrowser(context);
    const box = await openBox(context, { before: [`dynamic_security_file ${join(temporaryFolder(context), 'dynamic.json')}`] });
    const { page, audit, expect } = await browser.visit(box, { look, session: await box.claim() });
    expect(/status of 422/);
    await page.goto(`${box.url}/#/people`);
    const dialog = page.getByRole('dialog');

    await page.getByRole('button', { name: 'Add a role' }).click();
    await dialog.getByLabel('Name', { exact: true }).fill('door-keeper');
    await dialog.getByLabel('Topics').fill('home/#/door');
    await dialog.getByRole('button', { name: 'Save' }).click();
    await dialog.locator('.field-error').waitFor();
    await audit();
    await dialog.getByLabel('Topics').fill('home/door');
    await dialog.getByRole('button', { name: 'Save' }).click();
    await page.getByText('“door-keeper” is saved.').waitFor();

    await page.getByRole('button', { name: 'Add a group' }).click();
    await dialog.getByLabel('Name', { exact: true }).fill('house');
    await dialog.getByLabel('door-keeper').check();
    await audit();
    await dialog.getByRole('button', { name: 'Save' }).click();
    await page.getByText('“house” is saved.').waitFor();

    await page.getByRole('button', { name: 'Add a client' }).click();
    await dialog.getByLabel('Name', { exact: true }).fill('tom');
    await dialog.getByLabel('house').check();
    await audit();
    await dialog.getByRole('button', { name: 'Make the account' }).click();
    await dialog.getByText('It is shown only now').waitFor();
    const password = (await dialog.locator('.secret code').textContent()) ?? '';
    await dialog.getByRole('button', { name: 'Done' }).click();

    const login = { port: box.port, clientId: 'toms-phone', username: 'tom', password, protocolVersion: 5, reconnectPeriod: 0 } as const;
    const tom = await mqttClient(context, login);
    await tom.publishAsync('home/door', 'open', { qos: 1 });
    await assert.rejects(tom.publishAsync('home/window', 'open', { qos: 1 }), 'no role allows it');

    await page.getByRole('button', { name: 'Change “door-keeper”' }).click();
    await dialog.getByRole('button', { name: 'Add a line' }).click();
    await dialog.getByLabel('Topics').nth(1).fill('home/window');
    await audit();
    await dialog.getByRole('button', { name: 'Save' }).click();
    await dialog.waitFor({ state: 'detached' });
    const again = await mqttClient(context, login);
    await again.publishAsync('home/window', 'open', { qos: 1 });

    await page.getByLabel('They may publish').check();
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByText('This counts from now on.').waitFor();
    await again.publishAsync('garden', 'open', { qos: 1 });

    await page.getByRole('button', { name: 'Change “tom”' }).click();
    await dialog.getByLabel('It may sign in').uncheck();
    await audit();
    await dialog.getByRole('button', { name: 'Save' }).click();
    await page.getByText('disabled', { exact: true }).waitFor();
    await assert.rejects(mqttClient(context, login));

    await page.getByRole('button', { name: 'Remove “door-keeper”' }).click();
    await dialog.getByText('Its 2 lines go').waitFor();
    await dialog.getByText('house').waitFor();
    await audit();
    await dialog.getByRole('button', { name: 'Remove', exact: true }).click();
    await page.getByText('“door-keeper” is removed.').waitFor();
    await page.getByRole('button', { name: 'Remove “house”' }).click();
    await dialog.getByText('Its member stays').waitFor();
    await dialog.getByRole('button', { name: 'Remove', exact: true }).click();
    await page.getByText('“house” is removed.').waitFor();
    await page.getByRole('button', { name: 'Remove “tom”' }).click();
    await dialog.getByRole('button', { name: 'Remove', exact: true }).click();
    await page.getByText('“tom” is removed.').waitFor();
    await audit();
  });
}
