// A release is fetched from a folder and from the web, and nothing of it is taken that is not proved.

import assert from 'node:assert/strict';
import { appendFileSync, readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { fetchFile, fetchManifest } from '../../src/updates/fetch-release.ts';
import { releaseKeys } from '../../src/updates/release-keys.ts';
import { releaseSource } from '../../src/updates/release-source.ts';
import { temporaryFolder } from '../support/disk/temporary-folder.ts';
import { missing } from '../support/process/foreign-program.ts';
import { makeKey, writeRelease } from './signed-release.ts';

const skip =
  missing(['minisign'], 'minisign') ||
  (process.getuid?.() === 0 ? false : "keys that others can write are refused: only root can make root's");
const NAME = `midge-1.2.0-linux-${process.arch}`;
const PROGRAM = Buffer.alloc(300_000, 'program');

test('release is found by its folder, its manifest and its executable, on disk and on the web', { skip }, async (context) => {
  const { folder, keys } = scene(context);
  const base = await serve(context, folder);
  for (const where of [folder, join(folder, 'manifest.json'), join(folder, NAME), `${base}/`, `${base}/manifest.json`, `${base}/${NAME}`]) {
    const source = releaseSource(where);
    assert.equal(source.name, where.endsWith(NAME) ? NAME : null, where);
    const { files } = await fetchManifest(source, keys);
    const out = join(temporaryFolder(context), 'out');
    const seen: number[] = [];
    await fetchFile(source, files[0]!, out, (bytes) => seen.push(bytes)); // writeRelease names one file
    assert.deepEqual(readFileSync(out), PROGRAM, where);
    assert.equal(statSync(out).mode & 0o777, 0o700);
    assert.equal(seen.at(-1), PROGRAM.length);
  }
});

test('a file that is truncated, longer or changed is refused, on disk and on the web', { skip }, async (context) => {
  const { folder, keys } = scene(context);
  const sources = [releaseSource(folder), releaseSource(`${await serve(context, folder)}/`)];
  const refuse = async (reason: RegExp) => {
    for (const source of sources) {
      const { files } = await fetchManifest(source, keys);
      await assert.rejects(
        fetchFile(source, files[0]!, join(temporaryFolder(context), 'out'), () => {}), // writeRelease names one file
        reason,
      );
    }
  };
  truncateSync(join(folder, NAME), 299_999);
  await refuse(/it is truncated, 299999 of 300000 bytes came/);
  appendFileSync(join(folder, NAME), 'xx');
  await refuse(/not the file that was signed/);
  truncateSync(join(folder, NAME), 300_000);
  await refuse(/not the file that was signed/);
});

test('a manifest that is changed, not signed, or signed by a stranger is refused, and so is an endless one', { skip }, async (context) => {
  const { folder, keys } = scene(context);
  const source = releaseSource(`${await serve(context, folder)}/`);
  const stranger = makeKey(temporaryFolder(context), 'stranger');
  writeRelease(folder, '1.2.0', PROGRAM, stranger);
  await assert.rejects(fetchManifest(source, keys), /Cannot trust the release: manifest\.json: the signature is by key/);
  await assert.rejects(fetchManifest(releaseSource(join(folder, '..')), keys), /it is not there/);
  await assert.rejects(
    fetchManifest(releaseSource('http://127.0.0.1:1/'), keys),
    /Cannot fetch http:\/\/127\.0\.0\.1:1\/manifest\.json: .*(ECONNREFUSED|bad port)/,
  );
  writeFileSync(join(folder, 'manifest.json'), Buffer.alloc(2_000_000));
  await assert.rejects(fetchManifest(source, keys), /longer than 1048576 bytes/);
});

/** A release, and the folder of an owner who trusts its key. */
function scene(context: TestContext) {
  const [folder, trusted] = [temporaryFolder(context), temporaryFolder(context)];
  writeRelease(folder, '1.2.0', PROGRAM, makeKey(trusted, 'mine'));
  return { folder, keys: releaseKeys([trusted]) };
}

async function serve(context: TestContext, folder: string): Promise<string> {
  const server = createServer(({ url = '' }, response) => {
    try {
      response.end(readFileSync(join(folder, url)));
    } catch {
      response.writeHead(404).end();
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  context.after(() => server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`; // it listens on a port
}
