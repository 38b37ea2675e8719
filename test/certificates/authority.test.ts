// The authority is all there or there is none; nothing is made over it.

import assert from 'node:assert/strict';
import { execFile, execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, cpSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';

import { OperatorError } from '../../src/base/errors.ts';
import { temporaryFolder } from '../support/disk/temporary-folder.ts';
import { type Appliance, DAY, makeAppliance } from './appliance.ts';

const noOpenssl = spawnSync('openssl', ['version']).error ? 'openssl is not installed (Debian package openssl)' : false;

const DAMAGES: readonly { what: string; damage: (folder: string) => void; message: RegExp }[] = [
  {
    what: 'ca.key is missing',
    damage: (folder) => rmSync(`${folder}/ca.key`),
    message: /Cannot find .*ca\.key": it is missing while ca\.crt is there/,
  },
  {
    what: 'ca.crt is missing',
    damage: (folder) => rmSync(`${folder}/ca.crt`),
    message: /Cannot find .*ca\.crt": it is missing while ca\.key is there/,
  },
  {
    what: 'both parts are missing while a server certificate tells of them',
    damage: (folder) => ['ca.crt', 'ca.key'].map((file) => rmSync(`${folder}/${file}`)),
    message: /Cannot find .*ca\.crt": the authority of server\.crt is gone/,
  },
  {
    what: 'ca.crt is torn',
    damage: (folder) => cut(`${folder}/ca.crt`),
    message: /Cannot use .*ca\.crt": it is damaged or of another kind/,
  },
  {
    what: 'ca.key is torn',
    damage: (folder) => cut(`${folder}/ca.key`),
    message: /Cannot use .*ca\.key": it is damaged or of another kind/,
  },
  { what: 'ca.key is empty', damage: (folder) => writeFileSync(`${folder}/ca.key`, ''), message: /Cannot use .*ca\.key": it is damaged/ },
  {
    what: 'ca.key is of another certificate',
    damage: (folder) => cpSync(`${folder}/server.key`, `${folder}/ca.key`),
    message: /Cannot use .*ca\.key": the key does not belong to ca\.crt/,
  },
  {
    what: 'ca.crt is not the certificate of an authority',
    damage: (folder) => ['crt', 'key'].map((part) => cpSync(`${folder}/server.${part}`, `${folder}/ca.${part}`)),
    message: /Cannot use .*ca\.crt": it is not the certificate of an authority/,
  },
  {
    what: 'ca.key cannot be read',
    damage: (folder) => {
      rmSync(`${folder}/ca.key`);
      mkdirSync(`${folder}/ca.key`);
    },
    message: /Cannot read .*ca\.key": EISDIR/,
  },
];

for (const { what, damage, message } of DAMAGES) {
  test(`the start is refused and nothing is written when ${what}`, async (t) => {
    const appliance = makeAppliance(t);
    await appliance.boot();
    damage(appliance.folder);
    const before = contents(appliance.folder);
    await assert.rejects(appliance.boot(), (error) => {
      assert.ok(error instanceof OperatorError);
      assert.match(error.message, message);
      assert.match(error.message, / - (put it back from a backup|make the file readable)/);
      assert.doesNotMatch(error.message, /PRIVATE KEY/);
      return true;
    });
    assert.deepEqual(contents(appliance.folder), before);
  });
}

test('the start is refused when the authority has an RSA key', { skip: noOpenssl }, async (t) => {
  const appliance = makeAppliance(t);
  mkdirSync(appliance.folder);
  const out = ['-keyout', `${appliance.folder}/ca.key`, '-out', `${appliance.folder}/ca.crt`];
  execFileSync('openssl', ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-subj', '/CN=mine', ...out], { stdio: 'ignore' });
  await assert.rejects(appliance.boot(), /ca\.key": it is damaged or of another kind \(it is not a P-256 key\)/);
});

test('an operator’s own P-256 authority signs the server certificate', { skip: noOpenssl }, async (t) => {
  const appliance = makeAppliance(t, { now: Date.now() });
  mkdirSync(appliance.folder);
  const { folder } = appliance;
  const flags = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-subj', '/C=DE/O=Home/CN=mine', '-days', '3650'];
  execFileSync('openssl', ['req', '-x509', ...flags, '-keyout', `${folder}/ca.key`, '-out', `${folder}/ca.crt`], { stdio: 'ignore' });
  await appliance.boot();
  const verified = execFileSync('openssl', ['verify', '-purpose', 'sslserver', '-CAfile', `${folder}/ca.crt`, `${folder}/server.crt`], {
    encoding: 'utf8',
  });
  assert.match(verified, /: OK/);
});

test('a folder that cannot be made is named', async (t) => {
  const file = join(temporaryFolder(t), 'file');
  writeFileSync(file, '');
  await assert.rejects(
    makeAppliance(t, { folder: `${file}/certificates` }).boot(),
    /^OperatorError: Cannot make certificate folder ".*": ENOTDIR/,
  );
});

test('a key that others can read is taken away from them', async (t) => {
  const appliance = makeAppliance(t);
  await appliance.boot();
  for (const file of ['ca.key', 'server.key']) chmodSync(`${appliance.folder}/${file}`, 0o644);
  await appliance.boot();
  for (const file of ['ca.key', 'server.key']) assert.equal(statSync(`${appliance.folder}/${file}`).mode & 0o777, 0o600);
  assert.match(appliance.log.lines.join('\n'), /Other users could read ".*ca\.key"\. Its mode was 644 and is now 600\./);
});

test('an authority whose making the power cut off is finished at the next start', async (t) => {
  for (const placed of [[], ['ca.key'], ['ca.key', 'ca.crt']]) {
    const appliance = makeAppliance(t);
    const made = await pendingAuthority(appliance, placed);
    const certificates = await appliance.boot();
    assert.equal(certificates.authority().cert, made, `in place: ${placed}`);
    assert.deepEqual(readdirSync(appliance.folder).sort(), ['ca.crt', 'ca.key', 'server.crt', 'server.key']);
  }
});

test('a half-made authority is not mixed with another one', async (t) => {
  const appliance = makeAppliance(t);
  await pendingAuthority(appliance, []);
  const other = makeAppliance(t);
  await other.boot();
  cpSync(`${other.folder}/ca.crt`, `${appliance.folder}/ca.crt`);
  await assert.rejects(appliance.boot(), /ca\.key": it is missing while ca\.crt is there/);
});

test('starts at the same moment end up with one authority', async (t) => {
  for (let round = 0; round < 5; round++) {
    const { folder } = makeAppliance(t);
    const all = await Promise.all([1, 2, 3, 4].map(() => makeAppliance(t, { folder }).boot()));
    const kept = readFileSync(`${folder}/ca.crt`, 'utf8');
    for (const certificates of all) assert.equal(certificates.authority().cert, kept);
    assert.equal(new Set(all.map((certificates) => certificates.server().key)).size, 1);
    assert.deepEqual(readdirSync(folder).sort(), ['ca.crt', 'ca.key', 'server.crt', 'server.key']);
  }
});

test('processes that start at the same moment end up with one authority', async (t) => {
  const { folder } = makeAppliance(t);
  const run = promisify(execFile);
  const door = new URL('../../src/certificates/certificates.ts', import.meta.url).href;
  const program = `
    const { createCertificates } = await import(${JSON.stringify(door)});
    const certificates = createCertificates({
      options: { folder: ${JSON.stringify(folder)}, extraNames: [] },
      clock: { now: Date.now, monotonic: () => performance.now() },
      log: { enabled: {}, log() {} },
      buildDate: 0,
      machine: () => ({ hostName: 'pi', addresses: [] }),
    });
    await certificates.start();
    console.log(certificates.authority().fingerprint + certificates.server().key);`;
  const outputs = await Promise.all([1, 2, 3].map(() => run(process.execPath, ['--input-type=module', '-e', program])));
  assert.equal(new Set(outputs.map(({ stdout }) => stdout)).size, 1);
  assert.deepEqual(readdirSync(folder).sort(), ['ca.crt', 'ca.key', 'server.crt', 'server.key']);
});

test('an authority in its last year is talked about once a week', async (t) => {
  const appliance = makeAppliance(t);
  const certificates = await appliance.boot();
  const { expires } = certificates.authority();
  const warnings = () => appliance.log.lines.filter((line) => line.includes('The certificate authority'));
  appliance.clock.wall = expires - 366 * DAY;
  await certificates.check();
  assert.deepEqual(warnings(), []);
  appliance.clock.wall = expires - 365 * DAY;
  await certificates.check();
  await certificates.check();
  assert.equal(warnings().length, 1);
  assert.match(warnings()[0]!, /ca\.crt" expires on 2036-\d\d-\d\d: from then on devices refuse/);
  appliance.clock.steady += 7 * DAY;
  appliance.clock.wall = expires + DAY;
  await certificates.check();
  assert.equal(warnings().length, 2);
  assert.match(warnings()[1]!, /ca\.crt" expired on 2036-/);
});

/** The folder as it is when the power goes while the first start puts the authority in place. Gives the certificate. */
async function pendingAuthority(appliance: Appliance, placed: readonly string[]): Promise<string> {
  const { folder } = appliance;
  await appliance.boot();
  const made = readFileSync(`${folder}/ca.crt`, 'utf8');
  for (const file of ['server.crt', 'server.key']) rmSync(`${folder}/${file}`);
  mkdirSync(`${folder}/ca.new`);
  for (const file of ['ca.crt', 'ca.key']) {
    if (placed.includes(file)) cpSync(`${folder}/${file}`, `${folder}/ca.new/${file}`);
    else renameSync(`${folder}/${file}`, `${folder}/ca.new/${file}`);
  }
  return made;
}

function contents(folder: string): Record<string, string> {
  const files = readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isFile());
  return Object.fromEntries(files.map(({ name }) => [name, readFileSync(join(folder, name), 'utf8')]));
}

function cut(path: string): void {
  writeFileSync(path, readFileSync(path, 'utf8').slice(0, 120));
}
