// Retained messages that have expired go, and those that a rule now ends earlier get their new end: in slices, for a million of them take a second.
//
//   every retain_expiry_interval -> slice -> turn of the event loop -> slice ... -> all looked at -> the interval begins anew

import type { Clock } from '../../base/clock.ts';
import type { Journal } from '../journal.ts';
import { NEVER } from '../message.ts';
import type { BrokerOptions } from '../options.ts';
import type { Timer, TimerWheel } from '../timer-wheel.ts';
import { expiryWithin } from './retained-lifetimes.ts';
import type { RetainedMessages, RetainedValue } from './retained-messages.ts';

/** Values that are looked at in a turn: a few milliseconds. */
const SLICE = 4000;
/** Seconds between two looks where there are lifetimes and `retain_expiry_interval` says nothing. */
const LIFETIME_INTERVAL = 300;

/** SweepEngine is what the sweep needs of the engine. */
export interface SweepEngine {
  readonly clock: Clock;
  readonly options: BrokerOptions;
  readonly retained: RetainedMessages;
  readonly journal: Journal | null;
  readonly wheel: TimerWheel;
}

/** RetainedSweep belongs to one broker. */
export class RetainedSweep {
  readonly #broker: SweepEngine;
  #timer: Timer | null = null;
  /** What is left of the sweep that goes on, or null. */
  #rest: Iterator<RetainedValue> | null = null;

  constructor(broker: SweepEngine) {
    this.#broker = broker;
  }

  /** schedule has it done at the interval of the options, or no more. */
  schedule(): void {
    const { wheel, options } = this.#broker;
    if (this.#timer !== null) wheel.cancel(this.#timer);
    const { retainExpiryInterval, retainedLifetimes } = options;
    const seconds = retainExpiryInterval === 0 && retainedLifetimes.length > 0 ? LIFETIME_INTERVAL : retainExpiryInterval;
    this.#timer = seconds === 0 ? null : wheel.after(seconds, () => this.begin());
  }

  /** begin looks at all messages, the first of them at once. One that goes on begins anew: the rules may be others. */
  begin(): void {
    const goesOn = this.#rest !== null;
    this.#rest = this.#broker.retained.values();
    if (!goesOn) this.#slice();
  }

  /** end stops a sweep that goes on. */
  end(): void {
    this.#rest = null;
  }

  #slice(): void {
    const rest = this.#rest;
    if (rest === null) return;
    for (let left = SLICE; left > 0; left--) {
      const { done, value } = rest.next();
      if (done === true) {
        this.#rest = null;
        this.schedule();
        return;
      }
      this.#look(value);
    }
    setImmediate(() => this.#slice());
  }

  #look(value: RetainedValue): void {
    const { clock, options, retained, journal } = this.#broker;
    const now = clock.now();
    const { topicName, since, expiresAt } = value;
    // One from before the start counts from now on.
    value.expiresAt = expiryWithin(options.retainedLifetimes, topicName, since === 0 ? now : since * 1000, expiresAt);
    if (value.expiresAt !== NEVER && value.expiresAt <= now) {
      retained.delete(topicName);
      journal?.dropRetained(topicName);
      retained.watcher?.expired(topicName);
    } else if (value.expiresAt !== expiresAt) {
      journal?.saveRetained(value.toKeptMessage(), false);
    }
  }
}
