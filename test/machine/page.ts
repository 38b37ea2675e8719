// The commands of a page of the documents, so that a test carries out what users read.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { blocksOf, PROJECT } from '../docs/page.ts';

/** commandsOf gives the lines of all sh blocks below a heading of docs/moving.md, without `sudo`: a test is root. */
export function commandsOf(heading: string): readonly string[] {
  const page = readFileSync(join(PROJECT, 'docs/moving.md'), 'utf8');
  const section = page.split(/^## /m).find((text) => text.startsWith(`${heading}\n`)) ?? '';
  const blocks = blocksOf(section).filter(({ language }) => language === 'sh');
  const commands = blocks
    .map(({ lines }) => lines)
    .join('')
    .trim()
    .split('\n');
  assert.ok(
    commands.every((line) => line.startsWith('sudo ')),
    `commands below "${heading}"`,
  );
  return commands.map((line) => line.slice('sudo '.length));
}
