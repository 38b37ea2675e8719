// One thing at a time for each client id.

/** Turns gives them in the order of asking. */
export class Turns {
  readonly #last = new Map<string, Promise<void>>();

  /** isTaken tells whether somebody has the turn of an id, or waits for it. */
  isTaken(id: string): boolean {
    return this.#last.has(id);
  }

  /** enter waits for the turn, and gives what ends it. */
  async enter(id: string): Promise<() => void> {
    const before = this.#last.get(id);
    let end: () => void = () => {};
    const mine = new Promise<void>((resolve) => {
      end = resolve;
    });
    this.#last.set(id, mine);
    await before;
    return () => {
      if (this.#last.get(id) === mine) this.#last.delete(id);
      end();
    };
  }
}
