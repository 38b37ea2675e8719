// What comes from one client: chunks to packets, a turn's share of them at a time; when reading stops, and when it goes on.
//
//   stream -> chunk -> Decoder -> packets                     what a turn does not allow waits:
//               '-- the rest, when a share is spent --> backlog     packets of a chunk
//                   a step of a packet --------------> unfinished   one packet that is much work
//                   a client that takes no answers --> held back    bytes in its socket

import type { Duplex } from 'node:stream';
import type { Clock } from '../../base/clock.ts';
import type { Block } from '../../mqtt/block.ts';
import { Decoder, type PacketSink } from '../../mqtt/decoder.ts';
import type { Counters } from '../counters.ts';
import type { Effort, Waiting } from './fair-turns.ts';

/** Bytes of a chunk behind which there are likely to be more: its socket would be read up to 32 times in a turn. */
const LARGE_CHUNK = 65_536;

/** ReadingEngine is what reading needs of the engine. */
interface ReadingEngine {
  readonly clock: Clock;
  readonly counters: Pick<Counters, 'bytesReceived'>;
  readonly effort: Effort;
  readonly run: { flush(): void };
  chunkHandled(): void;
  waitForTurn(waiting: Waiting): void;
}

/** Reader is the connection that packets are for. */
interface Reader extends PacketSink {
  readonly broker: ReadingEngine;
  /** The work of this turn, of all, at which it takes no more packets. */
  effortLimit: number;
  /** It wants no more bytes. */
  readonly isDeaf: boolean;
  /** CONNACK waits, and packets with it. */
  readonly isWaiting: boolean;
  readonly isConnected: boolean;
  /** The client does not take its answers, or publishes faster than the store can write. */
  readonly isOverdue: boolean;
  /** Acknowledgements wait for the store. */
  readonly awaitsStore: boolean;
  /** guarded ends the connection when something goes wrong with what its client sends. */
  guarded(work: () => void): void;
  /** firstWords looks at the first bytes. It throws MalformedPacket for what no MQTT client says. */
  firstWords(chunk: Buffer): void;
}

/** Reading belongs to one connection. */
export class Reading implements Waiting {
  /** Monotonic milliseconds of the latest bytes. */
  lastHeard: number;
  readonly #reader: Reader;
  readonly #stream: Duplex;
  readonly #decoder: Decoder;
  #hasSpoken = false;
  #isHeldBack = false;
  /** What came and waits for its turn; null = nothing. */
  #backlog: Buffer | null = null;
  /** The rest of a packet that is more work than a turn takes; null = there is none. */
  #unfinished: (() => boolean) | null = null;

  constructor(reader: Reader, stream: Duplex, maxPacketSize: number) {
    this.#reader = reader;
    this.#stream = stream;
    this.#decoder = new Decoder(reader, maxPacketSize);
    this.lastHeard = reader.broker.clock.monotonic();
    stream.on('data', (chunk: Buffer) => this.#onData(chunk));
  }

  /** hasSpoken tells whether a byte has come. */
  get hasSpoken(): boolean {
    return this.#hasSpoken;
  }

  /** lentBlock is the block that the packet handled now lies in, or null. */
  get lentBlock(): Block | null {
    return this.#decoder.lent;
  }

  /** waitsForUs tells that nothing is read from the client because the store is slow, or others go first: its silence is not its own. */
  get waitsForUs(): boolean {
    return this.#reader.isWaiting || this.#backlog !== null || (this.#isHeldBack && this.#reader.awaitsStore);
  }

  set maxPacketSize(bytes: number) {
    this.#decoder.maxPacketSize = bytes;
  }

  #onData(chunk: Buffer): void {
    const reader = this.#reader;
    if (reader.isDeaf) return;
    const { broker } = reader;
    broker.counters.bytesReceived += chunk.length;
    if (this.#backlog !== null) {
      this.#backlog = Buffer.concat([this.#backlog, chunk]); // it was on its way when the stream was paused
      return;
    }
    this.lastHeard = broker.clock.monotonic();
    reader.guarded(() => {
      if (!this.#hasSpoken) {
        this.#hasSpoken = true;
        reader.firstWords(chunk);
      }
      this.#take(chunk, true);
    });
    broker.run.flush();
    if (reader.isOverdue) this.#holdBack();
    else if (chunk.length >= LARGE_CHUNK && broker.effort.isShareSpent) this.#letOthersGo();
    broker.chunkHandled();
  }

  /** Decodes a chunk, or as much of it as this turn allows. What is left of one that is only lent is copied. */
  #take(chunk: Buffer, isLent: boolean): void {
    const { broker } = this.#reader;
    this.#reader.effortLimit = broker.effort.limit;
    const taken = this.#decoder.push(chunk);
    if ((taken === chunk.length && this.#unfinished === null) || this.#reader.isDeaf) return;
    const rest = chunk.subarray(taken);
    this.#backlog = isLent ? Buffer.from(rest) : rest;
    this.#stream.pause();
    broker.waitForTurn(this);
  }

  /** What else it has sent waits in its socket for the next turn. */
  #letOthersGo(): void {
    if (this.#backlog !== null || !this.#reader.isConnected) return;
    this.#stream.pause();
    this.#reader.broker.waitForTurn(this);
  }

  /** workThrough does a step of the work for a packet, and one in each of the next turns until a step says that all is done; nothing else of this client comes in between. */
  workThrough(step: () => boolean): void {
    this.#unfinished = step;
    this.#workOn();
    if (this.#unfinished !== null) this.#reader.effortLimit = 0;
  }

  /** finish does all of that at once. */
  finish(): void {
    while (this.#unfinished !== null) this.#workOn();
  }

  #workOn(): void {
    if (this.#unfinished?.() === true) this.#unfinished = null;
  }

  /** goOn takes the rest of a packet or chunk that cost too much for one turn. */
  goOn(): void {
    const reader = this.#reader;
    reader.guarded(() => this.#workOn());
    if (this.#unfinished !== null) return reader.broker.waitForTurn(this);
    const backlog = this.#backlog;
    this.#backlog = null;
    if (backlog !== null) {
      reader.guarded(() => this.#take(backlog, false));
      reader.broker.run.flush();
    }
    if (this.#backlog === null && reader.isOverdue) this.#holdBack();
    else this.readAgain();
  }

  /** pause has what still comes wait in the socket. */
  pause(): void {
    this.#stream.pause();
  }

  /** readAgain reads on, unless something else has the stream wait. What the client sent meanwhile still waits in the socket. */
  readAgain(): void {
    if (this.#reader.isWaiting || this.#backlog !== null) return;
    this.lastHeard = this.#reader.broker.clock.monotonic();
    this.#stream.resume();
  }

  /** What it sends then stays in its socket, until TCP tells it to wait. */
  #holdBack(): void {
    if (!this.#reader.isConnected) return;
    this.#isHeldBack = true;
    this.#stream.pause();
  }

  /** readOn ends the holding back, if its cause has ended. */
  readOn(): void {
    if (!this.#isHeldBack || this.#reader.isOverdue) return;
    this.#isHeldBack = false;
    this.readAgain();
  }

  /** forget drops what came and waits. */
  forget(): void {
    this.#backlog = null;
    this.#unfinished = null;
  }

  /** end drops the unfinished packet too: no more bytes come. */
  end(): void {
    this.#decoder.drop();
  }
}
