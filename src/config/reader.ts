// Configuration files -> statements, in the order they take effect; `include` and `include_dir` are followed here.

import { readdirSync, readFileSync, realpathSync, statSync } from 'node:fs';
import { basename, dirname, isAbsolute, join, resolve } from 'node:path';
import glob from 'tiny-glob/sync.js';

import { reasonOf } from '../base/errors.ts';
import { readNamedFile } from '../base/named-file.ts';
import type { Place, Report } from './diagnostic.ts';

/** Files inside files inside files: more than this is a mistake. */
const MAX_DEPTH = 10;

/** Statement is one line that says something. */
export interface Statement {
  readonly place: Place;
  readonly name: string;
  /** Rest of the line, trimmed; '' when there is none. */
  readonly text: string;
  readonly textPlace: Place;
  /** Statements with the same number share their current listener: a file of `include_dir` starts with a new one. */
  readonly scope: number;
}

/** Texts are files as they will be, by absolute path: read in the place of what is there. */
export type Texts = ReadonlyMap<string, string>;

const NO_TEXTS: Texts = new Map();

/** Source is where the reader is: which file, and how it came there. */
interface Source {
  readonly file: string;
  /** Real paths of the files around it, outermost first, with its own. */
  readonly stack: readonly string[];
  readonly scope: number;
}

/**
 * readStatements reads the main file and all that it includes. Files that cannot be read are reported, and the rest is read on.
 *
 * A line is a comment when its first character is `#`; name and value are parted by blanks; blanks at both ends, a carriage return
 * and a byte order mark do not count. Into `sources` goes every file that was looked at, and each folder whose files were. mosquitto.conf(5)
 */
export function readStatements(file: string, report: Report, sources = new Set<string>(), texts = NO_TEXTS): readonly Statement[] {
  const reader = new Reader(report, sources, texts);
  reader.read({ file, stack: [], scope: 0 }, null);
  return reader.statements;
}

class Reader {
  readonly statements: Statement[] = [];
  readonly #report: Report;
  readonly #sources: Set<string>;
  readonly #texts: Texts;
  #scopes = 0;

  constructor(report: Report, sources: Set<string>, texts: Texts) {
    this.#report = report;
    this.#sources = sources;
    this.#texts = texts;
  }

  /** read takes a file in, at the place that names it. */
  read({ file, stack, scope }: Source, from: Place | null): void {
    this.#sources.add(resolve(file));
    const text = this.#texts.get(resolve(file)) ?? readText(file, from, this.#report);
    if (text === null) return;
    const real = realPath(file);
    if (stack.includes(real)) this.#report.error(from, `Cannot include "${file}": it includes itself`);
    else if (stack.length > MAX_DEPTH) this.#report.error(from, `Cannot include "${file}": files are nested more than ${MAX_DEPTH} deep`);
    else this.#readLines(text.replace(/^\uFEFF/, ''), { file, stack: [...stack, real], scope });
  }

  #readLines(text: string, source: Source): void {
    for (const statement of parseLines(text, source, this.#report)) {
      const { name, place } = statement;
      if (name !== 'include' && name !== 'include_dir') this.statements.push(statement);
      else if (statement.text === '') this.#report.error(place, `Empty ${name} value in configuration`);
      else if (name === 'include') this.#include(statement, source);
      else this.#includeFolder(statement, source);
    }
  }

  #include({ text, textPlace }: Statement, { file, stack, scope }: Source): void {
    if (/[*?[{!(]/.test(text)) this.#sources.add(resolve(dirname(file), dirname(text)));
    for (const included of this.#filesNamed(text, textPlace)) this.read({ file: included, stack, scope }, textPlace);
  }

  #filesNamed(pattern: string, place: Place): readonly string[] {
    try {
      return includedFiles(pattern, dirname(place.file));
    } catch (error) {
      this.#report.error(place, `Unable to open include '${pattern}'`, errorWords(error));
      return [];
    }
  }

  #includeFolder({ place, text, textPlace }: Statement, { stack }: Source): void {
    if (stack.length > 1) {
      this.#report.error(place, 'Cannot use include_dir here: it is only read in the main file', 'write include FOLDER/*.conf');
      return;
    }
    this.#sources.add(resolve(text));
    for (const name of configurationFiles(text, this.#namesGiven(text), textPlace, this.#report)) {
      this.#scopes += 1;
      this.read({ file: join(text, name), stack, scope: this.#scopes }, textPlace);
    }
  }

  #namesGiven(folder: string): readonly string[] {
    return [...this.#texts.keys()].filter((path) => dirname(path) === resolve(folder)).map((path) => basename(path));
  }
}

/** configurationFiles gives the names that end in `.conf`, those that are `given` too, in the order of their bytes. */
function configurationFiles(folder: string, given: readonly string[], place: Place, report: Report): readonly string[] {
  try {
    return [...new Set([...readdirSync(folder), ...given])]
      .filter((name) => name.endsWith('.conf') && name.length > '.conf'.length)
      .sort(byBytes);
  } catch (error) {
    report.error(place, `Unable to open include_dir '${folder}'`, errorWords(error));
    return [];
  }
}

/** readText gives a file as text, or null when it cannot be read, which is reported at `from`, or for the whole file. */
function readText(file: string, from: Place | null, report: Report): string | null {
  const place = from ?? { file, line: 0, column: 0 };
  try {
    if (statSync(file).isDirectory()) {
      report.error(place, `Config file ${file} is a directory`);
      return null;
    }
    // Who starts the program may name a pipe. A line of a file may not: it can be tried over REST, while the broker serves its clients.
    return (from === null ? readFileSync(file) : readNamedFile(file)).toString('utf8');
  } catch (error) {
    report.error(place, `Unable to open config file ${file}`, errorWords(error));
    return null;
  }
}

/** realPath sees through links, as far as there are any: a pipe has none. */
function realPath(file: string): string {
  try {
    return realpathSync(file);
  } catch {
    return resolve(file);
  }
}

/** errorWords says why a file cannot be read, without the name of the system call. */
function errorWords(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : null;
  if (code === 'ENOENT') return 'it does not exist';
  if (code === 'EACCES') return 'permission denied';
  if (code === 'ENOTDIR') return 'a part of its path is no folder';
  return reasonOf(error);
}

function* parseLines(text: string, { file, scope }: Source, report: Report): Generator<Statement> {
  let line = 0;
  for (const raw of text.split('\n')) {
    line += 1;
    if (raw.startsWith('#')) continue;
    const [, indent = '', name = '', gap = '', rest = ''] = /^([ \t]*)([^ \t]*)([ \t]*)(.*)$/.exec(raw.trimEnd()) ?? [];
    if (name === '') continue;
    const column = indent.length + 1;
    const place = { file, line, column };
    const textPlace = rest === '' ? place : { file, line, column: column + name.length + gap.length };
    if (name.startsWith('#'))
      report.error(place, `Unknown configuration variable "${name}"`, 'a comment has its # as the first character of the line');
    else if (MALFORMED.test(raw.trimEnd()))
      report.error(textPlace, 'Malformed UTF-8 in configuration', 'save the file as UTF-8 without control characters');
    else yield { place, name, text: rest, textPlace, scope };
  }
}

/** What a line may not hold: control characters except tab, and the mark that decoding leaves for bytes that are no UTF-8. */
const MALFORMED = /[\u0000-\u0008\u000a-\u001f\u007f-\u009f\ufffd]/;

/** includedFiles gives the files that `pattern` names: itself when it is a file or no pattern, otherwise its matches in the order of bytes. */
function includedFiles(pattern: string, folder: string): readonly string[] {
  const literal = isAbsolute(pattern) ? pattern : join(folder, pattern);
  if (!/[*?[{!(]/.test(pattern) || statSync(literal, { throwIfNoEntry: false }) !== undefined) return [literal];
  const matches = globFiles(pattern, resolve(folder));
  return matches.map((match) => (isAbsolute(pattern) ? resolve(folder, match) : join(folder, match)));
}

/** globFiles is tiny-glob without its cache, which mixes folders up, with our own rule for hidden files, which it loses count of, and sorted. */
function globFiles(pattern: string, cwd: string): readonly string[] {
  try {
    const hidden = pattern.split('/').some((segment) => segment.startsWith('.') && !/^\.+$/.test(segment));
    const matches = glob(pattern, { cwd, filesOnly: true, flush: true, dot: true });
    return matches.filter((match) => hidden || !/(^|\/)\.[^./]/.test(match)).sort(byBytes);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return []; // the pattern's folder: no match
    throw error;
  }
}

/** byBytes compares in the C locale. */
function byBytes(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}
