// The byte stream between a bridge and our own broker. Both ends write from buffers that they use again as soon as a write is done, and
// either end may be paused when it is: so what is written is copied, which node:stream's duplexPair does not do.

import { Duplex } from 'node:stream';

/** inProcessStream gives the two ends of a connection. */
export function inProcessStream(): [Duplex, Duplex] {
  const [one, other] = [new End(), new End()];
  one.other = other;
  other.other = one;
  return [one, other];
}

class End extends Duplex {
  other: End | null = null;
  /** Tells the other end that what it has written is taken. */
  #taken: (() => void) | null = null;

  constructor() {
    super({ allowHalfOpen: false });
  }

  override _read(): void {
    const taken = this.#taken;
    this.#taken = null;
    taken?.();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.other?.receive(Buffer.from(chunk), done);
  }

  override _final(done: () => void): void {
    this.other?.push(null);
    done();
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    const { other } = this;
    if (other !== null && !other.readableEnded && !other.destroyed) other.push(null);
    done(error);
  }

  receive(chunk: Buffer, taken: () => void): void {
    this.#taken = taken;
    this.push(chunk);
  }
}
