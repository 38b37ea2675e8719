// Every command of the pages is run as it stands there, and prints what the page says.

import assert from 'node:assert/strict';
import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { COMMAND_TABLE } from '../../src/commands.ts';
import { temporaryFolder } from '../support/disk/temporary-folder.ts';
import { type Block, blocksOf, PROJECT, readBlocks } from './page.ts';
import { obstacle, runPrivately } from './private-machine.ts';

/** RUN_ELSEWHERE are pages whose commands other tests carry out, on machines that they make for it. */
const RUN_ELSEWHERE: Readonly<Record<string, string>> = {
  'docs/moving.md': 'test/machine/moving.test.ts',
  'docs/releases.md': 'test/machine/release.test.ts and debian-package.test.ts',
};

/** MOST_NOT_RUN are the marks in all pages together: each command that nobody runs will be wrong one day. */
const MOST_NOT_RUN = 7;

/** INSTALLED is what `midge install` leaves behind, for pages that begin there. */
const INSTALLED = `
mkdir -p /etc/midge/conf.d /var/lib/midge
cp rootfs/etc/midge/midge.conf /etc/midge/midge.conf
midge passwd -c -b /var/lib/midge/passwd midge 'a long password'
`;

/** BROKER runs in the background, and is waited for, where a page starts a broker for good. */
const BROKER = /^(midge serve|make run|.* src\/main\.ts serve)\b.*(?<!&)$/;

const PAGES: readonly string[] = ['README.md', 'CONTRIBUTING.md', 'SECURITY.md', ...globSync('docs/*.md', { cwd: PROJECT }).sort()];

const skip = obstacle();

for (const page of PAGES.filter((each) => RUN_ELSEWHERE[each] === undefined && commandsOf(each).length > 0)) {
  test(`commands of ${page} succeed and print what it says when they are run in their order`, { skip }, (context) => {
    const { status, stdout, stderr } = runPrivately(temporaryFolder(context), scriptOf(page));
    assert.equal(status, 0, `${stdout}\n${stderr}`);
    for (const [index, block] of readBlocks(page).entries()) {
      if (block.language !== 'text') continue;
      const printed = partOf(stdout, lastCommandBefore(page, index).line);
      for (const line of block.lines.trimEnd().split('\n')) assert.ok(printed.includes(line), `${page}:${block.line}: ${line}\n${printed}`);
    }
  });
}

test('pages mark few commands as not run, each with its reason', () => {
  const marks = PAGES.flatMap((page) => readBlocks(page).filter(({ notRun }) => notRun !== null));
  assert.ok(marks.length <= MOST_NOT_RUN, `${marks.length} marks`);
  assert.equal(
    PAGES.map((page) => count(page, /<!-- not run/g)).reduce((sum, each) => sum + each),
    marks.length,
    'a mark without its block',
  );
  // Commands hide in no other kind of block.
  const languages = new Set(PAGES.flatMap((page) => readBlocks(page).map(({ language }) => language)));
  assert.deepEqual([...languages].sort(), ['conf', 'sh', 'text']);
  for (const page of Object.keys(RUN_ELSEWHERE)) assert.ok(PAGES.includes(page), page);
});

test('README lists every command, and none that is not there', () => {
  const rows = readFileSync(join(PROJECT, 'README.md'), 'utf8').match(/^\| `midge .*$/gm) ?? [];
  const listed = rows.flatMap((row) => Array.from(row.split(' | ')[0]!.matchAll(/`midge ([\w-]+)`/g), ([, name]) => name));
  assert.deepEqual(listed.sort(), COMMAND_TABLE.commands.map(({ name }) => name).sort());
});

test('pages link only to files and headings that are there', () => {
  const dead = PAGES.flatMap((page) =>
    Array.from(readFileSync(join(PROJECT, page), 'utf8').matchAll(/\]\((?!\w+:)([^)#]*)(?:#([^)]*))?\)/g), ([, path = '', heading]) => {
      const target = path === '' ? page : join(dirname(page), path);
      if (!existsSync(join(PROJECT, target))) return `${page}: ${target}`;
      return heading === undefined || headingsOf(target).includes(heading) ? '' : `${page}: ${target}#${heading}`;
    }),
  );
  assert.deepEqual(
    dead.filter((each) => each !== ''),
    [],
  );
});

test('blocks of a page are found with their marks when they are read', () => {
  const text = 'Words\n\n```sh\na\n```\n\n<!-- not run: takes hours -->\n```sh\nb\nc\n```\n\n```text\nd\n```\n';
  assert.deepEqual(blocksOf(text), [
    { language: 'sh', lines: 'a\n', line: 3, notRun: null },
    { language: 'sh', lines: 'b\nc\n', line: 8, notRun: 'takes hours' },
    { language: 'text', lines: 'd\n', line: 13, notRun: null },
  ]);
});

function commandsOf(page: string): readonly Block[] {
  return readBlocks(page).filter(({ language, notRun }) => language === 'sh' && notRun === null);
}

function scriptOf(page: string): string {
  const text = readFileSync(join(PROJECT, page), 'utf8');
  const begins = text.includes('<!-- begins with an installed broker -->')
    ? `${INSTALLED}${inBackground('midge serve -c /etc/midge/midge.conf')}`
    : '';
  const parts = commandsOf(page).map(({ line, lines }) => `printf '%s\\n' '${cut(line)}'\n${lines.split('\n').map(runnable).join('\n')}`);
  return `${begins}\n${parts.join('\n')}`;
}

function runnable(line: string): string {
  return BROKER.test(line) ? inBackground(line) : line;
}

/** inBackground starts a broker, with nothing to read from, and waits until it says that it runs. */
function inBackground(line: string): string {
  // The log of a broker before it goes first: the background may be late to do so.
  return `: >broker.log; ${line} >>broker.log 2>&1 </dev/null & broker=$!
until grep -q ' running$' broker.log; do kill -0 $broker || { cat broker.log >&2; exit 1; }; sleep 0.1; done`;
}

/** cut separates the output of one block from that of the one before. */
function cut(line: number): string {
  return `-- block in line ${line} --`;
}

function partOf(stdout: string, line: number): string {
  return stdout.split(`${cut(line)}\n`)[1]?.split(/^-- block in line \d+ --$/m)[0] ?? '';
}

function lastCommandBefore(page: string, index: number): Block {
  const last = readBlocks(page)
    .slice(0, index)
    .findLast(({ language }) => language === 'sh');
  assert.ok(last !== undefined && last.notRun === null, `${page}: a text without commands before it`);
  return last;
}

function headingsOf(page: string): readonly string[] {
  const headings = readFileSync(join(PROJECT, page), 'utf8').matchAll(/^#+ (.+)$/gm);
  return Array.from(headings, ([, words = '']) =>
    words
      .toLowerCase()
      .replace(/[^\w\- ]/g, '')
      .replaceAll(' ', '-'),
  );
}

function count(page: string, pattern: RegExp): number {
  return [...readFileSync(join(PROJECT, page), 'utf8').matchAll(pattern)].length;
}
