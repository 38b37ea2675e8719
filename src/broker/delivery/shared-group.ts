// A shared subscription, MQTT 5 4.8.2: of all members of the group, one gets each message.

import type { Subscriber, Subscription } from './subscription.ts';

/** Subscription Identifiers have 28 bits and begin with 1. */
const MARK_MAX = 268_435_455;

/** SharedGroup is one ($share name, topic filter). Members take turns; those that are connected come first. */
export class SharedGroup {
  readonly name: string;
  readonly topicFilter: string;
  readonly members: Subscription[] = [];
  /** Members that stand for others, such as another broker with its members: as many messages as it has of them; 0 = all of them are away. Null = none does. */
  #weights: Map<Subscriber, number> | null = null;
  #turn = 0;
  /** Messages that the last one chosen has had in a row. */
  #given = 0;

  constructor(name: string, topicFilter: string) {
    this.name = name;
    this.topicFilter = topicFilter;
  }

  add(subscription: Subscription): void {
    const at = this.members.findIndex((member) => member.session === subscription.session);
    if (at >= 0) this.members[at] = subscription;
    else this.members.push(subscription);
  }

  remove(subscription: Subscription): void {
    const at = this.members.indexOf(subscription);
    if (at < 0) return;
    this.members.splice(at, 1);
    this.#weights?.delete(subscription.session);
  }

  weigh(session: Subscriber, weight: number): void {
    this.#weights ??= new Map();
    this.#weights.set(session, weight);
  }

  /**
   * next chooses the member for a message: the next connected one that can take it now; else the next connected one;
   * else one that is away, if the message can wait for it. Null = nobody.
   */
  next(canWait: (member: Subscription) => boolean, allowed: (member: Subscription) => boolean): Subscription | null {
    const count = this.members.length;
    const first = this.#first(count);
    let connected: Subscription | null = null;
    let offline: Subscription | null = null;
    for (let step = 0; step < count; step++) {
      const at = (first + step) % count;
      const member = this.members[at]!; // at < count
      if (!allowed(member)) continue;
      if (!member.session.outgoing.isOnline || this.#weightOf(member) === 0) {
        if (offline === null && canWait(member)) offline = member;
      } else if (member.session.outgoing.isReady) {
        return this.#choose(member, at);
      } else {
        connected ??= member;
      }
    }
    const chosen = connected ?? offline;
    return chosen === null ? null : this.#choose(chosen, this.members.indexOf(chosen));
  }

  /** The one after the last, or that again when it stands for more. */
  #first(count: number): number {
    if (this.#weights === null || count === 0) return this.#turn;
    const last = (this.#turn + count - 1) % count;
    return this.#given < this.#weightOf(this.members[last]!) ? last : this.#turn; // last < count
  }

  #choose(member: Subscription, at: number): Subscription {
    this.#given = at + 1 === this.#turn ? this.#given + 1 : 1;
    this.#turn = at + 1;
    return member;
  }

  #weightOf({ session }: Subscription): number {
    return this.#weights?.get(session) ?? 1;
  }
}

/** groupMark is the Subscription Identifier by which brokers of a cluster name a shared subscription to each other. Others that match the same topic hardly have the same. */
export function groupMark(name: string, topicFilter: string): number {
  let hash = 0x811c9dc5;
  for (const char of `${name}/${topicFilter}`) hash = Math.imul(hash ^ char.codePointAt(0)!, 0x01000193); // one of the text
  return 1 + (((hash ^ (hash >>> 28)) >>> 0) % MARK_MAX);
}
