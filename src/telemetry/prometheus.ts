// The metrics as Prometheus reads them: the same table as $SYS, and times as histograms, under names by Prometheus' conventions. Loaded where
// somebody may ask. No label has a value that a client chooses: who connects under ever new names would make ever more series.

import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { Broker } from '../broker/broker.ts';
import { METRICS, type Metric, type Sums, SumUp } from './metrics.ts';
import { asOpenMetrics, OPENMETRICS_TYPE, wantsOpenMetrics } from './openmetrics.ts';

const PREFIX = 'midge_';

/** Seconds: from a write that the system only takes to a card that stalls. */
const STORE_BUCKETS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
const LAG_BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5];

const LAG_PROBE_MS = 1000;

/** StoreCounts are those of the store since the start. */
export interface StoreCounts {
  readonly bytesWritten: number;
  readonly commits: number;
  readonly fsyncs: number;
}

/** TimedStore is what is measured of a store. */
export interface TimedStore {
  counters(): StoreCounts;
  watch(times: { commit(seconds: number): void; wait(seconds: number): void } | null): void;
}

/** Facts of the machine, where it tells them. */
export interface MachineFacts {
  readonly cpuTemperature: number | null;
  readonly memory: { readonly total: number; readonly available: number };
  readonly disk: { readonly total: number; readonly free: number } | null;
  /** Names of what the power supply suffers from now. */
  readonly power: { readonly now: readonly string[] } | null;
}

/** BridgeFacts are those of one bridge of the configuration: its name is no client's choice. */
export interface BridgeFacts {
  readonly name: string;
  readonly phase: string;
  /** Counts since the start of the program. */
  readonly received: number;
  readonly sent: number;
  readonly dropped: number;
  readonly queued: number;
}

/** ClusterFacts are those of a cluster: the names of its brokers are no client's choice. */
export interface ClusterFacts {
  readonly phase: string;
  /** NATS messages since the start of the program. */
  readonly carried: number;
  readonly peers: readonly PeerFacts[];
}

/** PeerFacts are those of one other broker; latency in milliseconds. */
export interface PeerFacts {
  readonly id: string;
  readonly phase: string;
  readonly sent: number;
  readonly dropped: number;
  readonly queued: number;
  readonly latency: number | null;
}

export interface PrometheusSetup {
  readonly broker: Broker;
  /** Null = nothing outlives the process. */
  readonly store: TimedStore | null;
  /** machine gives what was known last, or null. */
  readonly machine: () => MachineFacts | null;
  readonly bridges: () => readonly BridgeFacts[];
  /** Null = this broker is on its own. */
  readonly cluster: () => ClusterFacts | null;
  /** As the program calls itself, for example "midge version 0.1.0". */
  readonly title: string;
  /** Milliseconds since 1970. */
  readonly since: number;
}

/** PrometheusText is what a scrape gets. */
export interface PrometheusText {
  readonly text: string;
  readonly contentType: string;
}

/** Prometheus reads the numbers when it is asked; times are taken between `start` and `stop`. */
export class Prometheus {
  readonly #registry = new Registry();
  readonly #setup: PrometheusSetup;
  readonly #sumUp = new SumUp();
  #sums: Sums;
  #probe: NodeJS.Timeout | null = null;

  constructor(setup: PrometheusSetup) {
    this.#setup = setup;
    this.#sums = this.#sumUp.of(setup.broker);
    for (const metric of METRICS)
      this.#addNumber({ ...metric, name: prometheusName(metric), read: () => metric.read(setup.broker, this.#sums) });
    for (const number of processNumbers(setup)) this.#addNumber(number);
    if (setup.store !== null) for (const number of storeNumbers(setup.store)) this.#addNumber(number);
    for (const number of machineNumbers(setup.machine)) this.#addNumber(number);
    for (const number of clusterNumbers(setup.cluster)) this.#addNumber(number);
    this.#addRows('bridge', BRIDGE_NUMBERS, () => setup.bridges().map((bridge) => [bridge.name, bridge]));
    this.#addRows('broker', PEER_NUMBERS, () => (setup.cluster()?.peers ?? []).map((peer) => [peer.id, peer]));
    this.#addBuildInfo(setup.title);
  }

  /** names are all that is told, without the endings of histograms. */
  get names(): readonly string[] {
    return this.#registry.getMetricsAsArray().map(({ name }) => name);
  }

  start(): void {
    const { store } = this.#setup;
    if (store !== null) this.#watch(store);
    this.#probeLag();
  }

  stop(): void {
    this.#setup.store?.watch(null);
    if (this.#probe !== null) clearInterval(this.#probe);
  }

  /** read gives all of one instant, in the form that a header Accept asks for. */
  async read(accept?: string): Promise<PrometheusText> {
    this.#sums = this.#sumUp.of(this.#setup.broker);
    const text = await this.#registry.metrics();
    if (wantsOpenMetrics(accept)) return { text: asOpenMetrics(text), contentType: OPENMETRICS_TYPE };
    return { text, contentType: this.#registry.contentType };
  }

  #watch(store: TimedStore): void {
    const commit = this.#histogram('store_commit_seconds', 'Time of a commit, until it is on the card.', STORE_BUCKETS);
    const wait = this.#histogram(
      'acknowledgement_wait_seconds',
      'Time that acknowledgements wait until what they acknowledge is on the card; others go out at once.',
      STORE_BUCKETS,
    );
    store.watch({ commit: (seconds) => commit.observe(seconds), wait: (seconds) => wait.observe(seconds) });
  }

  /** A timer that comes late tells how long everybody else has waited for the event loop. */
  #probeLag(): void {
    const lag = this.#histogram('event_loop_lag_seconds', 'How late the event loop comes, probed once a second.', LAG_BUCKETS);
    let due = performance.now() + LAG_PROBE_MS;
    this.#probe = setInterval(() => {
      const now = performance.now();
      lag.observe(Math.max(0, now - due) / 1000);
      due = now + LAG_PROBE_MS;
    }, LAG_PROBE_MS).unref();
  }

  #histogram(name: string, help: string, buckets: number[]): Histogram {
    return new Histogram({ name: PREFIX + name, help, buckets, registers: [this.#registry] });
  }

  #addNumber({ name, kind, help, read }: TaggedNumber): void {
    const registers = [this.#registry];
    if (kind === 'counter') {
      new Counter({
        name,
        help,
        registers,
        collect() {
          this.reset();
          this.inc(read() ?? 0);
        },
      });
      return;
    }
    new Gauge({
      name,
      help,
      registers,
      collect() {
        const value = read();
        if (value === null) this.remove();
        else this.set(value);
      },
    });
  }

  /** Others may be there the next time: after a reload, or when a broker has joined. */
  #addRows<Row>(label: string, numbers: readonly RowNumber<Row>[], rows: () => readonly (readonly [name: string, row: Row])[]): void {
    const registers = [this.#registry];
    const labelNames = [label];
    for (const { name, kind, help, read } of numbers) {
      const collect = function (this: Counter | Gauge): void {
        this.reset();
        for (const [of, row] of rows()) {
          const value = read(row);
          if (value !== null) this.labels(of).inc(value);
        }
      };
      if (kind === 'counter') new Counter({ name: `${name}_total`, help, labelNames, registers, collect });
      else new Gauge({ name, help, labelNames, registers, collect });
    }
  }

  #addBuildInfo(title: string): void {
    const [program = title, version = ''] = title.split(' version ');
    const labelNames = ['program', 'version'];
    const info = new Gauge({
      name: `${PREFIX}build_info`,
      help: 'Always 1; its labels tell what runs.',
      labelNames,
      registers: [this.#registry],
    });
    info.labels(program, version).set(1);
  }
}

/** RowNumber is a number of each of several things; null = it is not known. */
interface RowNumber<Row> {
  readonly name: string;
  readonly kind: 'counter' | 'gauge';
  readonly help: string;
  readonly read: (row: Row) => number | null;
}

const BRIDGE_NUMBERS: readonly RowNumber<BridgeFacts>[] = [
  {
    name: `${PREFIX}bridge_connected`,
    kind: 'gauge',
    help: '1 when the bridge is connected to the other broker.',
    read: ({ phase }) => (phase === 'connected' ? 1 : 0),
  },
  {
    name: `${PREFIX}bridge_messages_received`,
    kind: 'counter',
    help: 'Messages that came over from the other broker.',
    read: ({ received }) => received,
  },
  {
    name: `${PREFIX}bridge_messages_sent`,
    kind: 'counter',
    help: 'Messages that went to the other broker.',
    read: ({ sent }) => sent,
  },
  {
    name: `${PREFIX}bridge_messages_dropped`,
    kind: 'counter',
    help: 'Messages that did not go over.',
    read: ({ dropped }) => dropped,
  },
  {
    name: `${PREFIX}bridge_messages_queued`,
    kind: 'gauge',
    help: 'Messages that wait for the other broker.',
    read: ({ queued }) => queued,
  },
];

const PEER_NUMBERS: readonly RowNumber<PeerFacts>[] = [
  {
    name: `${PREFIX}cluster_broker_connected`,
    kind: 'gauge',
    help: '1 when the other broker of the cluster is connected.',
    read: ({ phase }) => (phase === 'connected' ? 1 : 0),
  },
  {
    name: `${PREFIX}cluster_broker_messages_sent`,
    kind: 'counter',
    help: 'Messages that went to the other broker of the cluster.',
    read: ({ sent }) => sent,
  },
  {
    name: `${PREFIX}cluster_broker_messages_dropped`,
    kind: 'counter',
    help: 'Messages that the other broker of the cluster does not get.',
    read: ({ dropped }) => dropped,
  },
  {
    name: `${PREFIX}cluster_broker_messages_queued`,
    kind: 'gauge',
    help: 'Messages that wait for the other broker of the cluster.',
    read: ({ queued }) => queued,
  },
  {
    name: `${PREFIX}cluster_broker_latency_seconds`,
    kind: 'gauge',
    help: 'Time that a question to the other broker of the cluster and its answer take.',
    read: ({ latency }) => (latency === null ? null : latency / 1000),
  },
];

/** TaggedNumber is one number with its name in full. */
interface TaggedNumber {
  readonly name: string;
  readonly kind: 'counter' | 'gauge';
  readonly help: string;
  /** Null = it is not known. */
  readonly read: () => number | null;
}

/** prometheusName is a metric's name there: a counter ends in _total. */
export function prometheusName({ name, kind }: Pick<Metric, 'name' | 'kind'>): string {
  return `${PREFIX}${name}${kind === 'counter' ? '_total' : ''}`;
}

/** The names that all programs give to these. */
function processNumbers({ since }: PrometheusSetup): readonly TaggedNumber[] {
  const cpuSeconds = () => {
    const { user, system } = process.cpuUsage();
    return (user + system) / 1e6;
  };
  return [
    { name: 'process_cpu_seconds_total', kind: 'counter', help: 'CPU time of the program.', read: cpuSeconds },
    { name: 'process_resident_memory_bytes', kind: 'gauge', help: 'Memory of the program.', read: () => process.memoryUsage.rss() },
    {
      name: 'process_start_time_seconds',
      kind: 'gauge',
      help: 'When the program started, in seconds since 1970.',
      read: () => since / 1000,
    },
  ];
}

function storeNumbers(store: TimedStore): readonly TaggedNumber[] {
  const count = (name: string, help: string, read: (counts: StoreCounts) => number): TaggedNumber => ({
    name: `${PREFIX}store_${name}_total`,
    kind: 'counter',
    help,
    read: () => read(store.counters()),
  });
  return [
    count('written_bytes', 'Bytes that the store has written to the card.', ({ bytesWritten }) => bytesWritten),
    count('commits', 'Commits of the store.', ({ commits }) => commits),
    count('fsyncs', 'Times that the store has waited for the card.', ({ fsyncs }) => fsyncs),
  ];
}

function clusterNumbers(cluster: () => ClusterFacts | null): readonly TaggedNumber[] {
  return [
    {
      name: `${PREFIX}cluster_connected`,
      kind: 'gauge',
      help: '1 when the cluster is connected to NATS; absent without a cluster.',
      read: () => {
        const facts = cluster();
        return facts === null ? null : facts.phase === 'connected' ? 1 : 0;
      },
    },
    {
      name: `${PREFIX}cluster_nats_messages_total`,
      kind: 'counter',
      help: 'NATS messages that carried something to other brokers of the cluster.',
      read: () => cluster()?.carried ?? null,
    },
  ];
}

function machineNumbers(machine: () => MachineFacts | null): readonly TaggedNumber[] {
  const gauge = (name: string, help: string, read: (facts: MachineFacts) => number | null): TaggedNumber => ({
    name: `${PREFIX}machine_${name}`,
    kind: 'gauge',
    help,
    read: () => {
      const facts = machine();
      return facts === null ? null : read(facts);
    },
  });
  return [
    gauge('temperature_celsius', 'Temperature of the processor.', ({ cpuTemperature }) => cpuTemperature),
    gauge('memory_available_bytes', 'Memory that programs can still have.', ({ memory }) => memory.available),
    gauge('memory_size_bytes', 'Memory of the machine.', ({ memory }) => memory.total),
    gauge('disk_free_bytes', 'Free space where the state folder is.', ({ disk }) => disk?.free ?? null),
    gauge('disk_size_bytes', 'Size of the disk where the state folder is.', ({ disk }) => disk?.total ?? null),
    gauge('power_problems', 'What the power supply suffers from now: low voltage, throttling.', ({ power }) => power?.now.length ?? null),
  ];
}
