// The floor plan of ARCHITECTURE.md as tables, and the test that reads every import in src/ and holds it against them.

import assert from 'node:assert/strict';
import { existsSync, globSync, readdirSync, readFileSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { join, posix } from 'node:path';
import { test } from 'node:test';
import { drawFloorPlan, FLOOR_PLAN_FILE, readFloors } from '../build/floor-plan.ts';
import { readSource, type SourceFile, type SourceImport } from './support/architecture/source-file.ts';

const ROOT = join(import.meta.dirname, '..');

/** FLOORS: a room imports from itself and from lower floors, never from a room beside it. */
const FLOORS: Readonly<Record<string, number>> = {
  'main.ts': 6,
  'commands.ts': 6,
  cli: 6,
  clients: 6,
  app: 5,
  api: 4,
  control: 4,
  web: 4,
  config: 3,
  operations: 3,
  listeners: 2,
  access: 2,
  store: 2,
  state: 2,
  logging: 2,
  service: 2,
  bridges: 2,
  internet: 2,
  certificates: 2,
  discovery: 2,
  host: 2,
  install: 2,
  import: 2,
  boot: 2,
  phones: 2,
  refusals: 2,
  telemetry: 2,
  terminal: 2,
  updates: 2,
  cluster: 2,
  broker: 1,
  mqtt: 0,
  base: 0,
};

/** PACKAGES: the rooms in which a package lives. */
const PACKAGES: Readonly<Record<string, readonly string[]>> = {
  aedes: ['broker'],
  mqtt: ['clients'],
  socks: ['clients'],
  'bonjour-service': ['discovery'],
  systeminformation: ['host'],
  'tiny-glob': ['config'],
  'node:sqlite': ['store'],
  '@preact/signals': ['web'],
  'maplibre-gl': ['web'],
  'node-diff3': ['web'],
  'openapi-fetch': ['web'],
  pmtiles: ['web'],
  preact: ['web'],
  uplot: ['web'],
  ws: ['api', 'bridges'],
  zod: ['operations', 'api'],
  hono: ['api'],
  '@hono/node-server': ['api'],
  'prom-client': ['telemetry'],
  uqr: ['phones'],
  yaml: ['boot'],
  'smol-toml': ['boot'],
  '@peculiar/x509': ['certificates'],
  'acme-client': ['internet'],
  'dns-packet': ['internet'],
  '@nats-io/transport-node': ['cluster'],
  'reflect-metadata': ['certificates'],
};

/** PURE rooms know no socket type, no file, no SQL and no HTTP. */
const PURE = ['mqtt', 'broker'];
const INPUT_OUTPUT = /^node:(child_process|cluster|dgram|dns|fs|http|https|http2|net|readline|sqlite|tls|worker_threads)(\/|$)/;

/** NEIGHBOURS: the first imports the second, although both are on one floor. The programs meet in the table of commands, and nowhere else. */
const NEIGHBOURS: readonly (readonly [string, string])[] = [
  ['main.ts', 'commands.ts'],
  ['commands.ts', 'cli'],
  ['commands.ts', 'clients'],
];

/** ENTRIES are loaded to do something: the program, its threads, and the page. */
const ENTRIES = ['src/main.ts', 'src/store/store-worker.ts', 'src/web/main.tsx'];

/**
 * CIRCLES_OF_TYPES are the files of a room that know themselves through others, if only by type or by what they load on demand. None of them can be read, tested or
 * changed by itself: the list may become shorter only.
 */
const CIRCLES_OF_TYPES: Readonly<Record<string, readonly string[]>> = {
  broker: ['connection/connection.ts', 'engine.ts', 'restoration.ts', 'session/session-registry.ts', 'session/session.ts'],
};

/** MADE is written by build/web-types.ts, and no part of the sources. */
const MADE = 'src/web/api/schema.ts';

const MOST_LINES = 500;
const MOST_LINES_OF_GUIDE = 126;

/** NOT_A_PATH: what is made by a command, and names that stand for others. */
const NOT_A_PATH = /^dist\/|\bx\.tsx?$|NNNN/;

test('architecture keeps its floor plan when src/ is read', () => {
  const files = readAll('src/**/*.{ts,tsx}');
  assert.ok(files.length > 10, `only ${files.length} files found`);
  assert.deepEqual([...files.flatMap(importFaults), ...files.flatMap(formFaults), ...cycles(files)], []);
});

test('architecture lists every file that is in a circle of types', () => {
  assert.deepEqual(circlesOfTypes(readAll('src/**/*.{ts,tsx}')), CIRCLES_OF_TYPES, 'a circle that is cut leaves the list; none is added');
});

test('architecture keeps its file form when test/ and build/ are read', () => {
  assert.deepEqual(readAll('{test,build}/**/*.ts').flatMap(formFaults), []);
});

test('architecture guide is short enough to be read in one sitting', () => {
  const lines = readFileSync(join(ROOT, 'ARCHITECTURE.md'), 'utf8').trimEnd().split('\n').length;
  assert.ok(lines <= MOST_LINES_OF_GUIDE, `${lines} lines: shorten it to ${MOST_LINES_OF_GUIDE}`);
});

test('architecture guide names only what is there', () => {
  const guide = readFileSync(join(ROOT, 'ARCHITECTURE.md'), 'utf8');
  const named = Array.from(guide.matchAll(/`([a-z][\w.-]*\/[\w./-]*)`/g), ([, path = '']) => path).filter((path) => !NOT_A_PATH.test(path));
  assert.ok(named.length > 30, `only ${named.length} paths found`);
  const isThere = (path: string) => ['.', 'src', 'test'].some((place) => existsSync(join(ROOT, place, path)));
  assert.deepEqual(
    named.filter((path) => !isThere(path)),
    [],
  );
});

test('architecture guide draws the rooms of src/ on their floors', () => {
  const drawn = readFloors().flatMap(({ number, rooms }) => rooms.map((room) => [room, number]));
  const there = readdirSync(join(ROOT, 'src'), { withFileTypes: true }).map((each) => (each.isDirectory() ? `${each.name}/` : each.name));
  assert.deepEqual(Object.fromEntries(drawn), Object.fromEntries(there.map((name) => [name, FLOORS[name.replace('/', '')]])));
  assert.equal(drawn.length, there.length, 'a room is drawn twice');
});

test('floor plan is drawn as the guide has it when it was made by node build/floor-plan.ts', () => {
  assert.equal(readFileSync(FLOOR_PLAN_FILE, 'utf8'), drawFloorPlan(readFloors()), 'run: build/with.sh node build/floor-plan.ts');
});

test('architecture guide has a row for each room, with the packages that live there', () => {
  const rows = readFileSync(join(ROOT, 'ARCHITECTURE.md'), 'utf8').matchAll(/^\| `(\w+)\/` \| .+ \| ?(.*) \|$/gm);
  const described = Array.from(rows, ([, room = '', packages = '']) => [room, packages.split(', ').filter((name) => name !== '')] as const);
  const rooms = readdirSync(join(ROOT, 'src'), { withFileTypes: true }).filter((each) => each.isDirectory());
  const packagesIn = (room: string) => Object.keys(PACKAGES).filter((name) => PACKAGES[name]?.includes(room));
  assert.deepEqual(
    described.map(([room, packages]) => [room, packages.sort()]).sort(),
    rooms.map(({ name }) => [name, packagesIn(name).sort()]).sort(),
  );
});

/** Each row must be found out: a rule that cannot fail is none. */
const FAULTY: readonly (readonly [string, string, string, RegExp])[] = [
  [
    'a lower floor imports a higher one',
    'src/broker/x.ts',
    "import { a } from '../listeners/tcp.ts';",
    /broker.+floor 1.+listeners.+floor 2/,
  ],
  ['rooms of one floor meet', 'src/access/x.ts', "import { a } from '../listeners/tcp.ts';", /access.+floor 2.+listeners/],
  ['only a type comes from above', 'src/mqtt/x.ts', "import type { A } from '../broker/hub.ts';", /mqtt.+floor 0.+broker/],
  ['a type is named in place', 'src/mqtt/x.ts', "export type A = import('../broker/hub.ts').A;", /mqtt.+floor 0.+broker/],
  ['a dynamic import goes up', 'src/store/x.ts', "export const f = () => import('../app/appliance.ts');", /store.+floor 2.+app/],
  ['a re-export goes up', 'src/base/x.ts', "export * from '../mqtt/topic.ts';", /base.+floor 0.+mqtt/],
  ['a room is unknown', 'src/cli/x.ts', "import { a } from '../cellar/x.ts';", /"cellar" is no room/],
  ['a file stands in an unknown room', 'src/cellar/x.ts', "import { a } from '../base/errors.ts';", /"cellar" is no room/],
  ['an import leaves src/', 'src/cli/x.ts', "import { a } from '../../test/support/a.ts';", /leaves src/],
  ['a package is in a wrong room', 'src/listeners/x.ts', "import { Aedes } from 'aedes';", /"aedes" lives in broker/],
  [
    'a file of a package is in a wrong room',
    'src/app/x.ts',
    "import x from 'bonjour-service/dist/index.js';",
    /"bonjour-service" lives in discovery/,
  ],
  [
    'a scoped package is in a wrong room',
    'src/app/x.ts',
    "import * as x from '@peculiar/x509';",
    /"@peculiar\/x509" lives in certificates/,
  ],
  ['a package has no room', 'src/cli/x.ts', "import chalk from 'chalk';", /"chalk" lives in no room/],
  ['SQL is outside the store', 'src/app/x.ts', "import { DatabaseSync } from 'node:sqlite';", /"node:sqlite" lives in store/],
  ['a built-in lacks its prefix', 'src/app/x.ts', "import net from 'net';", /"node:net"/],
  ['the engine knows sockets', 'src/broker/x.ts', "import type { Socket } from 'node:net';", /broker is pure/],
  ['the grammar reads files', 'src/mqtt/x.ts', "import { readFile } from 'node:fs/promises';", /mqtt is pure/],
  ['a module name is computed', 'src/cli/x.ts', 'export const load = (name: string) => import(name);', /no literal/],
  ['a module is required', 'src/cli/x.ts', "export const load = () => require('node:fs');", /no literal/],
  ['a file calls something when imported', 'src/host/x.ts', 'setInterval(() => {}, 1);', /does something when it is imported/],
  ['a file waits when imported', 'src/host/x.ts', 'export const a = await Promise.resolve(1);', /does something when it is imported/],
  ['a file loops when imported', 'src/host/x.ts', 'for (const a of [1]) globalThis.name = a;', /does something when it is imported/],
  ['a file is a barrel', 'src/host/index.ts', 'export const a = 1;', /no index\.ts/],
  ['a file name has capitals', 'src/host/myFile.ts', 'export const a = 1;', /kebab-case/],
  ['a file is long', 'src/host/x.ts', '// more\n'.repeat(MOST_LINES), /501 lines/],
];

for (const [what, path, text, expected] of FAULTY) {
  test(`architecture names file and rule when ${what}`, () => {
    const file = readSource(path, `// What it is for.\n${text}`);
    const faults = [...importFaults(file), ...formFaults(file)];
    assert.equal(faults.length, 1, faults.join('\n') || 'no fault found');
    assert.match(faults[0] ?? '', expected);
    assert.ok(faults[0]?.startsWith(`${path}:`), faults[0]);
  });
}

test('architecture names the file when its first line is no comment', () => {
  assert.match(formFaults(readSource('src/host/x.ts', '\nexport const a = 1;\n')).join(), /src\/host\/x\.ts:1: .*first line/);
});

test('architecture names the whole circle when files import each other', () => {
  const a = readSource('src/host/a.ts', "// A\nimport { b } from './b.ts';");
  const b = readSource('src/host/b.ts', "// B\nexport * from './c.ts';");
  const c = readSource('src/host/c.ts', "// C\nimport { a } from './a.ts';");
  assert.deepEqual(cycles([a, b, c]), [
    'src/host/a.ts: imports in a circle: src/host/a.ts -> src/host/b.ts -> src/host/c.ts -> src/host/a.ts',
  ]);
});

test('architecture finds no circle when a way back is a type or loaded on demand', () => {
  const a = readSource('src/host/a.ts', "// A\nimport { b } from './b.ts';");
  const b = readSource('src/host/b.ts', "// B\nimport type { A } from './a.ts';\nexport const load = () => import('./a.ts');");
  assert.deepEqual(cycles([a, b]), []);
});

test('architecture finds the files of a circle that is closed by a type or by what is loaded on demand, and only those', () => {
  const a = readSource('src/host/a.ts', "// A\nimport { b } from './b.ts';");
  const b = readSource('src/host/b.ts', "// B\nimport type { A } from './a.ts';\nimport { c } from './c.ts';");
  const c = readSource('src/host/c.ts', "// C\nexport const load = () => import('./d.ts');");
  const d = readSource('src/host/d.ts', "// D\nimport { c } from './c.ts';");
  const e = readSource('src/host/e.ts', "// E\nimport { a } from './a.ts';");
  assert.deepEqual(circlesOfTypes([a, b, c, d, e]), { host: ['a.ts', 'b.ts', 'c.ts', 'd.ts'] });
});

function readAll(pattern: string): SourceFile[] {
  return globSync(pattern, { cwd: ROOT })
    .filter((path) => path !== MADE)
    .sort()
    .map((path) => readSource(path, readFileSync(join(ROOT, path), 'utf8')));
}

function importFaults(file: SourceFile): string[] {
  return file.imports.flatMap((each) => {
    const fault = each.specifier?.startsWith('.') ? pathFault(file, each.specifier) : packageFault(file, each);
    return fault === null ? [] : [`${file.path}:${each.line}: imports "${each.specifier}": ${fault}`];
  });
}

function pathFault(file: SourceFile, specifier: string): string | null {
  const target = targetOf(file, specifier);
  if (target === 'package.json') return null; // the version stands there
  if (!target.startsWith('src/')) return 'leaves src/';
  const [from, to] = [roomOf(file.path), roomOf(target)];
  const [floor, below] = [FLOORS[from], FLOORS[to]];
  if (floor === undefined) return `"${from}" is no room of the floor plan`;
  if (below === undefined) return `"${to}" is no room of the floor plan`;
  const allowed = from === to || below < floor || NEIGHBOURS.some(([a, b]) => a === from && b === to);
  return allowed ? null : `${from} is on floor ${floor} and may only look down, ${to} is on floor ${below}`;
}

function packageFault(file: SourceFile, { specifier }: SourceImport): string | null {
  if (specifier === null) return 'no literal, so nobody can say what it loads';
  const room = roomOf(file.path);
  if (PURE.includes(room) && INPUT_OUTPUT.test(specifier)) return `${room} is pure, it knows no input or output`;
  if (specifier.startsWith('node:') && PACKAGES[specifier] === undefined) return null;
  if (isBuiltin(specifier) && !specifier.startsWith('node:')) return `write "node:${specifier}"`;
  const name = specifier.startsWith('node:') ? specifier : specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/');
  const rooms = PACKAGES[name];
  return rooms?.includes(room) ? null : `"${name}" lives in ${rooms?.join(' and ') ?? 'no room yet'}`;
}

function formFaults(file: SourceFile): string[] {
  const faults: string[] = [];
  const name = posix.basename(file.path);
  const lines = file.text.split('\n').length - (file.text.endsWith('\n') ? 1 : 0);
  if (!/^(\/\/ |\/\*|#!)/.test(file.text)) faults.push(`${file.path}:1: the first line must be a comment that says what the file is for`);
  if (name === 'index.ts') faults.push(`${file.path}:1: no index.ts, name the file after what it holds`);
  if (!/^[a-z0-9]+([.-][a-z0-9]+)*\.tsx?$/.test(name)) faults.push(`${file.path}:1: file names are kebab-case`);
  if (lines > MOST_LINES) faults.push(`${file.path}:${MOST_LINES}: ${lines} lines, ${MOST_LINES} at most: find the second concept`);
  if (file.path.startsWith('src/') && !ENTRIES.includes(file.path)) {
    faults.push(...file.effects.map((line) => `${file.path}:${line}: does something when it is imported`));
  }
  return faults;
}

/** cycles follows the imports that load files. Types leave nothing to load, and `import()` runs when both files stand. */
function cycles(files: readonly SourceFile[]): string[] {
  const ways = new Map(files.map((file) => [file.path, loads(file)]));
  const done = new Set<string>();
  const found: string[] = [];
  const visit = (path: string, trail: readonly string[]): void => {
    const start = trail.indexOf(path);
    if (start !== -1) found.push(`${path}: imports in a circle: ${[...trail.slice(start), path].join(' -> ')}`);
    if (start !== -1 || done.has(path)) return;
    for (const next of ways.get(path) ?? []) visit(next, [...trail, path]);
    done.add(path);
  };
  for (const path of ways.keys()) visit(path, []);
  return found;
}

/** circlesOfTypes gives the files, by room, that know themselves through others: imports of types and `import()` count as those that load. */
function circlesOfTypes(files: readonly SourceFile[]): Record<string, string[]> {
  const ways = new Map(files.map((file) => [file.path, neighboursOf(file)]));
  const reached = new Map(files.map(({ path }) => [path, reachableFrom(path, ways)]));
  const circles: Record<string, string[]> = {};
  for (const { path } of files) {
    if (!reached.get(path)?.has(path)) continue;
    const room = roomOf(path);
    circles[room] ??= [];
    circles[room].push(path.slice(`src/${room}/`.length));
  }
  return circles;
}

function reachableFrom(path: string, ways: ReadonlyMap<string, readonly string[]>): Set<string> {
  const reached = new Set<string>();
  const open = [path];
  for (let from = open.pop(); from !== undefined; from = open.pop()) {
    for (const next of ways.get(from) ?? []) {
      if (reached.has(next)) continue;
      reached.add(next);
      open.push(next);
    }
  }
  return reached;
}

function neighboursOf(file: SourceFile): string[] {
  return file.imports.flatMap((each) => (each.specifier?.startsWith('.') ? [targetOf(file, each.specifier)] : []));
}

function loads(file: SourceFile): string[] {
  return file.imports.flatMap((each) =>
    each.kind === 'static' && each.specifier?.startsWith('.') ? [targetOf(file, each.specifier)] : [],
  );
}

function targetOf(file: SourceFile, specifier: string): string {
  return posix.join(posix.dirname(file.path), specifier);
}

function roomOf(path: string): string {
  return path.split('/')[1] ?? path;
}
