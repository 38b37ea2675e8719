// A boot whose writes to the card are recorded, so that its power can be cut afterwards, at any moment and as often as one likes.
//
//   card before | record of writes | messages, each with the length of the record when the broker had acknowledged it
//   cut at a write: the card that is left, and the messages that must be on it

import { randomInt } from 'node:crypto';
import { statSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import type { MqttClient } from 'mqtt';
import { Card } from './card.ts';
import { WriteLog } from './write-log.ts';

/** Milliseconds between two messages: the writes of the update are the point. */
const PAUSE_MS = 200;
const CHANCES = 2 ** 32;

interface Acknowledged {
  readonly topic: string;
  /** Of the record at that moment. */
  readonly bytes: number;
}

/** Cut is what a power cut has left. */
export interface Cut {
  readonly card: Card;
  /** For people: where it was. */
  readonly place: string;
  /** Topics of the retained messages that the broker had acknowledged in this boot. */
  readonly topics: readonly string[];
}

/** RecordedBoot copies the card before it is switched on. */
export class RecordedBoot {
  readonly name: string;
  /** For the option `record` of switchOn. */
  readonly file: string;
  readonly #test: TestContext;
  readonly #before: Card;
  readonly #acknowledged: Acknowledged[] = [];
  #begin = 0;
  #log: WriteLog | null = null;

  constructor(test: TestContext, name: string, card: Card) {
    this.#test = test;
    this.name = name;
    this.#before = new Card(test, card.file);
    this.file = join(this.#before.folder, 'record');
  }

  /** begin leaves what was written until now out of the moments at which the power is cut. */
  begin(): void {
    this.#begin = statSync(this.file).size;
  }

  get topics(): readonly string[] {
    return this.#acknowledged.map(({ topic }) => topic);
  }

  /** publishOn publishes retained messages, each with a topic of its own, until the function that it gives is called, or the machine is off. */
  publishOn(client: MqttClient): () => void {
    let isStopped = false;
    const run = async () => {
      for (let number = 0; !isStopped; number++) {
        const topic = `${this.name}/${number}`;
        await client.publishAsync(topic, String(number), { qos: 1, retain: true });
        this.#acknowledged.push({ topic, bytes: statSync(this.file).size });
        await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
      }
    };
    client.on('error', () => {}); // the end of the machine
    run().catch(() => {});
    return () => {
      isStopped = true;
      client.end(true);
    };
  }

  /** cut makes the card of a power cut at a moment of chance; of one while the first partition, which has autoboot.txt, is written to, where that happened. */
  cut(isAtFirstPartition = false): Cut {
    const log = this.#read();
    const { start, size } = this.#before.partition('card');
    const writes = isAtFirstPartition ? log.placesWriting(start, size) : [];
    const place =
      writes.length > 0 ? (writes[randomInt(writes.length)] ?? 0) + randomInt(2) : randomInt(log.placeOf(this.#begin), log.length + 1);
    const card = new Card(this.#test, this.#before.file);
    log.cutAt(card.file, place, () => randomInt(CHANCES) / CHANCES);
    const topics = this.#acknowledged.filter(({ bytes }) => log.placeOf(bytes) <= place).map(({ topic }) => topic);
    return {
      card,
      place: `after ${place} of ${log.length} writes of ${this.name}, ${place - log.lastFlush(place)} of them not flushed`,
      topics,
    };
  }

  #read(): WriteLog {
    if (this.#log !== null) return this.#log;
    const log = new WriteLog(this.file);
    this.#test.after(() => log.close());
    this.#log = log;
    return log;
  }
}
