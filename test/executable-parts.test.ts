// What the bills of materials say that an executable is made of.

import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { executableParts, NODE_LIBRARIES } from '../build/executable-parts.ts';
import { licenceTexts } from '../build/licences.ts';
import { cycloneDx } from '../build/release/bill-of-materials.ts';

const ROOT = join(import.meta.dirname, '..');

/** Names in the LICENSE of Node that are in its sources or beside its program, and not in the program. */
const NOT_IN_PROGRAM = ['corepack', 'postject', 'npm', 'GYP', 'jinja2', 'markupsafe', 'cpplint.py', 'gypi_to_gn.py', 'gtest'];

/** Words of process.versions that are no libraries: Node itself, numbers of interfaces, and the data that ICU brings. */
const NO_LIBRARIES = ['node', 'modules', 'napi', 'cldr', 'tz', 'unicode'];

/** As SPDX writes them: names, brackets, AND, OR. */
const EXPRESSION = /^\(?[A-Za-z0-9.+-]+\)?( (AND|OR|WITH) \(?[A-Za-z0-9.+-]+\)?)*$/;

test('bill of an executable has every library of Node that its LICENSE and its versions name', () => {
  const folder = readdirSync(join(ROOT, 'node_modules')).find((name) => name.startsWith('node-linux-')) ?? '';
  const text = readFileSync(join(ROOT, 'node_modules', folder, 'LICENSE'), 'utf8');
  const named = Array.from(text.matchAll(/^- (.+), located at /gm), ([, name = '']) => name);
  assert.ok(named.length > 30);
  const known = NODE_LIBRARIES.map(([name]) => name);
  assert.deepEqual(
    named.filter((name) => !known.includes(name) && !NOT_IN_PROGRAM.includes(name)),
    [],
  );
  assert.deepEqual(
    known.filter((name) => !named.includes(name)),
    ['nbytes', 'ncrypto', 'SQLite'],
  );
  const keys = NODE_LIBRARIES.flatMap(([, , key]) => key ?? []);
  assert.deepEqual(
    Object.keys(process.versions)
      .filter((key) => !NO_LIBRARIES.includes(key))
      .sort(),
    [...keys].sort(),
  );
});

test('bill of an executable has a licence for each part, as an expression of SPDX, and names none twice', () => {
  const parts = executableParts();
  for (const { name, licence } of parts) assert.match(licence, EXPRESSION, name);
  const openssl = parts.find(({ name }) => name === 'OpenSSL');
  assert.deepEqual(openssl, {
    name: 'OpenSSL',
    version: process.versions.openssl,
    purl: `pkg:generic/openssl@${process.versions.openssl}`,
    licence: 'Apache-2.0',
  });
  assert.equal(new Set(parts.map(({ purl }) => purl)).size, parts.length);
  for (const name of ['midge', 'node', 'aedes', '@yao-pkg/pkg', '@roberts_lando/vfs']) assert.ok(parts.some((part) => part.name === name));
  assert.ok(!parts.some(({ name }) => name === 'typescript'), 'nothing that only builds or tests');
});

test('bill of an executable is CycloneDX with one expression for each part', () => {
  const stamp = { version: '1.0.0', commit: 'c', date: '2026-01-31T00:00:00.000Z' };
  const { components, ...head } = JSON.parse(cycloneDx('midge', stamp, executableParts())) as {
    components: { name: string; licenses: unknown }[];
    bomFormat: string;
    specVersion: string;
  };
  assert.deepEqual([head.bomFormat, head.specVersion], ['CycloneDX', '1.6']);
  assert.deepEqual(components.find(({ name }) => name === 'zlib')?.licenses, [{ expression: 'Zlib' }]);
  assert.ok(!('version' in (components.find(({ name }) => name === 'ittapi') ?? { version: '' })));
});

test('licence texts have those of Node, of each package, and of what starts the program', () => {
  const texts = licenceTexts(ROOT);
  for (const title of ['midge (MIT)', `Node.js ${process.versions.node} (`, 'aedes ', '@yao-pkg/pkg ', '@roberts_lando/vfs '])
    assert.ok(texts.includes(`${'='.repeat(80)}\n${title}`), title);
  assert.match(texts, /OpenSSL, located at deps\/openssl/);
});
