// Reads a mosquitto ACL file: who may read and write which topics. mosquitto.conf(5), acl_file
//
//   line   = comment | user | rule
//   comment= "#" ...                                first character of the line
//   user   = "user" SP name                         the `topic` lines below it are this user's
//   rule   = ("topic" | "pattern") SP [access SP] filter
//   access = "read" | "write" | "readwrite" | "deny"          readwrite when it is left out
//
// `topic` lines above the first `user` are for clients without a user name; `pattern` lines are for everybody, wherever they stand.

import { isTopicFilter } from '../mqtt/topics.ts';
import { type FileDiagnostic, readAccessFile, refuseMistakes } from './file-diagnostic.ts';

const ACCESS_WORDS = ['read', 'write', 'readwrite', 'deny'] as const;

export type AclAccess = (typeof ACCESS_WORDS)[number];

/** AclRule is one `topic` or `pattern` line. */
export interface AclRule {
  readonly line: number;
  readonly kind: 'topic' | 'pattern';
  readonly access: AclAccess;
  /** Topic filter; in a pattern with `%c` and `%u` as they were written. */
  readonly filter: string;
}

/** AclFile is a whole file, in the order of its lines. */
export interface AclFile {
  readonly path: string;
  /** `topic` lines by user name; those for clients without one under null. */
  readonly users: ReadonlyMap<string | null, readonly AclRule[]>;
  readonly patterns: readonly AclRule[];
}

/** readAclFile reads a file; throws OperatorError with all its mistakes. */
export function readAclFile(path: string): AclFile {
  const { acl, remarks } = parseAclFile(readAccessFile('acl_file', path), path);
  refuseMistakes(remarks);
  return acl;
}

/** parseAclFile reads the text of a file. With an error among the remarks the file is not to be used: what is left of it may grant too much. */
export function parseAclFile(text: string, path: string): { readonly acl: AclFile; readonly remarks: readonly FileDiagnostic[] } {
  const parser = new Parser(path);
  for (const [index, line] of text.split('\n').entries()) parser.readLine(line.trimEnd(), index + 1);
  return { acl: parser, remarks: parser.remarks };
}

/** What a line may not hold: control characters, and the mark that decoding leaves for bytes that are no UTF-8. */
const MALFORMED = /[\u0000-\u001f\u007f-\u009f\ufffd]/;

class Parser implements AclFile {
  readonly path: string;
  readonly users = new Map<string | null, AclRule[]>();
  readonly patterns: AclRule[] = [];
  readonly remarks: FileDiagnostic[] = [];
  #user: string | null = null;

  constructor(path: string) {
    this.path = path;
  }

  readLine(text: string, line: number): void {
    if (text.startsWith('#')) return;
    const [, indent = '', word = '', rest = ''] = /^( *)([^ ]*) *(.*)$/.exec(text) ?? [];
    if (word === '') return;
    const column = indent.length + 1;
    const malformed = MALFORMED.exec(text);
    if (malformed !== null) this.#reportMalformed(malformed[0], line, malformed.index + 1);
    else if (word === 'user') this.#startUser(rest, line, column);
    else if (word === 'topic' || word === 'pattern') this.#readRule(word, rest, { line, column: text.length - rest.length + 1 });
    else this.#error(line, column, `Invalid line "${word}"`, unknownWordHint(word));
  }

  #startUser(name: string, line: number, column: number): void {
    if (name === '') this.#error(line, column, 'Missing username', 'write user NAME');
    else {
      this.#user = name;
      const [before = ''] = name.split(/ +#/);
      if (before !== name)
        this.#warn(line, column, `The user of this line is "${name}"`, `a comment needs a line of its own: write user ${before}`);
    }
  }

  #readRule(kind: AclRule['kind'], rest: string, { line, column }: { line: number; column: number }): void {
    const [, first = '', gap = '', behind = ''] = /^([^ ]*)( *)(.*)$/.exec(rest) ?? [];
    if (first === '') return this.#error(line, column, 'Empty topic', `write ${kind} [read | write | readwrite | deny] FILTER`);
    if (behind === '') return this.#addRule({ line, kind, access: 'readwrite', filter: first }, column);
    if (!isAccess(first)) {
      const hint = 'write read, write, readwrite or deny; a topic with a space needs one of them before it';
      return this.#error(line, column, `Invalid topic access type "${first}"`, hint);
    }
    this.#addRule({ line, kind, access: first, filter: behind }, column + first.length + gap.length);
  }

  #addRule(rule: AclRule, column: number): void {
    const { line, kind, filter } = rule;
    if (!isTopicFilter(filter)) {
      const comment = / #/.test(filter) ? 'a comment needs a line of its own' : '+ and # stand alone between slashes, and # at the end';
      return this.#error(line, column, `Invalid ACL topic "${filter}"`, comment);
    }
    if (isAccess(filter))
      this.#warn(line, column, `This is a rule for the topic "${filter}"`, `write ${kind} ${filter} FILTER if it is not meant`);
    if (kind === 'pattern') {
      this.#reviewPattern(rule, column);
      this.patterns.push(rule);
      return;
    }
    const rules = this.users.get(this.#user);
    if (rules === undefined) this.users.set(this.#user, [rule]);
    else rules.push(rule);
  }

  #reviewPattern({ line, filter }: AclRule, column: number): void {
    if (!/%[cu]/.test(filter)) {
      this.#warn(line, column, `ACL pattern "${filter}" does not contain %c or %u`, 'it is for every client, with and without a user name');
    } else if (filter.split('/').some((level) => /%[cu]/.test(level) && !/^%[cu]$/.test(level))) {
      this.#warn(
        line,
        column,
        `ACL pattern "${filter}" has more than %c or %u in a level`,
        'mosquitto 2.1 takes such a level as plain text',
      );
    }
  }

  #reportMalformed(character: string, line: number, column: number): void {
    if (character === '\t') this.#error(line, column, 'Invalid line: it holds a tab', 'put spaces between the words');
    else this.#error(line, column, 'Malformed UTF-8', 'save the file as UTF-8 without control characters');
  }

  #error(line: number, column: number, message: string, hint: string): void {
    this.remarks.push({ severity: 'error', file: this.path, line, column, message, hint });
  }

  #warn(line: number, column: number, message: string, hint: string): void {
    this.remarks.push({ severity: 'warning', file: this.path, line, column, message, hint });
  }
}

function isAccess(word: string): word is AclAccess {
  return ACCESS_WORDS.includes(word as AclAccess); // asking is what includes is for
}

function unknownWordHint(word: string): string {
  if (word.startsWith('#')) return 'a comment has its # as the first character of the line';
  return 'a line begins with user, topic or pattern';
}
