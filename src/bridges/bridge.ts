// One bridge: when it connects, where to, and what it does when the connection ends.
//
//   connecting -> connected -> (ends) -> waiting -> connecting ...
//                                   '--> idle (lazy)  '--> stopped (once)

import { setTimeout as sleep } from 'node:timers/promises';
import type { ConnectionOptions } from 'node:tls';
import type { Clock } from '../base/clock.ts';
import { reasonOf } from '../base/errors.ts';
import type { Part } from '../base/lifecycle.ts';
import type { Logger } from '../base/logger.ts';
import type { Broker } from '../broker/broker.ts';
import type { ConnectionOrigin } from '../broker/options.ts';
import { Addresses } from './addresses.ts';
import { Backoff } from './backoff.ts';
import { ClearedRetained } from './cleared-retained.ts';
import { EchoGuard } from './echo-guard.ts';
import type { FlowWatcher } from './flow.ts';
import { type Link, localOrigin, openLink } from './link.ts';
import { LinkError, type LinkFault } from './link-error.ts';
import { endLocalSession, limitQueue, prepareLocalSession } from './local-session.ts';
import { firstManner, isAmbiguous, type Manner, PROTOCOL_NAMES, plainerManner } from './manner.ts';
import type { BridgeAddress, BridgeOptions } from './options.ts';
import { QueueAge } from './queue-age.ts';
import { endRemoteSession } from './remote-session.ts';
import type { BridgeState } from './state.ts';
import { goesOut, localFilter } from './topics.ts';
import { addressText, openTransport } from './transport.ts';
import { Troubles } from './troubles.ts';

const NOTHING_WAITS = { oldestOrder: null, newestOrder: 0 };
/** Milliseconds between two looks at what waits. */
const LOOK_MS = 1000;

export interface BridgeDeps {
  readonly broker: Broker;
  readonly clock: Clock;
  readonly log: Logger;
  /** tlsFor gives what `tls.connect` needs for an address, read anew for each connection; null = no TLS. Throws OperatorError for a bad file. */
  tlsFor(options: BridgeOptions, address: BridgeAddress): ConnectionOptions | null;
}

/** Bridge carries messages between our own broker and another. */
export class Bridge implements Part {
  readonly name: string;
  readonly options: BridgeOptions;
  readonly origin: ConnectionOrigin;
  readonly #deps: BridgeDeps;
  readonly #guard: EchoGuard;
  readonly #addresses: Addresses;
  readonly #backoff: Backoff;
  readonly #cleared: ClearedRetained;
  readonly #troubles: Troubles;
  readonly #stopping = new AbortController();
  #running: Promise<void> = Promise.resolve();
  #link: Link | null = null;
  #phase: BridgeState['phase'] = 'connecting';
  #since: number;
  #nextAttempt: number | null = null;
  #address: BridgeAddress | null = null;
  /** Why the main address could not be used last. */
  #mainFault: LinkFault | null = null;
  /** What is tried first: without what the other broker has said that it does not take. */
  #firstManner: Manner;
  /** That of the latest connection. */
  #manner: Manner;
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
    this.#guard = new EchoGuard(deps.clock);
    this.#addresses = new Addresses(options.addresses, options.roundRobin);
    this.#backoff = new Backoff(options.restart);
    this.#cleared = new ClearedRetained(deps.broker, options.outgoingRetain ? options.topics.filter(goesOut).map(localFilter) : []);
    this.#troubles = new Troubles({ ...deps, name: options.name, remoteClientId: options.remoteClientId });
    this.#firstManner = firstManner(options);
    this.#manner = this.#firstManner;
    this.#since = deps.clock.now();
  }

  get state(): BridgeState {
    return {
      name: this.name,
      phase: this.#phase,
      since: this.#since,
      nextAttempt: this.#nextAttempt,
      address: this.#address === null ? null : addressText(this.#address),
      lastError: this.#troubles.lastError,
      refusedFilters: this.#troubles.refusedFilters,
      received: this.#received,
      sent: this.#sent,
      dropped: this.#troubles.dropped + (this.#session?.outgoing.dropped ?? 0),
      queued: this.#queued,
      oldestQueued: this.#queueAge.oldest(this.#session?.outgoing ?? NOTHING_WAITS, this.#deps.clock.now()),
    };
  }

  /** start prepares the session here and begins to connect; it does not wait for the other broker. */
  async start(): Promise<void> {
    const before = this.#session;
    if (before !== null) this.#queueAge.note(before.outgoing, before.disconnectedAt ?? this.#deps.clock.now());
    await prepareLocalSession(this.#deps.broker, this.options, this.origin).catch((error: unknown) =>
      this.#troubles.notConnected(asLinkError(error)),
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
    await this.#leaveThere();
    endLocalSession(this.#deps.broker, this.options);
    this.#announce('');
  }

  /** Once: a broker that cannot be reached now keeps the session. */
  async #leaveThere(): Promise<void> {
    const address = this.#address;
    if (address === null || this.options.cleanSession) return;
    const { log, tlsFor } = this.#deps;
    const { signal } = new AbortController(); // nobody waits for it
    try {
      const stream = await openTransport(address, { options: this.options, tls: tlsFor(this.options, address), signal });
      await endRemoteSession(stream, this.options, this.#manner);
    } catch (error) {
      log.log('notice', `The broker at ${addressText(address)} keeps the session of bridge ${this.name}: ${reasonOf(error)}.`);
    }
  }

  get #session() {
    return this.#deps.broker.sessions.get(this.options.localClientId);
  }

  get #queued(): number {
    const outgoing = this.#session?.outgoing;
    return outgoing === undefined ? 0 : outgoing.queuedCount + outgoing.inflightCount;
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
    const link = await this.#connect();
    if (link === null) return 0;
    const { clock, log } = this.#deps;
    const began = clock.monotonic();
    this.#enter('connected');
    this.#announce('1');
    log.log('notice', `Bridge ${this.name} connected to ${addressText(this.#address!)}.`); // #connect has set it
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
    this.#troubles.disconnected(error, lasted);
    return Math.max(1, lasted);
  }

  /** Each address once; null = none of them answers. */
  async #connect(): Promise<Link | null> {
    this.#enter('connecting');
    for (const address of this.#addresses.round()) {
      this.#address = address;
      const outcome = await this.#tryInTurn(address);
      if (this.#isStopping) {
        if (!(outcome instanceof LinkError)) outcome.close();
        return null;
      }
      if (!(outcome instanceof LinkError)) {
        this.#addresses.connected(address);
        return outcome;
      }
      if (address === this.options.addresses[0]) this.#mainFault = outcome.fault;
      this.#troubles.notConnected(outcome);
    }
    return null;
  }

  /** What the other broker refuses is left out at once, in turn. */
  async #tryInTurn(address: BridgeAddress): Promise<Link | LinkError> {
    let isCertain = true;
    for (let manner = this.#firstManner; ; ) {
      const outcome = await this.#try(address, manner);
      if (!(outcome instanceof LinkError)) {
        this.#manner = manner;
        return outcome;
      }
      const next = this.#isStopping ? null : plainerManner(manner, outcome, this.options);
      if (next === null) {
        this.#firstManner = firstManner(this.options); // another broker may be there the next time
        return outcome;
      }
      isCertain &&= !isAmbiguous(outcome);
      if (isCertain) this.#firstManner = next;
      if (next.version !== manner.version) this.#sayVersion(next, outcome);
      manner = next;
    }
  }

  #sayVersion({ version }: Manner, { message }: LinkError): void {
    this.#deps.log.log('notice', `Bridge ${this.name} tries ${PROTOCOL_NAMES[version]}: ${message}.`);
  }

  async #try(address: BridgeAddress, manner: Manner): Promise<Link | LinkError> {
    const { broker, log } = this.#deps;
    log.log('notice', `Connecting bridge ${this.name} (${addressText(address)})`);
    try {
      const { signal } = this.#stopping;
      const stream = await openTransport(address, { options: this.options, tls: this.#deps.tlsFor(this.options, address), signal });
      const giveUp = () => stream.destroy(); // whoever stops it does not wait for an answer
      signal.addEventListener('abort', giveUp);
      stream.once('close', () => signal.removeEventListener('abort', giveUp));
      const link = await openLink(stream, {
        options: this.options,
        manner,
        broker,
        origin: this.origin,
        log,
        guard: this.#guard,
        incoming: this.#watcher('in'),
        outgoing: this.#watcher('out'),
        cleared: () => this.#cleared.take(),
        refusedFilters: (refused) => this.#troubles.refused(refused),
      });
      signal.removeEventListener('abort', giveUp); // from here on it is closed in order
      this.#link = link;
      return link;
    } catch (error) {
      return asLinkError(error);
    }
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

  /** From an address that is not the first it goes back to that once it answers. */
  #failBackLater(link: Link): NodeJS.Timeout {
    let isTrying = false;
    const attempt = async () => {
      const first = this.#addresses.toFailBackTo();
      if (isTrying || first === null || !isAway(this.#mainFault)) return;
      isTrying = true;
      try {
        const stream = await openTransport(first, {
          options: this.options,
          tls: this.#deps.tlsFor(this.options, first),
          signal: this.#stopping.signal,
        });
        stream.destroy();
        this.#deps.log.log('notice', `Bridge ${this.name} goes back to ${addressText(first)}.`);
        link.close();
      } catch {
        isTrying = false; // it is still away
      }
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

function asLinkError(error: unknown): LinkError {
  return error instanceof LinkError ? error : new LinkError('local', reasonOf(error));
}

/** A broker that is there and refuses is no better when it answers again. */
function isAway(fault: LinkFault | null): boolean {
  return fault === 'network' || fault === 'name';
}
