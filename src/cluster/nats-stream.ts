// A byte stream over NATS, from one broker to another: core NATS keeps the order but may lose messages, so each has a number.
//
//   one byte   four bytes         rest
//   DATA       number of message  bytes of the stream
//   CREDIT     "                  four bytes: as many bytes of the other's DATA have been taken
//   END        "                  nothing
//
// A number that is missing ends the stream: both brokers make another, and their sessions send again what was not acknowledged.

import { Duplex } from 'node:stream';

const HEADER = 5;
const KIND = { DATA: 0, CREDIT: 1, END: 2 } as const;
/** Bytes of DATA that may be under way. */
const WINDOW = 1_048_576;
/** Bytes taken of which the other end is told. */
const CREDIT_STEP = WINDOW / 4;
/** Bytes of the stream in one NATS message; a server takes 1 MiB as it comes. */
const PIECE_MAX = 131_072;

/** Carrier brings messages to subjects. */
export interface Carrier {
  publish(subject: string, bytes: Buffer): void;
  /** listen gives what ends it. The bytes are the listener's. */
  listen(subject: string, heard: (bytes: Buffer) => void): () => void;
}

/** NatsStream is one end. It is destroyed with an error when something of it is lost. */
export class NatsStream extends Duplex {
  readonly #carrier: Carrier;
  readonly #theirs: string;
  readonly #unlisten: () => void;
  #sentNumber = 0;
  #heardNumber = 0;
  #underWay = 0;
  #taken = 0;
  #hasEnded = false;
  /** What waits for credit. */
  #waiting: { readonly chunk: Buffer; at: number; readonly done: (error?: Error) => void } | null = null;

  /** It hears what comes to `ours` from now on, and speaks to `theirs`. */
  constructor(carrier: Carrier, ours: string, theirs: string) {
    super({ allowHalfOpen: false });
    this.#carrier = carrier;
    this.#theirs = theirs;
    this.#unlisten = carrier.listen(ours, (bytes) => this.#hear(bytes));
  }

  override _read(): void {
    if (this.#taken < CREDIT_STEP) return;
    const credit = Buffer.allocUnsafe(HEADER + 4);
    credit.writeUInt32BE(this.#taken, HEADER);
    this.#taken = 0;
    this.#send(KIND.CREDIT, credit);
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error) => void): void {
    this.#waiting = { chunk, at: 0, done };
    this.#sendOn();
  }

  override _final(done: (error?: Error | null) => void): void {
    this.#end();
    done();
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#end();
    this.#unlisten();
    done(error);
  }

  #end(): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    this.#send(KIND.END, Buffer.allocUnsafe(HEADER));
  }

  /** What is written is copied: its writer uses the buffer again. */
  #sendOn(): void {
    const { chunk, at, done } = this.#waiting!; // called while something waits
    let from = at;
    while (from < chunk.length && this.#underWay < WINDOW) {
      const size = Math.min(PIECE_MAX, chunk.length - from);
      const message = Buffer.allocUnsafe(HEADER + size);
      chunk.copy(message, HEADER, from, from + size);
      this.#send(KIND.DATA, message);
      this.#underWay += size;
      from += size;
    }
    if (from < chunk.length) {
      this.#waiting!.at = from;
      return;
    }
    this.#waiting = null;
    done();
  }

  #send(kind: number, message: Buffer): void {
    message[0] = kind;
    this.#sentNumber = (this.#sentNumber + 1) >>> 0;
    message.writeUInt32BE(this.#sentNumber, 1);
    this.#carrier.publish(this.#theirs, message);
  }

  #hear(message: Buffer): void {
    if (this.destroyed) return;
    this.#heardNumber = (this.#heardNumber + 1) >>> 0;
    if (message.length < HEADER || message.readUInt32BE(1) !== this.#heardNumber) {
      this.destroy(new Error('NATS has lost a message on the way'));
      return;
    }
    const kind = message[0];
    if (kind === KIND.DATA && this.#taken < WINDOW) {
      this.#taken += message.length - HEADER;
      this.push(message.subarray(HEADER));
    } else if (kind === KIND.CREDIT && message.length === HEADER + 4 && message.readUInt32BE(HEADER) <= this.#underWay) {
      this.#underWay -= message.readUInt32BE(HEADER);
      if (this.#waiting !== null) this.#sendOn();
    } else if (kind === KIND.END) {
      this.push(null);
    } else {
      this.destroy(new Error('the other broker sends what is no part of a stream'));
    }
  }
}
