// Retained messages by topic, and how they are found under a filter with wildcards.
//
// Wildcards walk a tree of levels (topic-tree.ts) with an explicit stack, step by step, so that a subscriber
// of `#` among a million can be served in slices. A value is kept as few bytes and objects: a million of them must neither
// fill a Pi's memory nor keep the garbage collector busy. The Message is made again when somebody gets it.

import { ownBytes } from '../../mqtt/own-bytes.ts';
import type { Qos } from '../../mqtt/packet-types.ts';
import { type Account, type MemoryBudget, retainedBytes } from '../memory-budget.ts';
import { Message } from '../message.ts';
import type { Requester } from '../ports.ts';
import { makeTopic } from '../topic.ts';
import { findPath, nodeFor, removeValue, TreeNode } from '../topic-tree.ts';
import { ClearedTopics } from './cleared-topics.ts';

/** Bytes up to which a payload is kept as text, one byte per character: 16 bytes of overhead instead of some 200 for a Buffer. */
const TEXT_MAX = 4096;

/** Comparing 2 ** 4 levels of a label costs about as much as the visit of a node. */
const LEVELS_SHIFT = 4;

/** RetainedValue is a message as it is kept. */
export class RetainedValue {
  readonly topicName: string;
  readonly payload: string | Buffer;
  readonly qos: Qos;
  readonly properties: Buffer;
  /** Milliseconds since 1970, or NEVER. */
  expiresAt: number;
  readonly source: Requester | null;
  readonly account: Account | null;
  /** Seconds since 1970 when it was published; 0 = before the start. */
  readonly since: number;
  /** Of its message when it was kept: in the store, or among the brokers that share it; 0 = none yet. */
  readonly key: number;

  constructor(message: Message, { account, since, expiresAt }: Pick<RetainedValue, 'account' | 'since' | 'expiresAt'>) {
    const { payload } = message;
    this.topicName = message.topic.name;
    this.payload = payload.length <= TEXT_MAX ? payload.toString('latin1') : ownBytes(payload);
    this.qos = message.qos;
    this.properties = message.properties.length > 0 ? ownBytes(message.properties) : message.properties;
    this.expiresAt = expiresAt;
    this.source = message.source;
    this.account = account;
    this.since = since;
    this.key = message.key;
  }

  toMessage(): Message {
    const payload = typeof this.payload === 'string' ? Buffer.from(this.payload, 'latin1') : this.payload;
    const { qos, properties, expiresAt } = this;
    const message = Message.of({ topic: makeTopic(this.topicName), qos, retain: true, payload, properties, expiresAt });
    message.source = this.source;
    return message;
  }

  /** toKeptMessage gives the message that is in the store, rather than one that may go to clients. */
  toKeptMessage(): Message {
    const message = this.toMessage();
    message.key = this.key;
    return message;
  }
}

/** RetainedWatcher shares values with other brokers. Must not throw. */
export interface RetainedWatcher {
  /** takes is asked before a published value is kept, or a topic cleared. It gives the message its key. False = it comes by another way. */
  takes(message: Message): boolean;
  /** expired is told of a value that has gone by itself. */
  expired(topicName: string): void;
}

type RetainedNode = TreeNode<RetainedValue>;

/** RetainedMessages is the store. Names and filters carry their mount point. */
export class RetainedMessages {
  count = 0;
  /** Payload bytes. */
  bytes = 0;
  readonly cleared = new ClearedTopics();
  /** Null = they are this broker's alone. */
  watcher: RetainedWatcher | null = null;
  readonly #root: RetainedNode = new TreeNode('');
  readonly #budget: MemoryBudget | null;
  readonly #accountOf: (message: Message) => Account | null;

  /** `accountOf` gives whom the budget counts a message for. */
  constructor(budget: MemoryBudget | null = null, accountOf: (message: Message) => Account | null = () => null) {
    this.#budget = budget;
    this.#accountOf = accountOf;
  }

  /** hasRoomFor tells whether a message may be kept, by the memory budget. */
  hasRoomFor(message: Message): boolean {
    const { topic, payloadLength, properties } = message;
    const more = retainedBytes(topic.name.length, payloadLength, properties.length);
    if (this.#budget === null || payloadLength === 0 || this.#budget.isOpenTo(more)) return true;
    const account = this.#accountOf(message);
    const known = findPath(this.#root, topic.name)?.at(-1)?.value ?? null;
    return account === null || this.#budget.hasRoom(more - (known === null ? 0 : bytesOf(known)), account);
  }

  /**
   * set keeps a message, or clears its topic when the payload is empty [MQTT-3.3.1-5] [MQTT-3.3.1-6] [MQTT-3.3.1-7]. With a key that is
   * remembered. `since` and `expiresAt` as in RetainedValue.
   */
  set(message: Message, since = 0, expiresAt = message.expiresAt): void {
    if (message.payloadLength === 0) {
      this.delete(message.topic.name);
      if (message.key > 0) this.cleared.add(message.topic.name, message.key);
      return;
    }
    if (this.cleared.size > 0) this.cleared.delete(message.topic.name);
    const node = nodeFor(this.#root, message.topic.name);
    const value = new RetainedValue(message, { account: this.#accountOf(message), since, expiresAt });
    if (node.value === null) {
      this.count++;
    } else {
      this.bytes -= node.value.payload.length;
      this.#count(node.value, -1);
    }
    this.bytes += message.payloadLength;
    this.#count(value, 1);
    node.value = value;
  }

  get(topicName: string): Message | null {
    return this.valueOf(topicName)?.toMessage() ?? null;
  }

  valueOf(topicName: string): RetainedValue | null {
    return findPath(this.#root, topicName)?.at(-1)?.value ?? null;
  }

  has(topicName: string): boolean {
    return (findPath(this.#root, topicName)?.at(-1)?.value ?? null) !== null;
  }

  delete(topicName: string): void {
    const path = findPath(this.#root, topicName);
    const value = path?.at(-1)?.value ?? null;
    if (path === null || value === null) return;
    this.count--;
    this.bytes -= value.payload.length;
    this.#count(value, -1);
    removeValue(path);
  }

  #count(value: RetainedValue, sign: 1 | -1): void {
    if (value.account !== null) this.#budget?.add(sign * bytesOf(value), value.account);
  }

  /** all gives every message. The store may change meanwhile, as under a cursor. */
  *all(): Generator<Message> {
    for (const value of this.values()) yield value.toMessage();
  }

  /** values is the same, as they are kept. */
  *values(): Generator<RetainedValue> {
    const reserved = Array.from(this.#root.children?.keys() ?? []).filter((level) => level.startsWith('$')); // `#` does not meet them
    for (const topicFilter of ['#', ...reserved.map((level) => `${level}/#`)]) {
      const cursor = this.matching(topicFilter);
      for (let value = cursor.nextValue(); value !== null; value = cursor.nextValue()) yield value;
    }
  }

  /** matching starts a walk over the messages that match a filter. */
  matching(topicFilter: string): RetainedCursor {
    return new RetainedCursor(this.#root, topicFilter.split('/'));
  }
}

function bytesOf({ topicName, payload, properties }: RetainedValue): number {
  return retainedBytes(topicName.length, payload.length, properties.length);
}

interface Frame {
  readonly node: RetainedNode;
  /** Index of the filter level that the node's children are matched with. */
  readonly depth: number;
  /** Children still to visit, once begun. */
  rest: Iterator<RetainedNode> | null;
}

/** RetainedCursor gives matching messages one by one. The store may change meanwhile: what is new may or may not be met. */
export class RetainedCursor {
  /** Nodes visited so far, and what costs as much: about half a microsecond each. */
  steps = 0;
  readonly #root: RetainedNode;
  readonly #levels: readonly string[];
  readonly #stack: Frame[];

  constructor(root: RetainedNode, levels: readonly string[]) {
    this.#root = root;
    this.#levels = levels;
    this.#stack = [{ node: root, depth: 0, rest: null }];
  }

  /** atEnd tells that no message is left. */
  get atEnd(): boolean {
    return this.#stack.length === 0;
  }

  /** next gives a message, or null: there is none left (`atEnd`), or none was met before `steps` reached a limit. */
  next(limit = Number.POSITIVE_INFINITY): Message | null {
    return this.nextValue(limit)?.toMessage() ?? null;
  }

  nextValue(limit = Number.POSITIVE_INFINITY): RetainedValue | null {
    while (this.#stack.length > 0 && this.steps < limit) {
      this.steps++;
      const frame = this.#stack.at(-1)!; // length > 0
      const found = frame.rest === null ? this.#enter(frame) : this.#visitNextChild(frame);
      if (found !== null) return found;
    }
    return null;
  }

  /** Begins a node: its own message, if the filter ends here. */
  #enter(frame: Frame): RetainedValue | null {
    const { node, depth } = frame;
    const level = this.#levels[depth];
    if (level === undefined) {
      this.#stack.pop();
      return node.value;
    }
    if (level !== '+' && level !== '#') {
      this.#stack.pop();
      const child = node.children?.get(level);
      if (child !== undefined) this.#push(child, depth);
      return null;
    }
    frame.rest = (node.children ?? new Map<string, RetainedNode>()).values();
    return level === '#' ? node.value : null; // `a/#` matches `a` as well
  }

  #visitNextChild(frame: Frame): null {
    const step = frame.rest!.next(); // #enter has begun it
    if (step.done === true) {
      this.#stack.pop();
      return null;
    }
    const child = step.value;
    if (frame.node === this.#root && child.label.startsWith('$')) return null; // [MQTT-4.7.2-1]
    this.#push(child, frame.depth);
    return null;
  }

  /** Goes on at a child, if the levels of its label match the filter from `depth` on. */
  #push(node: RetainedNode, depth: number): void {
    const after = this.#levels[depth] === '#' ? depth : this.#depthAfter(node.label, depth);
    if (after >= 0) this.#stack.push({ node, depth: after, rest: null });
  }

  /** Compares level by level and ends at the first that differs: a label may have hundreds. */
  #depthAfter(label: string, depth: number): number {
    let at = depth;
    for (let start = 0; start <= label.length; at++) {
      const wanted = this.#levels[at];
      if (wanted === undefined) return -1;
      if (wanted === '#') break; // all that follows
      const slash = label.indexOf('/', start);
      const end = slash < 0 ? label.length : slash;
      if (wanted !== '+' && (wanted.length !== end - start || !label.startsWith(wanted, start))) return -1;
      start = end + 1;
    }
    this.steps += (at - depth) >> LEVELS_SHIFT;
    return at;
  }
}
