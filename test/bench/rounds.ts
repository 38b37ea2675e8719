// Runs loads against all brokers, in turn and several times: A B C A B C, so that the machine's noise meets all alike.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { OperatorError, reasonOf } from '../../src/base/errors.ts';
import type { BenchBroker, RunningBroker } from './brokers/broker.ts';
import { BENCH_USER } from './brokers/configuration.ts';
import type { Generator, Measurement } from './generator.ts';
import { prepareSessions } from './kept-sessions.ts';
import type { Load } from './loads.ts';

/** Conditions hold for all runs of a report. A core of null = not pinned. */
export interface Conditions {
  readonly generator: Generator;
  readonly rounds: number;
  readonly seconds: number;
  readonly warmup: number;
  readonly brokerCore: number | null;
  readonly generatorCore: number | null;
}

/** BrokerResult is one broker's part of a row: a measurement per round, or why there is none. */
export interface BrokerResult {
  readonly broker: string;
  readonly measurements: readonly Measurement[];
  readonly failure: string | null;
}

/** Contest is one load and who takes part. */
export interface Contest {
  readonly load: Load;
  readonly brokers: readonly BenchBroker[];
}

/**
 * measureContests starts a process for every broker of every contest, lets all of them take turns and stops them; results are in the order
 * of the contests. A broker that fails drops out with its reason.
 */
export async function measureContests(contests: readonly Contest[], conditions: Conditions): Promise<BrokerResult[][]> {
  const groups = contests.map(({ load, brokers }) => brokers.map((broker) => new Contestant(broker, load, conditions)));
  const contestants = groups.flat();
  try {
    for (const contestant of contestants) await contestant.start();
    for (let round = 0; round < conditions.rounds; round++) {
      for (const contestant of contestants) await contestant.measure();
    }
  } finally {
    for (const contestant of contestants) await contestant.stop();
  }
  return groups.map((group) => group.map((contestant) => contestant.result()));
}

class Contestant {
  readonly #broker: BenchBroker;
  readonly #load: Load;
  readonly #conditions: Conditions;
  readonly #folder: string;
  readonly #measurements: Measurement[];
  #running: RunningBroker | null;
  #failure: string | null;

  constructor(broker: BenchBroker, load: Load, conditions: Conditions) {
    this.#broker = broker;
    this.#load = load;
    this.#conditions = conditions;
    this.#folder = mkdtempSync(join(tmpdir(), 'bench-'));
    this.#measurements = [];
    this.#running = null;
    this.#failure = null;
  }

  async start(): Promise<void> {
    await this.#attempt(async () => {
      if (this.#broker.version() === null) throw new OperatorError(`not installed - ${this.#broker.missing}`);
      const { transport, access } = this.#load;
      if (transport === 'tls' && !this.#conditions.generator.tls)
        throw new OperatorError('the generator was built without OpenSSL - install the package libssl-dev');
      const persistence = this.#load.sessions !== 'clean';
      this.#running = await this.#broker.start({ transport, access, persistence, core: this.#conditions.brokerCore, folder: this.#folder });
    });
  }

  async measure(): Promise<void> {
    const running = this.#running;
    if (running === null || this.#failure !== null) return;
    await this.#attempt(async () => {
      await prepareSessions(running.port, this.#load);
      const [before, began] = [await running.fsyncs?.(), performance.now()];
      const measurement = await this.#conditions.generator.run(argumentsFor(this.#load, running, this.#conditions));
      const seconds = (performance.now() - began) / 1000;
      const after = await running.fsyncs?.();
      this.#measurements.push(
        before === undefined || after === undefined ? measurement : { ...measurement, fsyncs: (after - before) / seconds },
      );
    });
  }

  async stop(): Promise<void> {
    await this.#running?.child.stop();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  result(): BrokerResult {
    return { broker: this.#broker.name, measurements: this.#measurements, failure: this.#failure };
  }

  async #attempt(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      this.#failure = reasonOf(error);
    }
  }
}

function argumentsFor(load: Load, running: RunningBroker, conditions: Conditions): Record<string, number | string> {
  return {
    ...load.settings,
    ...(load.sessions === 'away' ? { subscribers: 0 } : {}),
    port: running.port,
    broker: running.child.pid,
    seconds: conditions.seconds,
    warmup: conditions.warmup,
    ...(conditions.generatorCore === null ? {} : { core: conditions.generatorCore }),
    ...(load.transport === 'tls' ? { tls: 1 } : {}),
    ...(load.transport === 'websocket' ? { websocket: 1 } : {}),
    ...(load.access ? BENCH_USER : {}),
  };
}
