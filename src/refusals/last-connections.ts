// When each account was let in last.

/** Accounts remembered, some 300 bytes each and their names; the one that came in longest ago is forgotten. */
const MAX_ACCOUNTS = 10_000;

/** LetIn is a connection that was accepted, or a message that came by HTTP. */
export interface LetIn {
  /** Milliseconds since 1970. */
  readonly time: number;
  /** '' = it came by HTTP. */
  readonly clientId: string;
  /** '' for a Unix socket. */
  readonly address: string;
}

/** LastConnections is pure. */
export class LastConnections {
  /** By user name, the latest last. */
  readonly #accounts = new Map<string, LetIn>();

  add(username: string, letIn: LetIn): void {
    this.#accounts.delete(username);
    this.#accounts.set(username, letIn);
    if (this.#accounts.size <= MAX_ACCOUNTS) return;
    const [oldest] = this.#accounts.keys();
    this.#accounts.delete(oldest!); // there are some
  }

  /** of gives the latest; null = none is known. */
  of(username: string): LetIn | null {
    return this.#accounts.get(username) ?? null;
  }
}
