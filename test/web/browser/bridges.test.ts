// An invitation to a bridge in a real browser: made on one box, looked at and added on another.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { freePorts } from '../../support/network/free-ports.ts';
import { openBox } from './box.ts';
import { LOOKS, noBrowser, openBrowser } from './browser.ts';

test('another box is invited, and accepts after it has seen what the bridge carries', { skip: noBrowser }, async (context) => {
  const browser = await openBrowser(context);
  const [port = 0] = await freePorts(1);
  const box = await openBox(context, { after: [`listener ${port}`, 'secure true'] });
  const { page, audit } = await browser.visit(box, { look: LOOKS[0]!, session: await box.claim() });
  await page.goto(`${box.url}/#/bridges`);
  const dialog = page.getByRole('dialog');
  await page.getByRole('button', { name: 'Invite another box' }).click();
  await audit();
  await dialog.getByLabel('Name of the other box').fill('anna');
  await dialog.getByLabel('Topics').fill('family/# news/#');
  await dialog.getByRole('button', { name: 'Make the invitation' }).click();
  const text = dialog.getByRole('textbox', { name: 'Invitation for anna' });
  await text.waitFor();
  await audit();
  const invitation = await text.inputValue();
  assert.match(invitation, /^topic family\/# both 1$/m);
  const [, password = ''] = /^remote_password (.+)$/m.exec(invitation) ?? [];
  assert.ok(password !== '' && !box.lines().join('\n').includes(password), 'no log has it');
  assert.match(readFileSync(join(box.folder, 'acl'), 'utf8'), /^user anna\ntopic readwrite family\/#\ntopic readwrite news\/#$/m);

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
  await second.getByRole('button', { name: 'Add the bridge' }).click();
  await visit.page.getByRole('heading', { name: 'anna' }).waitFor();
  assert.match(readFileSync(join(other.folder, 'bridge-anna.conf'), 'utf8'), /^remote_username anna$/m);
  await visit.page.getByText('connected', { exact: true }).waitFor();
});
