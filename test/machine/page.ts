// The commands of a page of the documents, so that a test carries out what users read.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { blocksOf, PROJECT } from '../docs/page.ts';

/** commandsOf gives the lines of all sh blocks below a heading of a page, without `sudo`: a test is root. */
export function commandsOf(heading: string, file = 'docs/moving.md'): readonly string[] {
  const page = readFileSync(join(PROJECT, file), 'utf8');
  const section = page.split(/^## /m).find((text) => text.startsWith(`${heading}\n`)) ?? '';
  const blocks = blocksOf(section).filter(({ language }) => language === 'sh');
  const commands = blocks
    .map(({ lines }) => lines)
    .join('')
    .trim()
    .split('\n');
  assert.notEqual(commands[0], '', `commands below "${heading}"`);
  return commands.map((line) => line.replace(/^sudo /, ''));
}
