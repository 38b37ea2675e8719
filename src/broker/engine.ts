// The engine: the Aedes hub with our connections, sessions and subscription tree in its open slots.
//
//   Aedes slot      what stands here
//   handle(stream)  Connection: MQTT 3.1, 3.1.1 and 5 (Aedes' own Client refuses 5)
//   mq              SubscriptionTree, behind TreeEmitter: the only index of subscriptions
//   persistence     NoPersistence: Aedes itself asks for nothing while publish is ours
//
// What stays Aedes': the registry of clients, its events, in-process publish and subscribe, and its heartbeat between brokers.

import type { Duplex } from 'node:stream';
import type { Clock } from '../base/clock.ts';
import type { Logger } from '../base/logger.ts';
import { encodeProperties, type Properties } from '../mqtt/properties.ts';
import { REASON } from '../mqtt/reason-codes.ts';
import { AedesHub } from './aedes-hub.ts';
import type { AedesPacket, Listener } from './aedes-packet.ts';
import { NoPersistence, TreeEmitter, toAedesPacket } from './aedes-slots.ts';
import { BudgetReport } from './budget-report.ts';
import type { ClientOutput } from './connection/client-output.ts';
import { Connection, type Dispatch } from './connection/connection.ts';
import { Effort, FairTurns, type Waiting } from './connection/fair-turns.ts';
import { Counters } from './counters.ts';
import { deliver, deliverToMarked } from './delivery/delivery.ts';
import { PublishRun } from './delivery/publish-run.ts';
import { SubscriptionTree } from './delivery/subscription-tree.ts';
import type { Journal } from './journal.ts';
import { type Account, MemoryBudget } from './memory-budget.ts';
import { Message, NEVER } from './message.ts';
import { MessageKeys } from './message-keys.ts';
import type { BrokerOptions, ConnectionOrigin } from './options.ts';
import { Passages } from './passages.ts';
import type { Authenticator, Authorizer, BrokerPorts, ClientIdClaims, ControlPort, RefusalLog, Requester } from './ports.ts';
import { restore } from './restoration.ts';
import { expiryWithin } from './retained/retained-lifetimes.ts';
import { RetainedMessages } from './retained/retained-messages.ts';
import { RetainedSweep } from './retained/retained-sweep.ts';
import { RetainedWalks } from './retained/retained-walks.ts';
import { HeldWills } from './session/held-wills.ts';
import type { Session } from './session/session.ts';
import { SessionRegistry } from './session/session-registry.ts';
import { TimerWheel } from './timer-wheel.ts';
import { type Topic, TopicCache } from './topic.ts';

/** Bytes after which a turn leaves large outputs to the next one: the system takes some milliseconds for a megabyte to many clients. */
const WRITTEN_MAX = 524_288;
/** Outputs up to this are small. */
const SMALL_OUTPUT = 8192;

/** Broker is the engine. Create it, `start` it, give it streams by `handle`, `stop` it. */
export class Broker extends AedesHub {
  readonly name = 'broker';
  readonly clock: Clock;
  /** What each packet is handed to, but for those that take the fast path. */
  readonly dispatch: Dispatch;
  readonly log: Logger;
  readonly wheel: TimerWheel;
  readonly tree: SubscriptionTree;
  /** The work of this turn of the event loop. */
  readonly effort: Effort;
  readonly topics = new TopicCache();
  readonly keys = new MessageKeys();
  /** Memory that is kept for clients. */
  readonly budget: MemoryBudget;
  readonly retained: RetainedMessages;
  readonly retainedWalks: RetainedWalks;
  readonly sessions: SessionRegistry;
  readonly counters = new Counters();
  /** What bridges carry. */
  readonly passages = new Passages();
  readonly run: PublishRun;
  /** Network connections, with or without a CONNECT so far. */
  readonly connections = new Set<Connection>();
  options: BrokerOptions;
  /** Null = nothing outlives the process. Set by `start`. */
  journal: Journal | null = null;
  authenticator: Authenticator | null;
  authorizer: Authorizer | null = null;
  readonly refusals: RefusalLog | null;
  readonly control: ControlPort | null;
  /** Null = wills from before a restart are said at the start. */
  readonly heldWills: HeldWills | null;
  /** Null = no other broker has clients of ours. */
  claims: ClientIdClaims | null = null;
  readonly #openStore: BrokerPorts['openStore'];
  /** Somebody listens to Aedes' 'publish' event: then every message is made an object. */
  #hasPublishListeners = false;
  #dirty: ClientOutput[] = [];
  #turnEndAwaited = false;
  readonly #retainedSweep: RetainedSweep;
  readonly #fairTurns: FairTurns;
  /** Chunks that came in this turn of the event loop, and in the one before. */
  #chunks = 0;
  #chunksBefore = 0;
  readonly #internalPrefix: string;

  constructor(options: BrokerOptions, ports: BrokerPorts, dispatch: Dispatch) {
    const effort = new Effort();
    const tree = new SubscriptionTree(effort);
    super({ mq: new TreeEmitter(tree), persistence: new NoPersistence() });
    this.options = options;
    this.dispatch = dispatch;
    this.clock = ports.clock;
    this.log = ports.log;
    this.authenticator = ports.authenticator;
    this.refusals = ports.refusals;
    this.control = ports.control ?? null;
    this.heldWills = ports.holdsWills === true ? new HeldWills() : null;
    this.wheel = new TimerWheel(ports.clock);
    this.tree = tree;
    this.effort = effort;
    this.#fairTurns = new FairTurns(effort);
    this.tree.allowDuplicates = options.allowDuplicateMessages;
    this.budget = new MemoryBudget(options.memoryLimit ?? 0, new BudgetReport(this));
    this.retained = new RetainedMessages(this.budget, (message) => this.#accountOf(message));
    this.run = new PublishRun(this);
    this.sessions = new SessionRegistry(this);
    this.retainedWalks = new RetainedWalks(this);
    this.#retainedSweep = new RetainedSweep(this);
    this.#openStore = ports.openStore;
    this.setAuthorizer(ports.authorizer);
    this.#internalPrefix = `$SYS/${this.id}/`;
    this.on('newListener', (event) => this.#notePublishListeners(event, 1));
    this.on('removeListener', (event) => this.#notePublishListeners(event, 0));
    // Aedes makes a Client here; ours speaks MQTT 5, writes once per turn and acknowledges in order.
    this.handle = (stream: Duplex, origin: ConnectionOrigin) => this.open(stream, origin);
  }

  /** start takes back what was kept and begins the clockwork. No socket is opened here: listeners bring streams. */
  async start(): Promise<void> {
    await this.listen();
    try {
      if (this.#openStore !== null) await restore(this, await this.#openStore());
    } catch (error) {
      await this.#endHub(); // its clockwork would keep the process alive
      throw error;
    }
    this.wheel.start();
    this.#retainedSweep.schedule();
  }

  /** stop tells v5 clients 0x8B [MQTT-4.13.1], flushes, publishes no wills to clients that are gone, and ends. */
  async stop(): Promise<void> {
    this.run.flush();
    for (const connection of [...this.connections]) connection.disconnect(REASON.SERVER_SHUTTING_DOWN);
    await Promise.all(Array.from(this.connections, closed));
    this.wheel.stop();
    this.#retainedSweep.end();
    await this.#endHub();
  }

  #endHub(): Promise<void> {
    return new Promise((resolve) => this.close(() => resolve()));
  }

  /** open takes over a network connection. Same as Aedes' `handle`. */
  open(stream: Duplex, origin: ConnectionOrigin): Connection {
    const connection = new Connection(this, stream, origin);
    this.connections.add(connection);
    this.counters.sockets++;
    connection.connectTimer = this.wheel.after(this.options.connectTimeout, () => this.sessions.connectTimedOut(connection));
    return connection;
  }

  setAuthorizer(authorizer: Authorizer | null): void {
    this.authorizer = authorizer;
    this.tree.setReceiveRule(authorizer === null ? null : (session, topicName) => authorizer.mayReceive(session, topicName));
    for (const connection of this.connections) connection.lastTopic = null; // verdicts are asked anew
  }

  /** setOptions takes new limits; those of running sessions change when they reconnect. */
  setOptions(options: BrokerOptions): void {
    this.options = options;
    this.budget.limit = options.memoryLimit ?? 0;
    this.tree.allowDuplicates = options.allowDuplicateMessages;
    this.tree.generation++;
    if (options.retainedLifetimes.length > 0)
      this.#retainedSweep.begin(); // what was kept before a rule goes by it too
    else this.#retainedSweep.schedule();
    for (const connection of this.connections) this.refreshFast(connection);
  }

  // Aedes' publish makes a promise per retained or QoS > 0 message, so two messages can change places, and costs a third of the
  // fan-in rate. Ours is synchronous. Aedes' own words between brokers ($SYS/<id>/...) go to its listeners only.
  override publish(packet: AedesPacket, client?: unknown, done?: (error?: Error) => void): void {
    const callback = typeof client === 'function' ? (client as (error?: Error) => void) : done; // Aedes' optional middle argument
    if (packet.topic.startsWith(this.#internalPrefix)) {
      this.#tellListeners(packet);
    } else {
      try {
        this.accept(this.#messageFrom(packet, client instanceof Connection ? client.session : null));
      } catch (error) {
        if (callback === undefined) throw error;
        callback(error as Error); // MalformedPacket: the topic is none
        return;
      }
    }
    callback?.();
  }

  /** accept takes a message that may be published: keeps it if it is retained, and delivers it. What is not `urgent` may be written behind. */
  accept(message: Message, urgent = message.qos > 0): void {
    if (message.retain && (message.source === null || this.retained.hasRoomFor(message))) {
      const { watcher } = this.retained;
      if (watcher === null || watcher.takes(message)) this.keepRetained(message, urgent);
    }
    const route = this.tree.routeOf(message.topic);
    if (message.groupMark === 0) deliver(this, message, route);
    else deliverToMarked(this, message, route);
    message.endSharing();
    if (this.#hasPublishListeners) this.emit('publish', toAedesPacket(message), message.publisher?.connection ?? null);
  }

  /** keepRetained makes a message the value of its topic, or clears the topic, without delivering it. */
  keepRetained(message: Message, urgent: boolean): void {
    const now = this.clock.now();
    const expiresAt = expiryWithin(this.options.retainedLifetimes, message.topic.name, now, message.expiresAt);
    this.retained.set(message, Math.trunc(now / 1000), expiresAt);
    this.journal?.saveRetained(message, urgent, expiresAt);
  }

  /** isAccount tells whether a user can sign in at a listener: what is its own is kept from others. */
  isAccount(listener: string, username: string | null): username is string {
    return username !== null && (this.authenticator?.hasAccount?.(listener, username) ?? false);
  }

  /** accountOf gives whom the memory budget counts for: any name that a listener does not check is one of many. */
  accountOf(listener: string, username: string | null): Account {
    return this.budget.account(this.isAccount(listener, username) ? username : '');
  }

  #accountOf({ publisher, source }: Message): Account {
    if (publisher !== null) return publisher.account;
    return source === null ? this.budget.own : this.accountOf(source.listener, source.username);
  }

  /** relieve closes the connections that have most unread, until there is room for the others. */
  relieve(): void {
    while (this.budget.isOverflowing) {
      let fullest: Connection | null = null;
      for (const connection of this.connections)
        if (fullest === null || connection.output.unread > fullest.output.unread) fullest = connection;
      if (fullest === null || fullest.output.unread === 0) return;
      fullest.cut('it leaves too much unread (memory_limit)');
    }
  }

  mayPublish(session: Requester, topic: Topic): boolean {
    return this.authorizer === null || this.authorizer.mayPublish(session, topic.name);
  }

  mayReceive(session: Requester, topicName: string): boolean {
    return this.authorizer === null || this.authorizer.mayReceive(session, topicName);
  }

  /** mayStillPublish asks again for the source of a retained message (`check_retain_source`); false = nobody gets it. */
  mayStillPublish(source: Requester | null, topicName: string): boolean {
    if (!this.options.checkRetainSource || this.authorizer === null || source === null) return true;
    return this.authorizer.mayPublish(source, topicName);
  }

  /** scheduleFlush has what a client is told written at the end of this turn. */
  scheduleFlush(output: ClientOutput): void {
    this.#dirty.push(output);
    this.#awaitTurnEnd();
  }

  /**
   * chunkHandled is told when a chunk has been worked through. While the clients speak one at a time, answers need not wait for the
   * end of the turn: nobody else's would go out with them.
   */
  chunkHandled(): void {
    this.#chunks++;
    if (this.#chunks === 1 && this.#chunksBefore <= 1) this.#flushDirty();
    this.#awaitTurnEnd();
  }

  /** waitForTurn has somebody go on in the next turn of the event loop. */
  waitForTurn(waiting: Waiting): void {
    this.#fairTurns.wait(waiting);
    this.#awaitTurnEnd();
  }

  #awaitTurnEnd(): void {
    if (this.#turnEndAwaited) return;
    this.#turnEndAwaited = true;
    setImmediate(this.#endTurn);
  }

  readonly #endTurn = (): void => {
    this.#turnEndAwaited = false;
    this.#chunksBefore = this.#chunks;
    this.#chunks = 0;
    this.#flushDirty();
    this.#fairTurns.begin();
    if (!this.#fairTurns.isEmpty) this.#awaitTurnEnd();
  };

  /** Those who are told little are written first: what they are told does not wait for the large outputs. */
  #flushDirty(): void {
    const dirty = this.#dirty;
    if (dirty.length === 0) return;
    this.#dirty = [];
    let large = 0;
    for (let index = 0; index < dirty.length; index++) {
      const output = dirty[index]!; // index < length
      if (output.gathered > SMALL_OUTPUT) dirty[large++] = output;
      else output.flush();
    }
    let written = 0;
    for (let index = 0; index < large; index++) {
      const output = dirty[index]!; // index < large
      if (written > WRITTEN_MAX) {
        this.#dirty.push(output);
        continue;
      }
      written += output.gathered;
      output.flush();
    }
    if (this.#dirty.length > 0) this.#awaitTurnEnd();
  }

  /** refreshFast decides anew whether a connection's messages may take the fast path. */
  refreshFast(connection: Connection): void {
    const { messageSizeLimit } = this.options;
    connection.isFast =
      connection.state === 'connected' &&
      connection.output.mountLength === 0 &&
      messageSizeLimit === 0 &&
      !this.#hasPublishListeners &&
      !this.log.enabled.debug;
  }

  #notePublishListeners(event: string | symbol, adding: 0 | 1): void {
    if (event !== 'publish') return;
    this.#hasPublishListeners = this.listenerCount('publish') + adding > 0;
    for (const connection of this.connections) this.refreshFast(connection);
  }

  #tellListeners(packet: AedesPacket): void {
    const listeners: readonly Listener[] = this.tree.match(packet.topic).listeners ?? [];
    for (const listener of listeners) listener(packet, () => {});
  }

  #messageFrom(packet: AedesPacket, publisher: Session | null): Message {
    const topic = this.topics.named(packet.topic);
    const payload = Buffer.from(packet.payload ?? '');
    const { messageExpiryInterval: expiry, ...forwarded } = (packet.properties ?? {}) as Properties; // Aedes types them as any
    const expiresAt = expiry === undefined ? NEVER : this.clock.now() + expiry * 1000;
    const properties = encodeProperties(forwarded);
    return Message.of({ topic, qos: packet.qos ?? 0, retain: packet.retain === true, payload, properties, expiresAt, publisher });
  }
}

function closed(connection: Connection): Promise<void> {
  return new Promise((resolve) => connection.whenClosed(resolve));
}
