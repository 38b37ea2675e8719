// Asks the machine how it fares, every 30 seconds at most, however often somebody wants to know.

import type { Clock } from '../base/clock.ts';
import { type MachineModel, machineModel } from './host.ts';
import { type MachineHealth, machineHealth } from './machine-health.ts';

const INTERVAL = 30_000;

/** MachineWatch remembers the last answer. */
export class MachineWatch {
  readonly #folder: string;
  readonly #clock: Clock;
  #askedAt = Number.NEGATIVE_INFINITY;
  #answer: Promise<MachineHealth> | null = null;
  #latest: MachineHealth | null = null;
  #model: Promise<MachineModel | null> | null = null;

  constructor(folder: string, clock: Clock) {
    this.#folder = folder;
    this.#clock = clock;
  }

  /** latest is what was known last, null at first. */
  get latest(): MachineHealth | null {
    return this.#latest;
  }

  /** model is asked for once: it does not change. */
  model(): Promise<MachineModel | null> {
    this.#model ??= machineModel();
    return this.#model;
  }

  /** now gives an answer that is 30 seconds old at most. */
  now(): Promise<MachineHealth> {
    const time = this.#clock.monotonic();
    if (this.#answer === null || time - this.#askedAt >= INTERVAL) {
      this.#askedAt = time;
      this.#answer = machineHealth(this.#folder);
      void this.#answer.then((health) => {
        this.#latest = health;
      });
    }
    return this.#answer;
  }

  /** topics gives what `$SYS/midge/host` should say, by topic, as it was known last; asks anew for the next time. */
  topics(): readonly (readonly [topicName: string, text: string])[] {
    void this.now();
    return this.#latest === null ? [] : topicsOf(this.#latest);
  }
}

function topicsOf({ cpuTemperature, power, load, memory, disk, wifi, clockSet, uptime }: MachineHealth): [string, string][] {
  const topics: [string, string | number | null][] = [
    ['cpu/temperature', cpuTemperature],
    ['power/now', power === null ? null : power.now.join(', ') || 'ok'],
    ['power/since_boot', power?.sinceBoot ? power.sinceBoot.join(', ') || 'ok' : null],
    ['load/1min', load[0].toFixed(2)],
    ['load/5min', load[1].toFixed(2)],
    ['load/15min', load[2].toFixed(2)],
    ['memory/total', memory.total],
    ['memory/available', memory.available],
    ['disk/total', disk?.total ?? null],
    ['disk/free', disk?.free ?? null],
    ...wifi.map(({ name, signal }): [string, number] => [`wifi/${name}/signal`, signal]),
    ['clock', clockSet === null ? null : clockSet ? 'set by a time server' : 'not set by a time server'],
    ['uptime', uptime],
  ];
  return topics.flatMap(([name, value]) => (value === null ? [] : [[`$SYS/midge/host/${name}`, String(value)]]));
}
