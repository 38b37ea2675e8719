// When each account was let in last.

/** Accounts remembered, some 300 bytes each; the one that came in longest ago is forgotten. */
const MAX_ACCOUNTS = 10_000;

/** Characters of a user name: where anybody may come in with any, nobody needs to know when a longer one did. */
const LONG_NAME = 120;

/** LetIn is a connection that was accepted. */
export interface LetIn {
  /** Milliseconds since 1970. */
  readonly time: number;
  readonly clientId: string;
  /** '' for a Unix socket. */
  readonly address: string;
}

/** LastConnections is pure. */
export class LastConnections {
  /** By user name, the latest last. */
  readonly #accounts = new Map<string, LetIn>();

  add(username: string, letIn: LetIn): void {
    if (username.length > LONG_NAME) return;
    this.#accounts.delete(username);
    this.#accounts.set(username, letIn);
    const [oldest] = this.#accounts.keys();
    if (this.#accounts.size > MAX_ACCOUNTS && oldest !== undefined) this.#accounts.delete(oldest);
  }

  /** of gives the latest; null = none is known. */
  of(username: string): LetIn | null {
    return this.#accounts.get(username) ?? null;
  }
}
