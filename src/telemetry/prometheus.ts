// The metrics as Prometheus reads them: the same table as $SYS, under names by Prometheus' conventions. Loaded when somebody asks.

import { Counter, Gauge, Registry } from 'prom-client';
import type { Broker } from '../broker/broker.ts';
import { METRICS, type Metric, type Sums, SumUp } from './metrics.ts';

const PREFIX = 'midge_';

/** PrometheusText is what a scrape gets. */
export interface PrometheusText {
  readonly text: string;
  readonly contentType: string;
}

/** Prometheus reads the numbers of one broker when it is asked. */
export class Prometheus {
  readonly #registry = new Registry();
  readonly #broker: Broker;
  readonly #sumUp = new SumUp();
  readonly #sums: { now: Sums };

  constructor(broker: Broker, { title, since }: { readonly title: string; readonly since: number }) {
    this.#broker = broker;
    this.#sums = { now: this.#sumUp.of(broker) };
    const registers = [this.#registry];
    for (const metric of METRICS) addMetric(metric, registers, () => metric.read(broker, this.#sums.now));
    const [program = title, version = ''] = title.split(' version ');
    new Gauge({ name: `${PREFIX}build_info`, help: 'Always 1; the labels tell what runs.', labelNames: ['program', 'version'], registers })
      .labels(program, version)
      .set(1);
    new Gauge({ name: `${PREFIX}start_time_seconds`, help: 'When the broker started, in seconds since 1970.', registers }).set(
      since / 1000,
    );
  }

  /** read gives all of one instant. */
  async read(): Promise<PrometheusText> {
    this.#sums.now = this.#sumUp.of(this.#broker);
    return { text: await this.#registry.metrics(), contentType: this.#registry.contentType };
  }
}

/** prometheusName is a metric's name there: a counter ends in _total. */
export function prometheusName({ name, kind }: Metric): string {
  return `${PREFIX}${name}${kind === 'counter' ? '_total' : ''}`;
}

function addMetric(metric: Metric, registers: Registry[], read: () => number): void {
  const [name, { help }] = [prometheusName(metric), metric];
  if (metric.kind === 'gauge') {
    new Gauge({
      name,
      help,
      registers,
      collect() {
        this.set(read());
      },
    });
  } else {
    new Counter({
      name,
      help,
      registers,
      collect() {
        this.reset();
        this.inc(read());
      },
    });
  }
}
