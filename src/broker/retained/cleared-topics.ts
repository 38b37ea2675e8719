// Topics whose retained value was cleared, with the key of what cleared it: an older value that another broker still has must not come back.

/** Bytes that may be remembered: some 80,000 topics of usual length. */
const BYTES_MAX = 8_388_608;
/** Bytes of an entry beside its name. */
const ENTRY_BYTES = 64;

/** ClearedTopics forgets the oldest first. It is empty where values are not shared with other brokers. */
export class ClearedTopics {
  readonly #keys = new Map<string, number>();
  #bytes = 0;

  get size(): number {
    return this.#keys.size;
  }

  /** keyOf gives 0 for a topic that is not remembered. */
  keyOf(topicName: string): number {
    return this.#keys.get(topicName) ?? 0;
  }

  add(topicName: string, key: number): void {
    this.delete(topicName); // it is the newest now
    this.#keys.set(topicName, key);
    this.#bytes += topicName.length + ENTRY_BYTES;
  }

  delete(topicName: string): void {
    if (this.#keys.delete(topicName)) this.#bytes -= topicName.length + ENTRY_BYTES;
  }

  /** trim forgets what is too much, and gives the topics. */
  trim(): string[] {
    const forgotten: string[] = [];
    for (const topicName of this.#keys.keys()) {
      if (this.#bytes <= BYTES_MAX) break;
      this.delete(topicName);
      forgotten.push(topicName);
    }
    return forgotten;
  }

  entries(): IterableIterator<[topicName: string, key: number]> {
    return this.#keys.entries();
  }
}
