// How the broker fared: each second of ten minutes, each minute of a day, each quarter of an hour of a month. Loaded where there is a REST interface.
//
//   once a second: read --> seconds
//                    `----> mean of the minute, and of the quarter of an hour --> minutes, quarters --> file, four times an hour

import type { Clock } from '../../base/clock.ts';
import { HISTORY_METRICS, type HistoryMetric, type HistorySubject } from './metrics.ts';
import { Ring } from './ring.ts';

/** HISTORY_RANGES by name: seconds of a step, and steps. Their values take 240 KB. */
export const HISTORY_RANGES = {
  '10m': { step: 1, length: 600 },
  '24h': { step: 60, length: 1440 },
  '30d': { step: 900, length: 2880 },
} as const;
export type HistoryRange = keyof typeof HISTORY_RANGES;

/** Curve is one metric in one range; NaN where nothing was measured. */
export interface Curve extends Omit<HistoryMetric, 'read' | 'kind'> {
  readonly values: readonly number[];
}

/** HistoryExtract has all curves from one moment on. */
export interface HistoryExtract {
  /** Seconds between two values. */
  readonly step: number;
  /** Of the first value, in milliseconds since 1970. */
  readonly from: number;
  readonly curves: readonly Curve[];
}

/** Level is one range, and the mean of the slot that is under way. */
interface Level {
  readonly ring: Ring;
  readonly mean: Mean;
}

/** History is asked to sample once a second. */
export class History {
  readonly #subject: HistorySubject;
  readonly #clock: Clock;
  readonly #levels: Readonly<Record<HistoryRange, Level>>;
  readonly #raw = new Float64Array(HISTORY_METRICS.length).fill(Number.NaN);
  readonly #values = new Float64Array(HISTORY_METRICS.length);
  #sampledAt: number | null = null;

  constructor(subject: HistorySubject, clock: Clock) {
    this.#subject = subject;
    this.#clock = clock;
    const level = ({ step, length }: { readonly step: number; readonly length: number }): Level => ({
      ring: new Ring(step, length, HISTORY_METRICS.length),
      mean: new Mean(HISTORY_METRICS.length),
    });
    this.#levels = { '10m': level(HISTORY_RANGES['10m']), '24h': level(HISTORY_RANGES['24h']), '30d': level(HISTORY_RANGES['30d']) };
  }

  /** sample measures; the first one only learns where the counters are. */
  sample(): void {
    const time = this.#clock.monotonic();
    const seconds = this.#sampledAt === null ? 0 : (time - this.#sampledAt) / 1000;
    if (this.#sampledAt !== null && seconds <= 0) return;
    this.#sampledAt = time;
    for (const [index, { kind, read }] of HISTORY_METRICS.entries()) {
      const value = read(this.#subject) ?? Number.NaN;
      this.#values[index] = kind === 'gauge' ? value : seconds === 0 ? Number.NaN : Math.max(0, value - (this.#raw[index] ?? 0)) / seconds;
      this.#raw[index] = value;
    }
    const now = this.#clock.now() / 1000;
    for (const level of Object.values(this.#levels)) this.#count(level, now);
  }

  #count({ ring, mean }: Level, now: number): void {
    const slot = Math.floor(now / ring.step);
    ring.forgetAfter(slot);
    if (ring.step === 1) return ring.put(slot, this.#values);
    if (mean.slot !== slot) {
      this.#finish({ ring, mean }, slot);
      mean.begin(slot);
    }
    mean.add(this.#values);
  }

  #finish({ ring, mean }: Level, before: number): void {
    if (mean.slot !== null && mean.slot < before) ring.put(mean.slot, mean.values());
  }

  /** finish puts what is under way into the ranges: the program ends. */
  finish(): void {
    for (const level of [this.#levels['24h'], this.#levels['30d']]) this.#finish(level, Number.POSITIVE_INFINITY);
  }

  /** newest is the last slot of a range that is complete; -1 = none. */
  newest(range: HistoryRange): number {
    return this.#levels[range].ring.newest;
  }

  /** extract gives the curves of some metrics from a moment on, in milliseconds since 1970, without the time before the first value. */
  extract(range: HistoryRange, names: ReadonlySet<string> | null = null, since = 0): HistoryExtract {
    const { ring } = this.#levels[range];
    const wanted = Math.floor(since / 1000 / ring.step) + (since > 0 ? 1 : 0);
    const from = ring.firstFrom(wanted) ?? ring.newest + 1;
    const curves = HISTORY_METRICS.flatMap(({ name, unit, help }, column) =>
      names === null || names.has(name) ? [{ name, unit, help, values: ring.valuesOf(column, from) }] : [],
    );
    return { step: ring.step, from: from * ring.step * 1000, curves };
  }

  /** recall puts values of an earlier run where there are none. Times in milliseconds since 1970. */
  recall({ step, from, curves }: { step: number; from: number; curves: readonly Pick<Curve, 'name' | 'values'>[] }): void {
    const level = Object.values(this.#levels).find(({ ring }) => ring.step === step);
    if (level === undefined) return;
    const first = Math.floor(from / 1000 / step);
    for (const { name, values } of curves) {
      const column = HISTORY_METRICS.findIndex((metric) => metric.name === name);
      if (column !== -1) for (const [index, value] of values.entries()) level.ring.setOne(column, first + index, value);
    }
  }
}

/** Mean of the seconds of one slot; what was never known in it stays NaN. */
class Mean {
  readonly #sums: Float64Array;
  readonly #counts: Uint32Array;
  slot: number | null = null;

  constructor(columns: number) {
    this.#sums = new Float64Array(columns);
    this.#counts = new Uint32Array(columns);
  }

  begin(slot: number): void {
    this.slot = slot;
    this.#sums.fill(0);
    this.#counts.fill(0);
  }

  add(values: Float64Array): void {
    for (const [column, value] of values.entries()) {
      if (Number.isNaN(value)) continue;
      this.#sums[column] = (this.#sums[column] ?? 0) + value;
      this.#counts[column] = (this.#counts[column] ?? 0) + 1;
    }
  }

  values(): Float64Array {
    return this.#sums.map((sum, column) => sum / (this.#counts[column] ?? 0)); // 0 / 0 is NaN
  }
}
