// Keys name messages in the store, and order the retained values of brokers that share them: a value with a greater key is newer.
//
// A broker alone counts 1, 2, 3. In a cluster each key of a retained value is at least the time, which makes of the keys of all brokers one
// hybrid logical clock (Kulkarni and others, "Logical Physical Clocks", 2014): it never goes back, and is ahead of all that it has heard of.

/** KEY_MAX is the greatest key that is taken from elsewhere: counting on from it stays below what the store takes (2 ** 52). */
export const KEY_MAX = 2 ** 52 - 2 ** 40;

/** MessageKeys belongs to one broker. */
export class MessageKeys {
  #last = 0;

  get last(): number {
    return this.#last;
  }

  /** next gives a key that is greater than all before it, and at least `floor`. */
  next(floor = 0): number {
    this.#last = Math.max(this.#last + 1, Math.min(floor, KEY_MAX));
    return this.#last;
  }

  /** raise has heard of a key. */
  raise(key: number): void {
    if (key > this.#last) this.#last = key;
  }
}
