// What is told of each change that somebody has made: who, through which door, what; and nothing that is a secret.

import type { Asker, Operation } from './operation.ts';

/** The fields of inputs that may be told: names of things, never what they hold. */
const TOLD = [
  ...['username', 'address', 'name', 'id', 'role', 'right', 'days', 'listener', 'certificate', 'format'],
  ...['person', 'device', 'locked', 'keep'],
  ...['filter', 'topic', 'client', 'file', 'withConfiguration', 'revision'],
] as const;

/** Programs may do these many times a second. */
const PASSING: readonly string[] = ['publish'];

const LENGTH_MAX = 100;

/** Change is one of them. */
export interface Change {
  /** Of the asker: `"jane" from 192.0.2.7 over REST`. */
  readonly who: string;
  /** The operation, and what it was about: `add user (username "tom")`. */
  readonly what: string;
  /** False = it is of the moment, such as a message that was published. */
  readonly lasts: boolean;
}

/** changeBy gives it; null = the operation changes nothing. */
export function changeBy({ kind, name }: Operation, input: unknown, asker: Asker): Change | null {
  if (kind === 'query') return null;
  const given = typeof input === 'object' && input !== null ? (input as Readonly<Record<string, unknown>>) : {}; // each field is looked at below
  const told = TOLD.flatMap((field) => (isShort(given[field]) ? [`${field} ${JSON.stringify(given[field]).slice(0, LENGTH_MAX)}`] : []));
  return { who: asker.name, what: `${name}${told.length === 0 ? '' : ` (${told.join(', ')})`}`, lasts: !PASSING.includes(name) };
}

/** auditLine is for the log, which sums up those that repeat. */
export function auditLine({ who, what }: Change): string {
  return `Done for ${who}: ${what}.`;
}

function isShort(value: unknown): value is string | number | boolean {
  return ['string', 'number', 'boolean'].includes(typeof value);
}
