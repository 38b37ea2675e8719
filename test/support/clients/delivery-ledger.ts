// What a subscriber got of each publisher, and whether that is what the standard promises.

import assert from 'node:assert/strict';

interface Received {
  /** Sequence numbers in the order in which they came first. */
  readonly first: number[];
  readonly seen: Set<number>;
  repeated: number;
}

/** DeliveryLedger belongs to one subscriber. */
export class DeliveryLedger {
  readonly #owner: string;
  readonly #received: Map<string, Received>;
  readonly #awaited: Map<string, () => void>;

  constructor(owner: string) {
    this.#owner = owner;
    this.#received = new Map();
    this.#awaited = new Map();
  }

  /** note takes message number `sequence` of a publisher. */
  note(publisher: string, sequence: number): void {
    const received = this.#of(publisher);
    if (received.seen.has(sequence)) {
      received.repeated++;
    } else {
      received.seen.add(sequence);
      received.first.push(sequence);
    }
    this.#awaited.get(publisher)?.();
  }

  /** arrived resolves when anything of a publisher has come. */
  async arrived(publisher: string): Promise<void> {
    if (this.#of(publisher).seen.size > 0) return;
    await new Promise<void>((resolve) => this.#awaited.set(publisher, resolve));
  }

  /** check throws when an expected message is missing, when messages changed places [MQTT-4.6.0-6], or when one of QoS 2 came twice [MQTT-4.3.3-12]. */
  check(publisher: string, qos: 1 | 2, expected: readonly number[]): void {
    const { first, repeated } = this.#of(publisher);
    const missing = this.missing(publisher, expected);
    const late = first.filter((sequence, place) => sequence < (first[place - 1] ?? 0));
    assert.deepEqual(missing, [], `${this.#owner} misses messages of ${publisher} that were acknowledged`);
    assert.deepEqual(late, [], `${this.#owner} got messages of ${publisher} late`);
    if (qos === 2) assert.equal(repeated, 0, `${this.#owner} got QoS 2 messages of ${publisher} twice`);
  }

  /** missing are the expected messages that have not come. */
  missing(publisher: string, expected: readonly number[]): number[] {
    const { seen } = this.#of(publisher);
    return expected.filter((sequence) => !seen.has(sequence));
  }

  /** latest is the sequence number of the publisher's message that came last for the first time, 0 = none. */
  latest(publisher: string): number {
    return this.#of(publisher).first.at(-1) ?? 0;
  }

  /** repetitions are the messages of a publisher that came again. */
  repetitions(publisher: string): number {
    return this.#of(publisher).repeated;
  }

  /** total counts the messages, each once, and the repetitions. */
  total(): { messages: number; repetitions: number } {
    const all = [...this.#received.values()];
    return {
      messages: all.reduce((sum, one) => sum + one.first.length, 0),
      repetitions: all.reduce((sum, one) => sum + one.repeated, 0),
    };
  }

  #of(publisher: string): Received {
    let received = this.#received.get(publisher);
    if (received === undefined) {
      received = { first: [], seen: new Set(), repeated: 0 };
      this.#received.set(publisher, received);
    }
    return received;
  }
}
