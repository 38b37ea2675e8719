// Changes a setting in the text of a configuration as a person would: only the line of the setting changes, where it stands. Comments,
// order and spacing stay.
//
//   set    the setting stands somewhere      its line gets the value; of several that replace each other, the last
//          it stands nowhere                 behind its example in the main file (#word ...), else in settings.conf of the include_dir, else above the
//                                            first block of the main file, or at its end; where a text of the main file is given, always in that text
//   unset  all its lines go

import { isUtf8 } from 'node:buffer';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { OperatorError } from '../base/errors.ts';
import { Report } from './diagnostic.ts';
import type { Directive } from './directive.ts';
import { closestDirective, findDirective, findInConnection } from './directives.ts';
import { readStatements, type Statement, type Texts } from './reader.ts';

/** Name of the file in an include_dir that holds settings which stood nowhere. */
const MANAGED_FILE = 'settings.conf';
const MANAGED_HEADER = '# Settings that `midge config set` has made. They may be changed by hand, too.\n';

/** The broker's user reads such a file by its group. */
const SECRET_MODE = 0o640;

/** SettingChange: no values = the setting goes. `listener` is the port (or path) of the listener that it is for; null = the whole program, or the default listener. */
export interface SettingChange {
  readonly name: string;
  readonly values: readonly string[];
  readonly listener: string | null;
}

/** ChangedFile is a file and its texts; before = null: it is not there yet. */
export interface ChangedFile {
  readonly path: string;
  readonly before: string | null;
  readonly after: string;
  /** Of a file that is not there yet; absent = 0644. */
  readonly mode?: number;
}

/**
 * addBlock works out where a block of words goes that may not be read by everybody: into a file of its own, in the include_dir of the main
 * file, else beside it, with an `include` at the end of the main file. Throws OperatorError when there is such a file.
 */
export function addBlock(main: string, fileName: string, text: string): readonly ChangedFile[] {
  const before = readEditable(main);
  const folder = includedFolder(before);
  const path = join(folder ?? dirname(resolve(main)), fileName);
  if (existsSync(path)) throw new OperatorError(`Cannot make "${path}": it exists already`);
  const block = { path, before: null, after: text, mode: SECRET_MODE };
  if (folder !== null) return [block];
  const end = before === '' || before.endsWith('\n') ? '' : '\n';
  return [block, { path: resolve(main), before, after: `${before}${end}include ${fileName}\n` }];
}

/** includedFolder gives the folder of a text's `include_dir`; null = it has none. */
export function includedFolder(text: string): string | null {
  const [, folder] = /^[ \t]*include_dir[ \t]+(.+?)[ \t\r]*$/m.exec(text) ?? [];
  return folder === undefined ? null : resolve(folder);
}

/** Setting is a setting as a configuration has it: the statements that count, in the order in which they take effect. */
export interface Setting {
  readonly directive: Directive;
  readonly statements: readonly Statement[];
}

/** readSetting gives what is said about a word. Throws OperatorError for one that is none. */
export function readSetting(main: string, name: string, listener: string | null): Setting {
  const directive = settable(name);
  const all = statementsOf(main);
  const found = all.filter((each) => isOf(each, directive, listener, isForAll(directive, all)));
  const statements = directive.repeated === 'allowed' ? found : found.slice(-1);
  return { directive, statements: statements.map(({ statement }) => statement) };
}

/**
 * changeSetting works out the new texts, and writes nothing. `given` stand for what the files hold; somebody edits them, and no others. Throws OperatorError for a word that
 * cannot be set, or a listener that is not there.
 */
export function changeSetting(main: string, { name, values, listener }: SettingChange, given: Texts = new Map()): readonly ChangedFile[] {
  const directive = settable(name);
  for (const value of values) checkValue(name, value);
  if (values.length > 1 && directive.repeated !== 'allowed')
    throw new OperatorError(`Cannot set ${name} to ${values.length} values: it has one`);
  const texts = new EditedFiles(given);
  const all = statementsOf(main, given);
  if (listener !== null && !all.some((each) => each.listener === listener))
    throw new OperatorError(`Cannot set ${name}: "${main}" has no listener ${listener}`);
  const found = all.filter((each) => isOf(each, directive, listener, isForAll(directive, all))).map(({ statement }) => statement);
  if (values.length === 0) for (const { place } of found) texts.remove(place.file, place.line);
  else if (directive.repeated === 'allowed' && found.length > 0) {
    const [first, ...rest] = found as [Statement, ...Statement[]];
    for (const { place } of rest) texts.remove(place.file, place.line);
    texts.change(first, values);
  } else if (found.length > 0)
    texts.change(found.at(-1)!, values); // length > 0
  else
    texts.insert(
      placeFor(main, given.get(resolve(main)) ?? readFileSync(main, 'utf8'), {
        directive,
        listener,
        all,
        isGiven: given.has(resolve(main)),
      }),
      values.map((value) => `${name} ${value}`.trimEnd()),
    );
  const files = texts.changed();
  const read = statementsOf(main, new Map([...given, ...files.map(({ path, after }): [string, string] => [path, after])]));
  const inForce = read.findLast((each) => isOf(each, directive, listener, isForAll(directive, read)));
  if (values.length > 0 && inForce?.statement.text !== values.at(-1))
    throw new OperatorError(
      `Cannot set ${name}: it would count for a listener of a file that "${main}" includes - write it above that line`,
    );
  return files;
}

/** A statement, and the listener that it stands below. */
interface Located {
  readonly statement: Statement;
  readonly listener: string | null;
}

/** The words of a `connection` block are left out: `username` there is another one. */
function statementsOf(main: string, texts: Texts = new Map()): readonly Located[] {
  const listeners = new Map<number, string | null>();
  const connections = new Set<number>();
  return readStatements(main, new Report(), new Set(), texts).flatMap((statement) => {
    const { name, scope, text } = statement;
    if (connections.has(scope) && findInConnection(name) !== null) return [];
    if (name === 'connection') connections.add(scope);
    if (name === 'listener') listeners.set(scope, text.split(/[ \t]/, 1)[0] ?? '');
    return [{ statement, listener: listeners.get(scope) ?? null }];
  });
}

function settable(name: string): Directive {
  const directive = findDirective(name);
  if (directive === null) {
    const closest = closestDirective(name);
    throw new OperatorError(`Unknown configuration variable "${name}"${closest === null ? '' : ` - did you mean "${closest}"?`}`);
  }
  const { state } = directive.treatment;
  if (state === 'structure') throw new OperatorError(`Cannot set ${name}: it shapes the file - change it in an editor`);
  if (directive.scope === 'bridge')
    throw new OperatorError(`Cannot set ${name}: it belongs to a connection block - change it in an editor`);
  if (state === 'refused') throw new OperatorError(`Cannot set ${name}: ${directive.treatment.instead}`);
  return directive;
}

function checkValue(name: string, value: string): void {
  if (/[\u0000-\u0008\u000a-\u001f\u007f-\u009f]/.test(value) || value !== value.trim())
    throw new OperatorError(
      `Cannot set ${name}: a value must not contain line ends or control characters, and must not begin or end with a space`,
    );
}

/** A word for the whole program counts wherever it stands. */
function isOf({ statement, listener: standsBelow }: Located, directive: Directive, listener: string | null, isWide: boolean): boolean {
  if (findDirective(statement.name) !== directive) return false;
  return isWide && listener === null ? true : standsBelow === listener;
}

/** With per_listener_settings each listener has its own words of security. */
function isForAll({ scope, treatment }: Directive, all: readonly Located[]): boolean {
  const isSecurity = treatment.state === 'supported' && treatment.scope === 'security';
  const last = isSecurity ? all.findLast(({ statement }) => statement.name === 'per_listener_settings') : undefined;
  return scope === 'global' && !/^true$/i.test(last?.statement.text ?? '');
}

/** Where a setting that stands nowhere goes: behind a line, 0 = at the end of the file. */
interface Spot {
  readonly file: string;
  readonly line: number;
}

/** Wanted is a setting that stands nowhere, and what stands. */
interface Wanted {
  readonly directive: Directive;
  readonly listener: string | null;
  readonly all: readonly Located[];
  /** The text of the main file is edited, and no other file. */
  readonly isGiven: boolean;
}

function placeFor(main: string, text: string, { directive, listener, all, isGiven }: Wanted): Spot {
  if (listener !== null) {
    const { file, line } = all.findLast((each) => each.listener === listener)!.statement.place; // seen to be there
    return { file, line };
  }
  const lines = text.split('\n');
  const first = all.find(
    ({ statement }) => /^(listener|connection)$/.test(statement.name) && resolve(statement.place.file) === resolve(main),
  );
  const end = isForAll(directive, all) ? lines.length : (first?.statement.place.line ?? lines.length); // below a listener or a connection it would be that one's
  const example = lines.slice(0, end).findLastIndex((line) => new RegExp(`^#${directive.name}(\\s|$)`).test(line));
  if (example !== -1) return { file: main, line: example + 1 };
  const folder = includedFolder(text);
  if (folder !== null && !isGiven) return { file: join(folder, MANAGED_FILE), line: 0 };
  return { file: main, line: first === undefined ? 0 : firstLineOf(lines, first.statement.place.line) };
}

/** Above a block with its comment, and the empty lines that part it from what is before: a word for the default listener may not stand below another, and `username` not below a connection. Gives the number of lines above. */
function firstLineOf(lines: readonly string[], listener: number): number {
  let line = listener - 1;
  while (line > 0 && lines[line - 1]!.startsWith('#')) line--; // line > 0
  const comment = line;
  while (line > 0 && lines[line - 1]!.trim() === '') line--; // line > 0
  if (line === 0) line = comment;
  return line === 0 ? -1 : line;
}

/** Texts are the files that change. */
class EditedFiles {
  readonly #before = new Map<string, string | null>();
  readonly #lines = new Map<string, (string | null)[]>();
  readonly #given: Texts;

  constructor(given: Texts) {
    this.#given = given;
  }

  change({ place, name }: Statement, values: readonly string[]): void {
    const lines = this.#of(place.file);
    const raw = lines[place.line - 1] ?? '';
    const [, indent = '', , gap = ''] = /^([ \t]*)([^ \t\r]*)([ \t]*)/.exec(raw.replace(/^\uFEFF/, '')) ?? [];
    const mark = raw.startsWith('\uFEFF') ? '\uFEFF' : '';
    const end = raw.endsWith('\r') ? '\r' : '';
    lines[place.line - 1] = mark + values.map((value) => `${indent}${name}${gap === '' ? ' ' : gap}${value}${end}`).join('\n');
  }

  remove(file: string, line: number): void {
    this.#of(file)[line - 1] = null;
  }

  /** Behind a line that is counted from 1; 0 = at the end, -1 = at the start. */
  insert({ file, line }: Spot, added: readonly string[]): void {
    const lines = this.#of(file);
    const end = lines.some((each) => each?.endsWith('\r')) ? '\r' : '';
    const isEnded = lines.at(-1) === '';
    const at = line === -1 ? 0 : line === 0 ? lines.length - (isEnded ? 1 : 0) : line;
    lines.splice(at, 0, ...added.map((each) => each + end));
    if (at === lines.length - added.length) lines.push('');
  }

  changed(): readonly ChangedFile[] {
    return [...this.#lines].flatMap(([path, lines]) => {
      const before = this.#before.get(path) ?? null;
      const after = lines.filter((line) => line !== null).join('\n');
      return after === before ? [] : [{ path, before, after }];
    });
  }

  #of(file: string): (string | null)[] {
    const path = resolve(file);
    const known = this.#lines.get(path);
    if (known !== undefined) return known;
    const before = this.#given.get(path) ?? (existsSync(path) ? readEditable(path) : null);
    const lines = (before ?? MANAGED_HEADER).split('\n');
    this.#before.set(path, before);
    this.#lines.set(path, lines);
    return lines;
  }
}

/** readEditable gives a text that can be written again. Bytes that are no UTF-8 may stand in a comment: the reader passes them over, and text would lose them. */
export function readEditable(path: string): string {
  const bytes = readFileSync(path);
  if (isUtf8(bytes)) return bytes.toString('utf8');
  const line =
    bytes
      .toString('latin1')
      .split('\n')
      .findIndex((each) => !isUtf8(Buffer.from(each, 'latin1'))) + 1;
  throw new OperatorError(`Cannot change "${path}:${line}": that line is not UTF-8 - save the file as UTF-8 first`);
}
