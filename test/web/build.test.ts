// The page as it is built: small, and without anything from elsewhere.

import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, posix } from 'node:path';
import { after, before, test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { buildWeb } from '../../build/web.ts';

/** What a browser loads until the first view stands, compressed. */
const MOST_BYTES_OF_FIRST_VIEW = 150_000;

let folder = '';
let packed: ReadonlyMap<string, Buffer> = new Map();

before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'midge-page-'));
  packed = await built('one');
});

after(() => rmSync(folder, { recursive: true }));

test('page has an index, and everything else has a hash in its name', () => {
  const others = [...packed.keys()].filter((name) => name !== 'index.html');
  assert.ok(packed.has('index.html'));
  assert.ok(others.length > 5);
  assert.deepEqual(
    others.filter((name) => !/^assets\/[\w.-]+-[\w-]{8}\.(js|css|svg)$/.test(name)),
    [],
  );
});

test('page loads less than 150 KB until the first view stands, charts included', () => {
  const needed = new Set([...references('index.html'), ...named(/^assets\/(overview|en|uPlot\b.*)-/)]);
  for (const name of needed) for (const each of imports(name)) needed.add(each);
  const bytes = ['index.html', ...needed].reduce((sum, name) => sum + (packed.get(name)?.length ?? Number.NaN), 0);
  assert.ok(needed.size > 4, `only ${needed.size} files found`);
  assert.ok(bytes < MOST_BYTES_OF_FIRST_VIEW, `${bytes} bytes`);
});

test('page has nothing inline that its policy would forbid, and nothing from another host', () => {
  const index = text('index.html');
  assert.doesNotMatch(index, /<style|style=|\son\w+=|<script(?![^>]*\ssrc=)/);
  assert.doesNotMatch(index, /(src|href)="(?!\.\/)/);
  for (const name of named(/\.css$/)) assert.doesNotMatch(text(name), /@import|url\((?!["']?data:)/, name);
});

test('page is the same, byte for byte, when it is built again', async () => {
  const again = await built('two');
  assert.deepEqual([...again.keys()].sort(), [...packed.keys()].sort());
  for (const [name, bytes] of again) assert.ok(packed.get(name)?.equals(bytes), name);
});

async function built(name: string): Promise<Map<string, Buffer>> {
  const target = join(folder, name);
  await buildWeb(target);
  const files = readdirSync(target, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.gz'));
  return new Map(files.map((file) => [file.slice(0, -'.gz'.length), readFileSync(join(target, file))]));
}

function text(name: string): string {
  return gunzipSync(packed.get(name)!).toString('utf8');
}

function named(pattern: RegExp): string[] {
  return [...packed.keys()].filter((name) => pattern.test(name));
}

function references(name: string): string[] {
  return Array.from(text(name).matchAll(/(?:src|href)="\.\/([^"]+)"/g), ([, each = '']) => each);
}

/** imports are those that a file waits for; `import()` is not. */
function imports(name: string): string[] {
  if (!name.endsWith('.js')) return [];
  return Array.from(text(name).matchAll(/(?:from|import)\s*["'](\.\/[^"']+)["']/g), ([, each = '']) =>
    posix.join(posix.dirname(name), each),
  );
}
