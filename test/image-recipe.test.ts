// The recipe of the image, as far as it shows before anything is made.

import assert from 'node:assert/strict';
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { chmodSync, copyFileSync, cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { type TestContext, test } from 'node:test';
import { temporaryFolder } from './support/disk/temporary-folder.ts';
import { missing } from './support/process/foreign-program.ts';

const ROOT = join(import.meta.dirname, '..');

test('image recipe says at once that it needs root, before it builds anything', (t) => {
  const folder = temporaryFolder(t);
  writeFileSync(join(folder, 'id'), '#!/bin/sh\necho 1000\n');
  chmodSync(join(folder, 'id'), 0o755);
  const recipe = join(ROOT, 'build/image.sh');
  const { status, stdout, stderr } = spawnSync(recipe, ['--with-program'], { encoding: 'utf8', env: { PATH: `${folder}:/usr/bin:/bin` } });
  assert.deepEqual([status, stdout], [1, '']);
  assert.equal(stderr, "Cannot make the image: only root may, because the image's files are root's - run: sudo make image\n");
});

/** What Debian has: `newest` is the kernel of today. */
const DEBIAN = [
  { name: 'mended', version: '1.0-1+deb13u2' },
  { name: 'same', version: '2.0-1' },
  { name: 'linux-image-7-arm64', version: '7.1-1' },
  { name: 'linux-image-arm64', version: '7.1-1', depends: 'linux-image-7-arm64 (= 7.1-1)' },
] as const;

const skip = missing(['apt-get', 'apt-cache'], 'apt');
/** What the recipe would install first. */
const noRecipe = missing(
  ['rauc', 'mksquashfs', 'mcopy', 'jq', 'zip', 'mmdebstrap', 'update-binfmts', 'arch-test'],
  'rauc squashfs-tools mtools jq zip mmdebstrap binfmt-support arch-test',
);

test('image recipe names the packages that Debian has newer: mended ones, and a kernel of another name', { skip }, (t) => {
  const { tar, list } = rootTree(t, [
    'linux-image-6-arm64 6.12-1 linux',
    'mended 1.0-1+deb13u1 mended',
    'same 2.0-1 same',
    'unknown 1 unknown',
  ]);
  const { status, stdout, stderr } = newerPackages(tar, list);
  assert.deepEqual([status, stdout], [0, 'mended 1.0-1+deb13u1 1.0-1+deb13u2\nlinux-image-7-arm64 - 7.1-1\n'], stderr);
});

test('image recipe names no package when all are as Debian has them', { skip }, (t) => {
  const { tar, list } = rootTree(t, ['linux-image-7-arm64 7.1-1 linux', 'mended 1.0-1+deb13u2 mended', 'same 2.0-1 same']);
  const { status, stdout, stderr } = newerPackages(tar, list);
  assert.deepEqual([status, stdout], [0, ''], stderr);
});

test('image recipe does not take silence for an answer when Debian cannot be asked', { skip }, (t) => {
  const { tar, list } = rootTree(t, ['same 2.0-1 same'], '/nowhere');
  const { status, stdout } = newerPackages(tar, list);
  assert.notEqual(status, 0);
  assert.equal(stdout, '');
});

test('image recipe does not take a page of a hotel for an answer of Debian, and does not wait for a mirror that is silent', {
  skip,
}, async (t) => {
  const answers: Readonly<Record<string, RequestListener>> = {
    page: (_, response) => response.end('<html>Please sign in</html>'),
    broken: (_, response) => response.writeHead(500).end(),
    silent: () => {},
  };
  for (const [name, answer] of Object.entries(answers)) {
    const server = createServer(answer).listen(0, '127.0.0.1');
    t.after(() => server.closeAllConnections());
    t.after(() => server.close());
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo; // of TCP
    const { tar, list } = rootTree(t, ['same 2.0-1 same'], `http://127.0.0.1:${port}`);
    const { status, stdout, stderr } = await newerPackagesSoon(tar, list);
    assert.deepEqual([status, stdout], [100, ''], name);
    assert.match(stderr, new RegExp(`^E: .*127\\.0\\.0\\.1:${port}`, 'm'), name);
  }
});

test('image recipe makes no image with packages that could not be checked, and says what to do', { skip: skip || noRecipe }, (t) => {
  const { status, stdout, stderr } = makeImage(t, ({ cache, key }) => {
    const { tar, list } = rootTree(t, ['same 2.0-1 same'], '/nowhere');
    copyFileSync(tar, join(cache, `root-${key}.tar`));
    copyFileSync(list, join(cache, `root-${key}.tar.packages`));
  });
  assert.deepEqual([status, stdout], [1, '']);
  assert.match(
    stderr,
    /^Cannot make the image: Debian does not say which packages are the newest \(.*nowhere.*\) - make sure that http:\/\/one\.invalid\/debian and http:\/\/one\.invalid\/debian-security answer, and run it again\n$/,
  );
});

test('image recipe says what to do when Debian does not give the packages at all', { skip: noRecipe }, (t) => {
  const { status, stderr } = makeImage(t, () => {});
  assert.equal(status, 1);
  assert.match(
    stderr,
    /^Cannot make the image: Debian's packages could not be fetched or installed \(mmdebstrap says why above\) - make sure that http:\/\/one\.invalid\/debian and .* answer, and run it again$/m,
  );
  assert.match(stderr, /^E: apt-get update failed$/m);
});

/** makeImage runs the recipe in a folder of its own, where mmdebstrap gets nothing; `prepare` fills the cache. */
function makeImage(context: TestContext, prepare: (place: { readonly cache: string; readonly key: string }) => void) {
  const folder = temporaryFolder(context);
  const [programs, cache] = [join(folder, 'programs'), join(folder, '.cache/image')];
  for (const each of [programs, cache, join(folder, 'dist')]) mkdirSync(each, { recursive: true });
  cpSync(join(ROOT, 'build'), join(folder, 'build'), { recursive: true });
  copyFileSync(join(ROOT, 'package.json'), join(folder, 'package.json'));
  const program = (path: string, text: string) => {
    writeFileSync(path, `#!/bin/sh\n${text}\n`);
    chmodSync(path, 0o755);
  };
  program(join(folder, 'dist/midge-linux-arm64'), '');
  program(join(folder, 'build/image/mirror.sh'), 'echo http://one.invalid/$1');
  program(join(programs, 'id'), 'echo 0');
  program(join(programs, 'dpkg'), 'echo arm64');
  program(join(programs, 'mmdebstrap'), 'echo "E: apt-get update failed" >&2; exit 1');
  const recipe = readFileSync(join(ROOT, 'build/image/root-tree.sh'));
  prepare({ cache, key: createHash('sha256').update(recipe).digest('hex').slice(0, 16) });
  const env = { PATH: `${programs}:/usr/sbin:/usr/bin:/sbin:/bin`, SOURCE_DATE_EPOCH: '0' };
  return spawnSync(join(folder, 'build/image.sh'), { encoding: 'utf8', env });
}

/** A root tree as the recipe keeps it, with the packages of an index in a folder. */
function rootTree(context: TestContext, packages: readonly string[], archive = temporaryFolder(context)): { tar: string; list: string } {
  const folder = temporaryFolder(context);
  if (existsSync(archive)) {
    const index = DEBIAN.map(({ name, version, ...rest }) => {
      const depends = 'depends' in rest ? `Depends: ${rest.depends}\n` : '';
      return `Package: ${name}\nVersion: ${version}\nArchitecture: arm64\n${depends}Filename: ./${name}.deb\nSize: 1\nSHA256: ${'0'.repeat(64)}\n`;
    });
    writeFileSync(join(archive, 'Packages'), index.join('\n'));
  }
  mkdirSync(join(folder, 'etc/apt/preferences.d'), { recursive: true });
  writeFileSync(join(folder, 'etc/apt/sources.list'), `deb [trusted=yes] ${archive.startsWith('/') ? 'file:' : ''}${archive} ./\n`);
  const [tar, list] = [join(folder, 'root.tar'), join(folder, 'root.tar.packages')];
  execFileSync('tar', ['-cf', tar, '-C', folder, './etc']);
  writeFileSync(list, `${packages.join('\n')}\n`);
  return { tar, list };
}

function newerPackages(tar: string, list: string) {
  return spawnSync(join(ROOT, 'build/image/newer-packages.sh'), [tar, list], { encoding: 'utf8' });
}

/** newerPackagesSoon leaves this process free to answer. */
async function newerPackagesSoon(tar: string, list: string) {
  const child = spawn(join(ROOT, 'build/image/newer-packages.sh'), [tar, list], { env: { ...process.env, PATIENCE_SECONDS: '1' } });
  const [stdout, stderr, [status]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
  return { status: status as number | null, stdout, stderr }; // the event's first argument
}
