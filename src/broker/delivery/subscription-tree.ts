// The one index of subscriptions: online and offline sessions, shared groups and in-process listeners, by topic level.
//
//   owntracks/+/phone      root ── "owntracks" ┬─ "+/phone" { subscriptions }
//   owntracks/#                                └─ "#" { subscriptions }
//
// A walk visits at most the exact, `+` and `#` child where filters part. Its answer, a Route, is kept at the Topic and holds until
// `generation` changes, so the tree is walked once per topic and change of subscriptions, not once per message.

import type { Listener } from '../aedes-packet.ts';
import { Effort } from '../connection/fair-turns.ts';
import type { Topic } from '../topic.ts';
import { findPath, nodeFor, removeValue, TreeNode } from '../topic-tree.ts';
import { Route } from './route.ts';
import { SharedGroup } from './shared-group.ts';
import { mergeSubscriptions, type Share, type Subscriber, type Subscription } from './subscription.ts';

/** Looking at 2 ** 3 nodes costs about as much as one delivery. */
const NODES_SHIFT = 3;
const HASH = 0x23;
const PLUS = 0x2b;

/** Gathering 2 ** 1 subscriptions into a route costs about as much as one delivery. */
const MERGED_SHIFT = 1;

/** ReceiveRule decides whether a session may get the messages of a topic; asked when a Route is made. */
export type ReceiveRule = (session: Subscriber, topicName: string) => boolean;

/** TreeWatcher is told of each subscription that comes or goes; one that is replaced goes and comes. Must not throw. */
export interface TreeWatcher {
  added(subscription: Subscription): void;
  removed(subscription: Subscription): void;
}

/** What stands under one topic filter. */
class Place {
  subscriptions: Subscription[] | null = null;
  groups: Map<string, SharedGroup> | null = null;
  listeners: Listener[] | null = null;

  get isEmpty(): boolean {
    return this.subscriptions === null && this.groups === null && this.listeners === null;
  }
}

type Node = TreeNode<Place>;

/** SubscriptionTree is the index. Filters handed in are valid and carry their mount point. */
export class SubscriptionTree {
  /** Changes with every change of the tree or of the receive rule. */
  generation = 0;
  /** Subscriptions, shared ones included. */
  count = 0;
  sharedCount = 0;
  /** True: one copy per overlapping subscription instead of one in all (`allow_duplicate_messages`). */
  allowDuplicates = false;
  /** Null = nobody follows it. */
  watcher: TreeWatcher | null = null;
  #receiveRule: ReceiveRule | null = null;
  readonly #root: Node = new TreeNode('');
  readonly #effort: Effort;

  constructor(effort = new Effort()) {
    this.#effort = effort;
  }

  setReceiveRule(rule: ReceiveRule | null): void {
    this.#receiveRule = rule;
    this.generation++;
  }

  add(subscription: Subscription): void {
    const place = this.#reach(subscription.topicFilter);
    if (subscription.group !== null) {
      place.groups ??= new Map();
      groupOf(place.groups, subscription.group).add(subscription);
      this.sharedCount++;
    } else if (place.subscriptions === null) {
      place.subscriptions = [subscription];
    } else {
      place.subscriptions.push(subscription);
    }
    this.count++;
    this.generation++;
    this.watcher?.added(subscription);
  }

  remove(subscription: Subscription): void {
    const path = findPath(this.#root, subscription.topicFilter);
    const place = path?.at(-1)?.value;
    if (path === null || place == null) return;
    if (subscription.group !== null) {
      const group = place.groups?.get(subscription.group.name);
      if (group === undefined || !group.members.includes(subscription)) return;
      group.remove(subscription);
      this.sharedCount--;
      if (group.members.length === 0) {
        place.groups?.delete(group.name);
        if (place.groups?.size === 0) place.groups = null;
      }
    } else {
      const at = place.subscriptions?.indexOf(subscription) ?? -1;
      if (place.subscriptions === null || at < 0) return;
      place.subscriptions.splice(at, 1);
      if (place.subscriptions.length === 0) place.subscriptions = null;
    }
    this.count--;
    this.generation++;
    if (place.isEmpty) removeValue(path);
    this.watcher?.removed(subscription);
  }

  /** group gives the shared group of a `$share/NAME/FILTER`; without members when it has none. */
  group(name: string, topicFilter: string): SharedGroup {
    return findPath(this.#root, topicFilter)?.at(-1)?.value?.groups?.get(name) ?? new SharedGroup(name, topicFilter);
  }

  addListener(topicFilter: string, listener: Listener): void {
    const place = this.#reach(topicFilter);
    if (place.listeners === null) place.listeners = [listener];
    else place.listeners.push(listener);
    this.generation++;
  }

  removeListener(topicFilter: string, listener: Listener): void {
    const path = findPath(this.#root, topicFilter);
    const place = path?.at(-1)?.value;
    const at = place?.listeners?.indexOf(listener) ?? -1;
    if (path === null || place == null || place.listeners === null || at < 0) return;
    place.listeners.splice(at, 1);
    if (place.listeners.length === 0) place.listeners = null;
    this.generation++;
    if (place.isEmpty) removeValue(path);
  }

  /** routeOf gives who gets the messages of a topic now. */
  routeOf(topic: Topic): Route {
    if (topic.route === null || topic.route.generation !== this.generation) topic.route = this.match(topic.name);
    return topic.route as Route; // nobody else sets it
  }

  /** match walks the tree. */
  match(topicName: string): Route {
    const found: Place[] = [];
    const levels = topicName.split('/');
    // A wildcard at the start does not match a name that begins with `$` [MQTT-4.7.2-1].
    this.#effort.spent += collect(this.#root, levels, 0, !topicName.startsWith('$'), found) >> NODES_SHIFT;
    return this.#routeFrom(found, topicName);
  }

  #routeFrom(found: readonly Place[], topicName: string): Route {
    const rule = this.#receiveRule;
    const subscribers: Subscription[] = [];
    let shared: SharedGroup[] | null = null;
    let listeners: Listener[] | null = null;
    for (const place of found) {
      if (place.subscriptions !== null) {
        for (const one of place.subscriptions)
          if (!one.session.isOver && (rule === null || rule(one.session, topicName))) subscribers.push(one);
      }
      if (place.groups !== null) {
        shared ??= [];
        for (const group of place.groups.values()) if (group.members.length > 0) shared.push(group);
      }
      if (place.listeners !== null) listeners = listeners === null ? place.listeners.slice() : listeners.concat(place.listeners);
    }
    this.#effort.spent += subscribers.length >> MERGED_SHIFT;
    const merged = found.length > 1 && !this.allowDuplicates ? mergeBySession(subscribers) : subscribers;
    return new Route(this.generation, merged, shared !== null && shared.length > 0 ? shared : null, listeners);
  }

  #reach(topicFilter: string): Place {
    const node = nodeFor(this.#root, topicFilter);
    node.value ??= new Place();
    return node.value;
  }
}

/** collect gives the number of nodes that it looked at. `depth` is the level of the name that the node's children are matched with. */
function collect(node: Node, levels: readonly string[], depth: number, wildcards: boolean, found: Place[]): number {
  const { children, value } = node;
  if (wildcards && children !== null) {
    const all = children.get('#');
    if (all !== undefined) found.push(all.value!); // `a/#` matches `a` as well; behind `#` nothing stands
  }
  if (depth === levels.length) {
    if (value !== null) found.push(value);
    return 1;
  }
  if (children === null) return 1;
  let visited = 1;
  const level = levels[depth]!; // depth < length
  const exact = children.get(level);
  if (exact !== undefined) visited += collectBelow(exact, level.length, levels, depth + 1, found);
  if (!wildcards) return visited;
  const any = children.get('+');
  return any === undefined ? visited : visited + collectBelow(any, 1, levels, depth + 1, found);
}

/** Goes on at a child whose first level, of so many characters, matches: first its other levels must match too. */
function collectBelow(child: Node, matched: number, levels: readonly string[], depth: number, found: Place[]): number {
  const { label } = child;
  let at = depth;
  for (let start = matched + 1; start <= label.length; at++) {
    if (label.charCodeAt(start) === HASH) {
      found.push(child.value!); // as above
      return 1;
    }
    const level = levels[at];
    if (level === undefined) return 1;
    const slash = label.indexOf('/', start);
    const end = slash < 0 ? label.length : slash;
    const isAny = end === start + 1 && label.charCodeAt(start) === PLUS;
    if (!isAny && (end - start !== level.length || !label.startsWith(level, start))) return 1;
    start = end + 1;
  }
  return collect(child, levels, at, true, found);
}

function groupOf(groups: Map<string, SharedGroup>, { name, topicFilter }: Share): SharedGroup {
  let group = groups.get(name);
  if (group === undefined) {
    group = new SharedGroup(name, topicFilter);
    groups.set(name, group);
  }
  return group;
}

function mergeBySession(subscriptions: readonly Subscription[]): Subscription[] {
  const bySession = new Map<Subscriber, Subscription[]>();
  for (const one of subscriptions) {
    const others = bySession.get(one.session);
    if (others === undefined) bySession.set(one.session, [one]);
    else others.push(one);
  }
  return Array.from(bySession.values(), mergeSubscriptions);
}
