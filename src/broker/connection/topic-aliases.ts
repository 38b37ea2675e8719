// Topic aliases, MQTT 5 3.3.2.3.4: small numbers that stand for topics on one connection.

import { MalformedPacket, REASON } from '../../mqtt/reason-codes.ts';
import type { Topic } from '../topic.ts';

/** IncomingAliases are those that the client sets. */
export class IncomingAliases {
  readonly #maximum: number;
  readonly #topics: (Topic | null)[];

  constructor(maximum: number) {
    this.#maximum = maximum;
    this.#topics = new Array(maximum + 1).fill(null);
  }

  /** resolve takes the alias of a PUBLISH and its topic (null when the packet's topic is empty) and gives the topic meant. */
  resolve(alias: number, topic: Topic | null): Topic {
    if (alias === 0 || alias > this.#maximum) throw new MalformedPacket(`Topic Alias ${alias}`, REASON.TOPIC_ALIAS_INVALID); // [MQTT-3.3.2-8] [MQTT-3.3.2-9]
    if (topic !== null) {
      this.#topics[alias] = topic;
      return topic;
    }
    const known = this.#topics[alias];
    if (known === null || known === undefined) throw new MalformedPacket(`Topic Alias ${alias} is not set`, REASON.PROTOCOL_ERROR);
    return known;
  }
}

/** OutgoingAliases are those that we set: the first topics sent get them. */
export class OutgoingAliases {
  readonly #maximum: number;
  readonly #aliases = new Map<string, number>();

  constructor(maximum: number) {
    this.#maximum = maximum;
  }

  /** aliasOf gives a topic's alias, whether it must still be introduced with its name, or 0 when all are taken [MQTT-3.1.2-26]. */
  aliasOf(topicName: string): { alias: number; introduced: boolean } {
    const known = this.#aliases.get(topicName);
    if (known !== undefined) return { alias: known, introduced: true };
    if (this.#aliases.size >= this.#maximum) return { alias: 0, introduced: false };
    const alias = this.#aliases.size + 1;
    this.#aliases.set(topicName, alias);
    return { alias, introduced: false };
  }

  /** forget takes back an alias whose introducing packet was not sent. */
  forget(topicName: string): void {
    this.#aliases.delete(topicName);
  }
}
