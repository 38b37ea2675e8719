// What is told of each change that somebody has made: who, through which door, what; and nothing that is a secret.

import type { Change } from './change.ts';
import type { Asker, Operation } from './operation.ts';

/** The fields of inputs that may be told: names of things, never what they hold. */
const TOLD = [
  ...['username', 'address', 'name', 'id', 'role', 'right', 'days', 'listener', 'certificate', 'format'],
  ...['person', 'device', 'locked', 'keep'],
  ...['filter', 'topic', 'client', 'file', 'withConfiguration', 'revision'],
] as const;

/** These change nothing that lasts, or programs may do them many times a second. */
const PASSING: readonly string[] = ['publish', ...['prepare restore', 'discard restore', 'test bridge', 'check internet', 'check updates']];

const LENGTH_MAX = 100;

/** changeBy gives it; null = the operation changes nothing. */
export function changeBy({ kind, name }: Operation, input: unknown, asker: Asker): Change | null {
  return kind === 'query' ? null : changeOf(name, input, asker);
}

/** changeOf gives it by a name, for what is asked for in another way than by an operation. */
export function changeOf(operation: string, input: unknown, asker: Asker): Change {
  const given = typeof input === 'object' && input !== null ? (input as Readonly<Record<string, unknown>>) : {}; // each field is looked at below
  const about = Object.fromEntries(TOLD.flatMap((field) => (isShort(given[field]) ? [[field, cut(given[field])]] : [])));
  const { name: who, isOfPage, isOfMachine, username = null, address = null } = asker;
  const door = isOfPage ? 'page' : isOfMachine ? 'machine' : 'program';
  return { who, door, username, address, operation, about, lasts: !PASSING.includes(operation) };
}

/** whatOf tells it: `add user (username "tom")`. */
export function whatOf({ operation, about }: Pick<Change, 'operation' | 'about'>): string {
  const told = Object.entries(about).map(([field, value]) => `${field} ${JSON.stringify(value)}`);
  return `${operation}${told.length === 0 ? '' : ` (${told.join(', ')})`}`;
}

/** auditLine is for the log, which sums up those that repeat. */
export function auditLine(change: Change): string {
  return `Done for ${change.who}: ${whatOf(change)}.`;
}

function isShort(value: unknown): value is string | number | boolean {
  return ['string', 'number', 'boolean'].includes(typeof value);
}

function cut(value: string | number | boolean): string | number | boolean {
  return typeof value === 'string' && value.length > LENGTH_MAX ? `${value.slice(0, LENGTH_MAX)}...` : value;
}
