// Makes dist/midge-linux-x64 and dist/midge-linux-arm64: the program and the Node that runs it, in one file.
//
//   src/main.ts, src/store/store-worker.ts --bundle.ts--> main.cjs, store-worker.cjs, their parts --pkg--> blob
//   the page, the OpenAPI document, the licence texts ----------------------------------------------------> blob
//   blob + node (stripped, x64) --> dist/midge-linux-x64        blob + node (stripped, arm64) --> dist/midge-linux-arm64
//   PUBLIC_KEY=FILE says whose releases the executable takes.
//
// pkg would download its Node from nodejs.org. It finds these in its cache instead: Node from npm, checked against package-lock.json.

import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  closeSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { gzipSync } from 'node:zlib';
import { openApiFile } from '../src/api/openapi.ts';
import { sealed } from '../src/install/seal.ts';
import { OPERATIONS } from '../src/operations/operations.ts';
import { bundle, LICENCES, MAIN, OPENAPI, PAGE_FOLDER, ROOT, readStamp } from './bundle.ts';
import { licenceTexts } from './licences.ts';
import { buildWeb } from './web.ts';

const ARCHITECTURES = ['x64', 'arm64'] as const;
type Architecture = (typeof ARCHITECTURES)[number];

/** FOREIGN_STRIP strips Node for the other architecture, from this Debian package. Symbols are a fifth of the file. */
const FOREIGN_STRIP = {
  x64: { tool: 'x86_64-linux-gnu-strip', debian: 'binutils-x86-64-linux-gnu' },
  arm64: { tool: 'aarch64-linux-gnu-strip', debian: 'binutils-aarch64-linux-gnu' },
} as const;

/** TEMPORARY_NAME begins what differs between two builds: pkg leaves the name of its temporary folder (6 letters more) in the blob. */
const TEMPORARY_NAME = '/tmp/pkg-sea-';

/** CHUNK is how much is written at once: after larger writes Linux caches, and later maps, larger pieces, and RSS grows by up to 24 MB. */
const CHUNK = 65_536;

const CACHE = join(ROOT, '.cache');
const PKG_HOME = join(CACHE, 'home');

/** binaryPath names the executable of an architecture inside `folder`. */
export function binaryPath(folder: string, architecture: Architecture): string {
  return join(folder, `midge-linux-${architecture}`);
}

/** makeBinaries builds the executables of both architectures into `folder` and replaces what is there, running or not. */
export async function makeBinaries(folder: string, say: (line: string) => void = () => {}): Promise<void> {
  const version = process.versions.node;
  installStrip(say);
  for (const architecture of ARCHITECTURES) prepareNode(architecture, version, say);
  say('Bundling src/main.ts ...');
  const app = join(CACHE, 'app');
  const stamp = readStamp();
  rmSync(app, { recursive: true, force: true });
  const files = await bundle(app, stamp);
  writeFileSync(join(app, LICENCES), gzipSync(licenceTexts(ROOT)));
  writeFileSync(join(app, OPENAPI), openApiFile(`midge version ${stamp.version}`, OPERATIONS));
  say('Building the page ...');
  await buildWeb(join(app, PAGE_FOLDER));
  // pkg names its files NAME-ARCH when all are for one system.
  const description = {
    name: 'midge-linux',
    version: stamp.version,
    bin: MAIN,
    pkg: { assets: [...files.filter((file) => file !== MAIN), LICENCES, OPENAPI, `${PAGE_FOLDER}/**/*`] },
  };
  writeFileSync(join(app, 'package.json'), JSON.stringify(description));
  say('Packing (pkg) ...');
  const packed = join(CACHE, 'packed');
  rmSync(packed, { recursive: true, force: true });
  runPkg(app, packed, version);
  mkdirSync(folder, { recursive: true });
  for (const architecture of ARCHITECTURES) {
    const bytes = sealed(settleTemporaryName(readFileSync(binaryPath(packed, architecture))));
    writeExecutable(binaryPath(folder, architecture), bytes);
    say(describe(binaryPath(folder, architecture), bytes));
  }
}

function installStrip(say: (line: string) => void): void {
  const missing = ARCHITECTURES.map(stripFor).flatMap(({ tool, debian }) => (spawnSync(tool, ['--version']).error ? [debian] : []));
  if (missing.length === 0) return;
  const command = `apt-get install -y --no-install-recommends ${missing.join(' ')}`;
  if (process.getuid?.() !== 0) throw new Error(`Cannot strip Node: binutils are missing - run: sudo ${command}`);
  say(`Installing ${missing.join(' ')} ...`);
  execFileSync('/bin/sh', ['-c', `apt-get update && ${command}`], { stdio: ['ignore', 'ignore', 'inherit'] });
}

function stripFor(architecture: Architecture): { readonly tool: string; readonly debian: string } {
  return architecture === process.arch ? { tool: 'strip', debian: 'binutils' } : FOREIGN_STRIP[architecture];
}

/** prepareNode puts a stripped Node, and the empty marks that pkg looks for instead of downloading, into pkg's cache. */
function prepareNode(architecture: Architecture, version: string, say: (line: string) => void): void {
  const name = `node-v${version}-linux-${architecture}`;
  const shelf = join(PKG_HOME, '.pkg-cache/sea');
  const node = join(shelf, name, 'bin/node');
  if (existsSync(`${node}.ok`)) return;
  mkdirSync(dirname(node), { recursive: true });
  copyFileSync(packagedNode(architecture, version, say), node);
  execFileSync(stripFor(architecture).tool, ['--strip-unneeded', node]);
  for (const mark of [join(shelf, `${name}.tar.gz`), join(shelf, `${name}.tar.gz.ok`), `${node}.ok`]) writeFileSync(mark, '');
}

/** packagedNode gives the Node that npm installed, or fetches the package when it is for another architecture than this machine's. */
function packagedNode(architecture: Architecture, version: string, say: (line: string) => void): string {
  const name = `node-linux-${architecture}`;
  const installed = join(ROOT, 'node_modules', name, 'bin/node');
  if (existsSync(installed)) return installed;
  say(`Fetching ${name} ${version} ...`);
  const quiet = ['--silent', '--pack-destination', CACHE];
  const file = join(CACHE, execFileSync('npm', ['pack', `${name}@${version}`, ...quiet], { encoding: 'utf8' }).trim());
  requireIntegrity(file, `node_modules/${name}`, version);
  execFileSync('tar', ['-xzf', file, '-C', CACHE, 'package/bin/node']);
  return join(CACHE, 'package/bin/node');
}

function requireIntegrity(file: string, entry: string, version: string): void {
  const lock = JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8')) as {
    packages: Record<string, { version: string; integrity: string }>; // npm's lockfileVersion 3
  };
  const locked = lock.packages[entry];
  if (locked?.version !== version)
    throw new Error(`Cannot take Node ${version}: package-lock.json has ${locked?.version} - run: make check`);
  const found = `sha512-${createHash('sha512').update(readFileSync(file)).digest('base64')}`;
  if (found !== locked.integrity) throw new Error(`Cannot use "${file}": it has ${found}, package-lock.json wants ${locked.integrity}`);
}

function runPkg(app: string, folder: string, version: string): void {
  const targets = ARCHITECTURES.map((architecture) => `node${version}-linux-${architecture}`).join();
  const pkg = join(ROOT, 'node_modules/@yao-pkg/pkg/lib-es5/bin.js');
  const run = spawnSync(process.execPath, [pkg, '.', '--sea', '-t', targets, '--out-path', folder], {
    cwd: app,
    encoding: 'utf8',
    env: { ...process.env, HOME: PKG_HOME, TMPDIR: '/tmp', NODE_OPTIONS: '' },
  });
  if (run.status !== 0)
    throw new Error(`Cannot pack the executables: pkg ended with ${run.status ?? run.signal}\n${run.stdout}${run.stderr}`);
}

function settleTemporaryName(bytes: Buffer): Buffer {
  for (let at = bytes.indexOf(TEMPORARY_NAME); at !== -1; at = bytes.indexOf(TEMPORARY_NAME, at + 1)) {
    bytes.write('000000', at + TEMPORARY_NAME.length);
  }
  return bytes;
}

function writeExecutable(path: string, bytes: Buffer): void {
  const file = openSync(`${path}.new`, 'w', 0o755);
  for (let at = 0; at < bytes.length; at += CHUNK) writeSync(file, bytes, at, Math.min(CHUNK, bytes.length - at));
  closeSync(file);
  renameSync(`${path}.new`, path);
}

function describe(file: string, bytes: Buffer): string {
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  return `${relative(ROOT, file)}  ${(bytes.length / 1e6).toFixed(1)} MB  sha256 ${sha256}`;
}

if (import.meta.main) {
  await makeBinaries(join(ROOT, 'dist'), (line) => console.log(line)).catch((error: Error) => {
    console.error(error.message);
    process.exitCode = 1;
  });
}
