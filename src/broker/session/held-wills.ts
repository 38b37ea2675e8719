// Wills of clients whose connections a power cut has ended, while it is not known whether another broker has said them.

/** HeldWills is filled at start, and emptied once. */
export class HeldWills {
  readonly #held = new Map<string, (isSaid: boolean) => void>();

  /** has tells whether the will of a client is held. */
  has(clientId: string): boolean {
    return this.#held.has(clientId);
  }

  get isEmpty(): boolean {
    return this.#held.size === 0;
  }

  /** hold keeps one; `finish` says the will, unless it has been said, and goes on with the session. */
  hold(clientId: string, finish: (isSaid: boolean) => void): void {
    this.#held.set(clientId, finish);
  }

  /** finishOne goes on with one of them. */
  finishOne(clientId: string, isSaid: boolean): void {
    const finish = this.#held.get(clientId);
    this.#held.delete(clientId);
    finish?.(isSaid);
  }

  /** finish goes on with all of them. `said` are clients whose wills have been said. */
  finish(said: ReadonlySet<string>): void {
    for (const clientId of [...this.#held.keys()]) this.finishOne(clientId, said.has(clientId));
  }
}
