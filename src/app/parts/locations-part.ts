// Where phones are as a part: where there is a REST interface, and nowhere else. It listens to what OwnTracks publishes, and hands it on to be kept.

import type { Clock } from '../../base/clock.ts';
import { reasonOf } from '../../base/errors.ts';
import type { LocationRecord } from '../../base/location-record.ts';
import type { Logger } from '../../base/logger.ts';
import { clockTrusted } from '../../certificates/validity.ts';
import type { Configuration } from '../../config/configuration.ts';
import type { Locations } from '../../operations/needs.ts';
import { KeptToday, MOST_PER_DAY } from '../../phones/kept-today.ts';
import type { PhoneBook } from '../../phones/phone-book.ts';
import type { Whereabouts } from '../../phones/whereabouts.ts';
import type { LocationLog } from '../../store/location-log.ts';
import type { Appliance } from '../app.ts';
import type { AppliancePart, Step } from '../parts.ts';
import { wantsApi } from './api-part.ts';

const DAY_MS = 86_400_000;

/** The first time what is too old is deleted: the start has other work. */
const FIRST_TIDY_MS = 60_000;

export interface LocationsPartSetup {
  /** What the start is asked for. */
  readonly configuration: Configuration;
  readonly appliance: Appliance;
  /** phones are those that were set up here; null = there is no such book yet. */
  readonly phones: () => Pick<PhoneBook, 'find'> | null;
  readonly clock: Clock;
  readonly log: Logger;
  /** Milliseconds since 1970. */
  readonly buildDate: number;
}

/** LocationsPart costs a walk of the tree more for messages of phones, and nothing for others. */
export class LocationsPart implements AppliancePart {
  readonly name = 'locations';
  readonly #setup: LocationsPartSetup;
  #locations: Locations | null = null;
  #ends: (() => void)[] = [];
  readonly #today = new KeptToday();
  #isWarned = false;

  constructor(setup: LocationsPartSetup) {
    this.#setup = setup;
  }

  /** locations is null where there is no REST interface. */
  get locations(): Locations | null {
    return this.#locations;
  }

  async start(): Promise<void> {
    if (wantsApi(this.#setup.configuration)) await this.#begin();
  }

  async stop(): Promise<void> {
    for (const end of this.#ends.splice(0)) end();
  }

  prepare(next: Configuration): Step | null {
    if (this.#locations !== null || !wantsApi(next)) return null;
    return { commit: () => void this.#begin(), undo: () => {} };
  }

  async #begin(): Promise<void> {
    const { Whereabouts, WATCHED_TOPICS } = await import('../../phones/whereabouts.ts');
    const { broker, store } = this.#setup.appliance;
    const live = new Whereabouts();
    const log = store?.locations ?? null;
    const options = () => this.#setup.appliance.configuration.locationHistory;
    const isKept = (topic: string) => log !== null && this.#isWanted(topic);
    this.#locations = {
      live,
      log,
      isKept,
      get keep() {
        return options().keep;
      },
      get days() {
        return options().days;
      },
    };
    for (const filter of WATCHED_TOPICS) {
      const listener: Parameters<typeof broker.subscribe>[1] = ({ topic, payload }, done) => {
        const record = live.take(topic, typeof payload === 'string' ? Buffer.from(payload) : payload, this.#clock());
        if (record !== null && log !== null && isKept(record.topic)) this.#keep(log, record);
        done();
      };
      broker.subscribe(filter, listener, () => {});
      this.#ends.push(() => broker.unsubscribe(filter, listener, () => {}));
    }
    await this.#recall(live, log);
    if (log !== null) this.#tidyDaily(log);
  }

  #clock() {
    const { clock, buildDate } = this.#setup;
    const now = clock.now();
    return { now, isTrusted: clockTrusted(now, buildDate) };
  }

  #isWanted(topic: string): boolean {
    const { keep } = this.#setup.appliance.configuration.locationHistory;
    if (keep !== 'phones') return keep === 'all';
    return this.#setup.phones()?.find(topic.slice(topic.indexOf('/') + 1)) != null; // its account is PERSON/DEVICE
  }

  /** A phone that was offline for long sends what it has: what would be deleted at once is not written. */
  #keep(log: LocationLog, record: LocationRecord): void {
    const { days } = this.#setup.appliance.configuration.locationHistory;
    const { now, isTrusted } = this.#clock();
    if (isTrusted && record.at < now - days * DAY_MS) return;
    const counted = this.#today.count(record.topic, now);
    if (counted === 'kept') log.append(record);
    if (counted === 'first beyond')
      this.#setup.log.log(
        'warning',
        `Warning: ${JSON.stringify(record.topic)} has told ${MOST_PER_DAY} locations today. The history keeps no more of this day.`,
      );
  }

  /** What the broker still has: retained messages, and the last of each phone that is kept. */
  async #recall(live: Whereabouts, log: LocationLog | null): Promise<void> {
    const { retained } = this.#setup.appliance.broker;
    for (const end of ['', '/info']) {
      const cursor = retained.matching(`owntracks/+/+${end}`);
      for (let message = cursor.next(); message !== null; message = cursor.next())
        live.takeRetained(message.topic.name, message.payload, this.#clock());
    }
    try {
      for (const record of (await log?.newest()) ?? []) live.recall(record);
    } catch (error) {
      this.#warn(error);
    }
  }

  #tidyDaily(log: LocationLog): void {
    const first = setTimeout(() => void this.#tidy(log), FIRST_TIDY_MS).unref();
    const daily = setInterval(() => void this.#tidy(log), DAY_MS).unref();
    this.#ends.push(
      () => clearTimeout(first),
      () => clearInterval(daily),
    );
  }

  async #tidy(log: LocationLog): Promise<void> {
    const { now, isTrusted } = this.#clock();
    if (!isTrusted) return;
    const { days } = this.#setup.appliance.configuration.locationHistory;
    const to = now - days * DAY_MS;
    try {
      for (const { topic, first } of await log.phones()) if (first === null || first < to) await log.delete({ topic, from: 0, to });
    } catch (error) {
      this.#warn(error);
    }
  }

  /** Once: the log of the store says more. */
  #warn(error: unknown): void {
    if (this.#isWarned) return;
    this.#isWarned = true;
    this.#setup.log.log('warning', `Warning: ${reasonOf(error)}.`);
  }
}
