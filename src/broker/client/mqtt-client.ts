// A client of MQTT 3.1, 3.1.1 and 5 over any byte stream: one end of a bridge. It speaks with a server, and hands messages and their
// acknowledgements to its owner, who answers them when the other end has.
//
//   connect -> CONNECT ... CONNACK -> (held) -> release -> PUBLISH and its acknowledgements to the owner, SUBSCRIBE, ... -> close

import type { Duplex } from 'node:stream';
import { reasonOf } from '../../base/errors.ts';
import { Decoder, type PacketSink } from '../../mqtt/decoder.ts';
import { encodeDisconnect } from '../../mqtt/encode.ts';
import { encodeConnect, encodeSubscribe, encodeUnsubscribe, PINGREQ } from '../../mqtt/encode-client.ts';
import { PACKET_TYPE, type ProtocolVersion } from '../../mqtt/packet-types.ts';
import { type ConnectPacket, checkFlags, readAck, type SubscriptionRequest } from '../../mqtt/packets.ts';
import type { Properties } from '../../mqtt/properties.ts';
import { MalformedPacket, protocolError, REASON, type ReasonCode } from '../../mqtt/reason-codes.ts';
import { type ConnackPacket, readConnack, readServerDisconnect, readSuback } from '../../mqtt/server-packets.ts';
import { Outbox } from '../connection/outbox.ts';
import { KEEP_ALIVE_PARTS, KeepAlive } from './keep-alive.ts';
import { disconnected, LinkError, refusedConnect } from './link-error.ts';

/** Milliseconds that a server may take for an answer. */
const ANSWER_MS = 30_000;
/** Milliseconds that a server may take to read our last words. */
const CLOSE_MS = 2000;
/** Filters of one SUBSCRIBE or UNSUBSCRIBE: AWS IoT Core takes no more. */
const FILTERS_AT_ONCE = 8;
/** Bytes of such a packet beside its filters, at most, and of each of them beside its text. */
const PACKET_BYTES = 32;
const FILTER_BYTES = 3;
/** Packet identifiers of our own begin here and count down: those of messages are given by others and mostly count up from 1. */
const OWN_IDS_FROM = 65_535;
/** Marks the packet identifiers of our own PUBLISH among those of SUBSCRIBE and UNSUBSCRIBE. */
const OF_PUBLISH = 0x10000;
/** Bytes that wait to be written from which on the owner should bring no more. */
const CONGESTED = 1_048_576;

/** ClientOwner gets what a server sends. What points into a buffer is only valid during the call. */
export interface ClientOwner {
  /** published gets a whole PUBLISH, buffer[start, end) with its body from `body` on. */
  published(buffer: Buffer, start: number, body: number, end: number): void;
  /** acknowledged gets PUBACK, PUBREC, PUBREL or PUBCOMP by its packet type. */
  acknowledged(type: number, packetId: number, reasonCode: ReasonCode): void;
  /** chunkTaken is called when all packets of a chunk have been handed over. */
  chunkTaken(): void;
  /** drained is called when what was written has gone out, and more may come. */
  drained(): void;
  /** closed is called once when the connection has ended; null = by our own `close`. */
  closed(error: LinkError | null): void;
}

/** NOBODY owns a client that is asked for something and leaves. */
export const NOBODY: ClientOwner = {
  published: () => {},
  acknowledged: () => {},
  chunkTaken: () => {},
  drained: () => {},
  closed: () => {},
};

interface Awaited<T> {
  resolve(value: T): void;
  reject(error: LinkError): void;
}

type State = 'connecting' | 'connected' | 'closed';

/** MqttClient is one connection. */
export class MqttClient implements PacketSink {
  /** As in CONNECT. */
  version: ProtocolVersion = 4;
  /** Bytes of the largest packet that the server takes. */
  maximumPacketSize = Number.POSITIVE_INFINITY;
  /** Filters of one SUBSCRIBE or UNSUBSCRIBE; more for a server that is known to take them. */
  filtersAtOnce = FILTERS_AT_ONCE;
  state: State = 'connecting';
  readonly #stream: Duplex;
  readonly #owner: ClientOwner;
  readonly #decoder: Decoder;
  readonly #outbox: Outbox;
  #isFlushAwaited = false;
  /** Our own broker answers while it is written to: its answer waits until that is done. */
  #isWriting = false;
  /** What came after CONNACK waits for `release`. */
  #isHeld = false;
  #backlog: Buffer | null = null;
  #connack: Awaited<ConnackPacket> | null = null;
  /** SUBSCRIBE, UNSUBSCRIBE and our own PUBLISH that wait for their answers, by packet identifier. */
  readonly #answers = new Map<number, Awaited<readonly number[]>>();
  #lastOwnId = OWN_IDS_FROM + 1;
  #pingTimer: NodeJS.Timeout | null = null;
  readonly #silence = new KeepAlive();
  #error: LinkError | null = null;

  /** `maxPacketSize` are the bytes of the largest packet that the server may send. */
  constructor(stream: Duplex, owner: ClientOwner, maxPacketSize: number) {
    this.#stream = stream;
    this.#owner = owner;
    this.#decoder = new Decoder(this, maxPacketSize);
    this.#outbox = new Outbox({ overflowed: () => {}, drained: () => {}, blocksHeld: () => {} }, stream, { bytesSent: 0 });
    stream.on('data', (chunk: Buffer) => this.#onData(chunk));
    stream.on('drain', () => this.#owner.drained());
    stream.on('error', (error: Error) => this.fail(new LinkError('network', `the connection breaks: ${error.message}`)));
    stream.on('end', () => this.fail(closedWithoutAWord()));
    stream.on('close', () => this.fail(closedWithoutAWord()));
  }

  /** isCongested tells that the server does not take what is written as fast as it comes. */
  get isCongested(): boolean {
    return this.#stream.writableLength > CONGESTED;
  }

  /** connect says CONNECT and gives the CONNACK of success; throws LinkError. What comes behind it waits for `release`. */
  async connect(connect: ConnectPacket): Promise<ConnackPacket> {
    this.version = connect.version;
    const connack = await this.#ask<ConnackPacket>((awaited) => {
      this.#connack = awaited;
      this.#send(encodeConnect(connect));
    });
    this.maximumPacketSize = connack.properties.maximumPacketSize ?? Number.POSITIVE_INFINITY;
    this.#keepAlive(connack.properties.serverKeepAlive ?? connect.keepAlive);
    return connack;
  }

  /** release hands over what came since CONNACK, and all that comes from now on. */
  release(): void {
    if (!this.#isHeld) return;
    this.#isHeld = false;
    this.#takeBacklog();
    if (this.state === 'connected') this.#stream.resume();
  }

  /** subscribe gives a reason code per request, in their order; throws LinkError when the connection ends. `properties` are of v5. */
  async subscribe(requests: readonly SubscriptionRequest[], properties: Properties = {}): Promise<number[]> {
    const codes: number[] = [];
    for (const some of this.#inParts(requests, ({ topicFilter }) => topicFilter)) {
      codes.push(...(await this.#askFor((packetId) => encodeSubscribe(this.version, packetId, some, properties))));
    }
    return codes;
  }

  /** unsubscribe waits until the server has ended the subscriptions, those that it does not have too. */
  async unsubscribe(topicFilters: readonly string[]): Promise<void> {
    for (const some of this.#inParts(topicFilters, (topicFilter) => topicFilter))
      await this.#askFor((packetId) => encodeUnsubscribe(this.version, packetId, some));
  }

  /** publishOwn sends a QoS 1 message of the bridge's own, encoded by `encode` for a packet identifier, and gives the reason code of its PUBACK. */
  async publishOwn(encode: (packetId: number) => Buffer): Promise<number> {
    const [code = REASON.SUCCESS] = await this.#askFor(encode, OF_PUBLISH);
    return code;
  }

  /** sendPacket copies a whole packet, or several, bytes[start, end). */
  sendPacket(bytes: Buffer, start: number, end: number): void {
    this.#isWriting = true;
    this.#outbox.append(bytes, start, end);
    this.#isWriting = false;
    this.#flushLater();
  }

  /** sendPublish copies a PUBLISH frame and patches its first byte and packet identifier (`packetIdAt` < 0 = none). */
  sendPublish(bytes: Buffer, first: number, packetIdAt: number, packetId: number): void {
    this.#isWriting = true;
    this.#outbox.appendPublish(bytes, 0, bytes.length, first, packetIdAt, packetId);
    this.#isWriting = false;
    this.#flushLater();
  }

  /** sendAck sends PUBACK, PUBREC, PUBREL or PUBCOMP by its first byte; a reason code other than success only in v5. */
  sendAck(first: number, packetId: number, reasonCode: ReasonCode): void {
    this.#isWriting = true;
    if (reasonCode === REASON.SUCCESS || this.version !== 5) this.#outbox.appendAck(first, packetId);
    else this.#outbox.append(Buffer.from([first, 3, packetId >> 8, packetId & 0xff, reasonCode]), 0, 5);
    this.#isWriting = false;
    this.#flushLater();
  }

  /** flush writes what is gathered. The owner calls it at the end of a chunk; otherwise it happens at the end of the turn. */
  flush(): void {
    if (this.state === 'closed' || this.#isWriting) return;
    if (this.#outbox.length > 0) {
      this.#silence.sent();
      this.#isWriting = true;
      this.#outbox.flush();
      this.#isWriting = false;
    }
    if (!this.#isHeld) this.#takeBacklog();
  }

  pause(): void {
    this.#stream.pause();
  }

  resume(): void {
    if (!this.#isHeld && this.state === 'connected') this.#stream.resume();
  }

  /** close says DISCONNECT and closes. `properties` are of v5. */
  close(properties: Properties = {}): void {
    if (this.state === 'closed') return;
    if (this.state === 'connected') {
      this.#send(this.version === 5 ? encodeDisconnect(REASON.SUCCESS, properties) : Buffer.from([PACKET_TYPE.DISCONNECT << 4, 0]));
    }
    this.#end(null);
  }

  /** fail ends the connection because of an error; at most the first one counts. */
  fail(error: LinkError): void {
    if (this.state === 'closed') return;
    error.atConnect = this.state === 'connecting';
    if (error.fault === 'protocol' && this.state === 'connected' && this.version === 5) {
      this.#send(encodeDisconnect((error.reasonCode ?? REASON.PROTOCOL_ERROR) as ReasonCode, {})); // it is from MalformedPacket
    }
    this.#end(error);
  }

  onPacket(buffer: Buffer, start: number, body: number, end: number): boolean {
    const type = buffer[start]! >> 4; // the decoder has seen it
    if (type === PACKET_TYPE.PUBLISH && this.state === 'connected') this.#owner.published(buffer, start, body, end);
    else this.#takeOther(type, buffer, start, body, end);
    return this.state !== 'closed' && !this.#isHeld;
  }

  #takeOther(type: number, buffer: Buffer, start: number, body: number, end: number): void {
    const { version } = this;
    checkFlags(buffer[start]!, version);
    if ((this.state === 'connecting') !== (type === PACKET_TYPE.CONNACK)) throw protocolError('A server begins with CONNACK'); // [MQTT-3.2.0-1]
    switch (type) {
      case PACKET_TYPE.PUBACK:
      case PACKET_TYPE.PUBREC:
      case PACKET_TYPE.PUBREL:
      case PACKET_TYPE.PUBCOMP: {
        const { packetId, reasonCode } = readAck(buffer, body, end, version, type);
        if (type === PACKET_TYPE.PUBACK && this.#answer(packetId | OF_PUBLISH, [reasonCode])) return;
        return this.#owner.acknowledged(type, packetId, reasonCode as ReasonCode); // readAck lets no others through
      }
      case PACKET_TYPE.CONNACK:
        return this.#onConnack(readConnack(buffer, body, end, version));
      case PACKET_TYPE.SUBACK:
      case PACKET_TYPE.UNSUBACK: {
        const { packetId, reasonCodes } = readSuback(buffer, body, end, version, type);
        this.#answer(packetId, reasonCodes);
        return;
      }
      case PACKET_TYPE.PINGRESP:
        return;
      case PACKET_TYPE.DISCONNECT:
        return this.fail(disconnected(readServerDisconnect(buffer, body, end, version)));
      default:
        throw protocolError(`Packet type ${type} from a server`);
    }
  }

  #onConnack(connack: ConnackPacket): void {
    if (connack.reasonCode !== REASON.SUCCESS) return this.fail(refusedConnect(connack));
    this.state = 'connected';
    this.#isHeld = true;
    this.#stream.pause();
    this.#connack?.resolve(connack);
    this.#connack = null;
  }

  #onData(chunk: Buffer): void {
    if (this.state === 'closed') return;
    this.#silence.heard();
    if (this.#isHeld || this.#isWriting)
      this.#backlog = Buffer.concat([this.#backlog ?? Buffer.alloc(0), chunk]); // it was on its way when the stream was paused
    else this.#take(chunk);
  }

  #takeBacklog(): void {
    const backlog = this.#backlog;
    this.#backlog = null;
    if (backlog !== null) this.#take(backlog);
  }

  #take(chunk: Buffer): void {
    try {
      const taken = this.#decoder.push(chunk);
      if (this.#isHeld && taken < chunk.length) this.#backlog = Buffer.from(chunk.subarray(taken)); // a copy: the chunk is lent
    } catch (error) {
      const code = error instanceof MalformedPacket ? error.reasonCode : REASON.UNSPECIFIED_ERROR; // whatever goes wrong with what it sends ends this connection, nothing else
      this.fail(new LinkError('protocol', `the other broker sends what it may not: ${reasonOf(error)}`, code));
    }
    this.#owner.chunkTaken();
  }

  #answer(key: number, codes: readonly number[]): boolean {
    const awaited = this.#answers.get(key);
    this.#answers.delete(key);
    awaited?.resolve(codes);
    return awaited !== undefined;
  }

  #askFor(encode: (packetId: number) => Buffer, kind = 0): Promise<readonly number[]> {
    this.#lastOwnId = this.#lastOwnId <= 1 ? OWN_IDS_FROM : this.#lastOwnId - 1;
    const packetId = this.#lastOwnId;
    return this.#ask((awaited) => {
      this.#answers.set(packetId | kind, awaited);
      this.#send(encode(packetId));
    });
  }

  /** Waits for an answer, but not for ever. */
  #ask<T>(send: (awaited: Awaited<T>) => void): Promise<T> {
    if (this.state === 'closed') return Promise.reject(this.#error ?? new LinkError('closed', 'the connection is closed'));
    return new Promise<T>((resolve, reject) => {
      const timer = setTimeout(() => this.fail(silent()), ANSWER_MS);
      const settled =
        <V>(settle: (value: V) => void) =>
        (value: V) => {
          clearTimeout(timer);
          settle(value);
        };
      send({ resolve: settled(resolve), reject: settled(reject) });
    });
  }

  /** As many filters as one packet may have. */
  #inParts<T>(all: readonly T[], filterOf: (one: T) => string): T[][] {
    const parts: T[][] = [];
    let part: T[] = [];
    let room = 0;
    for (const one of all) {
      const bytes = Buffer.byteLength(filterOf(one)) + FILTER_BYTES;
      if (part.length === 0 || part.length >= this.filtersAtOnce || bytes > room) {
        part = [];
        parts.push(part);
        room = this.maximumPacketSize - PACKET_BYTES;
      }
      part.push(one);
      room -= bytes;
    }
    return parts;
  }

  #send(packet: Buffer): void {
    this.sendPacket(packet, 0, packet.length);
    this.flush();
  }

  #flushLater(): void {
    if (this.#isFlushAwaited) return;
    this.#isFlushAwaited = true;
    setImmediate(() => {
      this.#isFlushAwaited = false;
      this.flush();
    });
  }

  #keepAlive(seconds: number): void {
    if (seconds === 0 || this.state !== 'connected') return;
    this.#pingTimer = setInterval(() => this.#endOfPart(), (seconds * 1000) / KEEP_ALIVE_PARTS);
  }

  #endOfPart(): void {
    const next = this.#silence.next(this.#stream.isPaused());
    if (next === 'silent') return this.fail(silent());
    if (next === null) return;
    this.sendPacket(PINGREQ, 0, PINGREQ.length);
    this.flush();
  }

  #end(error: LinkError | null): void {
    this.state = 'closed';
    this.#error = error;
    if (this.#pingTimer !== null) clearInterval(this.#pingTimer);
    const ended = error ?? new LinkError('closed', 'the connection is closed');
    this.#connack?.reject(ended);
    for (const awaited of this.#answers.values()) awaited.reject(ended);
    this.#answers.clear();
    this.#outbox.drop();
    this.#backlog = null;
    if (error?.fault === 'silent') this.#stream.destroy();
    this.#stream.end();
    this.#stream.resume(); // what still comes is read and dropped, so that the end is seen
    const cut = setTimeout(() => this.#stream.destroy(), CLOSE_MS);
    this.#stream.once('close', () => clearTimeout(cut));
    this.#owner.closed(error);
  }
}

function silent(): LinkError {
  return new LinkError('silent', 'the other broker does not answer');
}

function closedWithoutAWord(): LinkError {
  return new LinkError('closed', 'the other broker closes the connection without a word');
}
