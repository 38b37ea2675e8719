// `midge upgrade` on a Debian with an installed service: what it refuses changes nothing, a bad version goes back, a good one stays.

import assert from 'node:assert/strict';
import { copyFileSync, mkdirSync, readFileSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { temporaryFolder } from '../support/disk/temporary-folder.ts';
import { missing } from '../support/process/foreign-program.ts';
import { makeKey, writeRelease } from '../updates/signed-release.ts';
import { obstacle, startDebian } from './debian.ts';
import { ofVersion, succeed, writePrograms } from './installation.ts';

const EXECUTABLE = join(import.meta.dirname, `../../dist/midge-linux-${process.arch}`);
const skip = obstacle(EXECUTABLE) || missing(['minisign'], 'minisign');
const NEW = '7.7.7';
const NAME = `midge-${NEW}-linux-${process.arch}`;

test('midge upgrade takes a signed release, refuses all others, and goes back from one that fails', { skip }, async (context) => {
  const { root, run } = await startDebian(context, 'bookworm');
  const { first, bad } = writePrograms(root, EXECUTABLE);
  const keys = temporaryFolder(context);
  const [mine, strangers] = [makeKey(keys, 'mine'), makeKey(keys, 'strangers')];
  const at = (name: string) => join(root, 'root', name);
  const newer = ofVersion(readFileSync(EXECUTABLE), NEW);
  writeRelease(at('good'), NEW, newer, mine);
  writeRelease(at('strangers'), NEW, newer, strangers);
  writeRelease(at('truncated'), NEW, newer, mine);
  truncateSync(join(at('truncated'), NAME), newer.length - 10);
  writeRelease(at('stale'), NEW, newer, mine, { freshUntil: '2026-01-01T00:00:00Z' });
  writeRelease(at('old'), '0.0.1', newer, mine);
  writeRelease(at('fails'), NEW, ofVersion(readFileSync(join(root, bad)), NEW), mine);

  await succeed(run('sh', '-c', `echo secret | ${first} install --user jane --password-file -`));
  const before = await versionOf();
  await refused('good', /carries no key of a project.*\/etc\/midge-release-keys\/NAME\.pub/);
  mkdirSync(join(root, 'etc/midge-release-keys'));
  copyFileSync(mine.public, join(root, 'etc/midge-release-keys/mine.pub'));
  await refused('strangers', /Cannot trust the release: manifest\.json: the signature is by key/);
  await refused('truncated', /it is truncated/);
  await refused('stale', /good until 2026-01-01/);
  await refused('old', /it is older than/);
  const dry = await succeed(run('midge', 'upgrade', '--dry-run', '/root/good'));
  assert.match(dry.stdout, new RegExp(`^Changing midge from ${before} to ${NEW}:$`, 'm'));
  assert.equal(await versionOf(), before, 'a dry run changes nothing');

  const failed = await run('midge', 'upgrade', '/root/fails');
  assert.equal(failed.status, 1);
  assert.match(failed.stderr, /the later midge has changed the database and fails/, 'the reason is shown');
  assert.match(failed.stderr, /the old version is in place again$/m);
  assert.equal(await versionOf(), before);

  const { stdout, stderr } = await succeed(run('midge', 'upgrade', `/root/good/${NAME}`));
  assert.match(stdout, new RegExp(`^midge ${NEW.replaceAll('.', '\\.')} \\(abc, .*\\) is signed\\. In place is ${before}\\.$`, 'm'));
  assert.match(stderr, new RegExp(`^${NAME}: \\d+ MB of \\d+ MB$`, 'm'), 'progress is shown');
  assert.equal(await versionOf(), NEW);
  assert.equal((await run('systemctl', 'is-active', 'midge')).stdout, 'active\n');
  assert.equal((await run('ls', '/usr/local/bin')).stdout, 'later-midge\nmidge\n', 'nothing is left beside it');
  assert.match((await succeed(run('midge', 'upgrade', '/root/good'))).stdout, /is in place already/);

  async function refused(release: string, reason: RegExp): Promise<void> {
    const { status, stderr: said } = await run('midge', 'upgrade', `/root/${release}`);
    assert.equal(status, 1, release);
    assert.match(said, reason);
    assert.equal(await versionOf(), before, release);
  }

  async function versionOf(): Promise<string> {
    const { version } = JSON.parse((await run('midge', 'version', '--json')).stdout) as { version: string }; // what it prints
    return version;
  }
});
