// A bridge taken out of a configuration: the lines of its block, wherever they stand, and the files that midge itself has made for it.

import { existsSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { OperatorError } from '../base/errors.ts';
import { authorityFileOf, blockFileOf } from './bridge-invitation.ts';
import { findInConnection } from './directives.ts';
import { type TreatedLine, treatLines } from './treatments.ts';
import { type ChangedFile, readEditable } from './writer.ts';

/** BridgeRemoval is what the files hold afterwards, and those that are of no use then. */
export interface BridgeRemoval {
  readonly changed: readonly ChangedFile[];
  readonly obsolete: readonly string[];
}

/** removeBridge works it out, and changes nothing. Throws OperatorError where there is no such block. */
export function removeBridge(main: string, name: string): BridgeRemoval {
  const lines = treatLines(main).filter(({ block, name: word }) => block === `connection ${name}` && isOfBlock(word));
  if (lines.length === 0) throw new OperatorError(`Cannot remove bridge "${name}": the configuration has no such connection block`);
  const changed = [...new Set(lines.map(({ place }) => resolve(place.file)))].map((path) => withoutLines(path, lines));
  const own = changed.find(({ path, after }) => basename(path) === blockFileOf(name) && saysNothing(after));
  if (own === undefined) return { changed, obsolete: [] };
  const authority = join(dirname(own.path), authorityFileOf(name));
  return {
    changed: [...changed, ...withoutInclude(main, own.path)],
    obsolete: [own.path, ...(existsSync(authority) ? [authority] : [])],
  };
}

/** Words for the whole program may stand below a block, too. */
function isOfBlock(word: string): boolean {
  return word === 'connection' || findInConnection(word) !== null;
}

function withoutLines(path: string, lines: readonly TreatedLine[]): ChangedFile {
  const gone = new Set(lines.filter(({ place }) => resolve(place.file) === path).map(({ place }) => place.line));
  return edited(path, (_, line) => !gone.has(line));
}

/** As addBlock has written it: the file beside the main one. */
function withoutInclude(main: string, included: string): readonly ChangedFile[] {
  const path = resolve(main);
  const isInclude = (line: string) =>
    line.trim() === `include ${basename(included)}` && join(dirname(path), basename(included)) === included;
  const file = edited(path, (line) => !isInclude(line));
  return file.after === file.before ? [] : [file];
}

function edited(path: string, isKept: (text: string, line: number) => boolean): ChangedFile & { readonly before: string } {
  const before = readEditable(path);
  const after = before
    .split('\n')
    .filter((text, index) => isKept(text, index + 1))
    .join('\n');
  return { path, before, after };
}

function saysNothing(text: string): boolean {
  return text.split('\n').every((line) => line.startsWith('#') || line.trim() === '');
}
