// The state of one client, connected or not, MQTT 5 4.1: its subscriptions and what is on its way to and from it.

import type { ProtocolVersion } from '../../mqtt/packet-types.ts';
import { parseSharedFilter } from '../../mqtt/topics.ts';
import type { Connection } from '../connection/connection.ts';
import type { Subscriber, Subscription } from '../delivery/subscription.ts';
import type { Broker } from '../engine.ts';
import type { Journal } from '../journal.ts';
import type { Account } from '../memory-budget.ts';
import type { Requester } from '../ports.ts';
import type { RetainedDelivery } from '../retained/retained-delivery.ts';
import type { Timer } from '../timer-wheel.ts';
import { OutgoingMessages, type OutgoingOwner } from './outgoing-messages.ts';
import { SubscriptionCounts, type SubscriptionLimit } from './subscription-counts.ts';
import type { Will } from './will.ts';
import type { WillOwner } from './wills.ts';

/** Session outlives its connections until it expires or a clean start replaces it. It is the engine's Requester. */
export class Session implements Subscriber, OutgoingOwner, WillOwner {
  readonly broker: Broker;
  readonly clientId: string;
  username: string | null = null;
  /** The listener that it came through, now or last. */
  listener = '';
  /** Who this is, for messages that outlive the session. */
  requester: Requester;
  version: ProtocolVersion = 4;
  connection: Connection | null = null;
  /** Milliseconds since 1970 when its connection was accepted; 0 = not since the start. */
  connectedAt = 0;
  /** Milliseconds since 1970 when its connection ended; null while it has one. */
  disconnectedAt: number | null = null;
  /** The journal has it. */
  isSaved = false;
  /** Seconds it is kept after its connection ends; NO_EXPIRY = for ever. */
  expiryInterval = 0;
  /** By topic filter as the client sent it. */
  readonly subscriptions = new Map<string, Subscription>();
  readonly subscriptionCounts = new SubscriptionCounts();
  /** Whom the memory budget counts for. */
  account: Account;
  /** What it counts beside the messages. */
  countedBytes = 0;
  /** It has ended: nothing reaches it any more. */
  isOver = false;
  will: Will | null = null;
  expiryTimer: Timer | null = null;
  /** QoS 2 messages received, not yet released by the client: their packet identifiers and digests; null until the first. */
  incoming: Map<number, number> | null = null;
  /** Retained messages still to be sent for new subscriptions, by topic filter; null = none. */
  retained: Map<string, RetainedDelivery> | null = null;
  readonly upgradesQos: boolean;
  readonly outgoing: OutgoingMessages;
  #isRefusingSubscriptions = false;

  constructor(broker: Broker, clientId: string) {
    this.broker = broker;
    this.clientId = clientId;
    this.requester = { clientId, username: null, listener: '' };
    this.account = broker.budget.account('');
    this.upgradesQos = broker.options.upgradeOutgoingQos;
    this.outgoing = new OutgoingMessages(this, broker);
  }

  /** journal is where this session is written down, or null when it ends with its connection. */
  get journal(): Journal | null {
    return this.expiryInterval > 0 ? this.broker.journal : null;
  }

  /** secondsAway tells how long it has been without a connection, by the wall clock: that goes on while the power is off. */
  get secondsAway(): number {
    return this.disconnectedAt === null ? 0 : Math.max(0, this.broker.clock.now() - this.disconnectedAt) / 1000;
  }

  /** attach binds the session to a new connection, which messages go to once `outgoing.resume` is called. `receiveMaximum` is the client's. */
  attach(connection: Connection, receiveMaximum: number): void {
    this.outgoing.attach(receiveMaximum);
    this.connection = connection;
    this.connectedAt = this.broker.clock.now();
    this.disconnectedAt = null;
    this.requester = { clientId: this.clientId, username: this.username, listener: this.listener };
    this.#isRefusingSubscriptions = false;
  }

  /** detach is told when the connection ends. */
  detach(): void {
    this.connection = null;
    this.outgoing.pause();
    this.disconnectedAt = this.broker.clock.now();
  }

  /** belongTo has the memory budget count what is there for another account. Messages that wait stay with the one that they came for. */
  belongTo(account: Account): void {
    const { budget } = this.broker;
    budget.add(-this.countedBytes, this.account);
    budget.add(this.countedBytes, account);
    this.account = account;
  }

  /** isMountedAt tells whether all that the session holds belongs below a listener's mount point, which is the border of its clients. */
  isMountedAt(mountPoint: string): boolean {
    for (const [asSent, { topicFilter, group }] of this.subscriptions) {
      const own = group === null ? asSent : parseSharedFilter(asSent)?.topicFilter;
      if (topicFilter !== mountPoint + own) return false;
    }
    return mountPoint === '' || this.outgoing.isBelow(mountPoint);
  }

  /** noteTooManySubscriptions says once per connection that more are refused. */
  noteTooManySubscriptions(limit: SubscriptionLimit): void {
    if (this.#isRefusingSubscriptions) return;
    this.#isRefusingSubscriptions = true;
    this.broker.log.log('notice', `Client ${this.clientId} has ${this.subscriptions.size} subscriptions: more are refused (${limit}).`);
  }
}
