// The view of updates in a real browser: a local server of releases with a key of the test, and root's part played by the test.

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { chmodSync, copyFileSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { type Manifest, writeManifest } from '../../../src/updates/manifest.ts';
import { OWN_KEYS_FOLDER } from '../../../src/updates/release-keys.ts';
import { UPDATE_PLACES, writeAttempt, writeProgress } from '../../../src/updates/update-record.ts';
import { temporaryFolder } from '../../support/disk/temporary-folder.ts';
import { missing } from '../../support/process/foreign-program.ts';
import { serveFolder } from '../../updates/release-server.ts';
import { makeKey, signManifest, writeRelease } from '../../updates/signed-release.ts';
import { openBox } from './box.ts';
import { LOOKS, noBrowser, openBrowser } from './browser.ts';

const ROOT_OWNS = process.getuid?.() === 0 ? false : 'the keys of a box must belong to root';
const skip = noBrowser || missing(['minisign'], 'minisign') || ROOT_OWNS;
const NEW = '7.7.7';

for (const look of LOOKS) {
  test(`a newer version is found, installed with progress, and why one went back is shown: ${look.name}`, { skip }, async (context) => {
    const browser = await openBrowser(context);
    const { box, root, url } = await openUpdatable(context);
    const session = await box.claim();
    const { page, audit } = await browser.visit(box, { look, session });
    await page.goto(`${box.url}/#/updates`);
    await page.getByRole('heading', { name: 'Updates', level: 1 }).waitFor();
    await page.getByText('not known').waitFor();
    await audit();
    await page.getByRole('button', { name: 'Look for updates' }).click();
    await page.getByText('What the test brings.').waitFor();
    await audit();
    const request = join(box.state, 'update-request');
    await page.getByRole('button', { name: `Install ${NEW}` }).click();
    await until(() => existsSync(request));
    rmSync(request);
    writeProgress(join(root, UPDATE_PLACES.progress), { step: 'fetching', version: NEW, bytes: 50_000_000, size: 100_000_000 });
    await page.getByText(`Fetching ${NEW}:`).waitFor();
    assert.equal(await page.getByRole('progressbar').getAttribute('value'), '0.5');
    rmSync(join(root, UPDATE_PLACES.progress));
    const attempt = { at: new Date().toISOString(), from: '0.1.0', to: NEW, outcome: 'failed', reason: 'It fell: no such table.' } as const;
    writeAttempt(join(root, UPDATE_PLACES.last), { ...attempt, hasBegun: true });
    await page.getByText('It fell: no such table.').waitFor();
    await audit();
    await page.getByLabel('Once a day').selectOption('check');
    await page.getByLabel('Between').fill('22:00-23:30');
    await page.getByRole('button', { name: 'Save', exact: true }).click();
    await page.getByRole('button', { name: 'Keep the changes' }).click();
    await page.getByText('Next look').waitFor();
    const text = readFileSync(box.file, 'utf8');
    assert.match(text, /^automatic_updates check$/m);
    assert.match(text, /^update_window 22:00-23:30$/m);
    assert.ok(text.includes(`updates_url ${url}`));
    await audit();
  });
}

/** A box whose paths of the machine lie in a folder of the test, with a server of one signed release. */
async function openUpdatable(context: TestContext) {
  const folder = temporaryFolder(context);
  const [root, release] = [join(folder, 'root'), join(folder, 'release')];
  for (const path of Object.values(UPDATE_PLACES)) mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, UPDATE_PLACES.bell), '');
  mkdirSync(join(root, OWN_KEYS_FOLDER), { recursive: true });
  const key = makeKey(folder, 'key');
  copyFileSync(key.public, join(root, OWN_KEYS_FOLDER, 'key.pub'));
  chmodSync(join(root, OWN_KEYS_FOLDER, 'key.pub'), 0o644);
  writeRelease(release, NEW, Buffer.from('a program'), key);
  addNotes(release, `## ${NEW}\n\n- What the test brings.\n`);
  signManifest(release, key);
  const { url } = await serveFolder(context, release);
  const preload = join(folder, 'root.mjs');
  writeFileSync(preload, `globalThis.MIDGE_UPDATES_ROOT = ${JSON.stringify(root)};\n`);
  const env = { NODE_OPTIONS: `--import=${pathToFileURL(preload)}` };
  return { box: await openBox(context, { before: [`updates_url ${url}`], env }), root, url };
}

function addNotes(folder: string, notes: string): void {
  const name = `midge-${NEW}-notes.md`;
  writeFileSync(join(folder, name), notes);
  const { files, ...rest } = JSON.parse(readFileSync(join(folder, 'manifest.json'), 'utf8')) as Manifest; // writeRelease has written it
  const sha256 = createHash('sha256').update(notes).digest('hex');
  const file = { name, kind: 'document', architecture: null, size: Buffer.byteLength(notes), sha256 } as const;
  writeFileSync(join(folder, 'manifest.json'), writeManifest({ ...rest, files: [...files, file] }));
}

async function until(isSo: () => boolean): Promise<void> {
  const deadline = Date.now() + 60_000;
  while (!isSo()) {
    if (Date.now() > deadline) assert.fail('nothing was asked of root');
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
