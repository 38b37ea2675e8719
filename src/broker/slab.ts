// Memory for messages that wait for an acknowledgement: copied one behind the other, without an object for each copy.

/** Bytes of a slab, as Node's own pool of old. One message that waits keeps all of it: what waits for long moves out (`Message.keep`). */
const SLAB_SIZE = 8192;
/** Bytes of a message that gets a Buffer of its own. */
const LARGE = SLAB_SIZE / 4;

/** Slab copies bytes to where they stay. */
export class Slab {
  /** Where the latest copy lies. */
  buffer = Buffer.alloc(0);
  #used = 0;

  /** copy copies source[start, end) into `buffer` and gives its offset there. */
  copy(source: Buffer, start: number, end: number): number {
    const length = end - start;
    if (length > LARGE) {
      this.buffer = Buffer.from(source.subarray(start, end));
      this.#used = length;
      return 0;
    }
    if (this.#used + length > this.buffer.length) {
      this.buffer = Buffer.allocUnsafeSlow(SLAB_SIZE);
      this.#used = 0;
    }
    const at = this.#used;
    source.copy(this.buffer, at, start, end);
    this.#used = at + length;
    return at;
  }
}
