// What the broker keeps for clients, in bytes, against one limit: sessions, subscriptions, wills, queued and retained messages; and what
// clients have not read yet, against a part of it.
//
//   kept      counted, for the account that it is kept for, when something is kept and when it goes; at the limit new things are refused,
//             what is there stays and goes on. The last tenth is for accounts that have less than their share:
//
//             0 |------------------- anybody -------------------|- below limit / accounts -| limit
//
//   outgoing  counted per connection, and a block that many have to write once; beyond its part of the limit the connection that has
//             most unread is closed
//
// The numbers of bytes per object are measured (test/broker/memory-budget.test.ts), not those of the standard.

/** SESSION_BYTES is a session without anything in it, and its place in the registry. */
export const SESSION_BYTES = 2600;
/** SUBSCRIPTION_BYTES is a subscription and its node, beside the text of its filter. */
export const SUBSCRIPTION_BYTES = 600;
/** RETAINED_BYTES is a retained message beside its topic and payload. */
const RETAINED_BYTES = 272;
/** A payload counts for so many bytes at least: "9.9" may become "10.0" in a full memory. */
const PAYLOAD_MIN = 64;
const DELIVERY_BYTES = 110;
const MESSAGE_BYTES = 500;

/** The part of the limit that is for all alike. */
const OPEN_PART = 0.9;
/** One who is alone leaves the last tenth to who may come. */
const SHARERS_MIN = 2;
/** The part of the limit that clients may leave unread. */
const OUTGOING_PART = 0.25;
/** Below this part of the limit it is over: not each message that comes and goes is told. */
const RECOVERED_PART = 0.8;

/** BudgetWatcher hears when the limit is reached and when there is room again. */
export interface BudgetWatcher {
  full(budget: MemoryBudget): void;
  recovered(budget: MemoryBudget): void;
}

/** Account is whom things are kept for: a user who can sign in, or, with the name '', all others together. Null = the broker itself. */
export class Account {
  readonly name: string | null;
  bytes = 0;

  constructor(name: string | null) {
    this.name = name;
  }
}

/** Counted is a message that may wait for many: it counts once. */
interface Counted {
  readonly payloadLength: number;
  readonly properties: Buffer;
  holders: number;
  heldFor: Account | null;
}

/** CountedDelivery is one of those that it waits for. */
interface CountedDelivery {
  readonly message: Counted;
  heldFor: Account | null;
}

/** MemoryBudget belongs to one broker. */
export class MemoryBudget {
  /** Bytes; 0 = no limit. */
  limit: number;
  kept = 0;
  outgoing = 0;
  /** Things that were not kept for want of room. */
  refused = 0;
  /** What the broker keeps for itself. */
  readonly own = new Account(null);
  readonly #watcher: BudgetWatcher;
  readonly #accounts = new Map<string, Account>();
  /** Accounts that have something. */
  #holders = 0;
  #isFull = false;

  constructor(limit: number, watcher: BudgetWatcher) {
    this.limit = limit;
    this.#watcher = watcher;
  }

  /** isFull tells that something was refused and there is no room yet. */
  get isFull(): boolean {
    return this.#isFull;
  }

  /** account gives the one account of a name. */
  account(name: string): Account {
    let account = this.#accounts.get(name);
    if (account === undefined) {
      account = new Account(name);
      this.#accounts.set(name, account);
    }
    return account;
  }

  /** largest is the account that has most; null = none has anything. */
  get largest(): Account | null {
    let largest: Account | null = null;
    for (const account of this.#accounts.values()) if (account.bytes > (largest?.bytes ?? 0)) largest = account;
    return largest;
  }

  /** isOpenTo tells whether so many more bytes may be kept for anybody. */
  isOpenTo(bytes: number): boolean {
    return this.limit === 0 || this.kept + bytes <= this.limit * OPEN_PART;
  }

  /** hasRoom tells whether so many more bytes may be kept for an account; no is counted and told. */
  hasRoom(bytes: number, account: Account): boolean {
    if (bytes <= 0 || this.isOpenTo(bytes)) return true;
    const { limit } = this;
    const after = this.kept + bytes;
    if (after <= limit && account.bytes + bytes <= limit / Math.max(SHARERS_MIN, this.#sharersWith(account))) return true;
    this.refused++;
    if (!this.#isFull) {
      this.#isFull = true;
      this.#watcher.full(this);
    }
    return false;
  }

  #sharersWith(account: Account): number {
    return account.bytes > 0 ? this.#holders : this.#holders + 1;
  }

  /** add counts bytes that are kept for an account now, or, negative, that are gone. */
  add(bytes: number, account: Account): void {
    const before = account.bytes;
    account.bytes += bytes;
    if (account.name !== null && before > 0 !== account.bytes > 0) this.#holders += before > 0 ? -1 : 1;
    this.kept += bytes;
    if (!this.#isFull || (this.limit > 0 && this.kept > this.limit * RECOVERED_PART)) return;
    this.#isFull = false;
    this.#watcher.recovered(this);
  }

  /** isOverflowing tells that clients have left too much unread. */
  get isOverflowing(): boolean {
    return this.limit > 0 && this.outgoing > this.limit * OUTGOING_PART;
  }

  /** hold counts a delivery that waits for an account, and its message once, for the first, however many wait for it. */
  hold(delivery: CountedDelivery, account: Account): void {
    if (delivery.heldFor !== null) return;
    const { message } = delivery;
    delivery.heldFor = account;
    this.add(DELIVERY_BYTES, account);
    if (message.holders++ > 0) return;
    message.heldFor = account;
    this.add(messageBytes(message), account);
  }

  /** release is told of each delivery that is over. */
  release(delivery: CountedDelivery): void {
    const { message, heldFor } = delivery;
    if (heldFor === null) return;
    delivery.heldFor = null;
    this.add(-DELIVERY_BYTES, heldFor);
    if (--message.holders > 0 || message.heldFor === null) return;
    this.add(-messageBytes(message), message.heldFor);
    message.heldFor = null;
  }

  /** hasRoomFor tells whether a delivery may wait for an account. */
  hasRoomFor({ message }: CountedDelivery, account: Account): boolean {
    return this.hasRoom(deliveryBytes(message, message.holders === 0), account);
  }
}

/** retainedBytes are those of a retained message; each of its parts in bytes. */
export function retainedBytes(topicName: number, payload: number, properties: number): number {
  return RETAINED_BYTES + topicName + Math.max(payload, PAYLOAD_MIN) + properties;
}

/** deliveryBytes are those of a delivery that waits; with its message where that waits for nobody else. */
export function deliveryBytes(message: Pick<Counted, 'payloadLength' | 'properties'>, isOnly: boolean): number {
  return DELIVERY_BYTES + (isOnly ? messageBytes(message) : 0);
}

function messageBytes({ payloadLength, properties }: Pick<Counted, 'payloadLength' | 'properties'>): number {
  return MESSAGE_BYTES + payloadLength + properties.length;
}
