// Lists in pages: a page ends with a cursor, from which the next one goes on although things have come and gone meanwhile.

import { z } from 'zod';
import { badInput } from './operation.ts';

const LIMIT_MAX = 1000;
const LIMIT_DEFAULT = 100;

/** PAGE_INPUT is what every list can be asked. */
export const PAGE_INPUT = {
  limit: z.coerce.number().int().min(1).max(LIMIT_MAX).default(LIMIT_DEFAULT).describe('entries of a page'),
  cursor: z.string().max(100_000).nullish().describe('where the page before ended; none = the first page'),
};

/** pageOf is the schema of a page. */
export function pageOf<Item extends z.ZodType>(item: Item) {
  return z.object({
    items: z.array(item),
    cursor: z.string().nullable().describe('for the next page; null = this is the last one'),
    total: z.number().int().describe('entries of all pages'),
  });
}

/** Page is what fits pageOf. */
export interface Page<Item> {
  readonly items: readonly Item[];
  readonly cursor: string | null;
  readonly total: number;
}

/** Paged is the request for one page. */
export interface Paged {
  readonly limit: number;
  readonly cursor?: string | null | undefined;
}

/** takePage sorts entries by their keys, which differ, and gives those behind the cursor. `show` is called for those only. Throws OperationFailure for a cursor that is none. */
export function takePage<Entry, Item>(
  entries: Iterable<Entry>,
  { limit, cursor }: Paged,
  keyOf: (entry: Entry) => string,
  show: (entry: Entry) => Item,
): Page<Item> {
  const keyed = Array.from(entries, (entry) => ({ key: keyOf(entry), entry })).sort((one, other) => compare(one.key, other.key));
  const after = cursor == null ? null : keyIn(cursor);
  const first = after === null ? 0 : firstBehind(keyed, after);
  const taken = keyed.slice(first, first + limit);
  const last = taken.at(-1);
  const isLast = last === undefined || first + limit >= keyed.length;
  return { items: taken.map(({ entry }) => show(entry)), cursor: isLast ? null : cursorOf(last.key), total: keyed.length };
}

function compare(one: string, other: string): number {
  return one < other ? -1 : one > other ? 1 : 0;
}

function firstBehind(keyed: readonly { readonly key: string }[], after: string): number {
  let [from, to] = [0, keyed.length];
  while (from < to) {
    const middle = (from + to) >>> 1;
    if (keyed[middle]!.key > after)
      to = middle; // middle < length
    else from = middle + 1;
  }
  return from;
}

/** A letter before the key keeps the cursor of an empty key from being empty. */
function cursorOf(key: string): string {
  return Buffer.from(`k${key}`).toString('base64url');
}

function keyIn(cursor: string): string {
  const text = Buffer.from(cursor, 'base64url').toString();
  if (!text.startsWith('k') || cursorOf(text.slice(1)) !== cursor)
    throw badInput('cursor', 'Cannot go on at this cursor: it is none that a page ended with');
  return text.slice(1);
}
