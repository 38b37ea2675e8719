// Door of the telemetry room: publishes the $SYS tree, retained, whenever a number in it has changed.

import type { Clock } from '../base/clock.ts';
import type { Part } from '../base/lifecycle.ts';
import type { Broker } from '../broker/broker.ts';
import type { Timer } from '../broker/timer-wheel.ts';
import { SysTree } from './sys-tree.ts';

/** Seconds; a wake-up that comes by so much too early belongs to the step it is near. */
const EARLY = 0.5;

export interface TelemetryOptions {
  /** A started broker, when `start` is called. */
  readonly broker: Broker;
  readonly clock: Clock;
  /** As the program calls itself, for example "midge version 0.1.0": the form of mosquitto's `$SYS/broker/version`. */
  readonly version: string;
  /** `sys_interval`: seconds, 0 = no $SYS tree. */
  readonly interval: number;
  /** More topics and their texts, asked each time; cheap, because it is called on the event loop of the broker. */
  readonly more?: () => readonly (readonly [topicName: string, text: string])[];
}

/** Telemetry publishes from `start` to `stop`. */
export interface Telemetry extends Part {
  /** setInterval takes a new `sys_interval`; 0 takes the tree away. */
  setInterval(seconds: number): void;
  /** sent counts the messages that went to subscribers of the tree when it changed. */
  readonly sent: number;
  /** text gives what was published last under a topic, or null: no $SYS tree, or not yet. */
  text(topicName: string): string | null;
}

/** createTelemetry makes the part; nothing is published before `start`. */
export function createTelemetry(options: TelemetryOptions): Telemetry {
  return new SysTelemetry(options);
}

class SysTelemetry implements Telemetry {
  readonly name = 'telemetry';
  readonly #options: TelemetryOptions;
  #interval: number;
  #tree: SysTree | null = null;
  /** Text by topic, as it was published last. */
  readonly #published = new Map<string, string>();
  #timer: Timer | null = null;
  #startedAt = 0;
  #isRunning = false;
  #sent = 0;

  constructor(options: TelemetryOptions) {
    this.#options = options;
    this.#interval = options.interval;
  }

  async start(): Promise<void> {
    this.#isRunning = true;
    this.#startedAt = this.#options.clock.monotonic();
    this.#begin();
  }

  async stop(): Promise<void> {
    this.#isRunning = false;
    this.#cancel();
  }

  get sent(): number {
    return this.#sent;
  }

  text(topicName: string): string | null {
    return this.#published.get(topicName) ?? null;
  }

  setInterval(seconds: number): void {
    if (seconds === this.#interval) return;
    this.#interval = seconds;
    if (!this.#isRunning) return;
    this.#cancel();
    if (seconds === 0) this.#takeAway();
    else if (this.#tree === null) this.#begin();
    else this.#publishLater();
  }

  #begin(): void {
    if (this.#interval === 0) return;
    const { broker, clock, version } = this.#options;
    this.#tree = new SysTree(broker, clock, this.#startedAt);
    this.#publish('$SYS/broker/version', version);
    this.#publishChanges(this.#tree);
    this.#publishLater();
  }

  /** As in mosquitto 2.1 at whole multiples of the interval since 1970, so that the values of several brokers have the same times. */
  #publishLater(): void {
    const { broker, clock } = this.#options;
    let seconds = this.#interval - ((clock.now() / 1000) % this.#interval);
    if (seconds < EARLY) seconds += this.#interval;
    this.#timer = broker.wheel.after(seconds, () => {
      if (this.#tree !== null) this.#publishChanges(this.#tree);
      this.#publishLater();
    });
  }

  #publishChanges(tree: SysTree): void {
    const more = this.#options.more?.() ?? [];
    for (const [topic, text] of [...tree.read(), ...more]) if (this.#published.get(topic) !== text) this.#publish(topic, text);
  }

  #publish(topic: string, text: string): void {
    const { broker } = this.#options;
    const before = broker.counters.publishSent;
    this.#published.set(topic, text);
    broker.publish({ cmd: 'publish', topic, payload: Buffer.from(text), qos: 2, retain: true, dup: false });
    this.#sent += broker.counters.publishSent - before;
  }

  /** Old numbers are no answer for who subscribes later. */
  #takeAway(): void {
    for (const topic of this.#published.keys()) this.#options.broker.retained.delete(topic);
    this.#published.clear();
    this.#tree = null;
  }

  #cancel(): void {
    if (this.#timer !== null) this.#options.broker.wheel.cancel(this.#timer);
    this.#timer = null;
  }
}
