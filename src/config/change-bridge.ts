// A bridge changed in a configuration: where it connects to, how it signs in there, and what it carries. The other lines of its block stay, wherever they stand.

import { resolve } from 'node:path';
import { OperatorError } from '../base/errors.ts';
import { type TreatedLine, treatLines } from './treatments.ts';
import { type ChangedFile, readEditable } from './writer.ts';

/** BridgeChange: null = it stays as it is. */
export interface BridgeChange {
  readonly address: string | null;
  readonly username: string | null;
  readonly password: string | null;
  /** What follows the word `topic`, a line for each. */
  readonly topics: readonly string[] | null;
}

/** The words of each, the one that is written first. */
const WORDS = {
  address: ['address', 'addresses'],
  username: ['remote_username', 'username'],
  password: ['remote_password', 'password'],
  topics: ['topic'],
} as const;

/** changeBridge works out the new texts, and writes nothing. Throws OperatorError where there is no such block. */
export function changeBridge(main: string, name: string, change: BridgeChange): readonly ChangedFile[] {
  const block = treatLines(main).filter((line) => line.block === `connection ${name}`);
  const [head] = block;
  if (head === undefined) throw new OperatorError(`Cannot change bridge "${name}": the configuration has no such connection block`);
  const edits = Object.entries(WORDS).flatMap(([field, words]) => {
    const value = change[field as keyof BridgeChange]; // the keys of WORDS
    if (value === null) return [];
    const [first, ...others] = block.filter((line) => (words as readonly string[]).includes(line.name));
    const text = (typeof value === 'string' ? [value] : value).map((each) => `${words[0]} ${each}`).join('\n');
    return [
      { line: first ?? head, text: first === undefined ? `${head.name} ${head.text}\n${text}` : text },
      ...others.map((line) => ({ line, text: null })),
    ];
  });
  return [...new Set(edits.map(({ line }) => resolve(line.place.file)))].map((path) => edited(path, edits));
}

interface LineEdit {
  readonly line: TreatedLine;
  /** Null = the line goes. */
  readonly text: string | null;
}

function edited(path: string, edits: readonly LineEdit[]): ChangedFile {
  const before = readEditable(path);
  const here = edits.filter(({ line }) => resolve(line.place.file) === path);
  const after = before.split('\n').flatMap((old, index) => {
    const found = here.filter(({ line }) => line.place.line === index + 1);
    if (found.length === 0) return [old];
    return found.some(({ text }) => text === null) ? [] : [...new Set(found.flatMap(({ text }) => text?.split('\n') ?? []))]; // several may come behind the first line of the block
  });
  return { path, before, after: after.join('\n') };
}
