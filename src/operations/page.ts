// Lists in pages: a page ends with a cursor, from which the next one goes on although things have come and gone meanwhile.

import { z } from 'zod';
import { badInput } from './operation.ts';

const LIMIT_MAX = 1000;
const LIMIT_DEFAULT = 100;

/** PAGE_INPUT is what every list can be asked. */
export const PAGE_INPUT = {
  limit: z.number().int().min(1).max(LIMIT_MAX).default(LIMIT_DEFAULT).describe('entries of a page'),
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

/** takePage gives the first entries behind the cursor in the order of their keys, which differ. `show` is called for those only. Throws OperationFailure for a cursor that is none. */
export function takePage<Entry, Item>(
  entries: Iterable<Entry>,
  paged: Paged,
  keyOf: (entry: Entry) => string,
  show: (entry: Entry) => Item,
): Page<Item> {
  const taker = new PageTaker<Entry>(paged);
  for (const entry of entries) taker.see(keyOf(entry), entry);
  return taker.page(show);
}

/** PageTaker is takePage for entries that come bit by bit. */
export class PageTaker<Entry> {
  readonly #limit: number;
  readonly #after: string | null;
  readonly #first: FirstOnes<Entry>;
  #total = 0;

  constructor({ limit, cursor }: Paged) {
    this.#limit = limit;
    this.#after = cursor == null ? null : keyIn(cursor);
    this.#first = new FirstOnes(limit + 1); // one more tells whether this is the last page
  }

  see(key: string, entry: Entry): void {
    this.#total++;
    if (this.#after === null || key > this.#after) this.#first.add({ key, entry });
  }

  page<Item>(show: (entry: Entry) => Item): Page<Item> {
    const found = this.#first.inOrder();
    const taken = found.slice(0, this.#limit);
    return {
      items: taken.map(({ entry }) => show(entry)),
      cursor: found.length > this.#limit ? cursorOf(taken.at(-1)!.key) : null, // a limit is 1 at least
      total: this.#total,
    };
  }
}

interface Keyed<Entry> {
  readonly key: string;
  readonly entry: Entry;
}

/** FirstOnes keeps the entries with the least keys: a page of a million costs no sorting of a million. */
class FirstOnes<Entry> {
  readonly #most: number;
  #kept: Keyed<Entry>[] = [];
  /** The greatest key that may still be one of them, once there are enough. */
  #bound: string | null = null;

  constructor(most: number) {
    this.#most = most;
  }

  add(one: Keyed<Entry>): void {
    if (this.#bound !== null && one.key > this.#bound) return;
    this.#kept.push(one);
    if (this.#kept.length >= 2 * this.#most) this.#bound = this.inOrder().at(-1)?.key ?? null;
  }

  inOrder(): readonly Keyed<Entry>[] {
    this.#kept = this.#kept.sort((one, other) => compare(one.key, other.key)).slice(0, this.#most);
    return this.#kept;
  }
}

function compare(one: string, other: string): number {
  return one < other ? -1 : one > other ? 1 : 0;
}

/** A letter before the key keeps the cursor of an empty key from being empty. */
function cursorOf(key: string): string {
  return Buffer.from(`k${key}`).toString('base64url');
}

function keyIn(cursor: string): string {
  const text = Buffer.from(cursor, 'base64url').toString();
  if (!text.startsWith('k') || cursorOf(text.slice(1)) !== cursor)
    throw badInput('cursor', 'Cannot go on at this cursor: no page ended with it');
  return text.slice(1);
}
