// Retained messages by topic, and how they are found under a filter with wildcards.
//
// Exact names are one look-up; wildcards walk a tree of levels with an explicit stack, step by step, so that a subscriber
// of `#` among a million can be served in slices.

import { type Message, NEVER } from './message.ts';

class RetainedNode {
  message: Message | null = null;
  children: Map<string, RetainedNode> | null = null;
}

/** RetainedMessages is the store. Names and filters carry their mount point. */
export class RetainedMessages {
  count = 0;
  /** Payload bytes. */
  bytes = 0;
  readonly #root = new RetainedNode();

  /** set keeps a message, or clears its topic when the payload is empty [MQTT-3.3.1-5] [MQTT-3.3.1-6] [MQTT-3.3.1-7]. */
  set(message: Message): void {
    if (message.payloadLength === 0) {
      this.delete(message.topic.name);
      return;
    }
    message.detach();
    let node = this.#root;
    for (const level of message.topic.name.split('/')) {
      node.children ??= new Map();
      let child = node.children.get(level);
      if (child === undefined) {
        child = new RetainedNode();
        node.children.set(level, child);
      }
      node = child;
    }
    if (node.message === null) this.count++;
    else this.bytes -= node.message.payloadLength;
    this.bytes += message.payloadLength;
    node.message = message;
  }

  get(topicName: string): Message | null {
    let node: RetainedNode | undefined = this.#root;
    for (const level of topicName.split('/')) {
      node = node.children?.get(level);
      if (node === undefined) return null;
    }
    return node.message;
  }

  delete(topicName: string): void {
    const levels = topicName.split('/');
    const path = [this.#root];
    for (const level of levels) {
      const child = path.at(-1)?.children?.get(level);
      if (child === undefined) return;
      path.push(child);
    }
    const node = path[levels.length]!; // one node per level and the root
    if (node.message === null) return;
    this.count--;
    this.bytes -= node.message.payloadLength;
    node.message = null;
    prune(path, levels);
  }

  /** sweep deletes what has expired by `now` (milliseconds since 1970) and tells how many that were. */
  sweep(now: number): number {
    const cursor = this.matching('#');
    const expired: string[] = [];
    for (let message = cursor.next(); message !== null; message = cursor.next()) {
      if (message.expiresAt !== NEVER && message.expiresAt <= now) expired.push(message.topic.name);
    }
    for (const topicName of expired) this.delete(topicName);
    return expired.length;
  }

  /** matching starts a walk over the messages that match a filter. */
  matching(topicFilter: string): RetainedCursor {
    return new RetainedCursor(this.#root, topicFilter.split('/'));
  }
}

function prune(path: readonly RetainedNode[], levels: readonly string[]): void {
  for (let depth = levels.length; depth > 0; depth--) {
    const node = path[depth]!;
    if (node.message !== null || node.children !== null) return;
    const parent = path[depth - 1]!;
    parent.children?.delete(levels[depth - 1]!);
    if (parent.children?.size === 0) parent.children = null;
  }
}

interface Frame {
  readonly node: RetainedNode;
  /** Index of the filter level that the node's children are matched with. */
  readonly depth: number;
  /** Children still to visit, once begun. */
  rest: Iterator<[string, RetainedNode]> | null;
}

/** RetainedCursor gives matching messages one by one. The store may change meanwhile: what is new may or may not be met. */
export class RetainedCursor {
  readonly #root: RetainedNode;
  readonly #levels: readonly string[];
  readonly #stack: Frame[];

  constructor(root: RetainedNode, levels: readonly string[]) {
    this.#root = root;
    this.#levels = levels;
    this.#stack = [{ node: root, depth: 0, rest: null }];
  }

  next(): Message | null {
    while (this.#stack.length > 0) {
      const frame = this.#stack.at(-1)!; // length > 0
      const found = frame.rest === null ? this.#enter(frame) : this.#visitNextChild(frame);
      if (found !== null) return found;
    }
    return null;
  }

  /** Begins a node: its own message, if the filter ends here. */
  #enter(frame: Frame): Message | null {
    const { node, depth } = frame;
    const level = this.#levels[depth];
    if (level === undefined) {
      this.#stack.pop();
      return node.message;
    }
    if (level !== '+' && level !== '#') {
      this.#stack.pop();
      const child = node.children?.get(level);
      if (child !== undefined) this.#stack.push({ node: child, depth: depth + 1, rest: null });
      return null;
    }
    frame.rest = (node.children ?? new Map<string, RetainedNode>()).entries();
    return level === '#' ? node.message : null; // `a/#` matches `a` as well
  }

  #visitNextChild(frame: Frame): Message | null {
    const step = frame.rest!.next(); // #enter has begun it
    if (step.done === true) {
      this.#stack.pop();
      return null;
    }
    const [name, child] = step.value;
    if (frame.node === this.#root && name.startsWith('$')) return null; // [MQTT-4.7.2-1]
    const depth = this.#levels[frame.depth] === '#' ? frame.depth : frame.depth + 1;
    this.#stack.push({ node: child, depth, rest: null });
    return null;
  }
}
