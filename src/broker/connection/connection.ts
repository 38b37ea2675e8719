// One network connection: bytes in to packets, packets to their handlers; how it begins and ends.

import type { Duplex } from 'node:stream';
import { reasonOf } from '../../base/errors.ts';
import type { LineSource } from '../../base/logger.ts';
import { Decoder, type PacketSink } from '../../mqtt/decoder.ts';
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
import { reasonInWords } from './disconnect-words.ts';
import { looksLikeTls, reportBadPacket, reportRefusal, StrangeBytes } from './refusal.ts';
import type { IncomingAliases } from './topic-aliases.ts';

/** Bytes of a CONNECT: five fields of 64 KiB, and properties. Nothing larger is gathered for somebody who is not known yet. */
const CONNECT_SIZE_MAX = 524_288;
/** Acknowledgements that may wait for the store before nothing more is read from their client: about 100 bytes each, and its messages. */
const WAITING_ACKS_MAX = 4096;
/** Seconds that a client may take to read its last words before the socket is torn down. */
const CLOSE_TIMEOUT = 2;

export type ConnectionState = 'connecting' | 'connected' | 'disconnecting' | 'closed';

/** Dispatch reads the body of a packet and handles it. It throws MalformedPacket for what may not be sent. */
export type Dispatch = (connection: Connection, type: number, buffer: Buffer, start: number, body: number, end: number) => void;

/** Connection is what Aedes calls a client: it stands in the hub's `clients` by its `id`. */
export class Connection implements PacketSink {
  readonly broker: Broker;
  /** Its policy is that of the moment when its CONNECT is decided. */
  origin: ConnectionOrigin;
  readonly output: ClientOutput;
  readonly acks: AckQueue;
  state: ConnectionState = 'connecting';
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
  /** Monotonic milliseconds of the latest bytes. */
  lastHeard = 0;
  /** The reason it was closed for, as the log says it. */
  closedFor: string | null = null;
  connectTimer: Timer | null = null;
  keepAliveTimer: Timer | null = null;
  readonly #stream: Duplex;
  readonly #decoder: Decoder;
  /** Packets that came while CONNACK waits; null = it does not. */
  #held: Buffer[] | null = null;
  #hasSpoken = false;
  #isHeldBack = false;
  /** The work of this turn, of all, at which this connection has to let others go first. */
  #effortLimit = 0;
  /** What came and waits for its turn; null = nothing. */
  #backlog: Buffer | null = null;
  /** The rest of a packet that is more work than a turn takes; null = there is none. */
  #unfinished: (() => boolean) | null = null;
  #closeTimer: Timer | null = null;
  readonly #closeListeners: (() => void)[] = [];

  constructor(broker: Broker, stream: Duplex, origin: ConnectionOrigin) {
    this.broker = broker;
    this.origin = origin;
    this.output = new ClientOutput(this, stream);
    this.acks = new AckQueue(this);
    this.lastHeard = broker.clock.monotonic();
    this.#stream = stream;
    this.#decoder = new Decoder(this, Math.min(broker.options.maxPacketSize, CONNECT_SIZE_MAX));
    stream.on('data', (chunk: Buffer) => this.#onData(chunk));
    stream.on('drain', () => this.#onDrain());
    stream.on('error', (error: Error) => this.#onStreamError(error));
    stream.on('end', () => this.#onClosed('connection closed by client'));
    stream.on('close', () => this.#onClosed('connection closed by client'));
  }

  /** closed is Aedes' word. */
  get closed(): boolean {
    return this.state === 'closed';
  }

  /** hasSpoken tells whether a byte has come. */
  get hasSpoken(): boolean {
    return this.#hasSpoken;
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

  /** lineSource tells the log whom a line is about. */
  get lineSource(): LineSource {
    return { address: this.origin.address, name: this.id, isSignedIn: this.session !== null };
  }

  onPacket(buffer: Buffer, start: number, body: number, end: number): boolean {
    if (this.isFast && buffer[start] === 0x30) {
      const taken = this.broker.run.take(this, buffer, start, body, end);
      if (taken === JOINED) return true;
      if (taken === WORKED) return this.broker.effort.spent < this.#effortLimit;
    }
    return this.#takeOther(buffer, start, body, end);
  }

  // Apart, so that what is above stays small enough to be inlined into the decoder's loop.
  #takeOther(buffer: Buffer, start: number, body: number, end: number): boolean {
    this.broker.run.flush();
    if (this.#held !== null) {
      this.#held.push(Buffer.from(buffer.subarray(start, end)));
      return true;
    }
    this.broker.counters.packetsReceived++;
    const type = buffer[start]! >> 4;
    if (type !== PACKET_TYPE.PUBLISH) checkFlags(buffer[start]!, this.version);
    if (this.state === 'connecting' && type !== PACKET_TYPE.CONNECT) throw protocolError('First packet is not CONNECT'); // [MQTT-3.1.0-1]
    this.broker.dispatch(this, type, buffer, start, body, end);
    return (
      (this.state === 'connected' || this.state === 'connecting') &&
      this.#unfinished === null &&
      this.broker.effort.spent < this.#effortLimit
    );
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

  /** acceptPackets lets packets through up to the configured size: the client has said CONNECT. */
  acceptPackets(): void {
    this.#decoder.maxPacketSize = this.broker.options.maxPacketSize;
  }

  /** isHeld tells that CONNACK waits: nothing else may go out before it. */
  get isHeld(): boolean {
    return this.#held !== null;
  }

  /** hold keeps packets back while CONNACK waits for the authenticator or the store; the stream is paused meanwhile. */
  hold(): void {
    this.#held = [];
    this.#stream.pause();
  }

  /** proceed concludes the CONNECT, handles the packets that were held back and goes on reading, unless that holds them once more. */
  proceed(conclude: () => void): void {
    const held = this.#held ?? [];
    this.#held = null;
    this.broker.refreshFast(this);
    this.#guarded(() => {
      conclude();
      for (const packet of held) {
        if (this.state === 'connected' || this.#held !== null) this.onPacket(packet, 0, bodyOf(packet), packet.length);
        while (this.#unfinished !== null) this.#workOn(); // few: they came right behind CONNECT
      }
      this.broker.run.flush();
    });
    if (this.#held !== null || this.#backlog !== null) return;
    this.lastHeard = this.broker.clock.monotonic();
    this.#stream.resume();
  }

  /** disconnect tells a v5 client why (before v5: silence) and closes [MQTT-4.13.2-1]. The will is published unless `discardsWill`. */
  disconnect(reason: ReasonCode, properties: Properties = {}): void {
    if (this.state === 'closed' || this.state === 'disconnecting') return;
    if (this.state === 'connected' && !this.isHeld && this.version === 5) this.output.send(encodeDisconnect(reason, properties));
    this.closeFor(reasonInWords(reason));
  }

  /** closeFor flushes and closes; `words` go into the log. */
  closeFor(words: string): void {
    if (this.state === 'closed' || this.state === 'disconnecting') return;
    this.closedFor = words;
    this.isFast = false;
    this.#backlog = null;
    this.#unfinished = null;
    this.output.flush();
    this.state = 'disconnecting';
    this.broker.sessions.connectionEnding(this);
    this.#stream.end();
    this.#stream.resume(); // what still comes is read and dropped, so that the end is seen
    this.#closeTimer = this.broker.wheel.after(CLOSE_TIMEOUT, () => this.#stream.destroy());
  }

  /** close is Aedes' word for an administrative end. */
  close(done?: () => void): void {
    this.disconnect(REASON.ADMINISTRATIVE_ACTION);
    done?.();
  }

  /** whenClosed calls back once the connection is gone; at once if it already is. */
  whenClosed(listener: () => void): void {
    if (this.state === 'closed') listener();
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

  #onData(chunk: Buffer): void {
    if (this.state === 'closed' || this.state === 'disconnecting') return;
    const broker = this.broker;
    broker.counters.bytesReceived += chunk.length;
    if (this.#backlog !== null) {
      this.#backlog = Buffer.concat([this.#backlog, chunk]); // it was on its way when the stream was paused
      return;
    }
    this.lastHeard = broker.clock.monotonic();
    this.#guarded(() => {
      if (!this.#hasSpoken) this.#firstWords(chunk);
      this.#take(chunk);
    });
    broker.run.flush();
    if (this.#isOverdue()) this.#holdBack();
    broker.chunkHandled();
  }

  /** Decodes a chunk, or as much of it as this turn allows. */
  #take(chunk: Buffer): void {
    this.#effortLimit = this.broker.effort.limit;
    const taken = this.#decoder.push(chunk);
    if ((taken === chunk.length && this.#unfinished === null) || this.state === 'disconnecting' || this.state === 'closed') return;
    this.#backlog = Buffer.from(chunk.subarray(taken)); // a copy: the chunk is lent
    this.#stream.pause();
    this.broker.waitForTurn(this);
  }

  /** workThrough does a step of the work for a packet, and one in each of the next turns until a step says that all is done; nothing else of this client comes in between. */
  workThrough(step: () => boolean): void {
    this.#unfinished = step;
    this.#workOn();
  }

  #workOn(): void {
    if (this.#unfinished?.() === true) this.#unfinished = null;
  }

  /** goOn takes the rest of a packet or chunk that cost too much for one turn. */
  goOn(): void {
    this.#guarded(() => this.#workOn());
    if (this.#unfinished !== null) return this.broker.waitForTurn(this);
    const backlog = this.#backlog;
    this.#backlog = null;
    if (backlog === null) return;
    this.#guarded(() => this.#take(backlog));
    this.broker.run.flush();
    if (this.#backlog !== null || this.#held !== null) return;
    if (this.#isOverdue()) return this.#holdBack();
    this.lastHeard = this.broker.clock.monotonic(); // what it sent meanwhile still waits in the socket
    this.#stream.resume();
  }

  /** A port probe never comes here, so the log is told of the connection only now. */
  #firstWords(chunk: Buffer): void {
    this.#hasSpoken = true;
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

  /** The client does not take its answers, or publishes faster than the store can write. */
  #isOverdue(): boolean {
    return this.output.isUnread || this.acks.length > WAITING_ACKS_MAX;
  }

  /** What it sends then stays in its socket, until TCP tells it to wait. */
  #holdBack(): void {
    if (this.state !== 'connected') return;
    this.#isHeldBack = true;
    this.#stream.pause();
  }

  /** waitsForUs tells that nothing is read from the client because the store is slow, or others go first: its silence is not its own. */
  get waitsForUs(): boolean {
    return this.isHeld || this.#backlog !== null || (this.#isHeldBack && this.acks.length > 0);
  }

  /** readOn ends the holding back, if its cause has ended. */
  readOn(): void {
    if (!this.#isHeldBack || this.#isOverdue()) return;
    this.#isHeldBack = false;
    if (this.#backlog !== null) return;
    this.lastHeard = this.broker.clock.monotonic(); // what it sent meanwhile still waits in the socket
    this.#stream.resume();
  }

  /** Whatever goes wrong with what a client sends ends that client's connection, nothing else. */
  #guarded(work: () => void): void {
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
    if (error instanceof UnsupportedVersion)
      this.#refuseConnect(error.answerAs, error.reasonCode); // [MQTT-3.1.2-2]
    else if (this.state === 'connecting' && this.version === 5) this.#refuseConnect(5, error.reasonCode); // [MQTT-3.1.4-1], 4.13.2
    this.disconnect(error.reasonCode);
  }

  #refuseConnect(version: ProtocolVersion, reason: ReasonCode): void {
    const connack = encodeConnack(version, false, reason, {});
    if (connack !== null) this.output.send(connack);
  }

  #failInternally(error: unknown): void {
    this.broker.log.log('error', `Error: Cannot serve client ${this.id || this.remote}: ${reasonOf(error)}`);
    if (error instanceof Error && error.stack !== undefined) this.broker.log.log('debug', error.stack);
    this.disconnect(REASON.UNSPECIFIED_ERROR);
  }

  #onDrain(): void {
    this.output.drained();
    this.readOn();
    if (!this.output.isCongested) return;
    this.output.isCongested = false;
    this.session?.outgoing.pump();
  }

  #onStreamError(error: Error): void {
    const code = (error as NodeJS.ErrnoException).code; // errors of sockets have one
    this.#onClosed(code === 'ECONNRESET' || code === 'EPIPE' ? 'connection closed by client' : `bad socket read/write: ${error.message}`);
  }

  #onClosed(words: string): void {
    if (this.state === 'closed') return;
    const wasOpen = this.state !== 'disconnecting';
    if (wasOpen && !this.#hasSpoken && this.origin.tls !== null)
      reportRefusal(this, 'tls', 'closes the connection right after the TLS handshake: it may not trust the certificate of this broker');
    this.closedFor ??= words;
    this.isFast = false;
    this.#backlog = null;
    this.#unfinished = null;
    if (wasOpen) {
      this.state = 'disconnecting';
      this.broker.sessions.connectionEnding(this);
    }
    this.state = 'closed';
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
