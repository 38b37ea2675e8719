// The one index of subscriptions: online and offline sessions, shared groups and in-process listeners, by topic level.
//
//   owntracks/+/phone      root ── "owntracks" ── "+" ── "phone" { subscriptions }
//   owntracks/#                         └─────── "#" { subscriptions }
//
// A walk visits at most the exact, `+` and `#` child per level. Its answer, a Route, is kept at the Topic and holds until
// `generation` changes, so the tree is walked once per topic and change of subscriptions, not once per message.

import { Effort } from './fair-turns.ts';
import { type Listener, Route } from './route.ts';
import type { Session } from './session.ts';
import { SharedGroup } from './shared-group.ts';
import { mergeSubscriptions, type Subscription } from './subscription.ts';
import type { Topic } from './topic.ts';

/** Looking at 2 ** 3 nodes costs about as much as one delivery. */
const NODES_SHIFT = 3;

/** ReceiveRule decides whether a session may get the messages of a topic; asked when a Route is made. */
export type ReceiveRule = (session: Session, topicName: string) => boolean;

class TreeNode {
  children: Map<string, TreeNode> | null = null;
  subscriptions: Subscription[] | null = null;
  groups: Map<string, SharedGroup> | null = null;
  listeners: Listener[] | null = null;

  get isEmpty(): boolean {
    return this.children === null && this.subscriptions === null && this.groups === null && this.listeners === null;
  }
}

/** SubscriptionTree is the index. Filters handed in are valid and carry their mount point. */
export class SubscriptionTree {
  /** Changes with every change of the tree or of the receive rule. */
  generation = 0;
  /** Subscriptions, shared ones included. */
  count = 0;
  sharedCount = 0;
  /** True: one copy per overlapping subscription instead of one in all (`allow_duplicate_messages`). */
  allowDuplicates = false;
  #receiveRule: ReceiveRule | null = null;
  readonly #root = new TreeNode();
  readonly #effort: Effort;

  constructor(effort = new Effort()) {
    this.#effort = effort;
  }

  setReceiveRule(rule: ReceiveRule | null): void {
    this.#receiveRule = rule;
    this.generation++;
  }

  add(subscription: Subscription): void {
    const node = this.#reach(subscription.topicFilter);
    if (subscription.group !== null) {
      node.groups ??= new Map();
      node.groups.set(subscription.group.name, subscription.group);
      subscription.group.add(subscription);
      this.sharedCount++;
    } else if (node.subscriptions === null) {
      node.subscriptions = [subscription];
    } else {
      node.subscriptions.push(subscription);
    }
    this.count++;
    this.generation++;
  }

  remove(subscription: Subscription): void {
    const path = this.#path(subscription.topicFilter);
    const node = path?.at(-1);
    if (path === null || node === undefined) return;
    const group = subscription.group;
    if (group !== null) {
      if (!group.members.includes(subscription)) return;
      group.remove(subscription);
      this.sharedCount--;
      if (group.members.length === 0) {
        node.groups?.delete(group.name);
        if (node.groups?.size === 0) node.groups = null;
      }
    } else {
      const at = node.subscriptions?.indexOf(subscription) ?? -1;
      if (node.subscriptions === null || at < 0) return;
      node.subscriptions.splice(at, 1);
      if (node.subscriptions.length === 0) node.subscriptions = null;
    }
    this.count--;
    this.generation++;
    prune(path, subscription.topicFilter.split('/'));
  }

  /** group finds the shared group of a `$share/NAME/FILTER`, or makes it; `add` puts it into the tree with its first member. */
  group(name: string, topicFilter: string): SharedGroup {
    return this.#path(topicFilter)?.at(-1)?.groups?.get(name) ?? new SharedGroup(name, topicFilter);
  }

  addListener(topicFilter: string, listener: Listener): void {
    const node = this.#reach(topicFilter);
    if (node.listeners === null) node.listeners = [listener];
    else node.listeners.push(listener);
    this.generation++;
  }

  removeListener(topicFilter: string, listener: Listener): void {
    const path = this.#path(topicFilter);
    const node = path?.at(-1);
    const at = node?.listeners?.indexOf(listener) ?? -1;
    if (path === null || node === undefined || node.listeners === null || at < 0) return;
    node.listeners.splice(at, 1);
    if (node.listeners.length === 0) node.listeners = null;
    this.generation++;
    prune(path, topicFilter.split('/'));
  }

  /** routeOf gives who gets the messages of a topic now. */
  routeOf(topic: Topic): Route {
    if (topic.route.generation !== this.generation) topic.route = this.match(topic.name);
    return topic.route;
  }

  /** match walks the tree. */
  match(topicName: string): Route {
    const found: TreeNode[] = [];
    const levels = topicName.split('/');
    // A wildcard at the start does not match a name that begins with `$` [MQTT-4.7.2-1].
    this.#effort.spent += collect(this.#root, levels, 0, !topicName.startsWith('$'), found) >> NODES_SHIFT;
    return this.#routeFrom(found, topicName);
  }

  #routeFrom(found: readonly TreeNode[], topicName: string): Route {
    const rule = this.#receiveRule;
    const subscribers: Subscription[] = [];
    let shared: SharedGroup[] | null = null;
    let listeners: Listener[] | null = null;
    for (const node of found) {
      if (node.subscriptions !== null) {
        for (const one of node.subscriptions) if (rule === null || rule(one.session, topicName)) subscribers.push(one);
      }
      if (node.groups !== null) {
        shared ??= [];
        for (const group of node.groups.values()) if (group.members.length > 0) shared.push(group);
      }
      if (node.listeners !== null) listeners = listeners === null ? node.listeners.slice() : listeners.concat(node.listeners);
    }
    const merged = found.length > 1 && !this.allowDuplicates ? mergeBySession(subscribers) : subscribers;
    return new Route(this.generation, merged, shared !== null && shared.length > 0 ? shared : null, listeners);
  }

  #reach(topicFilter: string): TreeNode {
    let node = this.#root;
    for (const level of topicFilter.split('/')) {
      node.children ??= new Map();
      let child = node.children.get(level);
      if (child === undefined) {
        child = new TreeNode();
        node.children.set(level, child);
      }
      node = child;
    }
    return node;
  }

  /** Nodes from the root to the filter's own, or null when it is not there. */
  #path(topicFilter: string): TreeNode[] | null {
    const path = [this.#root];
    let node = this.#root;
    for (const level of topicFilter.split('/')) {
      const child = node.children?.get(level);
      if (child === undefined) return null;
      path.push(child);
      node = child;
    }
    return path;
  }
}

/** collect gives the number of nodes that it looked at. */
function collect(node: TreeNode, levels: readonly string[], depth: number, wildcards: boolean, found: TreeNode[]): number {
  const children = node.children;
  if (wildcards && children !== null) {
    const all = children.get('#');
    if (all !== undefined) found.push(all); // `a/#` matches `a` as well
  }
  if (depth === levels.length) {
    if (node.subscriptions !== null || node.groups !== null || node.listeners !== null) found.push(node);
    return 1;
  }
  if (children === null) return 1;
  let visited = 1;
  const exact = children.get(levels[depth]!); // depth < length
  if (exact !== undefined) visited += collect(exact, levels, depth + 1, true, found);
  if (!wildcards) return visited;
  const any = children.get('+');
  return any === undefined ? visited : visited + collect(any, levels, depth + 1, true, found);
}

function mergeBySession(subscriptions: readonly Subscription[]): Subscription[] {
  const bySession = new Map<Session, Subscription[]>();
  for (const one of subscriptions) {
    const others = bySession.get(one.session);
    if (others === undefined) bySession.set(one.session, [one]);
    else others.push(one);
  }
  return Array.from(bySession.values(), mergeSubscriptions);
}

function prune(path: readonly TreeNode[], levels: readonly string[]): void {
  for (let depth = levels.length; depth > 0; depth--) {
    if (!path[depth]!.isEmpty) return; // path is one longer than levels
    const parent = path[depth - 1]!;
    parent.children?.delete(levels[depth - 1]!);
    if (parent.children?.size === 0) parent.children = null;
  }
}
