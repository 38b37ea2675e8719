// Messages of QoS 1 and 2 on their way to one client: in flight, to be sent again, queued. QoS 0 passes through, or waits too.
//
//   deliver -> [ queue ] -> room in the window? -> sent, in flight -> acknowledged
//                                        resume -> sent again, before anything new

import { FIRST_BYTE, type Qos } from '../../mqtt/packet-types.ts';
import { REASON } from '../../mqtt/reason-codes.ts';
import type { AckQueue } from '../connection/ack-queue.ts';
import type { ClientOutput } from '../connection/client-output.ts';
import type { Share, Subscription } from '../delivery/subscription.ts';
import type { Journal } from '../journal.ts';
import { type AwaitedAck, firstByte, type Message, type Publisher } from '../message.ts';
import type { Requester } from '../ports.ts';
import type { RetainedReader } from '../retained/retained-delivery.ts';
import type { RetainedWalks } from '../retained/retained-walks.ts';
import { Backlog, type BacklogEngine } from './backlog.ts';
import { Delivery, HELD, OutgoingWindow, RELEASED, SENT, UNSENT } from './outgoing-window.ts';

/** Packet identifiers end here, so no window is larger. */
const INFLIGHT_MAX = 65_535;

/** OutgoingEngine is what they need of the engine. */
export interface OutgoingEngine extends BacklogEngine {
  readonly journal: Journal | null;
  readonly retainedWalks: RetainedWalks;
  mayReceive(requester: Requester, topicName: string): boolean;
}

/** OutgoingOwner is the session that they are for. */
export interface OutgoingOwner extends Publisher, RetainedReader {
  readonly connection: RetainedReader['connection'];
  /** Where it is written down; null = it ends with its connection. */
  readonly journal: Journal | null;
  readonly expiryInterval: number;
  isSaved: boolean;
}

/** OutgoingLink is the connection that they go out on. */
export interface OutgoingLink {
  readonly acks: AckQueue;
  readonly output: ClientOutput;
}

/** OutgoingMessages belongs to one session. What it holds it keeps in the order of delivery [MQTT-4.6.0-6]. */
export class OutgoingMessages {
  readonly #session: OutgoingOwner;
  readonly #broker: OutgoingEngine;
  /** Where messages go: from CONNACK to the end of the connection. Null = they wait. */
  #connection: OutgoingLink | null = null;
  #window: OutgoingWindow | null = null;
  /** What waits. */
  readonly backlog: Backlog;
  /** In flight from an earlier connection and not yet sent again on this one; the next is the last, for taking the first of many is slow. */
  #resend: Delivery[] = [];
  /** How many PUBLISH packets may be unacknowledged: the client's Receive Maximum and our own limit. */
  #inflightMax = INFLIGHT_MAX;
  #receiveMaximum = INFLIGHT_MAX;
  #ownInflightMax: number | null = null;
  #lastOrder = 0;
  /** Told of each QoS 2 message that is delivered, for a cluster that has to know later; null = nobody has to. */
  witness: ((message: Message) => void) | null = null;

  constructor(session: OutgoingOwner, broker: OutgoingEngine) {
    this.#session = session;
    this.#broker = broker;
    this.backlog = new Backlog(session, broker);
  }

  /** isOnline tells that messages go out, or will as soon as the client lets them. */
  get isOnline(): boolean {
    return this.#connection !== null;
  }

  get inflightCount(): number {
    return this.#window?.count ?? 0;
  }

  /** oldestOrder numbers the first delivery that is queued or in flight; null = there is none. */
  get oldestOrder(): number | null {
    const inFlight = this.#window?.oldestOrder ?? null;
    const queued = this.backlog.at(0)?.order ?? null;
    return inFlight === null || queued === null ? (inFlight ?? queued) : Math.min(inFlight, queued);
  }

  /** newestOrder numbers the last delivery that there was. */
  get newestOrder(): number {
    return this.#lastOrder;
  }

  /** keptBytes are the payload bytes in flight and queued. */
  get keptBytes(): number {
    return (this.#window?.bytes ?? 0) + this.backlog.bytes;
  }

  /** isReady tells that a QoS 1 or 2 message would go out at once. */
  get isReady(): boolean {
    return this.#connection !== null && this.#resend.length === 0 && this.backlog.length === 0 && this.#hasRoom();
  }

  /** isFull tells that a QoS 1 or 2 message could neither be sent nor queued now. */
  get isFull(): boolean {
    return !this.#hasRoom() && this.backlog.isFull;
  }

  /** isBelow tells whether all that is in flight and queued has a name below a mount point: it may outlive its subscription. */
  isBelow(mountPoint: string): boolean {
    for (const { message } of this.unacknowledged()) if (!message.topic.name.startsWith(mountPoint)) return false;
    return true;
  }

  /** attach begins with a new connection. `receiveMaximum` is the client's. */
  attach(receiveMaximum: number): void {
    this.#receiveMaximum = receiveMaximum;
    this.#limitInflight();
    this.backlog.attach();
  }

  /** inflightMax has a limit of the session's own stand in the place of max_inflight_messages. */
  set inflightMax(own: number) {
    this.#ownInflightMax = own;
    this.#limitInflight();
  }

  #limitInflight(): void {
    const own = this.#ownInflightMax ?? this.#broker.options.maxInflightMessages;
    this.#inflightMax = Math.min(this.#receiveMaximum, own === 0 ? INFLIGHT_MAX : own);
  }

  /** leave is told when the connection has gone and the session stays: what it holds may wait for days. */
  leave(): void {
    for (const delivery of this.unacknowledged()) {
      delivery.message.keep();
      this.#broker.budget.hold(delivery, this.#session.account);
    }
  }

  /** forgetJournal takes the session out of the journal: it is not kept any more. */
  forgetJournal(): void {
    const { journal } = this.#broker;
    if (journal === null) return;
    for (const delivery of this.unacknowledged()) {
      if (!delivery.isKept) continue;
      delivery.isKept = false;
      delivery.message.settleOne();
    }
    journal.dropSession(this.#session);
  }

  /** unacknowledged lists what is in flight and queued, in order. */
  *unacknowledged(): Generator<Delivery> {
    yield* this.#window?.inOrder() ?? [];
    for (let at = 0; at < this.backlog.length; at++) yield this.backlog.at(at)!; // at < length
  }

  /** pause has messages wait for a connection. */
  pause(): void {
    this.#connection = null;
  }

  /** resume sends again what an earlier connection left unfinished, then what was queued [MQTT-4.4.0-1]. CONNACK has gone out [MQTT-3.2.0-1]. */
  resume(connection: OutgoingLink): void {
    this.#connection = connection;
    this.#resend = this.#window === null ? [] : this.#stillAllowed(this.#window).reverse();
    this.pump();
  }

  /** As in `pump`. The client may have a QoS 2 message: PUBREL brings its exchange to an end without saying it again. */
  #stillAllowed(window: OutgoingWindow): Delivery[] {
    return window.inOrder().filter((delivery) => {
      if (delivery.progress === RELEASED || !this.#isForbidden(delivery)) return true;
      if (delivery.progress === SENT && this.release(delivery.packetId)) return true;
      this.#forget(delivery, window);
      return false;
    });
  }

  /** deliver hands over one message for one (possibly merged) subscription. */
  deliver(message: Message, subscription: Subscription): void {
    const qos = subscription.qosFor(message.qos);
    const retain = subscription.retainAsPublished && message.retain; // [MQTT-3.3.1-12] [MQTT-3.3.1-13]
    const identifiers = subscription.plain ? null : subscription.identifiers();
    if (qos > 0) this.#deliverInflight(new Delivery(message, qos, retain, identifiers, subscription.group));
    else this.#deliverOnce(message, retain, identifiers);
  }

  /** deliverRetained hands over a retained message for a new subscription; true when it was taken, false when it must wait. */
  deliverRetained(message: Message, qos: Qos, identifiers: readonly number[] | null): boolean {
    const connection = this.#connection;
    if (connection === null || connection.output.isCongested) return false;
    if (qos === 0) {
      connection.output.sendPublish(message, firstByte(0, true, false), 0, identifiers);
      return true;
    }
    if (!this.isReady) return false;
    const delivery = new Delivery(message, qos, true, identifiers, null);
    delivery.order = ++this.#lastOrder;
    this.#send(delivery, connection);
    return true;
  }

  /** acknowledge ends a QoS 1 exchange (PUBACK), or a QoS 2 one by PUBCOMP or a PUBREC with an error. False = unknown identifier. */
  acknowledge(packetId: number): boolean {
    const window = this.#window;
    const delivery = window?.get(packetId) ?? null;
    if (window === null || delivery === null) return false;
    this.#forget(delivery, window);
    if (this.#resend.length > 0) this.#spareResend(delivery);
    this.pump();
    return true;
  }

  /** What the client acknowledges before it was sent again need not be. */
  #spareResend(delivery: Delivery): void {
    const next = this.#resend.at(-1)!; // length > 0
    if (delivery.order < next.order) return;
    const at = this.#resend.lastIndexOf(delivery);
    if (at >= 0) this.#resend.splice(at, 1);
  }

  /** release notes that the client has a QoS 2 message (PUBREC). False = unknown identifier [MQTT-4.3.3-4]. */
  release(packetId: number): boolean {
    const delivery = this.#window?.get(packetId) ?? null;
    if (delivery === null || delivery.qos !== 2) return false;
    delivery.progress = RELEASED;
    if (delivery.isKept) this.#broker.journal?.updateDelivery(this.#session, delivery);
    return true;
  }

  /** qosInFlight tells the QoS of the exchange of a packet identifier, 0 when there is none. */
  qosInFlight(packetId: number): Qos {
    return this.#window?.get(packetId)?.qos ?? 0;
  }

  /** awaitsPubcomp tells whether PUBCOMP may come now: the client has the message of this identifier, or there is none. */
  awaitsPubcomp(packetId: number): boolean {
    const delivery = this.#window?.get(packetId) ?? null;
    return delivery === null || delivery.progress === RELEASED;
  }

  /** pump sends what waits as far as the window and the connection allow. */
  pump(): void {
    const connection = this.#connection;
    if (connection === null) return;
    while (this.#resend.length > 0 && this.#hasRoom()) this.#sendAgain(this.#resend.pop()!, connection);
    const { backlog } = this;
    while (backlog.length > 0 && this.#resend.length === 0 && this.#hasRoom()) {
      const delivery = backlog.shift()!; // length > 0
      if (backlog.isExpired(delivery) || this.#isForbidden(delivery)) this.#dropUnsent(delivery);
      else this.#send(delivery, connection);
    }
    if (this.#session.retained !== null) this.#broker.retainedWalks.proceed(this.#session);
  }

  /** While it waited the rules may have changed, or the client has come back through a listener with others. */
  #isForbidden({ message }: Delivery): boolean {
    return !this.#broker.mayReceive(this.#session, message.topic.name);
  }

  /** restore takes back a delivery from before a restart; in order. False = its packet identifier is none, or is taken: the database is damaged. */
  restore(delivery: Delivery): boolean {
    if (delivery.packetId < 0 || delivery.packetId > INFLIGHT_MAX || (this.#window?.get(delivery.packetId) ?? null) !== null) return false;
    if (delivery.order > this.#lastOrder) this.#lastOrder = delivery.order;
    if (delivery.packetId === 0) {
      this.backlog.restore(delivery);
    } else {
      this.#broker.budget.hold(delivery, this.#session.account);
      this.#window ??= new OutgoingWindow();
      this.#window.restore(delivery);
    }
    return true;
  }

  /** pass is told of a delivery that stays in the database: its place and its packet identifier are not free. */
  pass(order: number, packetId: number): void {
    if (order > this.#lastOrder) this.#lastOrder = order;
    if (packetId === 0) return;
    this.#window ??= new OutgoingWindow();
    this.#window.reserve(packetId);
  }

  /** takeEarlier puts what the session had at another broker to what has come here, in order. What was in flight keeps its packet identifier, if that is free. Only while the session waits for its client. */
  takeEarlier(deliveries: readonly Delivery[]): void {
    const { journal } = this.#session;
    const taken = new Set(Array.from(this.unacknowledged(), ({ order }) => order));
    const waiting = this.backlog.remove(() => true);
    for (const delivery of deliveries) {
      if (taken.has(delivery.order)) delivery.order = ++this.#lastOrder; // the store knows deliveries by their order
      if (this.witness !== null && delivery.qos === 2) this.witness(delivery.message);
      if (delivery.packetId === 0 || !this.restore(delivery)) {
        delivery.packetId = 0;
        waiting.push(delivery);
      }
      if (journal !== null && delivery.qos > 0) this.#note(delivery, journal);
    }
    for (const delivery of waiting.sort((one, other) => one.order - other.order)) this.restore(delivery);
  }

  /** takeLate hands over what has waited at another broker: it comes behind all that has come here. */
  takeLate({ message, qos, retain, identifiers, group }: Delivery): void {
    this.#deliverInflight(new Delivery(message, qos, retain, identifiers, group));
  }

  /**
   * takeUnacknowledged empties a session that ends, for messages elsewhere may still name it as their publisher. It gives what other
   * members of its shared subscriptions should have: of QoS 2 only what was never sent [MQTT-4.8.2-5].
   */
  takeUnacknowledged(): Delivery[] {
    const all = [...this.unacknowledged()];
    this.#window = null;
    this.backlog.clear();
    this.#resend = [];
    for (const delivery of all) this.#broker.budget.release(delivery);
    return all.filter((one) => one.group !== null && (one.qos === 1 || one.progress < SENT) && !this.backlog.isExpired(one));
  }

  /** giveBack gives what came by some shared subscriptions to `give`, for other members, and forgets it: of QoS 2 only what was never sent. For a session that is away. */
  giveBack(isWanted: (group: Share) => boolean, give: (deliveries: readonly Delivery[]) => void): void {
    if (this.#connection !== null) return;
    const queued = this.backlog.remove(({ group }) => group !== null && isWanted(group));
    const mayGo = ({ group, qos, progress }: Delivery) => group !== null && (qos === 1 || progress < SENT) && isWanted(group);
    const sent = this.#window?.inOrder().filter(mayGo) ?? [];
    give([...sent, ...queued].filter((one) => !this.backlog.isExpired(one)));
    for (const delivery of sent) this.#forget(delivery, this.#window!); // they were in it
    for (const delivery of queued) this.#dropUnsent(delivery);
  }

  #deliverOnce(message: Message, retain: boolean, identifiers: readonly number[] | null): void {
    const connection = this.#connection;
    if (message.ack !== null && message.publisher === this.#session) {
      message.detach();
      message.ack.follow(() => this.#connection?.output.sendPublish(message, firstByte(0, retain, false), 0, identifiers));
    } else if (connection !== null) {
      connection.output.sendPublish(message, firstByte(0, retain, false), 0, identifiers);
    } else if (this.#broker.options.queueQos0Messages && this.#session.expiryInterval > 0) {
      this.#enqueue(new Delivery(message, 0, retain, identifiers, null));
    }
  }

  #deliverInflight(delivery: Delivery): void {
    const connection = this.#connection;
    delivery.order = ++this.#lastOrder;
    if (this.witness !== null && delivery.qos === 2) this.witness(delivery.message);
    if (connection !== null && this.backlog.length === 0 && this.#resend.length === 0 && this.#hasRoom()) {
      this.#send(delivery, connection);
    } else {
      this.#enqueue(delivery);
    }
  }

  #hasRoom(): boolean {
    const connection = this.#connection;
    if (connection === null || connection.output.isCongested) return false;
    const window = this.#window;
    if (window === null) return true;
    const waiting = this.#resend.length;
    if (window.count - waiting >= this.#inflightMax) return false; // [MQTT-3.3.4-9]
    if (waiting > 0) return true; // they were in flight together before, and have their identifiers
    if (window.isFull) return false;
    const maxBytes = this.#broker.options.maxInflightBytes;
    return maxBytes === 0 || window.count === 0 || window.bytes < maxBytes;
  }

  #send(delivery: Delivery, connection: OutgoingLink): void {
    const message = delivery.message;
    if (delivery.qos === 0) {
      this.#broker.budget.release(delivery);
      connection.output.sendPublish(message, firstByte(0, delivery.retain, false), 0, delivery.identifiers);
      return;
    }
    this.#window ??= new OutgoingWindow();
    this.#window.add(delivery);
    const journal = this.#session.journal;
    if (journal !== null) this.#note(delivery, journal);
    if (message.ack !== null && message.publisher === this.#session) this.#sendBehind(message.ack, delivery, journal);
    else if (journal !== null && delivery.qos === 2) this.#sendWhenDurable(delivery, journal);
    else this.#sendFirst(delivery, connection, this.#window);
  }

  /** Its packet identifier is left out: mosquitto gives them to messages when they are queued. */
  #dropUnsent(delivery: Delivery): void {
    this.#broker.budget.release(delivery);
    if (delivery.qos > 0) {
      this.#window ??= new OutgoingWindow();
      this.#window.skip();
    }
    if (delivery.isKept) this.#broker.journal?.dropDelivery(this.#session, delivery);
  }

  #sendFirst(delivery: Delivery, connection: OutgoingLink, window: OutgoingWindow): void {
    const { message, qos, retain, packetId, identifiers } = delivery;
    const dup = delivery.progress === SENT; // by the broker before a restart
    delivery.progress = SENT;
    const sent = connection.output.sendPublish(message, firstByte(qos, retain, dup), packetId, identifiers);
    if (sent) message.detach();
    else this.#forget(delivery, window); // too large for this client: as if delivered [MQTT-3.1.2-25]
  }

  /** QoS 2 to a kept session goes out when its packet identifier is durable: see journal.ts. */
  #sendWhenDurable(delivery: Delivery, journal: Journal): void {
    delivery.progress = HELD;
    journal.whenDurable(() => this.#sendHeld(delivery));
  }

  /** A client's own message goes back to it behind its PUBACK or PUBREC, as with any broker that need not wait for a disk. */
  #sendBehind(ack: AwaitedAck, delivery: Delivery, journal: Journal | null): void {
    const follow = () => ack.follow(() => this.#sendHeld(delivery));
    delivery.progress = HELD;
    delivery.message.detach();
    if (journal !== null && delivery.qos === 2) journal.whenDurable(follow);
    else follow();
  }

  #sendHeld(delivery: Delivery): void {
    const connection = this.#connection;
    const window = this.#window;
    if (delivery.progress !== HELD) return; // the client has released it unseen
    delivery.progress = UNSENT;
    if (connection === null || window === null || window.get(delivery.packetId) !== delivery) return;
    this.#sendFirst(delivery, connection, window);
  }

  /** Writes a delivery down, or that it is in flight now. */
  #note(delivery: Delivery, journal: Journal): void {
    if (delivery.isKept) {
      journal.updateDelivery(this.#session, delivery);
    } else {
      delivery.isKept = true;
      journal.saveDelivery(this.#session, delivery);
    }
  }

  #forget(delivery: Delivery, window: OutgoingWindow): void {
    window.remove(delivery);
    this.#broker.budget.release(delivery);
    if (delivery.isKept) this.#broker.journal?.dropDelivery(this.#session, delivery);
  }

  #sendAgain(delivery: Delivery, connection: OutgoingLink): void {
    if (delivery.progress === RELEASED) {
      connection.acks.sendKept(FIRST_BYTE.PUBREL, delivery.packetId, REASON.SUCCESS, this.#session.journal); // [MQTT-4.3.3-6]; see journal.ts
      return;
    }
    if (delivery.progress === HELD) return; // it goes out when its identifier is durable
    const window = this.#window!; // what is sent again is in it
    const { message, qos, retain, packetId, identifiers } = delivery;
    const gone = qos === 1 && this.backlog.isExpired(delivery); // a QoS 2 exchange must be finished: its identifier is known to the client
    const first = firstByte(qos, retain, delivery.progress === SENT); // [MQTT-3.3.1-1]
    const sent = !gone && connection.output.sendPublish(message, first, packetId, identifiers);
    delivery.progress = SENT;
    if (!sent) this.#forget(delivery, window);
  }

  #enqueue(delivery: Delivery): void {
    const waiting = this.backlog.add(delivery, this.#connection !== null);
    const journal = this.#session.journal;
    if (waiting !== null && journal !== null && waiting.qos > 0) this.#note(waiting, journal);
  }

  /** dropExpired drops what has expired at the head of the queue, so that it takes no room from what is new. */
  dropExpired(): void {
    let count = 0;
    for (let next = this.backlog.at(0); next !== null && this.backlog.isExpired(next); next = this.backlog.at(0)) {
      this.backlog.shift();
      this.#dropUnsent(next);
      count++;
    }
    if (count > 0) this.backlog.noteDropped(count);
  }
}
