// How many locations of a phone are kept in a day: one that is broken, or in wrong hands, must not fill the disk.

/** MOST_PER_DAY of a phone: one every four seconds, or what it has gathered in weeks without a network. */
export const MOST_PER_DAY = 20_000;

const DAY_MS = 86_400_000;

/** KeptToday counts by topic; a day is one of UTC. */
export class KeptToday {
  #day = 0;
  readonly #counts = new Map<string, number>();

  /** count counts one more, and tells what becomes of it: 'first beyond' is told once a day. `now` is in milliseconds since 1970. */
  count(topic: string, now: number): 'kept' | 'first beyond' | 'beyond' {
    const day = Math.floor(now / DAY_MS);
    if (day !== this.#day) this.#counts.clear();
    this.#day = day;
    const count = (this.#counts.get(topic) ?? 0) + 1;
    this.#counts.set(topic, count);
    if (count <= MOST_PER_DAY) return 'kept';
    return count === MOST_PER_DAY + 1 ? 'first beyond' : 'beyond';
  }
}
