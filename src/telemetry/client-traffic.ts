// Clients and messages as a person counts them: without the broker's test of itself, the other brokers of a cluster, and the numbers of its $SYS
// tree.

import type { Clock } from '../base/clock.ts';
import type { Broker } from '../broker/broker.ts';
import type { Session } from '../broker/session/session.ts';
import { LoadAverage } from './load-average.ts';
import type { Telemetry } from './telemetry.ts';

/** SelfTestCounts are of the client by which the broker tests itself: what it has published and received. */
export interface SelfTestCounts {
  readonly clientId: string;
  readonly published: number;
  readonly received: number;
}

export interface TrafficSetup {
  readonly clock: Clock;
  readonly broker: Broker;
  readonly telemetry: Telemetry;
  /** Null = there is no test. */
  readonly selfTest: SelfTestCounts | null;
}

/** ClientTraffic reads the counters of the engine; nothing is counted twice for it. */
export class ClientTraffic {
  readonly #setup: TrafficSetup;
  readonly #received = new LoadAverage(0);
  readonly #sent = new LoadAverage(0);
  #sampledAt: number;

  constructor(setup: TrafficSetup) {
    this.#setup = setup;
    this.#sampledAt = setup.clock.monotonic();
  }

  /** sample moves the averages; it is called at each `sys_interval`. */
  sample(): void {
    const now = this.#setup.clock.monotonic();
    const seconds = (now - this.#sampledAt) / 1000;
    if (seconds <= 0) return;
    this.#sampledAt = now;
    this.#received.update(this.received, seconds);
    this.#sent.update(this.sent, seconds);
  }

  get received(): number {
    const { broker, selfTest } = this.#setup;
    return Math.max(0, broker.counters.publishReceived - (selfTest?.published ?? 0)); // a test may be under way
  }

  get sent(): number {
    const { broker, selfTest, telemetry } = this.#setup;
    return Math.max(0, broker.counters.publishSent - (selfTest?.received ?? 0) - telemetry.sent);
  }

  /** receivedPerSecond is the average of the last minute. */
  get receivedPerSecond(): number {
    return this.#received.lastMinute / 60;
  }

  get sentPerSecond(): number {
    return this.#sent.lastMinute / 60;
  }

  /** retained counts what clients keep: below $SYS is what the broker tells of itself and of its bridges. */
  get retained(): number {
    const { retained } = this.#setup.broker;
    const own = retained.matching('$SYS/#');
    let count = retained.count;
    while (own.nextValue() !== null) count--;
    return count;
  }

  get subscriptions(): number {
    return this.#setup.broker.tree.count - (this.#tester()?.subscriptions.size ?? 0);
  }

  get connectedClients(): number {
    return this.#setup.broker.sessions.connectedClients - this.#testerConnections();
  }

  get clientsAway(): number {
    const { broker } = this.#setup;
    return broker.sessions.clientCount - (this.#tester() === null ? 0 : 1) - this.connectedClients;
  }

  get connections(): number {
    const { connections, sessions } = this.#setup.broker;
    return connections.size - sessions.connectedLinks - this.#testerConnections();
  }

  /** connectionsOf counts those of a listener. */
  connectionsOf({ connections, port }: { readonly connections: number; readonly port: number }): number {
    const own = this.#tester()?.connection?.origin.policy.port === port ? 1 : 0;
    return connections - own;
  }

  /** isTester tells whether a client is the broker's test of itself. */
  isTester(clientId: string): boolean {
    return this.#setup.selfTest?.clientId === clientId;
  }

  #testerConnections(): number {
    return this.#tester()?.connection == null ? 0 : 1;
  }

  #tester(): Session | null {
    const { broker, selfTest } = this.#setup;
    return selfTest === null ? null : broker.sessions.get(selfTest.clientId);
  }
}
