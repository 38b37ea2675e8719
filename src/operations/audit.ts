// One line of the log for each change that somebody has made: who, through which door, what; and nothing that is a secret.

import type { Asker, Operation } from './operation.ts';

/** The fields of inputs that may be told: names of things, never what they hold. */
const TOLD = [
  ...['username', 'name', 'id', 'role', 'right', 'days', 'listener', 'certificate', 'format'],
  ...['person', 'device', 'locked', 'keep'],
  ...['filter', 'topic', 'client', 'file', 'withConfiguration', 'revision'],
] as const;

const LENGTH_MAX = 100;

/** auditLine gives it; null = the operation changes nothing. Lines that repeat are summed up by the log. */
export function auditLine({ kind, name }: Operation, input: unknown, asker: Asker): string | null {
  if (kind === 'query') return null;
  const given = typeof input === 'object' && input !== null ? (input as Readonly<Record<string, unknown>>) : {}; // each field is looked at below
  const told = TOLD.flatMap((field) => (isShort(given[field]) ? [`${field} ${JSON.stringify(given[field]).slice(0, LENGTH_MAX)}`] : []));
  return `Done for ${asker.name}: ${name}${told.length === 0 ? '' : ` (${told.join(', ')})`}.`;
}

function isShort(value: unknown): value is string | number | boolean {
  return ['string', 'number', 'boolean'].includes(typeof value);
}
