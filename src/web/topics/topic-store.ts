// The topics of this box: listed where somebody looks, and kept up to date by the stream of messages.

import { type Signal, signal } from '@preact/signals';
import { api, ask } from '../api/client.ts';
import { type Passed, TopicTree } from './topic-tree.ts';
import type { Wanted } from './wanted-topics.ts';

/** Topics of one page of a level. */
const PAGE = 500;

/** How long after a change, and how often at most, what is retained is counted anew. */
const RECOUNT_SOON_MS = 1000;
const RECOUNT_EVERY_MS = 10_000;

/** TopicStore lives as long as its view. Whoever reads `version` is rendered again when something has changed. */
export class TopicStore {
  readonly tree = new TopicTree();
  readonly version: Signal<number> = signal(0);
  /** Why the latest listing failed; null = it did not. */
  readonly problem: Signal<Error | null> = signal(null);
  /** Null = nothing is searched. */
  readonly search: Signal<{ readonly wanted: Wanted; readonly total: number | null; readonly cursor: string | null } | null> = signal(null);
  /** Messages that the box did not send, in the last moments: there are too many for a screen. */
  readonly missed: Signal<boolean> = signal(false);
  /** Some were left out since the view was opened: what is not retained may be missing. */
  readonly hasMissed: Signal<boolean> = signal(false);
  /** The branch that somebody has opened last; null = that is closed again. */
  branch: string | null = null;
  #missedTimer: ReturnType<typeof setTimeout> | null = null;
  #recountTimer: ReturnType<typeof setTimeout> | null = null;
  #recounted = 0;
  #isDrawing = false;
  #isSearching = false;

  /** listMore takes the next page of a level; null = the root. */
  async listMore(below: string | null): Promise<void> {
    const listing = this.tree.listingOf(below);
    if (listing.kind === 'whole') this.#recountSoon(); // levels that were closed are not counted
    if (listing.kind === 'loading' || listing.kind === 'whole') return;
    this.tree.setListing(below, { kind: 'loading' });
    this.changed();
    try {
      const cursor = listing.kind === 'part' ? listing.cursor : null;
      const page = await ask(api.GET('/api/v1/retained-tree', { params: { query: { below, limit: PAGE, cursor } } }));
      this.tree.list(below, page.items, page.cursor);
      this.problem.value = null;
    } catch (error) {
      this.tree.setListing(below, listing);
      this.problem.value = error as Error; // ask throws nothing else
    }
    this.changed();
  }

  /** reveal opens the levels above a topic, with all that is there: a search has found only some of it. */
  async reveal(topic: string): Promise<void> {
    this.tree.reveal(topic);
    for (const level of this.tree.open)
      if (topic.startsWith(`${level}/`) && this.tree.listingOf(level).kind === 'none') await this.listMore(level);
  }

  /** refresh lists what is open anew: after an interruption, or when much was deleted. */
  async refresh(): Promise<void> {
    for (const below of [null, ...this.tree.open]) {
      if (below !== null && this.tree.find(below) === null) continue;
      this.tree.setListing(below, { kind: 'none' });
      await this.listMore(below);
    }
    const search = this.search.value;
    if (search !== null) await this.find(search.wanted);
  }

  /** find looks for topics; what it finds comes into the tree. */
  async find(wanted: Wanted | null): Promise<void> {
    this.search.value = wanted === null ? null : { wanted, total: null, cursor: null };
    if (wanted !== null) await this.#findMore(wanted, null);
  }

  /** findMore takes the next page of what is searched. */
  async findMore(): Promise<void> {
    const search = this.search.value;
    if (search?.cursor == null || this.#isSearching) return;
    await this.#findMore(search.wanted, search.cursor);
  }

  async #findMore(wanted: Wanted, cursor: string | null): Promise<void> {
    this.#isSearching = true;
    try {
      const { filter, search } = wanted;
      const page = await ask(api.GET('/api/v1/retained', { params: { query: { filter, search, limit: PAGE, cursor } } }));
      this.tree.found(page.items);
      if (this.search.value?.wanted === wanted) this.search.value = { wanted, total: page.total, cursor: page.cursor };
      this.problem.value = null;
    } catch (error) {
      this.problem.value = error as Error; // ask throws nothing else
      if (this.search.value?.wanted === wanted) this.search.value = { wanted, total: 0, cursor: null };
    } finally {
      this.#isSearching = false;
    }
    this.changed();
  }

  /** passed takes in a message of the stream. */
  passed(message: Passed): void {
    if (this.tree.pass(message, Date.now())) this.#recountSoon();
    this.changed();
  }

  #recountSoon(): void {
    const wait = Math.max(RECOUNT_SOON_MS, this.#recounted + RECOUNT_EVERY_MS - Date.now());
    this.#recountTimer ??= setTimeout(() => void this.#recount(), wait);
  }

  /** The first page of each level that is open; where the box does not answer, the counts stay as they were. */
  async #recount(): Promise<void> {
    this.#recountTimer = null;
    this.#recounted = Date.now();
    for (const below of [null, ...this.tree.open]) {
      const page = await ask(api.GET('/api/v1/retained-tree', { params: { query: { below, limit: PAGE } } })).catch(() => null);
      if (page !== null) this.tree.recount(below, page.items, page.cursor === null);
    }
    this.changed();
  }

  /** notAll is told that some messages were left out. */
  notAll(): void {
    this.missed.value = true;
    this.hasMissed.value = true;
    if (this.#missedTimer !== null) clearTimeout(this.#missedTimer);
    this.#missedTimer = setTimeout(() => {
      this.missed.value = false;
    }, 3000);
  }

  /** changed has the screen drawn once for all that comes until then. */
  changed(): void {
    if (this.#isDrawing) return;
    this.#isDrawing = true;
    requestAnimationFrame(() => {
      this.#isDrawing = false;
      this.version.value++;
    });
  }
}
