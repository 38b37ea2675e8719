// Runs the tests, a line per file, and lists what was skipped and why: node build/test.ts [FILE or FOLDER...]
//
// Without names: everything in test/ but test/artefact/, test/attacks/, test/machine/, test/image/ and test/torture/, which need what `make binary`
// and `make image` make, test/cluster/faults/, which takes minutes, and test/web/browser/, whose browsers need both cores.
// Where one or two of many files fail, they run once more, alone: what passes then is named, for a test that fails now and then is a fault to be found.
// With MIDGE_NO_SKIP=1 in the environment a skipped test is a failure: for a machine that has all programs.

import { globSync, statSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join, relative } from 'node:path';
import { Readable } from 'node:stream';
import { run } from 'node:test';
import { spec } from 'node:test/reporters';

const ROOT = join(import.meta.dirname, '..');
const APART = [
  'test/artefact/',
  'test/attacks/',
  'test/machine/',
  'test/image/',
  'test/torture/',
  'test/web/browser/',
  'test/cluster/faults/',
];
/** Files of these keep all cores busy; a machine that boots keeps less than one. */
const BUSY = ['test/torture/', 'test/cluster/faults/'];
const MACHINES = ['test/image/', ...BUSY];
const CONTAINERS = 'test/machine/';
const OF_EXECUTABLES = ['test/artefact/', 'test/attacks/', 'test/machine/', 'test/image/', 'test/torture/'];

/** HANG_MS ends a test that would never end. No test that works comes near it. */
const HANG_MS = 300_000;

/** SHOWN are the events that the reporter gets: failures and what tests print; what passes is one line per file. */
const SHOWN = new Set(['test:fail', 'test:stdout', 'test:stderr', 'test:diagnostic', 'test:summary']);

/** Of more files that fail, none is run again: that is no chance. */
const MOST_AGAIN = 2;

interface Skipped {
  readonly file: string;
  readonly name: string;
  readonly reason: string;
}

function findTests(words: readonly string[]): string[] {
  const within = (word: string) => (statSync(join(ROOT, word)).isDirectory() ? globSync(`${word}/**/*.test.ts`, { cwd: ROOT }) : [word]);
  const all = words.length > 0 ? words.flatMap(within) : within('test').filter((file) => !APART.some((folder) => file.startsWith(folder)));
  if (all.length === 0) throw new Error(`Cannot run tests: no *.test.ts in ${words.join(', ')}`);
  return [...new Set(all.map((file) => join(ROOT, file)))].sort();
}

async function runTests(files: readonly string[]): Promise<boolean> {
  const failed = await runFiles(files);
  if (failed.length === 0 || failed.length > MOST_AGAIN || failed.length === files.length) return failed.length === 0;
  const names = failed.map((file) => relative(ROOT, file)).join(', ');
  console.log(`\nOnce more, alone: ${names}`);
  if ((await runFiles(failed)).length > 0) return false;
  console.log(`\nPASSED AT THE SECOND TRY ONLY: ${names}`);
  return true;
}

/** Gives the files with failures: all of them where nothing passed, or something was skipped that may not be. */
async function runFiles(files: readonly string[]): Promise<readonly string[]> {
  const failed = new Set<string>();
  const skipped: Skipped[] = [];
  const counts = { passed: 0, failed: 0, skipped: 0 };
  const areAllIn = (...folders: readonly string[]) => files.every((file) => folders.some((folder) => file.startsWith(join(ROOT, folder))));
  const concurrency = areAllIn(...BUSY) ? 1 : availableParallelism();
  const hasLimit = !areAllIn(...MACHINES, CONTAINERS); // they take minutes to boot, or to install
  if (!areAllIn(...OF_EXECUTABLES)) process.env['NODE_COMPILE_CACHE'] ??= join(ROOT, '.cache/compiled'); // thousands of processes run the same sources
  const events = run({ files, concurrency, ...(hasLimit ? { timeout: HANG_MS } : {}) });
  events.on('test:pass', ({ name, file = '', skip }) => {
    if (skip !== undefined) skipped.push({ file: relative(ROOT, file), name, reason: skip === true ? 'no reason given' : String(skip) });
  });
  events.on('test:fail', ({ name, file, todo }) => {
    if (todo === undefined) failed.add(file ?? join(ROOT, name)); // a file that ended before its tests has its name only
  });
  events.on('test:summary', ({ file, counts: of, duration_ms }) => {
    if (file !== undefined) return console.log(`${relative(ROOT, file).padEnd(60)} ${describe(of)}, ${(duration_ms / 1000).toFixed(1)} s`);
    Object.assign(counts, { passed: of.passed, failed: of.tests - of.passed - of.skipped - of.todo, skipped: of.skipped });
  });
  const shown = async function* () {
    for await (const event of events) if (SHOWN.has(event.type)) yield event;
  };
  for await (const text of Readable.from(shown()).compose(new spec())) process.stdout.write(text);
  list(skipped);
  console.log(`\n${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`);
  return counts.passed > 0 && maySkip(counts.skipped) ? [...failed] : files;
}

function describe(of: { tests: number; passed: number; skipped: number; todo: number }): string {
  const failed = of.tests - of.passed - of.skipped - of.todo;
  return `${of.passed} passed${failed > 0 ? `, ${failed} FAILED` : ''}${of.skipped > 0 ? `, ${of.skipped} skipped` : ''}`;
}

function list(skipped: readonly Skipped[]): void {
  if (skipped.length === 0) return;
  console.log(`\nSkipped (${skipped.length}):`);
  for (const { file, name, reason } of skipped) console.log(`  ${file}: ${name}\n    ${reason}`);
}

function maySkip(skipped: number): boolean {
  if (skipped === 0 || process.env['MIDGE_NO_SKIP'] !== '1') return true;
  console.error('MIDGE_NO_SKIP=1: skipped tests are failures here');
  return false;
}

process.exitCode = (await runTests(findTests(process.argv.slice(2)))) ? 0 : 1;
