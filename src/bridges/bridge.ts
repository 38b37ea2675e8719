// One bridge: when it connects, and what it does when the connection ends.
//
//   connecting -> connected -> (ends) -> waiting -> connecting ...
//                                   '--> idle (lazy)  '--> stopped (once)

import { setTimeout as sleep } from 'node:timers/promises';
import type { Part } from '../base/lifecycle.ts';
import type { FlowWatcher } from '../broker/client/flow.ts';
import type { ConnectionOrigin } from '../broker/options.ts';
import { Backoff } from './backoff.ts';
import { ClearedRetained } from './cleared-retained.ts';
import { asLinkError, type BridgeDeps, Connector } from './connector.ts';
import { type Link, localOrigin } from './link.ts';
import { endLocalSession, limitQueue, prepareLocalSession } from './local-session.ts';
import type { BridgeOptions } from './options.ts';
import { QueueAge } from './queue-age.ts';
import type { BridgeState } from './state.ts';
import { goesOut, localFilter } from './topics.ts';
import { addressText } from './transport.ts';
import { Troubles } from './troubles.ts';

const NOTHING_WAITS = { oldestOrder: null, newestOrder: 0 };
/** Milliseconds between two looks at what waits. */
const LOOK_MS = 1000;

/** Bridge carries messages between our own broker and another. */
export class Bridge implements Part {
  readonly name: string;
  readonly options: BridgeOptions;
  readonly origin: ConnectionOrigin;
  readonly #deps: BridgeDeps;
  readonly #connector: Connector;
  readonly #backoff: Backoff;
  readonly #cleared: ClearedRetained;
  readonly #troubles: Troubles;
  readonly #stopping = new AbortController();
  #running: Promise<void> = Promise.resolve();
  #link: Link | null = null;
  #phase: BridgeState['phase'] = 'connecting';
  #since: number;
  #nextAttempt: number | null = null;
  #received = 0;
  #sent = 0;
  readonly #queueAge = new QueueAge();
  #announced: string | null = null;
  #lastPassed = 0;
  #lookTimer: NodeJS.Timeout | null = null;
  /** Called when it is connected no more. */
  #left: (() => void) | null = null;

  constructor(options: BridgeOptions, deps: BridgeDeps) {
    this.name = options.name;
    this.options = options;
    this.origin = localOrigin(options);
    this.#deps = deps;
    this.#backoff = new Backoff(options.restart);
    this.#cleared = new ClearedRetained(deps.broker, options.outgoingRetain ? options.topics.filter(goesOut).map(localFilter) : []);
    this.#troubles = new Troubles({ ...deps, options });
    this.#connector = new Connector({
      ...deps,
      options,
      troubles: this.#troubles,
      ends: {
        origin: this.origin,
        incoming: this.#watcher('in'),
        outgoing: this.#watcher('out'),
        cleared: () => this.#cleared.take(),
      },
      signal: this.#stopping.signal,
    });
    this.#since = deps.clock.now();
  }

  get state(): BridgeState {
    const address = this.#connector.address ?? this.options.addresses[0]!; // the configuration asks for one
    return {
      name: this.name,
      topics: this.options.topics,
      phase: this.#phase,
      since: this.#since,
      nextAttempt: this.#nextAttempt,
      address: addressText(address),
      lastError: this.#troubles.lastError,
      refusedFilters: this.#troubles.refusedFilters,
      received: this.#received,
      sent: this.#sent,
      dropped: this.#troubles.dropped + (this.#session?.outgoing.backlog.dropped ?? 0),
      queued: this.#queued,
      oldestQueued: this.#queueAge.oldest(this.#session?.outgoing ?? NOTHING_WAITS, this.#deps.clock.now()),
    };
  }

  /** start prepares the session here and begins to connect; it does not wait for the other broker. */
  async start(): Promise<void> {
    const before = this.#session;
    if (before !== null) this.#queueAge.note(before.outgoing, before.disconnectedAt ?? this.#deps.clock.now());
    await prepareLocalSession(this.#deps.broker, this.options, this.origin).catch((error: unknown) =>
      this.#troubles.notConnected(asLinkError(error), this.#connector.address),
    ); // it is tried again with each connection
    limitQueue(this.#deps.broker, this.options);
    this.#cleared.watch();
    this.#announce('0');
    this.#lookTimer = setInterval(() => this.#look(), LOOK_MS);
    this.#lookTimer.unref();
    this.#running = this.#run();
  }

  /** whenAway calls back once, when it is connected no more; at once where it is not now. */
  whenAway(left: () => void): void {
    if (this.#phase === 'connected') this.#left = left;
    else left();
  }

  /** stop ends the connection in order. The session here stays. */
  async stop(): Promise<void> {
    if (this.#lookTimer !== null) clearInterval(this.#lookTimer);
    this.#stopping.abort();
    this.#cleared.unwatch();
    this.#link?.close();
    await this.#running;
  }

  /** forget stops for good: both brokers forget the session. */
  async forget(): Promise<void> {
    await this.stop();
    await this.#connector.leave();
    endLocalSession(this.#deps.broker, this.options);
    this.#announce('');
  }

  get #session() {
    return this.#deps.broker.sessions.get(this.options.localClientId);
  }

  get #queued(): number {
    const outgoing = this.#session?.outgoing;
    return outgoing === undefined ? 0 : outgoing.backlog.length + outgoing.inflightCount;
  }

  get #isStopping(): boolean {
    return this.#stopping.signal.aborted;
  }

  async #run(): Promise<void> {
    const { startType } = this.options;
    while (!this.#isStopping) {
      if (startType === 'lazy') await this.#untilWanted();
      if (this.#isStopping) return;
      const connectedMs = await this.#connectAndServe();
      if (this.#isStopping) return;
      if (startType === 'once') return this.#enter('stopped');
      if (connectedMs !== null) await this.#pause(this.#backoff.next(connectedMs));
    }
  }

  /** As long as it lasts. Gives the milliseconds that it was connected; null = it ended because nothing was to be done, so nothing is to be waited for. */
  async #connectAndServe(): Promise<number | null> {
    this.#enter('connecting');
    const link = await this.#connector.connect();
    if (link === null) return 0;
    if (this.#isStopping) {
      link.close();
      return 0;
    }
    this.#link = link;
    const { clock, log } = this.#deps;
    const began = clock.monotonic();
    this.#enter('connected');
    this.#announce('1');
    log.log('notice', `Bridge ${this.name} connected to ${addressText(this.#connector.address!)}.`); // connect has set it
    const idle = this.options.startType === 'lazy' ? this.#closeWhenIdle(link) : null;
    const failBack = this.#failBackLater(link);
    const error = await link.closed;
    if (!this.#isStopping) this.#cleared.watch();
    if (idle !== null) clearInterval(idle);
    clearInterval(failBack);
    this.#link = null;
    const lasted = clock.monotonic() - began;
    this.#announce('0');
    if (error === null) return null;
    this.#troubles.disconnected(error, this.#connector.address, lasted);
    return Math.max(1, lasted);
  }

  #watcher(direction: 'in' | 'out'): FlowWatcher {
    return {
      passed: (count) => {
        if (direction === 'in') this.#received += count;
        else this.#sent += count;
        this.#lastPassed = this.#deps.clock.monotonic();
      },
      lost: (why, topicName, reasonCode) => this.#troubles.lost(direction, why, topicName, reasonCode),
    };
  }

  #enter(phase: BridgeState['phase']): void {
    const left = this.#left;
    this.#left = null;
    if (left !== null) queueMicrotask(left);
    this.#phase = phase;
    this.#since = this.#deps.clock.now();
    this.#nextAttempt = null;
  }

  async #pause(ms: number): Promise<void> {
    this.#enter('waiting');
    this.#nextAttempt = this.#since + ms;
    await this.#sleep(ms);
  }

  async #sleep(ms: number): Promise<void> {
    await sleep(ms, undefined, { signal: this.#stopping.signal, ref: false }).catch(() => {}); // it is stopped
  }

  async #untilWanted(): Promise<void> {
    this.#enter('idle');
    while (!this.#isStopping && this.#queued < this.options.threshold) await this.#sleep(LOOK_MS);
  }

  #closeWhenIdle(link: Link): NodeJS.Timeout {
    this.#lastPassed = this.#deps.clock.monotonic();
    return setInterval(() => {
      const isIdle = this.#deps.clock.monotonic() - this.#lastPassed >= this.options.idleTimeout * 1000;
      if (isIdle && this.#queued === 0) link.close();
    }, LOOK_MS);
  }

  #failBackLater(link: Link): NodeJS.Timeout {
    let isTrying = false;
    const attempt = async () => {
      if (isTrying) return;
      isTrying = true;
      const first = await this.#connector.addressToGoBackTo();
      isTrying = false;
      if (first === null) return;
      this.#deps.log.log('notice', `Bridge ${this.name} goes back to ${addressText(first)}.`);
      link.close();
    };
    return setInterval(() => void attempt(), this.options.restart.cap * 1000);
  }

  #look(): void {
    const session = this.#session;
    session?.outgoing.dropExpired();
    this.#queueAge.note(session?.outgoing ?? NOTHING_WAITS, this.#deps.clock.now());
  }

  /** Retained, and once per change. */
  #announce(text: '0' | '1' | ''): void {
    if (this.options.notifications === 'off' || this.#announced === text) return;
    this.#announced = text;
    const payload = Buffer.from(text);
    this.#deps.broker.publish({ cmd: 'publish', topic: this.options.notificationTopic, payload, qos: 1, retain: true, dup: false });
  }
}
