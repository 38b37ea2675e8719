// The topics of mosquitto 2.1's $SYS tree (mosquitto(8), sys_tree.c): the metrics of one broker as texts.
//
// The engine counts; here the counts are read, once per interval. What it does not count is summed up over sessions and connections.

import type { Clock } from '../base/clock.ts';
import type { Broker } from '../broker/broker.ts';
import { LoadAverage } from './load-average.ts';
import { METRICS, type Metric, type Sums, SumUp } from './metrics.ts';

const ROOT = '$SYS/broker/';

/** A metric whose moving averages are published. */
type Load = Metric & { readonly loadTopic: string };

const LOADS: readonly Load[] = METRICS.filter((metric): metric is Load => metric.loadTopic !== undefined);

/** sysNumbers gives what mosquitto 2.1's `/api/v1/systree` has: each metric once, without the loads and the heap. `uptime` in seconds. */
export function sysNumbers(broker: Broker, uptime: number): [topic: string, value: number][] {
  const sums = new SumUp().of(broker);
  const shown = METRICS.flatMap(({ sysTopics: [topic], read }): [string, number][] =>
    topic === undefined || topic.startsWith('heap/') ? [] : [[ROOT + topic, read(broker, sums)]],
  );
  return [...shown, [`${ROOT}uptime`, Math.floor(uptime)]];
}

/** SysTree reads the numbers of one broker. Loads are averaged from its creation on. */
export class SysTree {
  readonly #broker: Broker;
  readonly #clock: Clock;
  /** Monotonic milliseconds. */
  readonly #startedAt: number;
  readonly #loads: ReadonlyMap<Load, LoadAverage>;
  #readAt: number;
  readonly #sums = new SumUp();

  constructor(broker: Broker, clock: Clock, startedAt: number) {
    this.#broker = broker;
    this.#clock = clock;
    this.#startedAt = startedAt;
    this.#readAt = clock.monotonic();
    const sums = this.#sums.of(broker);
    this.#loads = new Map(LOADS.map((metric) => [metric, new LoadAverage(metric.read(broker, sums))]));
  }

  /** read gives the text of every topic that changes, all of one instant. Call it once per interval: the loads move. */
  read(): [topic: string, text: string][] {
    const now = this.#clock.monotonic();
    const sums = this.#sums.of(this.#broker);
    const texts = this.#readLoads((now - this.#readAt) / 1000, sums);
    this.#readAt = now;
    texts.unshift([`${ROOT}uptime`, `${Math.floor((now - this.#startedAt) / 1000)} seconds`]);
    for (const { sysTopics, read } of METRICS) {
      const text = String(read(this.#broker, sums));
      for (const topic of sysTopics) texts.push([ROOT + topic, text]);
    }
    return texts;
  }

  #readLoads(seconds: number, sums: Sums): [topic: string, text: string][] {
    return [...this.#loads].flatMap(([{ loadTopic, read }, average]) => {
      if (seconds > 0) average.update(read(this.#broker, sums), seconds);
      return average.texts().map(([span, text]): [string, string] => [`${ROOT}${loadTopic}/${span}`, text]);
    });
  }
}
