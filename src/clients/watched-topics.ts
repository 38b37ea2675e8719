// `sub --watch`: a screen with a line for each topic, in the order of their first messages. Escapes of ECMA-48, as terminals know them.

/** FIRST_LINE of the topics: the broker's name stands above it. */
const FIRST_LINE = 2;

/** WatchedTopics remembers the line of each topic. */
export class WatchedTopics {
  readonly #lines: Map<string, number>;

  constructor() {
    this.#lines = new Map();
  }

  /** heading clears the screen. */
  heading(host: string): string {
    return `\x1b[2J\x1b[1;1HBroker: ${host}\n`;
  }

  /** around gives what stands before and behind a message of a topic: to its line and empty it; down below all of them. */
  around(topic: string): readonly [before: string, after: string] {
    const line = this.#lines.get(topic) ?? FIRST_LINE + this.#lines.size;
    this.#lines.set(topic, line);
    return [`\x1b[${line};1H\x1b[K`, `\x1b[${FIRST_LINE - 1 + this.#lines.size};1H\n`];
  }
}
