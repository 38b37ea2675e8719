// The code blocks of a page of the documents, in their order.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** PROJECT is the folder that README.md stands in. */
export const PROJECT = join(import.meta.dirname, '../..');

export interface Block {
  /** `sh` for commands, `text` for what the commands above it print, or another word. */
  readonly language: string;
  readonly lines: string;
  readonly line: number;
  /** The reason of the mark `<!-- not run: REASON -->` right above the block, or null. */
  readonly notRun: string | null;
}

/** readBlocks gives the fenced blocks of a page, a path in the project. */
export function readBlocks(page: string): readonly Block[] {
  return blocksOf(readFileSync(join(PROJECT, page), 'utf8'));
}

/** blocksOf gives the fenced blocks of a text. */
export function blocksOf(text: string): readonly Block[] {
  return [...text.matchAll(/^(?:<!-- not run: ([^\n]+) -->\n)?```(\w*)\n(.*?)^```$/gms)].map((match) => ({
    language: match[2] ?? '',
    lines: match[3] ?? '',
    line: text.slice(0, match.index + match[0].indexOf('```')).split('\n').length,
    notRun: match[1] ?? null,
  }));
}
