// Which releases a machine takes: the signature, the manifest, and the choice.

import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { chooseUpgrade, type UpgradeQuestion } from '../../src/updates/choose-upgrade.ts';
import { type Manifest, readManifest, writeManifest } from '../../src/updates/manifest.ts';
import { readPublicKeys, verifySignature } from '../../src/updates/minisign.ts';
import { compareVersions } from '../../src/updates/semantic-version.ts';
import { temporaryFolder } from '../support/disk/temporary-folder.ts';
import { missing, runForeign } from '../support/process/foreign-program.ts';

const skip = missing(['minisign'], 'minisign');

const FILES: Manifest['files'] = [
  { name: 'midge-1.2.0-linux-x64', kind: 'executable', architecture: 'x64', size: 3, sha256: 'a'.repeat(64) },
  { name: 'midge-1.2.0-linux-arm64', kind: 'executable', architecture: 'arm64', size: 4, sha256: 'b'.repeat(64) },
  { name: 'midge_1.2.0_arm64.deb', kind: 'debian package', architecture: 'arm64', size: 5, sha256: 'c'.repeat(64) },
];

const MANIFEST = readManifest(
  writeManifest({ version: '1.2.0', commit: 'abc', date: '2026-02-01T00:00:00Z', freshUntil: '2026-08-01T00:00:00Z', files: FILES }),
);

const QUESTION: UpgradeQuestion = {
  current: '1.1.0',
  architecture: 'arm64',
  kind: 'executable',
  name: null,
  now: Date.parse('2026-03-01T00:00:00Z'),
  allowDowngrade: false,
  allowStale: false,
};

const choose = (change: Partial<UpgradeQuestion>) => chooseUpgrade(MANIFEST, { ...QUESTION, ...change });

test("signature of Debian's minisign is verified, and no changed byte of file, signature or comment passes", { skip }, async (context) => {
  const folder = temporaryFolder(context);
  const minisign = async (...words: string[]) => assert.equal((await runForeign('minisign', words)).status, 0, words.join(' '));
  const at = (name: string) => join(folder, name);
  await minisign('-G', '-W', '-p', at('a.pub'), '-s', at('a.key'));
  await minisign('-G', '-W', '-p', at('b.pub'), '-s', at('b.key'));
  writeFileSync(at('file'), 'the bytes');
  await minisign('-S', '-s', at('a.key'), '-m', at('file'), '-t', 'midge 1.2.0');
  const signature = readFileSync(at('file.minisig'), 'utf8');
  const keysIn = (...names: string[]) => readPublicKeys(names.map((name) => readFileSync(at(name), 'utf8')).join('\n'), 'keys');
  const bytes = Buffer.from('the bytes');
  assert.equal(verifySignature(bytes, signature, keysIn('b.pub', 'a.pub')), 'midge 1.2.0');

  assert.throws(() => verifySignature(bytes, signature, keysIn('b.pub')), /by key [0-9A-F]{16}, and only [0-9A-F]{16} may sign/);
  assert.throws(() => verifySignature(Buffer.from('the bytez'), signature, keysIn('a.pub')), /changed after it was signed/);
  assert.throws(() => verifySignature(bytes, signature.replace('1.2.0', '1.3.0'), keysIn('a.pub')), /changed after it was signed/);
  assert.throws(() => verifySignature(bytes, 'nonsense', keysIn('a.pub')), /not one of minisign/);
  const lines = signature.split('\n');
  for (const line of [1, 3]) {
    const raw = Buffer.from(lines[line] ?? '', 'base64');
    for (let place = line === 1 ? 10 : 0; place < raw.length; place++) {
      const damaged = Buffer.from(raw);
      damaged[place] = (damaged[place] ?? 0) ^ 1;
      const text = lines.map((each, index) => (index === line ? damaged.toString('base64') : each)).join('\n');
      assert.throws(() => verifySignature(bytes, text, keysIn('a.pub')), /changed after it was signed/, `line ${line}, byte ${place}`);
    }
  }
  await minisign('-S', '-l', '-s', at('a.key'), '-m', at('file'));
  assert.throws(() => verifySignature(bytes, readFileSync(at('file.minisig'), 'utf8'), keysIn('a.pub')), /of an old kind/);
  assert.throws(() => readPublicKeys(readFileSync(at('a.key'), 'utf8'), 'a.key'), /"a.key": it is not a public key/);
});

test('compareVersions orders versions as semver.org does [clause 11]', () => {
  const ordered = [
    '1.0.0-alpha',
    '1.0.0-alpha.1',
    '1.0.0-alpha.beta',
    '1.0.0-beta',
    '1.0.0-beta.2',
    '1.0.0-beta.11',
    '1.0.0-rc.1',
    '1.0.0',
  ];
  const all = ['0.9.9', ...ordered, '1.0.1', '1.2.0', '1.10.0', '2.0.0'];
  for (const [i, a] of all.entries())
    for (const [j, b] of all.entries()) assert.equal(Math.sign(compareVersions(a, b)), Math.sign(i - j), `${a} and ${b}`);
  assert.equal(compareVersions('1.0.0+a', '1.0.0+b'), 0);
});

test('chooseUpgrade takes the executable of this machine, and nothing when it is in place', () => {
  assert.equal(choose({})?.name, 'midge-1.2.0-linux-arm64');
  assert.equal(choose({ name: 'midge-1.2.0-linux-arm64' })?.name, 'midge-1.2.0-linux-arm64');
  assert.equal(choose({ current: '1.2.0' }), null);
});

test('chooseUpgrade refuses what is for another machine, of another kind, not named, older or stale, and says which', () => {
  assert.throws(() => choose({ architecture: 'riscv64' }), /no executable for riscv64/);
  assert.throws(() => choose({ name: 'midge-1.2.0-linux-x64' }), /is for x64, and this machine is arm64/);
  assert.throws(() => choose({ name: 'midge_1.2.0_arm64.deb' }), /is a debian package, and this machine takes the executable/);
  assert.throws(() => choose({ name: 'other' }), /manifest beside "other" does not name it/);
  assert.throws(() => choose({ current: '1.3.0' }), /older than 1\.3\.0.*--allow-downgrade/);
  assert.equal(choose({ current: '1.3.0', allowDowngrade: true })?.size, 4);
  const now = Date.parse('2026-08-02T00:00:00Z');
  assert.throws(() => choose({ now }), /good until 2026-08-01, and this machine says that it is 2026-08-02/);
  assert.equal(choose({ now, allowStale: true })?.size, 4);
  assert.throws(() => choose({ now, allowStale: true, current: '2.0.0' }), /older/);
});

test('readManifest refuses what is no manifest, or one of a format to come', () => {
  const text = JSON.stringify(MANIFEST);
  const refused = (change: (value: Record<string, unknown>) => void) => {
    const value = JSON.parse(text) as Record<string, unknown>; // written above
    change(value);
    assert.throws(() => readManifest(JSON.stringify(value)), { name: 'OperatorError' });
  };
  assert.deepEqual(readManifest(text), MANIFEST);
  for (const each of ['', '[]', 'null', '{}']) assert.throws(() => readManifest(each), /not the manifest of a release/);
  refused((value) => Object.assign(value, { format: 2 }));
  refused((value) => Object.assign(value, { version: '1.2' }));
  refused((value) => Object.assign(value, { freshUntil: 'soon' }));
  for (const bad of [{ name: '../x' }, { name: '.' }, { size: -0.5 }, { sha256: 'A' }])
    refused((value) => Object.assign(value, { files: [{ ...FILES[0], ...bad }] }));
});
