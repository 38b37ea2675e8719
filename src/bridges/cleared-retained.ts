// Retained messages that were cleared while the other broker was away. The empty message that clears one is often of QoS 0, which nobody
// keeps: the other broker would have the old value for ever.

import type { AedesPacket } from '../broker/aedes-packet.ts';
import type { Broker } from '../broker/broker.ts';

/** Topics that are remembered; those behind them stay as they are over there. */
const REMEMBERED_MAX = 10_000;

/** ClearedRetained belongs to one bridge, and watches while it is not connected. */
export class ClearedRetained {
  readonly #broker: Broker;
  readonly #filters: readonly string[];
  readonly #topics = new Set<string>();
  #isWatching = false;

  /** `filters` are those of what goes out. */
  constructor(broker: Broker, filters: readonly string[]) {
    this.#broker = broker;
    this.#filters = filters;
  }

  watch(): void {
    if (this.#isWatching) return;
    this.#isWatching = true;
    for (const filter of this.#filters) this.#broker.tree.addListener(filter, this.#note);
  }

  unwatch(): void {
    if (!this.#isWatching) return;
    this.#isWatching = false;
    for (const filter of this.#filters) this.#broker.tree.removeListener(filter, this.#note);
  }

  /** take gives the topics that have no retained message any more, once, and ends the watch. */
  take(): string[] {
    this.unwatch();
    const cleared = [...this.#topics].filter((topicName) => !this.#broker.retained.has(topicName));
    this.#topics.clear();
    return cleared;
  }

  readonly #note = ({ topic, retain, payload }: AedesPacket, done: () => void): void => {
    if (retain && payload.length === 0 && this.#topics.size < REMEMBERED_MAX) this.#topics.add(topic);
    done();
  };
}
