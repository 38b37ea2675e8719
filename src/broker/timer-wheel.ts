// One clockwork for all clients: keep alive, expiries and delays hang on a wheel of slots, not on a timer each.
//
//   slot:   0    1    2   ...  1023        the hand moves one slot per tick; a timer lies in the slot of its
//           |    ^hand |                   due tick (modulo the wheel) and stays there for further rounds
//          {t}        {t,t}

import type { Clock } from '../base/clock.ts';

/** Milliseconds per tick: how late a timer may fire. Four wake-ups a second cost nothing that can be measured. */
const TICK = 250;
/** Milliseconds between two wake-ups from which on the process has stood still: a slow card, SIGSTOP, a machine that swaps. */
const STANDSTILL = 2000;
/** Turns of the event loop in which all sockets are read, the layers of TLS and WebSocket above them too. */
const READING_TURNS = 10;

/** Slots; a timer that is further away than SLOTS ticks is looked at once per round. */
const SLOTS = 1024;

/** Timer is one thing to do later. */
export class Timer {
  readonly callback: () => void;
  dueTick: number;

  constructor(callback: () => void, dueTick: number) {
    this.callback = callback;
    this.dueTick = dueTick;
  }
}

/** TimerWheel runs callbacks after at least the seconds asked for, at most a tick later. */
export class TimerWheel {
  readonly #clock: Clock;
  readonly #slots: (Set<Timer> | null)[] = new Array(SLOTS).fill(null);
  #interval: NodeJS.Timeout | null = null;
  #origin: number;
  #tick = 0;
  #wokeAt = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#origin = clock.monotonic();
  }

  start(): void {
    this.#origin = this.#clock.monotonic() - this.#tick * TICK;
    this.#wokeAt = this.#clock.monotonic();
    this.#interval = setInterval(() => this.#wake(), TICK);
    this.#interval.unref();
  }

  stop(): void {
    if (this.#interval !== null) clearInterval(this.#interval);
    this.#interval = null;
  }

  /** after hangs a callback on the wheel. */
  after(seconds: number, callback: () => void): Timer {
    const timer = new Timer(callback, this.#tickAfter(seconds));
    this.#insert(timer);
    return timer;
  }

  cancel(timer: Timer): void {
    this.#slots[timer.dueTick % SLOTS]?.delete(timer);
  }

  /** advance runs what is due by the clock. */
  advance(): void {
    const now = Math.floor((this.#clock.monotonic() - this.#origin) / TICK);
    while (this.#tick < now) {
      this.#tick++;
      this.#runSlot(this.#tick % SLOTS);
    }
  }

  /** After a standstill what clients said meanwhile is read first: they were not silent, their words wait in the sockets. */
  #wake(): void {
    const now = this.#clock.monotonic();
    const stoodStill = now - this.#wokeAt > STANDSTILL;
    this.#wokeAt = now;
    if (stoodStill) this.#advanceAfter(READING_TURNS);
    else this.advance();
  }

  #advanceAfter(turns: number): void {
    if (turns === 0) this.advance();
    else setImmediate(() => this.#advanceAfter(turns - 1));
  }

  #runSlot(index: number): void {
    const slot = this.#slots[index];
    if (slot === null || slot === undefined) return;
    for (const timer of slot) {
      if (timer.dueTick > this.#tick) continue;
      slot.delete(timer);
      timer.callback();
    }
    if (slot.size === 0) this.#slots[index] = null;
  }

  #tickAfter(seconds: number): number {
    const elapsed = this.#clock.monotonic() - this.#origin + seconds * 1000;
    return Math.max(this.#tick + 1, Math.ceil(elapsed / TICK));
  }

  #insert(timer: Timer): void {
    const index = timer.dueTick % SLOTS;
    const slot = this.#slots[index];
    if (slot === null || slot === undefined) this.#slots[index] = new Set([timer]);
    else slot.add(timer);
  }
}
