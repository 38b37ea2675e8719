// The topics that the page knows, as a tree: from the lists of retained messages, and from messages as they pass. It knows neither the network nor the screen.
//
//   home ------------ kitchen ------------ temperature   21.5, retained
//    |                 | (children known: all)  \ history: 21.4, 21.5
//    \ open            \ closed
//
// A level is listed when it is opened first, so that a broker with a million topics costs what is looked at.

/** Values that are kept of one topic, and the characters of all: a value that is a number costs some 50 bytes. */
const MOST_OF_TOPIC = 200;
const MOST_OF_ALL = 20_000_000;

/** What a value costs beside its characters. */
const PAST_COST = 50;

/** Value is the latest message of a topic, as far as it is known. */
export interface Value {
  /** Text, or base64; null = it is no text, and only its size is known. */
  readonly payload: string | null;
  readonly encoding: 'utf8' | 'base64';
  /** It tells where a phone is, and who looks may not see that. */
  readonly isWithheld: boolean;
  /** False = it is the beginning. */
  readonly isWhole: boolean;
  readonly qos: number;
  readonly isRetained: boolean;
  /** Milliseconds since 1970; null = it is not known. */
  readonly at: number | null;
}

/** Past is a value that a topic had. */
export interface Past {
  readonly at: number;
  /** Null = it was no text. */
  readonly payload: string | null;
}

/** TopicNode is one level of a topic. */
export interface TopicNode {
  readonly topic: string;
  readonly level: string;
  /** 0 = it is the first level. */
  readonly depth: number;
  readonly value: Value | null;
  /** The oldest first. */
  readonly history: readonly Past[];
  /** Something is retained here, whatever has passed since. */
  readonly isKept: boolean;
  /** Retained messages at this topic and below it, when it was listed. */
  readonly retained: number;
  readonly hasChildren: boolean;
  /** How much of the level below is known. */
  readonly listing: Listing;
}

/** Listing: 'part' = there is another page, at the cursor. */
export type Listing = { readonly kind: 'none' | 'loading' | 'whole' } | { readonly kind: 'part'; readonly cursor: string };

/** Listed is a level as the box lists it. */
export interface Listed {
  readonly level: string;
  readonly topic: string;
  readonly messages: number;
  readonly hasMore: boolean;
  readonly message: ListedMessage | null;
}

/** ListedMessage is the retained message of a topic, as a list has it. */
export interface ListedMessage {
  readonly preview: string | null;
  readonly isWithheld: boolean;
  readonly qos: number;
  readonly bytes: number;
  readonly since: string | null;
}

/** Passed is a message that has just been published. */
export interface Passed {
  readonly topic: string;
  readonly payload: string;
  readonly encoding: 'utf8' | 'base64';
  readonly qos: number;
  readonly retain: boolean;
  /** A message is retained at the topic now: this one, or one before it. */
  readonly retained: boolean;
}

/** Row is a line on the screen: a topic, or the place where the rest of a level is loaded. */
export type Row =
  | { readonly kind: 'topic'; readonly node: TopicNode; readonly isOpen: boolean }
  | { readonly kind: 'rest'; readonly node: TopicNode };

interface Node extends TopicNode {
  value: Value | null;
  history: readonly Past[];
  retained: number;
  hasChildren: boolean;
  listing: Listing;
  readonly children: Map<string, Node>;
  /** By their level; null = it has to be made anew. */
  sorted: readonly Node[] | null;
  /** It came after the level above it was listed: what is retained here, no list has counted. */
  isNew: boolean;
  isKept: boolean;
}

/** TopicTree grows; what is shown of it is asked for as rows. */
export class TopicTree {
  readonly #root: Node = newNode('', '', null);
  readonly #byTopic = new Map<string, Node>();
  readonly #open = new Set<string>();
  #rows: readonly Row[] | null = null;
  #pastCost = 0;
  /** What topics had that are gone from the tree: they may come again. */
  readonly #pastOfGone = new Map<string, readonly Past[]>();

  /** count is how many topics have a value: those with a retained one, when they were listed, and others that have passed. */
  get count(): number {
    let count = 0;
    for (const { retained } of this.#root.children.values()) count += retained;
    for (const node of this.#byTopic.values()) if (isUncounted(node)) count++;
    return count;
  }

  /** uncounted gives how many topics have a value at a level and below it beside those that `retained` of the level counts, where there are any. */
  uncounted(): ReadonlyMap<string, number> {
    const counts = new Map<string, number>();
    for (const node of this.#byTopic.values()) {
      if (!isUncounted(node)) continue;
      for (let each = node; each !== this.#root; each = this.#parentOf(each)) counts.set(each.topic, (counts.get(each.topic) ?? 0) + 1);
    }
    return counts;
  }

  /** find gives a topic; null = it is not known; '' = the root. */
  find(topic: string): TopicNode | null {
    return this.#node(topic);
  }

  /** pastOf gives what a topic held, also when it has gone. */
  pastOf(topic: string): readonly Past[] {
    return this.#byTopic.get(topic)?.history ?? this.#pastOfGone.get(topic) ?? [];
  }

  /** listingOf tells what is known of a level. */
  listingOf(below: string | null): Listing {
    return this.#node(below)?.listing ?? { kind: 'none' };
  }

  setListing(below: string | null, listing: Listing): void {
    const node = this.#node(below);
    if (node === null) return;
    node.listing = listing;
    this.#rows = null;
  }

  /** list takes in a page of a level. */
  list(below: string | null, page: readonly Listed[], cursor: string | null): void {
    for (const { topic, messages, hasMore, message } of page) {
      const node = this.#place(topic);
      node.retained = messages;
      if (this.#node(below)?.isNew !== true) counted(node); // what stands above it counts it now
      node.hasChildren ||= hasMore;
      if (message !== null) this.#keepListed(node, message);
    }
    if (cursor === null && this.listingOf(below).kind !== 'part') this.#forgetOthers(below, new Set(page.map(({ level }) => level)));
    this.setListing(below, cursor === null ? { kind: 'whole' } : { kind: 'part', cursor });
  }

  /** found takes in retained messages that a search has found. */
  found(messages: readonly (ListedMessage & { readonly topic: string })[]): void {
    for (const message of messages) this.#keepListed(this.#place(message.topic), message);
  }

  /** pass takes in a message that was published; an empty one to be retained takes the value away. Gives whether it may have changed what is to be counted. */
  pass({ topic, payload, encoding, qos, retain, retained }: Passed, now: number): boolean {
    const isUnknown = !this.#byTopic.has(topic); // a list may have counted it
    const node = this.#place(topic);
    const wasRetained = node.value?.isRetained === true;
    const isMiscounted = node.isKept !== retained;
    if (retain && payload === '') {
      this.#takeValue(node);
      return isMiscounted || isUnknown;
    }
    node.isKept = retained;
    node.value = {
      payload,
      encoding,
      isWithheld: false,
      isWhole: true,
      qos,
      isRetained: retain || (wasRetained && node.value?.payload === payload),
      at: now,
    };
    this.#remember(node, { at: now, payload: encoding === 'utf8' ? payload : null });
    return isMiscounted;
  }

  /** recount takes in how many messages are retained now at levels that were listed before: nothing at those that a whole page does not name. */
  recount(below: string | null, page: readonly Pick<Listed, 'level' | 'topic' | 'messages'>[], isWhole: boolean): void {
    const isNew = this.#node(below)?.isNew === true;
    for (const { topic, messages } of page) {
      const node = this.#byTopic.get(topic);
      if (node === undefined) continue;
      node.retained = messages;
      if (!isNew) counted(node);
    }
    if (isWhole) {
      const levels = new Set(page.map(({ level }) => level));
      for (const child of this.#childrenBut(below, levels)) if (!child.isNew && child.retained > 0) this.#forget(child);
    }
    this.#rows = null;
  }

  isOpen(topic: string): boolean {
    return this.#open.has(topic);
  }

  /** toggle opens or closes a level. */
  toggle(topic: string, isOpen: boolean): void {
    if (isOpen) this.#open.add(topic);
    else this.#open.delete(topic);
    this.#rows = null;
  }

  /** reveal opens all levels above a topic. */
  reveal(topic: string): void {
    for (let end = topic.lastIndexOf('/'); end >= 0; end = topic.lastIndexOf('/', end - 1)) {
      this.#open.add(topic.slice(0, end));
      if (end === 0) break;
    }
    this.#rows = null;
  }

  /** open gives the levels that are open. */
  get open(): readonly string[] {
    return [...this.#open];
  }

  /** rows are the lines of the tree, top to bottom. */
  rows(): readonly Row[] {
    if (this.#rows !== null) return this.#rows;
    const rows: Row[] = [];
    this.#addRows(this.#root, rows);
    this.#rows = rows;
    return rows;
  }

  /** matching gives the topics with a value that `isWanted`, in the order of the tree. */
  matching(isWanted: (topic: string) => boolean): readonly Row[] {
    const rows: Row[] = [];
    const addBelow = (parent: Node) => {
      for (const node of sortedChildren(parent)) {
        if (node.value !== null && isWanted(node.topic)) rows.push({ kind: 'topic', node, isOpen: false });
        addBelow(node);
      }
    };
    addBelow(this.#root);
    return rows;
  }

  #addRows(node: Node, rows: Row[]): void {
    for (const child of sortedChildren(node)) {
      const isOpen = child.hasChildren && this.#open.has(child.topic);
      rows.push({ kind: 'topic', node: child, isOpen });
      if (isOpen) this.#addRows(child, rows);
    }
    if (node.listing.kind === 'part' || node.listing.kind === 'loading') rows.push({ kind: 'rest', node });
  }

  #node(topic: string | null): Node | null {
    return topic === null ? this.#root : (this.#byTopic.get(topic) ?? null);
  }

  #place(topic: string): Node {
    const known = this.#byTopic.get(topic);
    if (known !== undefined) return known;
    const end = topic.lastIndexOf('/');
    const parent = end < 0 ? this.#root : this.#place(topic.slice(0, end));
    const node = newNode(topic, topic.slice(end + 1), parent);
    node.history = this.#pastOfGone.get(topic) ?? [];
    this.#pastOfGone.delete(topic);
    parent.children.set(node.level, node);
    parent.hasChildren = true;
    parent.sorted = null;
    this.#byTopic.set(topic, node);
    this.#rows = null;
    return node;
  }

  /** What a whole list does not name is not retained any more; what has passed, without being retained, stays. */
  #forgetOthers(below: string | null, levels: ReadonlySet<string>): void {
    for (const child of this.#childrenBut(below, levels)) this.#forget(child);
  }

  #childrenBut(below: string | null, levels: ReadonlySet<string>): readonly Node[] {
    return [...(this.#node(below)?.children.values() ?? [])].filter(({ level }) => !levels.has(level));
  }

  #forget(node: Node): void {
    node.retained = 0;
    node.isKept = false;
    node.listing = { kind: 'none' };
    this.#forgetOthers(node.topic, new Set());
    if (node.value?.isRetained !== false) this.#takeValue(node);
  }

  /** A level without a value that has nothing below it goes, and so may those above it. */
  #takeValue(node: Node): void {
    const others = node.retained - (node.isKept ? 1 : 0);
    node.value = null;
    node.isKept = false;
    this.#rows = null;
    if (node.listing.kind !== 'whole' && others > 0) return; // there is more below it than is known
    for (let each = node; each.value === null && each.children.size === 0; ) {
      const parent = this.#parentOf(each);
      parent.children.delete(each.level);
      parent.sorted = null;
      this.#byTopic.delete(each.topic);
      if (each.history.length > 0) this.#pastOfGone.set(each.topic, each.history);
      if (parent.children.size > 0 || parent === this.#root) return;
      if (parent.listing.kind !== 'whole' && parent.retained > 0) return; // there is more than is known
      parent.hasChildren = false;
      each = parent;
    }
  }

  #parentOf({ topic }: Node): Node {
    const end = topic.lastIndexOf('/');
    return end < 0 ? this.#root : (this.#byTopic.get(topic.slice(0, end)) ?? this.#root);
  }

  /** What has passed meanwhile is newer than a list. */
  #keepListed(node: Node, { preview, isWithheld, qos, bytes, since }: ListedMessage): void {
    const at = since === null ? null : Date.parse(since);
    node.isKept = true;
    if (node.value?.at != null && at !== null && node.value.at > at) return;
    const isWhole = preview !== null && new TextEncoder().encode(preview).length === bytes;
    node.value = { payload: preview, encoding: 'utf8', isWithheld, isWhole, qos, isRetained: true, at };
    if (isWhole && at !== null && node.history.length === 0) this.#remember(node, { at, payload: preview });
  }

  /** Another array each time: what is on the screen is compared by identity. */
  #remember(node: Node, past: Past): void {
    const { history } = node;
    const most = this.#pastCost < MOST_OF_ALL ? MOST_OF_TOPIC : 1;
    const goes = Math.max(0, history.length + 1 - most);
    node.history = [...history.slice(goes), past];
    this.#pastCost += costOf([past]) - costOf(history.slice(0, goes));
  }
}

function costOf(past: readonly Past[]): number {
  return past.reduce((sum, { payload }) => sum + PAST_COST + (payload?.length ?? 0), 0);
}

function newNode(topic: string, level: string, parent: Node | null): Node {
  return {
    topic,
    level,
    depth: parent === null ? -1 : parent.depth + 1,
    value: null,
    history: [],
    retained: 0,
    hasChildren: false,
    listing: { kind: 'none' },
    children: new Map(),
    sorted: null,
    isNew: parent !== null && (parent.isNew || parent.listing.kind === 'whole'),
    isKept: false,
  };
}

/** It has a value that is not among what was retained when the levels above it were listed. */
function isUncounted({ value, isNew, isKept }: Node): boolean {
  return value !== null && (isNew || !isKept);
}

function counted(node: Node): void {
  node.isNew = false;
  for (const child of node.children.values()) counted(child);
}

function sortedChildren(node: Node): readonly Node[] {
  node.sorted ??= [...node.children.values()].sort(byLevel);
  return node.sorted;
}

export const inOrder = new Intl.Collator(undefined, { numeric: true });

/** sensor2 stands before sensor10. */
function byLevel(one: Node, other: Node): number {
  return inOrder.compare(one.level, other.level);
}
