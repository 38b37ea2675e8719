// Certificates from a real authority (Debian's pebble), which asks a real name server (Debian's named).

import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { readdirSync, statSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { ChallengeAnswers } from '../../src/internet/challenge-answers.ts';
import type { AcmeOptions } from '../../src/internet/options.ts';
import { PublicCertificates } from '../../src/internet/public-certificate.ts';
import { temporaryFolder } from '../support/disk/temporary-folder.ts';
import { type RecordingLog, recordingLog } from '../support/ports/recording-log.ts';
import { noNameServer, startNameServer } from './name-server.ts';
import { noAcme, startAcme } from './test-acme.ts';

const skip = noAcme || noNameServer;
const NAME = 'home.example.org';
const DAY_MS = 86_400_000;

interface Scene {
  readonly certificates: PublicCertificates;
  readonly log: RecordingLog;
  changes: number;
}

interface SceneSetup {
  readonly options: AcmeOptions;
  readonly folder: string;
  readonly now?: () => number;
}

async function start(context: TestContext, { options, folder, now = Date.now }: SceneSetup): Promise<Scene> {
  const log = recordingLog();
  const certificates = new PublicCertificates({
    options,
    folder,
    clock: { now, monotonic: () => performance.now() },
    log,
    buildDate: 0,
    answers: new ChallengeAnswers(),
    showsAnswers: () => false,
    changed: () => {
      scene.changes++;
    },
  });
  const scene: Scene = { certificates, log, changes: 0 };
  await certificates.start();
  context.after(() => certificates.stop());
  return scene;
}

test('a certificate comes by HTTP, is verified up to the root, kept, and used again after a start', {
  skip,
  timeout: 120_000,
}, async (context) => {
  const server = await startNameServer(context);
  const acme = await startAcme(context, server.target);
  const folder = join(temporaryFolder(context), 'acme');
  const options: AcmeOptions = { ...acme, names: [NAME], contact: 'jane@example.org', challenge: { type: 'http', port: acme.httpPort } };
  const scene = await start(context, { options, folder });
  await scene.log.line(/^Got a certificate for home\.example\.org, valid until \d{4}-\d\d-\d\d\.$/);
  const { current } = scene.certificates;
  const [own, above] = current?.cert.match(/-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/g) ?? [];
  assert.equal(new X509Certificate(own ?? '').checkHost(NAME), NAME);
  assert.ok(new X509Certificate(own ?? '').verify(new X509Certificate(above ?? '').publicKey));
  assert.ok(new X509Certificate(above ?? '').verify(new X509Certificate(await acme.root()).publicKey));
  assert.equal(scene.changes, 1);
  assert.equal(scene.certificates.state().nextTry, null);
  assert.equal(statSync(folder).mode & 0o777, 0o700);
  for (const file of readdirSync(folder)) assert.equal(statSync(join(folder, file)).mode & 0o777, 0o600, file);
  assert.ok(!scene.log.lines.some((line) => line.includes('PRIVATE KEY')));
  await assert.rejects(open(acme.httpPort), { code: 'ECONNREFUSED' }); // it was open for the question only
  const again = await start(context, { options, folder });
  assert.equal(again.certificates.current?.cert, current?.cert);
  assert.deepEqual(again.log.lines, []);
});

test('a certificate comes by a record of the name server, which is gone afterwards; the next is ordered in the last third of its life', {
  skip,
  timeout: 120_000,
}, async (context) => {
  const server = await startNameServer(context);
  const acme = await startAcme(context, server.target);
  const folder = join(temporaryFolder(context), 'acme');
  let now = Date.now();
  const options: AcmeOptions = {
    ...acme,
    names: [NAME, 'box.example.org'],
    contact: null,
    challenge: { type: 'dns', target: server.target },
  };
  const scene = await start(context, { options, folder, now: () => now });
  await scene.log.line(/^Got a certificate/);
  const first = scene.certificates.current;
  for (const name of options.names) {
    assert.equal(new X509Certificate(first?.cert ?? '').checkHost(name), name);
    await assert.rejects(server.resolver.resolveTxt(`_acme-challenge.${name}`), /ENOTFOUND|ENODATA/);
  }
  const life = (first?.expires ?? 0) - now;
  now += life * 0.6;
  assert.equal(scene.certificates.state().nextTry, null);
  now += life * 0.1;
  assert.notEqual(scene.certificates.state().nextTry, null);
  scene.log.lines.length = 0;
  scene.certificates.look();
  await scene.log.line(/^Got a certificate/);
  assert.notEqual(scene.certificates.current?.cert, first?.cert);
  assert.equal(scene.changes, 2);
});

test('a refusal is said in the words of the authority; the next try waits longer each time, over a restart too', {
  skip,
  timeout: 120_000,
}, async (context) => {
  const server = await startNameServer(context);
  const acme = await startAcme(context, server.target);
  const folder = join(temporaryFolder(context), 'acme');
  const options: AcmeOptions = { ...acme, names: ['none.example.org'], contact: null, challenge: { type: 'http', port: acme.httpPort } };
  const scene = await start(context, { options, folder });
  const line = await scene.log.line(/^Error: Cannot get a certificate/);
  assert.match(
    line,
    /^Error: Cannot get a certificate for none\.example\.org: .*none\.example\.org.*\. Clients are shown midge's own certificate; the next try is at .* UTC\.$/s,
  );
  const { nextTry, fault } = scene.certificates.state();
  assert.ok(nextTry !== null && Math.abs(nextTry - Date.now() - 15 * 60_000) < 60_000);
  assert.match(fault ?? '', /none\.example\.org/);
  scene.log.lines.length = 0;
  scene.certificates.look();
  const again = await start(context, { options, folder });
  await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual([...scene.log.lines, ...again.log.lines], []); // neither has asked
  assert.equal(again.certificates.state().nextTry, nextTry);
  const later = await start(context, { options, folder, now: () => (nextTry ?? 0) + 1 });
  await later.log.line(/^Error: Cannot get a certificate/);
  assert.ok((later.certificates.state().nextTry ?? 0) - (nextTry ?? 0) > 29 * 60_000);
});

test('a port that somebody has, an authority that does not answer and a damaged certificate are said, and end nothing', {
  timeout: 60_000,
}, async (context) => {
  const folder = join(temporaryFolder(context), 'acme');
  const holder = createServer().listen(0);
  context.after(() => holder.close());
  const { port } = holder.address() as { port: number };
  const options: AcmeOptions = {
    directory: 'https://127.0.0.1:1/dir',
    cafile: null,
    names: [NAME],
    contact: null,
    challenge: { type: 'http', port },
  };
  const taken = await start(context, { options, folder });
  assert.match(await taken.log.line(/^Error/), new RegExp(`Cannot open port ${port} for the authority's question: .*EADDRINUSE`));
  writeFileSync(join(folder, 'certificate.pem'), 'no certificate');
  const later = await start(context, {
    options: { ...options, challenge: { type: 'http', port: 0 } },
    folder,
    now: () => Date.now() + DAY_MS,
  });
  assert.match(await later.log.line(/^Error/), /ECONNREFUSED/);
});

function open(port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.destroy();
      resolve();
    }).on('error', reject);
  });
}
