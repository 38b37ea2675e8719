// A bridge taken out of a configuration: the lines of its block, wherever they stand, and the files that midge itself has made for it.

import { basename, dirname, join, resolve } from 'node:path';
import { OperatorError } from '../base/errors.ts';
import { ADDED_BY_MIDGE, authorityFileOf, blockFileOf } from './bridge-invitation.ts';
import { findInConnection } from './directives.ts';
import { type TreatedLine, treatLines } from './treatments.ts';
import { type ChangedFile, includedFolder, readEditable } from './writer.ts';

/** BridgeRemoval is what the files hold afterwards, and those that are of no use then. */
export interface BridgeRemoval {
  readonly changed: readonly ChangedFile[];
  readonly obsolete: readonly string[];
}

interface EditedFile extends ChangedFile {
  readonly before: string;
}

/** removeBridge works it out, and changes nothing. Throws OperatorError where there is no such block. */
export function removeBridge(main: string, name: string): BridgeRemoval {
  const lines = treatLines(main).filter(({ block, name: word }) => block === `connection ${name}` && isOfBlock(word));
  if (lines.length === 0) throw new OperatorError(`Cannot remove bridge "${name}": the configuration has no such connection block`);
  const changed = [...new Set(lines.map(({ place }) => resolve(place.file)))].map((path) => withoutLines(path, lines));
  const own = changed.find(({ path, before, after }) => basename(path) === blockFileOf(name) && isOurs(before, after));
  if (own === undefined) return { changed, obsolete: [] };
  const include = withoutInclude(main, own.path);
  if (include.length === 0 && includedFolder(readEditable(main)) !== dirname(own.path)) return { changed, obsolete: [] }; // it is named in another way
  const authority = join(dirname(own.path), authorityFileOf(name));
  const isNamed = own.before.split('\n').includes(`bridge_cafile ${authority}`);
  return { changed: [...changed, ...include], obsolete: [own.path, ...(isNamed ? [authority] : [])] };
}

/** Words for the whole program may stand below a block, too. */
function isOfBlock(word: string): boolean {
  return word === 'connection' || findInConnection(word) !== null;
}

function withoutLines(path: string, lines: readonly TreatedLine[]): EditedFile {
  const gone = new Set(lines.filter(({ place }) => resolve(place.file) === path).map(({ place }) => place.line));
  return edited(path, (_, line) => !gone.has(line));
}

/** As addBlock has written it: the file beside the main one. */
function withoutInclude(main: string, included: string): readonly EditedFile[] {
  const path = resolve(main);
  const isInclude = (line: string) =>
    line.trim() === `include ${basename(included)}` && join(dirname(path), basename(included)) === included;
  const file = edited(path, (line) => !isInclude(line));
  return file.after === file.before ? [] : [file];
}

function edited(path: string, isKept: (text: string, line: number) => boolean): EditedFile {
  const before = readEditable(path);
  const after = before
    .split('\n')
    .filter((text, index) => isKept(text, index + 1))
    .join('\n');
  return { path, before, after };
}

/** As accept has written it, and nothing is left of that. */
function isOurs(before: string, after: string): boolean {
  return before.startsWith(`${ADDED_BY_MIDGE}\n`) && after.trim() === ADDED_BY_MIDGE;
}
