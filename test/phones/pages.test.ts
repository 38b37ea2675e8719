// The pages of a link in a real browser of the size of a phone: what a person sees, in the order in which it comes.

import assert from 'node:assert/strict';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { BrowserContext, Page } from 'playwright-core';
import type { PhoneSystem } from '../../src/phones/owntracks.ts';
import { noBrowser, openBrowser } from '../web/browser/browser.ts';
import { decodeLink } from './app-decoders.ts';
import { HOST, openHouse } from './house.ts';
import { AGENTS, ScriptedPhone } from './scripted-phone.ts';

/** Where a person may look at them: MIDGE_PICTURES=FOLDER. */
const PICTURES = process.env['MIDGE_PICTURES'];

interface Hand {
  readonly system: PhoneSystem;
  readonly locale: string;
  readonly colors: 'light' | 'dark';
  /** It has installed our authority. */
  readonly trusts: boolean;
}

/** Opens the browser of a phone. */
async function pickUp(context: TestContext) {
  const visit = await (await openBrowser(context)).visit({ url: 'http://127.0.0.1' });
  const browser = visit.context.browser() ?? assert.fail('no browser');
  return async ({ system, locale, colors, trusts }: Hand) => {
    const phone: BrowserContext = await browser.newContext({
      viewport: { width: 390, height: 844 },
      isMobile: true,
      hasTouch: true,
      userAgent: AGENTS[system],
      locale,
      colorScheme: colors,
      ignoreHTTPSErrors: trusts,
      reducedMotion: 'reduce',
    });
    const page = await phone.newPage();
    const errors: string[] = [];
    page.on('pageerror', (error) => errors.push(error.message));
    page.on('console', (message) => {
      const isExpected = /ERR_CERT_AUTHORITY_INVALID|status of 410/.test(message.text());
      if (message.type() === 'error' && !isExpected) errors.push(message.text());
    });
    const look = async (name: string) => {
      if (PICTURES !== undefined) await page.screenshot({ path: join(PICTURES, `phone-${name}.png`), fullPage: true });
      assert.deepEqual(errors, []);
      await visit.audit(page);
      assert.equal(await page.evaluate('document.documentElement.scrollWidth <= innerWidth'), true, 'nothing stands beyond the edge');
    };
    return { page, look };
  };
}

const marksOf = (page: Page) => page.evaluate("[...document.querySelectorAll('[data-done=true]')].map((each) => each.dataset.step)");
const marked = (page: Page, step: string) => page.waitForSelector(`[data-step=${step}][data-done=true]`);

test('person with an iPhone is led from the certificate to the last check mark', { skip: noBrowser }, async (context) => {
  const house = await openHouse(context);
  const phoneOf = await pickUp(context);
  const { link } = await house.ask('add phone', { person: 'jane', host: HOST });
  const hand = { system: 'ios', locale: 'en-GB', colors: 'light' } as const;
  const before = await phoneOf({ ...hand, trusts: false });
  await before.page.goto(link);
  await before.page.getByRole('link', { name: 'Load the profile' }).waitFor();
  await before.page.getByText('Waiting until the phone trusts the certificate').waitFor();
  await before.look('1-trust-ios');

  const { page, look } = await phoneOf({ ...hand, trusts: true });
  await page.goto(link);
  await page.getByRole('heading', { name: 'OwnTracks for jane' }).waitFor();
  assert.ok(page.url().startsWith(`https://${HOST}:${house.ports.secure}/phone/`) && page.url().endsWith(new URL(link).hash), page.url());
  await marked(page, 'tls');
  await look('2-begin-ios');
  await page.getByRole('button', { name: 'Set up this phone' }).click();
  await page.getByRole('link', { name: 'Open in OwnTracks' }).waitFor();
  assert.equal(new URL(page.url()).hash, '', 'the token has left the address');
  await page.getByText('If the button does nothing').click();
  await look('3-settings-ios');

  const fields = decodeLink((await page.getByRole('link', { name: 'Open in OwnTracks' }).getAttribute('href')) ?? '', 'ios');
  assert.equal(await page.locator('#fields dd').nth(6).textContent(), fields['password']);
  const phone = new ScriptedPhone(context, link, 'ios');
  await phone.trust(await phone.scan());
  await assert.rejects(phone.connect({ ...fields, password: 'wrong' }));
  await page.getByRole('alert').getByText('The app came with another password.').waitFor();
  await look('4-problem-ios');
  const client = await phone.connect(fields);
  await marked(page, 'signedIn');
  await page.getByRole('alert').waitFor({ state: 'hidden' });
  await page.reload();
  await page.getByRole('link', { name: 'Open in OwnTracks' }).waitFor();
  await phone.publish(client, fields, { lat: 52.5, lon: 13.4 });
  await page.getByText('All is set up.').waitFor();
  assert.deepEqual(await marksOf(page), ['certificate', 'tls', 'signedIn', 'location']);
  await look('5-done-ios');

  const second = await phoneOf({ ...hand, trusts: true });
  await second.page.goto(link);
  await second.page.getByRole('button', { name: 'Set up this phone' }).click();
  await second.page.getByText('Another phone has opened this link.').waitFor();
  await second.page.getByText('How far this phone is').waitFor({ state: 'hidden' });
  await second.look('6-used-ios');
});

test('person with an Android phone reads the pages in the language of the phone, in the dark', { skip: noBrowser }, async (context) => {
  const house = await openHouse(context);
  const phoneOf = await pickUp(context);
  const { link } = await house.ask('add phone', {
    person: 'jörg',
    use: 'mqtt',
    topics: [{ access: 'read', filter: 'home/#' }],
    host: HOST,
  });
  const before = await phoneOf({ system: 'android', locale: 'de-CH', colors: 'dark', trusts: false });
  await before.page.goto(link);
  await before.page.getByRole('link', { name: 'Zertifikat laden' }).waitFor();
  await before.look('7-trust-android-german');
  const { page, look } = await phoneOf({ system: 'android', locale: 'fr-FR', colors: 'dark', trusts: true });
  await page.goto(link);
  await page.getByRole('heading', { name: 'MQTT pour jörg' }).waitFor();
  await page.getByRole('button', { name: 'Configurer ce téléphone' }).click();
  await page.getByText('Mot de passe', { exact: true }).waitFor();
  await look('8-settings-android-french');
  await page.goto(link.replace(/phone\/[^#]+/, 'phone/unknown'));
  await page.getByRole('heading', { name: 'Ce lien n’est plus valable' }).waitFor();
});

test('person whose box asks for a certificate of the phone saves it, and sees its passphrase', { skip: noBrowser }, async (context) => {
  const house = await openHouse(context, ['require_certificate true']);
  const phoneOf = await pickUp(context);
  const { link } = await house.ask('add phone', { person: 'jane', host: HOST });
  const { page, look } = await phoneOf({ system: 'ios', locale: 'en-GB', colors: 'dark', trusts: true });
  await page.goto(link);
  await page.getByRole('button', { name: 'Set up this phone' }).click();
  const saving = page.waitForEvent('download');
  await page.getByRole('link', { name: 'Save the certificate of this phone' }).click();
  assert.equal((await saving).suggestedFilename(), 'jane-phone.otrp');
  const fields = decodeLink((await page.getByRole('link', { name: 'Open in OwnTracks' }).getAttribute('href')) ?? '', 'ios');
  assert.equal(await page.locator('#passphrase').textContent(), fields['passphrase']);
  assert.equal(await page.locator('ol.steps > li:visible').nth(2).getAttribute('id'), 'own-certificate', 'the app is there by then');
  await look('9-certificate-ios');
});

test('person who goes past the warning of the browser is led to the certificate, and sees nothing ticked before it is done', {
  skip: noBrowser,
}, async (context) => {
  const house = await openHouse(context, [], false);
  const phoneOf = await pickUp(context);
  const { link, fingerprint } = await house.ask('add phone', { person: 'jane', host: HOST });
  assert.ok(link.startsWith(`https://${HOST}:`), link);
  assert.match(fingerprint, /^[0-9A-F:]{95}$/, 'there is a certificate to compare');
  const { page, look } = await phoneOf({ system: 'android', locale: 'en-GB', colors: 'light', trusts: true });
  const stateSeen = () => page.waitForResponse((response) => response.url().endsWith('/state'));
  const first = stateSeen();
  await page.goto(link);
  await (await first).finished();
  await page.getByText('Going past the warning opens this page only').waitFor();
  await (await stateSeen()).finished();
  assert.deepEqual(await marksOf(page), []);
  await look('10-past-warning-android');
  const saving = page.waitForEvent('download');
  await page.getByRole('link', { name: 'Load the certificate' }).click();
  assert.equal((await saving).suggestedFilename(), 'midge.crt');
  await marked(page, 'certificate');
  await page.getByRole('button', { name: 'Set up this phone' }).click();
  await page.getByRole('link', { name: 'Open in OwnTracks' }).waitFor();
  await (await stateSeen()).finished();
  assert.deepEqual(await marksOf(page), ['certificate'], 'the app has not come by TLS yet');
});
