// The bench runs from its arguments to its report, with loads that are far too short to measure anything.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { temporaryFolder } from '../support/disk/temporary-folder.ts';
import { compilerVersion } from './generator.ts';
import type { LoadRow } from './report.ts';

const BENCH = join(import.meta.dirname, 'bench.ts');
const MAIN = join(import.meta.dirname, '../../src/main.ts');

const skip = compilerVersion() === null ? 'there is no C compiler (Debian packages gcc and libc6-dev)' : false;

test('bench measures loads, a broker that a command starts and a probe, and writes its report', { skip }, async (context) => {
  const folder = temporaryFolder(context);
  const words = ['--only', 'one-pair,mixed', '--brokers', 'midge,again', '--rounds', '1', '--seconds', '0.1', '--unpinned'];
  const again = `again=${process.execPath} ${MAIN} serve -p {port} --state ${folder}/again`;
  await promisify(execFile)(process.execPath, [BENCH, ...words, '--broker', again, '--json', '--output', folder]);
  const { loads, probes } = JSON.parse(readFileSync(join(folder, 'bench.json'), 'utf8')) as {
    readonly loads: readonly LoadRow[];
    readonly probes: readonly { readonly cells: Record<string, string> }[];
  };
  for (const { results } of loads) {
    for (const { broker, failure, measurements } of results) {
      assert.equal(failure, null, broker);
      assert.ok(measurements.length === 1 && measurements[0]!.delivered > 0 && measurements[0]!.duplicates === 0, broker);
    }
  }
  assert.match(probes[0]!.cells['midge'] ?? '', /^\d+ \/ \d+ \/ \d+; \d+ of \d+$/);
  const page = readFileSync(join(folder, 'bench.md'), 'utf8');
  for (const word of ['`one-pair`', '`mixed`', 'again']) assert.ok(page.includes(word), word);
});
