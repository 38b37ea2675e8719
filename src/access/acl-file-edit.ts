// Changes the text of an ACL file, line by line: comments, order and the rules of others stay as they are.

import type { AclAccess } from './acl-file.ts';

/** RuleLine is a rule as it is written: of a user, or of clients without a user name (null); a pattern is for everybody. */
export interface RuleLine {
  readonly kind: 'topic' | 'pattern';
  readonly access: AclAccess;
  readonly filter: string;
}

/** addRule gives the text with a rule behind the others of its user; a text that has it stays. */
export function addRule(text: string, user: string | null, rule: RuleLine): string {
  if (hasRule(text, user, rule)) return text;
  const mark = text.includes('\r\n') ? '\r' : '';
  const lines = text.split('\n');
  const line = `${rule.kind} ${rule.access} ${rule.filter}${mark}`;
  const owners = ownersOf(lines);
  const owner = rule.kind === 'pattern' ? null : user;
  const last = lines.findLastIndex((each, index) => owners[index] === owner && /^ *(user|topic|pattern)( |$)/.test(each));
  if (last !== -1) lines.splice(last + 1, 0, line);
  else if (owner === null) lines.splice(beginningOf(lines), 0, line, mark);
  else lines.splice(endOf(lines), 0, ...(endOf(lines) === 0 ? [] : [mark]), `user ${user}${mark}`, line);
  if (lines.at(-1) !== '') lines.push('');
  return lines.join('\n');
}

/** removeRule gives the text without a rule of a user. */
export function removeRule(text: string, user: string | null, rule: RuleLine): string {
  const places = new Set(placesOf(text, user, rule));
  return text
    .split('\n')
    .filter((_, index) => !places.has(index))
    .join('\n');
}

/** removeUserRules gives the text without a user: its rules, and the lines that name it. Patterns that stand among them are for everybody, and stay. */
export function removeUserRules(text: string, user: string): string {
  const lines = text.split('\n');
  const owners = ownersOf(lines);
  const isOwn = (index: number) => owners[index] === user && /^ *(user|topic)( |$)/.test(lines[index] ?? '');
  const isGapBefore = (index: number) => lines[index]?.trim() === '' && isOwn(index + 1) && owners[index] !== user;
  return lines.filter((_, index) => !isOwn(index) && !isGapBefore(index)).join('\n');
}

/** hasRule tells whether a text has a rule of a user. */
export function hasRule(text: string, user: string | null, rule: RuleLine): boolean {
  return placesOf(text, user, rule).length > 0;
}

function placesOf(text: string, user: string | null, { kind, access, filter }: RuleLine): readonly number[] {
  const lines = text.split('\n');
  const owners = ownersOf(lines);
  return lines.flatMap((line, index) => {
    if (kind === 'topic' && owners[index] !== user) return [];
    const [, foundKind, words = ''] = /^ *(topic|pattern) +(.*?)\s*$/.exec(line) ?? [];
    const [, foundAccess = 'readwrite', foundFilter] = /^(?:(read|write|readwrite|deny) +)?(.*)$/.exec(words) ?? [];
    return foundKind === kind && foundAccess === access && foundFilter === filter ? [index] : [];
  });
}

/** Whose the `topic` lines are, line by line. */
function ownersOf(lines: readonly string[]): readonly (string | null)[] {
  let owner: string | null = null;
  return lines.map((line) => {
    const [, name] = /^ *user +(.*?)\s*$/.exec(line) ?? [];
    if (name !== undefined) owner = name;
    return owner;
  });
}

/** Above the first user and the comment that belongs to it, or at the end. */
function beginningOf(lines: readonly string[]): number {
  let at = lines.findIndex((line) => /^ *user( |$)/.test(line));
  if (at === -1) return endOf(lines);
  while (at > 0 && lines[at - 1]?.startsWith('#')) at--;
  return at;
}

function endOf(lines: readonly string[]): number {
  return lines.at(-1) === '' ? lines.length - 1 : lines.length;
}
