// One network connection: packets to their handlers; how it begins and ends. reading.ts makes packets of its bytes.

import type { Duplex } from 'node:stream';
import { reasonOf } from '../../base/errors.ts';
import type { LineSource } from '../../base/logger.ts';
import type { Block } from '../../mqtt/block.ts';
import type { PacketSink } from '../../mqtt/decoder.ts';
import { encodeConnack, encodeDisconnect } from '../../mqtt/encode.ts';
import { PACKET_TYPE, type ProtocolVersion } from '../../mqtt/packet-types.ts';
import { checkFlags, UnsupportedVersion } from '../../mqtt/packets.ts';
import type { Properties } from '../../mqtt/properties.ts';
import { MalformedPacket, protocolError, REASON, type ReasonCode } from '../../mqtt/reason-codes.ts';
import { JOINED, WORKED } from '../delivery/publish-run.ts';
import type { Broker } from '../engine.ts';
import type { ConnectionOrigin } from '../options.ts';
import type { Session } from '../session/session.ts';
import type { Timer } from '../timer-wheel.ts';
import type { Topic } from '../topic.ts';
import { AckQueue } from './ack-queue.ts';
import { ClientOutput } from './client-output.ts';
import {
  CONNECTION_EVENT,
  type ConnectionEvent,
  type ConnectionState,
  REACTIONS,
  type Reaction,
  type Reactions,
  refusedPacketInWords,
} from './connection-states.ts';
import { reasonInWords } from './disconnect-words.ts';
import { Reading } from './reading.ts';
import { looksLikeTls, reportBadPacket, reportRefusal, StrangeBytes } from './refusal.ts';
import type { IncomingAliases } from './topic-aliases.ts';

/** Bytes of a CONNECT: five fields of 64 KiB, and properties. Nothing larger is gathered for somebody who is not known yet. */
const CONNECT_SIZE_MAX = 524_288;
/** Acknowledgements that may wait for the store before nothing more is read from their client: about 100 bytes each, and its messages. */
const WAITING_ACKS_MAX = 4096;
/** Seconds that a client may take to read its last words before the socket is torn down. */
const CLOSE_TIMEOUT = 2;

/** Dispatch reads the body of a packet and handles it. It throws MalformedPacket for what may not be sent. */
export type Dispatch = (connection: Connection, type: number, buffer: Buffer, start: number, body: number, end: number) => void;

/** SignedIn is a connection that has a session: once CONNECT was accepted, to its end and beyond. */
export type SignedIn = Connection & { readonly session: Session };

/** Connection is what Aedes calls a client: it stands in the hub's `clients` by its `id`. */
export class Connection implements PacketSink {
  readonly broker: Broker;
  /** Its policy is that of the moment when its CONNECT is decided. */
  origin: ConnectionOrigin;
  readonly output: ClientOutput;
  readonly acks: AckQueue;
  readonly reading: Reading;
  /** Client identifier, '' until CONNECT. */
  id = '';
  version: ProtocolVersion = 4;
  session: Session | null = null;
  keepAlive = 0;
  /** Our Receive Maximum as this client was told. */
  receiveMaximum = 0;
  /** QoS 2 messages of this connection that are not released. */
  unreleased = 0;
  /** A mosquitto that carries messages between brokers in 3.1 or 3.1.1, which have no words for what it needs. */
  isBridge = false;
  incomingAliases: IncomingAliases | null = null;
  /** QoS 0 messages from it may take the fast path. */
  isFast = false;
  /** The topic of its latest PUBLISH, if it may publish there. */
  lastTopic: Topic | null = null;
  /** The work of this turn, of all, at which this connection has to let others go first: set by its reading. */
  effortLimit = 0;
  /** The reason it was closed for, as the log says it. */
  closedFor: string | null = null;
  connectTimer: Timer | null = null;
  keepAliveTimer: Timer | null = null;
  readonly #stream: Duplex;
  #state: ConnectionState = 'connecting';
  /** What the table says of the state. */
  #reactions: Reactions = REACTIONS.connecting;
  /** Packets that came while CONNACK waits. */
  #held: Buffer[] = [];
  #closeTimer: Timer | null = null;
  readonly #closeListeners: (() => void)[] = [];

  constructor(broker: Broker, stream: Duplex, origin: ConnectionOrigin) {
    this.broker = broker;
    this.origin = origin;
    this.output = new ClientOutput(this, stream);
    this.acks = new AckQueue(this);
    this.#stream = stream;
    this.reading = new Reading(this, stream, Math.min(broker.options.maxPacketSize, CONNECT_SIZE_MAX));
    stream.on('drain', () => this.drained());
    stream.on('error', (error: Error) => this.#onStreamError(error));
    stream.on('end', () => this.#onClosed('connection closed by client'));
    stream.on('close', () => this.#onClosed('connection closed by client'));
  }

  get state(): ConnectionState {
    return this.#state;
  }

  #enter(state: ConnectionState): void {
    this.#state = state;
    this.#reactions = REACTIONS[state];
  }

  /** reactionTo tells what an event leads to now. */
  reactionTo(event: ConnectionEvent): Reaction {
    return this.#reactions[event]!; // each event has one
  }

  /** isWaiting tells that CONNACK waits, for the authenticator or the store. */
  get isWaiting(): boolean {
    return this.#state === 'authenticating' || this.#state === 'committing';
  }

  /** closed is Aedes' word. */
  get closed(): boolean {
    return this.#state === 'closed';
  }

  /** isDeaf tells that what comes is not heard any more. */
  get isDeaf(): boolean {
    return this.#reactions[CONNECTION_EVENT.CHUNK] === 'ignore';
  }

  get isConnected(): boolean {
    return this.#state === 'connected';
  }

  /** isOverdue tells that the client does not take its answers, or publishes faster than the store can write. */
  get isOverdue(): boolean {
    return this.output.isUnread || this.acks.length > WAITING_ACKS_MAX;
  }

  get awaitsStore(): boolean {
    return this.acks.length > 0;
  }

  /** remote is the other end as log lines show it. */
  get remote(): string {
    const { address, port } = this.origin;
    if (address === '') return 'local';
    return address.startsWith('/') ? address : `${address}:${port}`;
  }

  /** isStillWelcome asks its listener anew, and takes the policy that it has now. */
  isStillWelcome(): boolean {
    const { review } = this.origin;
    if (review === undefined) return true;
    const policy = review();
    if (policy !== null && policy !== this.origin.policy) this.origin = { ...this.origin, policy };
    return policy !== null;
  }

  /** isAnnounced tells whether the log is told that it comes and goes. */
  get isAnnounced(): boolean {
    return this.broker.options.connectionMessages && this.origin.isOwn !== true;
  }

  /** lineSource tells the log whom a line is about. */
  get lineSource(): LineSource {
    return { address: this.origin.address, name: this.id, isSignedIn: this.session !== null };
  }

  onPacket(buffer: Buffer, start: number, body: number, end: number): boolean {
    if (this.isFast && buffer[start] === 0x30) {
      const taken = this.broker.run.take(this, buffer, start, body, end);
      if (taken === JOINED) return true;
      if (taken === WORKED) return this.broker.effort.spent < this.effortLimit;
    }
    return this.#takeOther(buffer, start, body, end);
  }

  /** onReturn delivers what still points into a packet whose buffer is used again. */
  onReturn(): void {
    this.broker.run.flush();
  }

  /** lentBlock is the block that the packet handled now lies in, or null. */
  get lentBlock(): Block | null {
    return this.reading.lentBlock;
  }

  // Apart, so that what is above stays small enough to be inlined into the decoder's loop.
  #takeOther(buffer: Buffer, start: number, body: number, end: number): boolean {
    this.broker.run.flush();
    const type = buffer[start]! >> 4;
    if (this.#reactions[type] !== 'do') return this.#setAside(buffer, start, end);
    this.broker.counters.packetsReceived++;
    if (type !== PACKET_TYPE.PUBLISH) checkFlags(buffer[start]!, this.version);
    this.broker.dispatch(this, type, buffer, start, body, end);
    return this.#reactions[CONNECTION_EVENT.CHUNK] === 'do' && this.broker.effort.spent < this.effortLimit;
  }

  /** A packet that is not handled now. */
  #setAside(buffer: Buffer, start: number, end: number): boolean {
    const type = buffer[start]! >> 4;
    const reaction = this.#reactions[type];
    if (reaction === 'ignore') return false;
    if (reaction === 'hold') {
      this.#held.push(Buffer.from(buffer.subarray(start, end)));
      return true;
    }
    this.broker.counters.packetsReceived++;
    if (type !== PACKET_TYPE.PUBLISH) checkFlags(buffer[start]!, this.version);
    throw protocolError(refusedPacketInWords(this.#state, type));
  }

  /** topicNamed gives the Topic of buffer[start, end), quickly when it is that of the latest PUBLISH. Throws as TopicCache.lookup does. */
  topicNamed(buffer: Buffer, start: number, end: number): Topic {
    const last = this.lastTopic;
    return last?.equals(buffer, start, end) ? last : this.broker.topics.lookup(buffer, start, end);
  }

  /** mayPublish tells whether this client may publish to a topic; it is not asked again while it stays with that. */
  mayPublish(topic: Topic): boolean {
    if (topic === this.lastTopic) return true;
    if (topic.reserved || !this.broker.mayPublish(this.session!, topic)) return false; // connected
    this.lastTopic = topic;
    return true;
  }

  /** authenticate begins to decide a CONNECT. Packets may have the configured size from now on. */
  authenticate(): void {
    this.#enter('authenticating');
    this.reading.maxPacketSize = this.broker.options.maxPacketSize;
  }

  /** commit has made a session this connection's. */
  commit(session: Session): void {
    this.#enter('committing');
    this.session = session;
  }

  /** welcome answers CONNACK of success. */
  welcome(connack: Buffer): void {
    this.#enter('connected');
    this.broker.refreshFast(this);
    this.output.send(connack);
  }

  /** refuse answers CONNACK with an error, where the version has one for it [MQTT-3.1.4-2] [MQTT-3.2.2-7]. */
  refuse(reason: ReasonCode, version = this.version): void {
    const connack = encodeConnack(version, false, reason, {});
    if (connack !== null) this.output.send(connack);
  }

  /** wait stops reading while CONNACK waits for the authenticator or the store. */
  wait(): void {
    this.reading.pause();
  }

  /** proceed does what verdict or commit leads to, handles the packets that were held meanwhile and reads on, unless CONNACK has to wait once more. */
  proceed(work: () => void): void {
    const held = this.#held;
    this.#held = [];
    this.guarded(() => {
      work();
      for (const packet of held) {
        this.onPacket(packet, 0, bodyOf(packet), packet.length);
        this.reading.finish(); // few: they came right behind CONNECT
      }
      this.broker.run.flush();
    });
    this.reading.readAgain();
  }

  /** disconnect tells a v5 client why (before v5: silence) and closes [MQTT-4.13.2-1]. The will is published. */
  disconnect(reason: ReasonCode, properties: Properties = {}): void {
    const reaction = this.reactionTo(CONNECTION_EVENT.DISCONNECT_BY_US);
    if (reaction === 'ignore') return;
    if (reaction === 'do' && this.version === 5) this.output.send(encodeDisconnect(reason, properties));
    this.closeFor(reasonInWords(reason));
  }

  /** closeFor flushes and closes; `words` go into the log. */
  closeFor(words: string): void {
    if (this.reactionTo(CONNECTION_EVENT.CLOSE_BY_US) === 'ignore') return;
    this.closedFor = words;
    this.output.flush();
    this.#disconnecting();
    this.#stream.end();
    this.#stream.resume(); // what still comes is read and dropped, so that the end is seen
    this.#closeTimer = this.broker.wheel.after(CLOSE_TIMEOUT, () => this.#closeTimedOut());
  }

  #closeTimedOut(): void {
    if (this.reactionTo(CONNECTION_EVENT.CLOSE_TIMEOUT) === 'do') this.#stream.destroy();
  }

  /** Nothing that came and waits is handled any more, and the session is nobody's. */
  #disconnecting(): void {
    this.isFast = false;
    this.#held = [];
    this.reading.forget();
    this.#enter('disconnecting');
    this.broker.sessions.connectionEnding(this);
  }

  /** close is Aedes' word for an administrative end. */
  close(done?: () => void): void {
    this.disconnect(REASON.ADMINISTRATIVE_ACTION);
    done?.();
  }

  /** whenClosed calls back once the connection is gone; at once if it already is. */
  whenClosed(listener: () => void): void {
    if (this.closed) listener();
    else this.#closeListeners.push(listener);
  }

  /** cut ends the connection at once, with all that waits for it; `words` go into the log. */
  cut(words: string): void {
    this.closedFor ??= words;
    this.output.drop();
    this.#stream.destroy();
  }

  /** destroy tears the connection down without a word. */
  destroy(): void {
    this.#stream.destroy();
  }

  /** firstWords is told of the first bytes. A port probe never comes here, so the log is told of the connection only now. */
  firstWords(chunk: Buffer): void {
    this.broker.sessions.logNew(this);
    const isTls = looksLikeTls(chunk);
    if (chunk[0]! >> 4 === PACKET_TYPE.CONNECT && !isTls) return;
    if (isTls)
      this.broker.log.log(
        'notice',
        `Client from ${this.remote} appears to be using TLS to connect to a non-TLS listener.`,
        this.lineSource,
      );
    // What is no CONNECT is seen by its first byte: HTTP or TLS would make us wait for a packet of their own length.
    throw new StrangeBytes(chunk); // [MQTT-3.1.0-1]
  }

  /** readOn is told that acknowledgements went out. */
  readOn(): void {
    this.reading.readOn();
  }

  /** guarded does some of the work for a client: whatever goes wrong with what it sends ends its connection, nothing else. */
  guarded(work: () => void): void {
    try {
      work();
    } catch (error) {
      this.broker.run.flush();
      if (error instanceof MalformedPacket) this.#refuse(error);
      else this.#failInternally(error);
    }
  }

  #refuse(error: MalformedPacket): void {
    if (this.broker.log.enabled.debug) this.broker.log.log('debug', `Bad packet from ${this.id || this.remote}: ${error.message}`);
    reportBadPacket(this, error);
    if (this.reactionTo(CONNECTION_EVENT.BAD_PACKET) === 'refuse') {
      if (error instanceof UnsupportedVersion)
        this.refuse(error.reasonCode, error.answerAs); // [MQTT-3.1.2-2]
      else if (this.version === 5) this.refuse(error.reasonCode); // [MQTT-3.1.4-1], 4.13.2
    }
    this.disconnect(error.reasonCode);
  }

  #failInternally(error: unknown): void {
    this.broker.log.log('error', `Error: Cannot serve client ${this.id || this.remote}: ${reasonOf(error)}`);
    if (error instanceof Error && error.stack !== undefined) this.broker.log.log('debug', error.stack);
    this.disconnect(REASON.UNSPECIFIED_ERROR);
  }

  /** drained is told when what waited has been written. */
  drained(): void {
    this.output.recount();
    this.reading.readOn();
    if (!this.output.isCongested) return;
    this.output.isCongested = false;
    this.session?.outgoing.pump();
  }

  #onStreamError(error: Error): void {
    const code = (error as NodeJS.ErrnoException).code; // errors of sockets have one
    this.#onClosed(code === 'ECONNRESET' || code === 'EPIPE' ? 'connection closed by client' : `bad socket read/write: ${error.message}`);
  }

  #onClosed(words: string): void {
    if (this.reactionTo(CONNECTION_EVENT.STREAM_END) === 'ignore') return;
    if (this.#state === 'connecting' && !this.reading.hasSpoken && this.origin.tls !== null)
      reportRefusal(this, { cause: 'tls', what: 'left after it' });
    this.closedFor ??= words;
    if (this.#state !== 'disconnecting') this.#disconnecting();
    this.#enter('closed');
    this.reading.end();
    this.output.drop();
    this.#stream.destroy();
    if (this.#closeTimer !== null) this.broker.wheel.cancel(this.#closeTimer);
    this.broker.connections.delete(this);
    for (const listener of this.#closeListeners) listener();
  }
}

/** Where the body of a whole packet begins. */
function bodyOf(packet: Buffer): number {
  let at = 1;
  while (packet[at]! >= 0x80) at++;
  return at + 1;
}
