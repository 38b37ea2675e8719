// A boot whose writes to the card are recorded, so that its power can be cut afterwards, at any moment and as often as one likes.
//
//   card before | record of writes | messages, each with the length of the record when the broker had acknowledged it
//   cut at a write: the card that is left, and the messages that must be on it
//
// What decides which system starts is one sector, that of autoboot.txt. Chance seldom meets the moment at which it is written, so cuts can aim at it.

import assert from 'node:assert/strict';
import { randomInt } from 'node:crypto';
import { statSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import type { MqttClient } from 'mqtt';
import { Card } from './card.ts';
import { WriteLog } from './write-log.ts';

/** Milliseconds between two messages: the writes of the update are the point. */
const PAUSE_MS = 1000;
const CHANCES = 2 ** 32;
/** One of so many messages has a topic that QUEUED matches. */
const QUEUED_SHARE = 10;
/** Writes that are near to that of autoboot.txt. */
const NEAR = 20;

/** QUEUED is the filter of a session that is away while the messages are published; isQueued says which of them it gets. */
export const QUEUED = '+/queued/+';
export const isQueued = (topic: string): boolean => topic.split('/')[1] === 'queued';

/** Moment of a cut: any, or one shortly before autoboot.txt is written, after it was written and before the card was told to keep it, or shortly after that. */
export type Moment = 'any' | 'before' | 'during' | 'after';

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
        const topic = `${this.name}/${number % QUEUED_SHARE === 0 ? 'queued' : 'other'}/${number}`;
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

  /** cut makes the card that a power cut at such a moment has left. */
  cut(moment: Moment): Cut {
    const log = this.#read();
    const place = moment === 'any' ? randomInt(log.placeOf(this.#begin), log.length + 1) : this.#placeNear(log, moment);
    const card = new Card(this.#test, this.#before.file);
    log.cutAt(card.file, place, () => randomInt(CHANCES) / CHANCES);
    const topics = this.#acknowledged.filter(({ bytes }) => log.placeOf(bytes) <= place).map(({ topic }) => topic);
    const where = moment === 'any' ? '' : `, ${moment} the writing of autoboot.txt`;
    return {
      card,
      place: `after ${place} of ${log.length} writes of ${this.name}${where}, ${place - log.lastFlush(place)} of them not flushed`,
      topics,
    };
  }

  /** The card is told to write autoboot.txt (written), and some writes later to keep what it has (kept). */
  #placeNear(log: WriteLog, moment: Exclude<Moment, 'any'>): number {
    const written = log.placesWriting(this.#before.autobootSector(), 1).at(-1);
    assert.ok(written !== undefined, `${this.name} has not written autoboot.txt`);
    const kept = log.nextFlush(written);
    if (moment === 'before') return randomInt(Math.max(0, written - NEAR), written + 1);
    if (moment === 'during') return randomInt(written + 1, kept + 1);
    return randomInt(kept + 1, Math.min(log.length, kept + NEAR) + 1);
  }

  #read(): WriteLog {
    if (this.#log !== null) return this.#log;
    const log = new WriteLog(this.file);
    this.#test.after(() => log.close());
    this.#log = log;
    return log;
  }
}
