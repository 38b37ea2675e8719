// The broker's side of updates: what it finds, when it looks by itself, and how it asks root, whose part a test plays.

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { silentLogger } from '../../src/base/logger.ts';
import { type Manifest, writeManifest } from '../../src/updates/manifest.ts';
import { readPublicKeys } from '../../src/updates/minisign.ts';
import type { UpdateOptions } from '../../src/updates/options.ts';
import {
  readAttempt,
  readProgress,
  readRefusal,
  type UpdateAttempt,
  writeAttempt,
  writeProgress,
  writeRefusal,
} from '../../src/updates/update-record.ts';
import { isInWindow, momentInWindow } from '../../src/updates/update-window.ts';
import { Updates, type UpdatesSetup } from '../../src/updates/updates.ts';
import { temporaryFolder } from '../support/disk/temporary-folder.ts';
import { TestClock } from '../support/ports/test-clock.ts';
import { missing } from '../support/process/foreign-program.ts';
import { serveFolder } from './release-server.ts';
import { makeKey, signManifest, writeRelease } from './signed-release.ts';

const skip = missing(['minisign'], 'minisign');
const HOUR = 3_600_000;
const WINDOW = { from: 3 * 60, to: 5 * 60 };
const NOTES = '## 1.1.0\n\n- What is new.\n';

const at = (hours: number, minutes = 0, day = 10) => new Date(2026, 0, day, hours, minutes).getTime();

test('a moment is in the next window, over midnight too, and never past', () => {
  assert.equal(momentInWindow(WINDOW, at(1), 0), at(3));
  assert.equal(momentInWindow(WINDOW, at(1), 0.5), at(4));
  assert.equal(momentInWindow(WINDOW, at(4, 30), 0), at(4, 30));
  assert.equal(momentInWindow(WINDOW, at(5), 0), at(3, 0, 11));
  const night = { from: 23 * 60, to: 2 * 60 };
  assert.equal(momentInWindow(night, at(12), 0), at(23));
  assert.equal(momentInWindow(night, at(1), 0), at(1));
  assert.equal(momentInWindow(night, at(2), 0), at(23));
  assert.deepEqual(
    [at(2, 59), at(3), at(4, 59), at(5)].map((moment) => isInWindow(WINDOW, moment)),
    [false, true, true, false],
  );
});

test('check finds the newest signed release with its notes, and remembers it over a restart', { skip }, async (context) => {
  const { open, release } = await openPlace(context);
  release('1.1.0');
  const updates = open();
  const known = () => updates.state.newest;
  assert.equal(known(), null);
  await updates.check();
  const { newest, checked } = updates.state;
  assert.deepEqual([newest?.version, newest?.isNewer, newest?.notes, checked?.fault], ['1.1.0', true, NOTES, null]);
  assert.deepEqual(open().state.newest, newest);
  assert.equal(open({ current: '1.1.0' }).state.newest?.isNewer, false);
  assert.equal(open({ current: '1.2.0' }).state.newest?.isNewer, false);
});

test('check says why nothing was found, and keeps what it knew', { skip }, async (context) => {
  const { open, release, folder, strangers, url } = await openPlace(context);
  const faultOf = async (change: Partial<UpdatesSetup> = {}) => {
    const updates = open(change);
    await updates.check();
    return updates.state.checked?.fault ?? '';
  };
  assert.match(await faultOf(), /Cannot fetch .*: the server answers 404/);
  release('1.1.0');
  assert.equal(await faultOf(), '');
  assert.match(await faultOf({ architecture: 'riscv64' }), /no executable for riscv64/);
  assert.match(await faultOf({ keys: () => [] }), /carries no key of a project - .* into \/etc\/midge-release-keys\/NAME\.pub$/);
  assert.match(await faultOf({ keys: () => [], kind: 'update bundle' }), /into \/var\/lib\/midge-release-keys\/NAME\.pub$/);
  assert.match(await faultOf({ options: optionsOf('off', null) }), /nobody has said where releases are - set updates_url/);
  release('1.2.0', { freshUntil: '2025-12-31T00:00:00Z' });
  assert.match(await faultOf(), /good until 2025-12-31/);
  release('1.2.0');
  signManifest(folder, strangers);
  assert.match(await faultOf(), /Cannot trust the release: manifest\.json: the signature is by key/);
  assert.equal(open({ options: optionsOf('off', url) }).state.newest?.version, '1.1.0');
  release('1.2.0');
  writeFileSync(join(folder, 'midge-1.2.0-notes.md'), NOTES.replace('new', 'odd'));
  assert.match(await faultOf(), /midge-1\.2\.0-notes\.md: it is not the file that was signed/);
});

test('nothing is asked of anybody while automatic_updates is off', { skip }, async (context) => {
  const { open, release, clock, asked } = await openPlace(context);
  release('1.1.0');
  const updates = open();
  await updates.start();
  for (let hour = 0; hour < 72; hour++) {
    clock.advance(HOUR);
    await updates.tick();
  }
  await updates.stop();
  assert.deepEqual([asked.length, updates.state.nextCheck, updates.state.checked], [0, null, null]);
});

test('automatic_updates check looks once a day, in the window, and installs nothing', { skip }, async (context) => {
  const { open, release, clock, url, asked, request } = await openPlace(context);
  release('1.1.0');
  const updates = open({ options: optionsOf('check', url) });
  await updates.start();
  const moments: number[] = [];
  for (let minute = 0; minute < 3 * 24 * 60; minute += 10) {
    clock.advance(600_000);
    const before = asked.length;
    await updates.tick();
    if (asked.length > before) moments.push(clock.now());
  }
  await updates.stop();
  assert.equal(moments.length, 3);
  for (const moment of moments) assert.ok(isInWindow(WINDOW, moment), new Date(moment).toString());
  assert.equal(existsSync(request), false);
});

test('automatic_updates install asks root, and does not try again by itself what has failed', { skip }, async (context) => {
  const { open, release, clock, url, request, places, answer, wait } = await openPlace(context);
  release('1.1.0');
  const updates = open({ options: optionsOf('install', url) });
  await updates.start();
  const untilAsked = async () => {
    for (let minute = 0; minute < 24 * 60; minute += 10) {
      clock.advance(600_000);
      const ticking = updates.tick();
      if (await wait(() => existsSync(request), ticking)) return { ticking };
    }
    return null;
  };
  const first = await untilAsked();
  assert.notEqual(first, null);
  answer({ to: '1.1.0', outcome: 'failed', reason: 'it fell' });
  await first?.ticking;
  assert.equal(updates.state.last?.reason, 'it fell');
  assert.equal(await untilAsked(), null, 'not again');
  writeAttempt(places.last, { ...(updates.state.last ?? assert.fail()), hasBegun: false });
  const again = await untilAsked();
  assert.notEqual(again, null, 'it is tried again when it was not begun');
  answer({ to: '1.1.0', outcome: 'failed', reason: 'it fell' });
  await again?.ticking;
  release('1.1.1');
  const next = await untilAsked();
  assert.notEqual(next, null, 'a newer one is tried');
  await updates.stop();
  await next?.ticking;
});

test('install tells how far root is, and how it ended', { skip }, async (context) => {
  const { open, request, answer, places, wait } = await openPlace(context);
  const updates = open();
  const seen: unknown[] = [];
  const installing = updates.install((progress) => seen.push(progress));
  await wait(() => existsSync(request));
  const fetching = { step: 'fetching', version: '1.1.0', bytes: 1, size: 2 } as const;
  writeProgress(places.progress, fetching);
  await wait(() => seen.length === 1);
  answer({ to: '1.1.0', outcome: 'installed', reason: null });
  assert.equal((await installing).outcome, 'installed');
  assert.deepEqual(seen, [fetching]);
});

test('install tells at once that root has refused it because another one is at work, and what that one came to stays', {
  skip,
}, async (context) => {
  const { open, request, places, clock, wait } = await openPlace(context);
  const updates = open();
  const refusal = { at: new Date(clock.now()).toISOString(), reason: 'another upgrade is at work' };
  writeRefusal(places.refused, { ...refusal, at: '2025-12-01T00:00:00.000Z' }); // of an earlier request
  const installing = updates.install(() => {});
  await wait(() => existsSync(request));
  writeRefusal(places.refused, refusal);
  await assert.rejects(installing, /^OperatorError: another upgrade is at work$/);
  assert.equal(updates.state.last, null);
});

test('install is refused where nobody would answer, and ends with the broker', { skip }, async (context) => {
  const { open, request } = await openPlace(context);
  await assert.rejects(
    open({ way: 'package' }).install(() => {}),
    /Debian package here .*apt-get install/,
  );
  await assert.rejects(
    open({ way: 'by hand' }).install(() => {}),
    /not a service of this machine/,
  );
  assert.equal(existsSync(request), false);
  const updates = open();
  const installing = assert.rejects(
    updates.install(() => {}),
    /the broker stops/,
  );
  await updates.stop();
  await installing;
});

test('install does not wait for ever when nothing takes the request', { skip }, async (context) => {
  const { open, clock } = await openPlace(context);
  const installing = assert.rejects(
    open().install(() => {}),
    /nothing on this machine has taken the request - see: systemctl status/,
  );
  clock.advance(61_000);
  await installing;
});

test('what does not read as a record of root is none', (context) => {
  const path = join(temporaryFolder(context), 'record');
  for (const text of [
    '',
    '{',
    'null',
    '[]',
    '{"at":"x"}',
    '{"step":"fetching","version":1}',
    '{"at":"2026-01-01","from":"1","outcome":"x"}',
  ]) {
    writeFileSync(path, text);
    assert.deepEqual([readProgress(path), readAttempt(path), readRefusal(path)], [null, null, null], text);
  }
  assert.equal(readAttempt(`${path}.none`), null);
});

function optionsOf(mode: UpdateOptions['mode'], url: string | null): UpdateOptions {
  return { mode, url, window: WINDOW, account: null };
}

/** A place with a server of releases, and folders for what broker and root tell each other. */
async function openPlace(context: TestContext) {
  const base = temporaryFolder(context);
  const [folder, root] = [join(base, 'release'), join(base, 'root')];
  for (const each of [folder, root]) mkdirSync(each);
  const [mine, strangers] = [makeKey(base, 'mine'), makeKey(base, 'strangers')];
  const { url, asked } = await serveFolder(context, folder);
  const clock = new TestClock();
  const places = {
    progress: join(root, 'progress.json'),
    last: join(root, 'last.json'),
    refused: join(root, 'refused.json'),
    bell: join(root, 'bell'),
  };
  const request = join(base, 'update-request');
  const open = (change: Partial<UpdatesSetup> = {}) =>
    new Updates({
      options: optionsOf('off', url),
      current: '1.0.0',
      architecture: process.arch,
      kind: 'executable',
      way: 'service',
      keys: () => readPublicKeys(readFileSync(mine.public, 'utf8'), 'mine'),
      places,
      memory: join(base, 'updates.json'),
      request,
      makeFolder: () => {},
      clock,
      buildDate: Date.UTC(2025, 11, 1),
      log: silentLogger,
      random: () => 0.5,
      ...change,
    });
  const release = (version: string, change: Partial<Manifest> = {}) => {
    writeRelease(folder, version, Buffer.from(version), mine, { freshUntil: '2026-06-01T00:00:00Z', ...change });
    const name = `midge-${version}-notes.md`;
    writeFileSync(join(folder, name), NOTES);
    const { files, ...rest } = JSON.parse(readFileSync(join(folder, 'manifest.json'), 'utf8')) as Manifest; // written above
    const sha256 = createHash('sha256').update(NOTES).digest('hex');
    const notes = { name, kind: 'document', architecture: null, size: NOTES.length, sha256 } as const;
    writeFileSync(join(folder, 'manifest.json'), writeManifest({ ...rest, files: [...files, notes] }));
    signManifest(folder, mine);
  };
  /** What root leaves when it is done. */
  const answer = (attempt: Pick<UpdateAttempt, 'to' | 'outcome' | 'reason'>) => {
    rmSync(request);
    rmSync(places.progress, { force: true });
    writeAttempt(places.last, { at: new Date(clock.now()).toISOString(), from: '1.0.0', hasBegun: true, ...attempt });
  };
  /** True when it has come to be; false when `until` has ended before. */
  const wait = async (isSo: () => boolean, until: Promise<unknown> = new Promise(() => {})) => {
    let hasEnded = false;
    void until.then(() => {
      hasEnded = true;
    });
    while (!isSo() && !hasEnded) await new Promise((resolve) => setTimeout(resolve, 5));
    return isSo();
  };
  return { open, release, folder, strangers, url, clock, asked, request, places, answer, wait };
}
