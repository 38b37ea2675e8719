// A release is made in two fresh clones: the same sums. A stranger checks it with the commands of docs/releases.md, and starts its container image.

import assert from 'node:assert/strict';
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, copyFileSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { refreshManifest } from '../../build/refresh.ts';
import { fetchManifest } from '../../src/updates/fetch-release.ts';
import { readPublicKeys } from '../../src/updates/minisign.ts';
import { releaseSource } from '../../src/updates/release-source.ts';
import { temporaryFolder } from '../support/disk/temporary-folder.ts';
import { missing } from '../support/process/foreign-program.ts';
import { type Key, makeKey } from '../updates/signed-release.ts';
import { commandsOf } from './page.ts';

const ROOT = join(import.meta.dirname, '../..');
const ARCHITECTURE = process.arch === 'arm64' ? 'arm64' : 'amd64';
const skip =
  process.getuid?.() === 0
    ? missing(['minisign', 'skopeo', 'umoci', 'mmdebstrap', 'dpkg-deb', 'git'], 'minisign skopeo umoci mmdebstrap dpkg git')
    : 'files of root can only be made by root';

test('release has the same sums in two clones, is what a stranger can check, and runs as a container', { skip }, async (context) => {
  const key = makeKey(temporaryFolder(context), 'release');
  const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { version: string }; // npm demands it
  const [mine, theirs] = [cloneFor(context, version, key), temporaryFolder(context)];
  execFileSync('git', ['clone', '-q', mine, join(theirs, 'clone')]);
  const released = makeRelease(mine, version, key);
  const again = makeRelease(join(theirs, 'clone'), version, null);
  assert.equal(readFileSync(join(again, 'SHA256SUMS'), 'utf8'), readFileSync(join(released, 'SHA256SUMS'), 'utf8'));
  assert.equal(readFileSync(join(again, 'manifest.json'), 'utf8'), readFileSync(join(released, 'manifest.json'), 'utf8'));
  assert.match(readFileSync(join(released, `midge-${version}-notes.md`), 'utf8'), /^## .*\n\n- What is new\.\n$/);
  await checkAsStranger(context, released, key, version);
  await refresh(released, key);
  await runContainer(context, join(released, `midge-${version}-container-${ARCHITECTURE}.tar`), version);
});

/** A clone that is ready for the release, with the packages that are installed here. */
function cloneFor(context: TestContext, version: string, key: Key): string {
  const clone = join(temporaryFolder(context), 'clone');
  const git = (...words: string[]) => execFileSync('git', ['-C', clone, '-c', 'user.name=t', '-c', 'user.email=t@example.org', ...words]);
  execFileSync('git', ['clone', '-q', ROOT, clone]);
  const changelog = readFileSync(join(clone, 'CHANGELOG.md'), 'utf8');
  writeFileSync(
    join(clone, 'CHANGELOG.md'),
    changelog.replace('## Unreleased', `## Unreleased\n\n## ${version} - 2026-01-31\n\n- What is new.\n\n## Before`),
  );
  copyFileSync(key.public, join(clone, 'release.pub'));
  git('add', '-A');
  git('commit', '-q', '-m', 'Release');
  return clone;
}

function makeRelease(clone: string, version: string, key: Key | null): string {
  symlinkSync(join(ROOT, 'node_modules'), join(clone, 'node_modules'));
  const env = { ...process.env, VERSION: version, KEY: key?.secret ?? '', WITHOUT: 'image', COMPRESSION: '0' };
  const { status, stdout, stderr } = spawnSync(process.execPath, ['build/release.ts'], { cwd: clone, env, encoding: 'utf8' });
  assert.equal(status, 0, stdout + stderr);
  return join(clone, `dist/midge-${version}`);
}

async function checkAsStranger(context: TestContext, released: string, key: Key, version: string): Promise<void> {
  const folder = temporaryFolder(context);
  for (const name of readdirSync(released)) copyFileSync(join(released, name), join(folder, name));
  copyFileSync(key.public, join(folder, 'release.pub'));
  const [install = '', ...checks] = commandsOf('Check a download', 'docs/releases.md');
  assert.match(install, /^apt-get install -y minisign$/, 'it is installed here');
  const check = () => spawnSync('sh', ['-ec', checks.join('\n')], { cwd: folder, encoding: 'utf8' });
  const { status, stdout, stderr } = check();
  assert.equal(status, 0, stdout + stderr);
  assert.match(stdout, /Signature and comment signature verified/);
  assert.match(stdout, new RegExp(`^midge-${version.replaceAll('.', '\\.')}-linux-x64: OK$`, 'm'));
  appendFileSync(join(folder, `midge-${version}-linux-arm64`), 'x');
  assert.match(check().stdout, /linux-arm64: FAILED/);
  appendFileSync(join(folder, 'SHA256SUMS'), '\n');
  assert.match(check().stderr, /Signature verification failed/);
}

async function refresh(released: string, key: Key): Promise<void> {
  const keys = readPublicKeys(readFileSync(key.public, 'utf8'), 'key');
  const before = await fetchManifest(releaseSource(released), keys);
  process.env['PUBLIC_KEY'] = key.public;
  refreshManifest(released, key.secret, new Date('2099-01-01T00:00:00Z'));
  delete process.env['PUBLIC_KEY'];
  const after = await fetchManifest(releaseSource(released), keys);
  assert.deepEqual(after, { ...before, freshUntil: '2099-06-30T00:00:00.000Z' });
}

/** Debian's tools read the image, and its words are run as its user, in a root, a network and processes of its own. */
async function runContainer(context: TestContext, archive: string, version: string): Promise<void> {
  const folder = temporaryFolder(context);
  execFileSync('skopeo', ['copy', '-q', `oci-archive:${archive}`, `oci:${folder}/image:latest`]);
  execFileSync('umoci', ['unpack', '--image', `${folder}/image:latest`, `${folder}/bundle`], { stdio: 'pipe' });
  const { config } = JSON.parse(
    execFileSync('skopeo', ['inspect', '--config', '--raw', `oci-archive:${archive}`], { encoding: 'utf8' }),
  ) as {
    config: { User: string; Entrypoint: string[]; Cmd: string[]; Env: string[]; Healthcheck: { Test: string[] } };
  }; // https://github.com/opencontainers/image-spec/blob/v1.0.2/config.md
  const rootfs = `${folder}/bundle/rootfs`;
  const words = ['/usr/sbin/chroot', `--userspec=${config.User}`, rootfs, ...config.Entrypoint, ...config.Cmd];
  mkdirSync(join(rootfs, 'dev'), { recursive: true });
  const setUp = `mount --make-rprivate / && mount --rbind /dev ${rootfs}/dev && mount -t proc proc ${rootfs}/proc && ip link set lo up && exec "$@"`;
  const isolated = ['--mount', '--net', '--pid', '--fork', '--kill-child', 'sh', '-c', setUp, 'sh', 'env', '-i', ...config.Env];
  const broker = spawn('unshare', [...isolated, ...words], { stdio: ['ignore', 'pipe', 'pipe'] });
  const ended = once(broker, 'exit');
  try {
    let said = '';
    for (const stream of [broker.stdout, broker.stderr]) stream.on('data', (piece: Buffer) => (said += piece.toString()));
    while (!/^ {2}Stop /m.test(said)) {
      assert.equal(broker.exitCode, null, said);
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    assert.match(said, new RegExp(`midge version ${version.replaceAll('.', '\\.')} running$`, 'm'));
    const inside = execFileSync('pgrep', ['-P', String(broker.pid)], { encoding: 'utf8' }).trim();
    const enter = ['-t', inside, '-m', '-n', '-p', '/usr/sbin/chroot', `--userspec=${config.User}`, rootfs];
    const run = (...command: readonly string[]) => spawnSync('nsenter', [...enter, ...command], { encoding: 'utf8' });
    const health = run(...config.Healthcheck.Test.slice(1));
    assert.match(health.stdout, /midge version/, health.stderr);
    const [, password = ''] = /^ {2}password {2}(\S+)$/m.exec(said) ?? [];
    const login = ['-h', '127.0.0.1', '-u', 'midge', '-P', password];
    const sent = run('/usr/bin/midge', 'pub', ...login, '-t', 'a', '-m', 'b', '-q', '1');
    assert.equal(sent.status, 0, sent.stderr);
  } finally {
    broker.kill('SIGKILL');
    await ended;
  }
}
