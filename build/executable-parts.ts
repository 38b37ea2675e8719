// What is in an executable beside our own code: the packages of npm, what pkg puts before the program, and Node with the libraries in it.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from './bundle.ts';

/** Part is one of a bill of materials. */
export interface Part {
  readonly name: string;
  /** '' = its maker gives it no number of its own. */
  readonly version: string;
  /** Package URL, https://github.com/package-url/purl-spec */
  readonly purl: string;
  /** Expression of SPDX, https://spdx.github.io/spdx-spec/v2.3/SPDX-license-expressions/ */
  readonly licence: string;
}

/** LockedPackage is one in npm's lockfileVersion 3. */
interface LockedPackage {
  readonly version: string;
  readonly license?: string;
  readonly dev?: boolean;
}

/** STARTERS are needed at the build only, but their code starts the program in the executable. */
const STARTERS = ['node_modules/@yao-pkg/pkg', 'node_modules/@roberts_lando/vfs'];

/** Node comes from npm in one package for each architecture. */
const NODE = /^node_modules\/node-linux-/;

/**
 * NODE_LIBRARIES are in Node's own file: the names of its LICENSE, the licence of each, and its name in process.versions where it has a number.
 * Those without a name in LICENSE are the last.
 */
export const NODE_LIBRARIES: readonly (readonly [name: string, licence: string, key?: string])[] = [
  ['Acorn', 'MIT', 'acorn'],
  ['c-ares', 'MIT', 'ares'],
  ['merve', 'MIT', 'merve'],
  ['ittapi', 'BSD-3-Clause'],
  ['amaro', 'MIT', 'amaro'],
  ['swc', 'Apache-2.0'],
  ['ICU', 'Unicode-3.0 AND ICU AND BSD-3-Clause AND NAIST-2003', 'icu'],
  ['libuv', 'MIT AND BSD-2-Clause AND ISC', 'uv'],
  ['LIEF', 'Apache-2.0'],
  ['llhttp', 'MIT', 'llhttp'],
  ['undici', 'MIT', 'undici'],
  ['OpenSSL', 'Apache-2.0', 'openssl'],
  ['Punycode.js', 'MIT'],
  ['V8', 'BSD-3-Clause', 'v8'],
  ['SipHash', 'MIT'],
  ['zlib', 'Zlib', 'zlib'],
  ['simdjson', 'Apache-2.0', 'simdjson'],
  ['simdutf', 'MIT', 'simdutf'],
  ['ada', 'MIT', 'ada'],
  ['minimatch', 'BlueOak-1.0.0'],
  ['inspector_protocol', 'BSD-3-Clause'],
  ['nghttp2', 'MIT', 'nghttp2'],
  ['large_pages', 'MIT'],
  ['caja', 'Apache-2.0'],
  ['brotli', 'MIT', 'brotli'],
  ['zstd', 'BSD-3-Clause', 'zstd'],
  ['HdrHistogram', 'CC0-1.0 OR BSD-2-Clause'],
  ['node-heapdump', 'ISC'],
  ['rimraf', 'ISC'],
  ['uvwasi', 'MIT', 'uvwasi'],
  ['ngtcp2', 'MIT', 'ngtcp2'],
  ['nghttp3', 'MIT', 'nghttp3'],
  ['node-fs-extra', 'MIT'],
  ['on-exit-leak-free', 'MIT'],
  ['sonic-boom', 'MIT'],
  ['nbytes', 'MIT', 'nbytes'],
  ['ncrypto', 'MIT', 'ncrypto'],
  ['SQLite', 'blessing', 'sqlite'],
];

/** executableParts gives them all, midge itself first. The same packages and Node give the same list. */
export function executableParts(lockFile = readFileSync(join(ROOT, 'package-lock.json'), 'utf8')): Part[] {
  const { packages } = JSON.parse(lockFile) as { packages: Record<string, LockedPackage> }; // npm's lockfileVersion 3
  const { version, license } = packages['']!; // the project itself
  return [
    { name: 'midge', version, purl: `pkg:generic/midge@${version}`, licence: license ?? 'NOASSERTION' },
    ...packagesIn(packages).map(([path, each]) => npmPart(nameOf(path), each)),
    { name: 'node', version: process.versions.node, purl: `pkg:generic/node@${process.versions.node}`, licence: 'MIT' },
    ...NODE_LIBRARIES.flatMap(([name, licence, key]) => nodePart(name, licence, key === undefined ? null : process.versions[key])),
  ];
}

/** packagesIn gives the packages of npm whose code is in the executable, by their path; without Node. */
export function packagesIn(packages: Readonly<Record<string, LockedPackage>>): [path: string, LockedPackage][] {
  return Object.entries(packages).filter(([path, { dev }]) => path !== '' && !NODE.test(path) && (dev !== true || STARTERS.includes(path)));
}

/** nameOf gives the name of a package by its path in package-lock.json. */
export function nameOf(path: string): string {
  return path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length);
}

function npmPart(name: string, { version, license }: LockedPackage): Part {
  return { name, version, purl: `pkg:npm/${name.replace('@', '%40')}@${version}`, licence: license ?? 'NOASSERTION' };
}

/** A library with an empty number is one that this Node was built without. */
function nodePart(name: string, licence: string, version: string | null | undefined): Part[] {
  const purl = `pkg:generic/${name.toLowerCase()}`;
  if (version === null) return [{ name, version: '', purl, licence }];
  return version ? [{ name, version, purl: `${purl}@${encodeURIComponent(version)}`, licence }] : [];
}
