// A shared subscription, MQTT 5 4.8.2: of all members of the group, one gets each message.

import type { Subscription } from './subscription.ts';

/** SharedGroup is one ($share name, topic filter). Members take turns; those that are connected come first. */
export class SharedGroup {
  readonly name: string;
  readonly topicFilter: string;
  readonly members: Subscription[] = [];
  #turn = 0;

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
    if (at >= 0) this.members.splice(at, 1);
  }

  /**
   * next chooses the member for a message: the next connected one that can take it now; else the next connected one;
   * else one that is away, if the message can wait for it. Null = nobody.
   */
  next(canWait: (member: Subscription) => boolean, allowed: (member: Subscription) => boolean): Subscription | null {
    const count = this.members.length;
    let connected: Subscription | null = null;
    let offline: Subscription | null = null;
    for (let step = 0; step < count; step++) {
      const at = (this.#turn + step) % count;
      const member = this.members[at]!; // at < count
      if (!allowed(member)) continue;
      if (!member.session.outgoing.isOnline) {
        if (offline === null && canWait(member)) offline = member;
      } else if (member.session.outgoing.isReady) {
        this.#turn = at + 1;
        return member;
      } else {
        connected ??= member;
      }
    }
    const chosen = connected ?? offline;
    if (chosen !== null) this.#turn = this.members.indexOf(chosen) + 1;
    return chosen;
  }
}
