// One other broker: heard or not, linked or not.
//
//   away -> (a sign of life) -> connecting -> connected -> (the link ends) -> connecting ...
//                                                 '--> (no sign of life, or NATS is lost) -> away
//
// Whatever the phase, the session "cluster.to.ID" of our broker takes messages for it, once it has been linked for the first time.

import { setTimeout as sleep } from 'node:timers/promises';
import type { Clock } from '../base/clock.ts';
import { reasonOf } from '../base/errors.ts';
import type { Logger } from '../base/logger.ts';
import type { Broker } from '../broker/broker.ts';
import type { Wish } from './interest.ts';
import type { Link, LinkWatcher } from './link.ts';
import { sessionTo } from './options.ts';
import { carryLater } from './peer-session.ts';
import { giveBackShared } from './shared.ts';
import type { LinkState, PeerPhase } from './state.ts';
import type { Alive, Change, Part } from './words.ts';

/** Milliseconds without a sign of life after which a broker is away. */
const SILENCE_MS = 5000;
/** Milliseconds that one who asks to be carried to waits for the link: it has asked again by then. */
const CARRY_MS = 2500;
/** Milliseconds after NATS has been reached in which a broker that is there says so: some signs of life. */
const EXPECTED_MS = 5000;
/** Milliseconds between two attempts. */
const PAUSE_MS = 500;

export interface PeerDeps {
  readonly broker: Broker;
  readonly clock: Clock;
  readonly log: Logger;
  /** newLink makes a link to a run of the peer, to be opened; throws. */
  newLink(peer: string, run: string, watcher: LinkWatcher): Promise<Link>;
  /** interestOf asks for all that the peer wants; throws. */
  interestOf(peer: string): Promise<readonly Part[]>;
  /** back is told when it is linked. `since` = milliseconds since 1970 from when on it was missed; null = it is another run, or the first. */
  back(peer: string, since: number | null): void;
}

/** Peer lives as long as the cluster. */
export class Peer {
  readonly id: string;
  readonly #deps: PeerDeps;
  readonly #stopping = new AbortController();
  #phase: PeerPhase = 'away';
  #since: number;
  #alive: Alive | null = null;
  /** The latest of its run. */
  #connection = 0;
  #heardAt: number;
  /** Until when it may be there though nothing is heard of it yet; monotonic. */
  #expectedUntil = Number.NEGATIVE_INFINITY;
  /** From before it is opened, so that it can be closed meanwhile. */
  #link: Link | null = null;
  #running: Promise<void> | null = null;
  /** Revision of the interest that the link has; null = none yet. */
  #revision: number | null = null;
  /** The link for which it is asked what it wants. */
  #asking: Link | null = null;
  /** It was lost, or started, since it was linked: from then on, as in `back`. */
  #missed: { readonly since: number | null } | null = { since: null };
  /** Those who wait until it is connected, or never will be. */
  #waiting: (() => void)[] = [];
  #sent = 0;
  #dropped = 0;
  #lastError: string | null = null;

  constructor(id: string, deps: PeerDeps) {
    this.id = id;
    this.#deps = deps;
    this.#since = deps.clock.now();
    this.#heardAt = deps.clock.monotonic();
  }

  get state(): LinkState {
    const session = this.#session;
    const outgoing = session?.outgoing;
    return {
      id: this.id,
      phase: this.#phase,
      since: this.#since,
      version: this.#alive?.version ?? null,
      filters: session?.subscriptions.size ?? 0,
      sent: this.#sent,
      queued: outgoing === undefined ? 0 : outgoing.backlog.length + outgoing.inflightCount,
      dropped: this.#dropped + (outgoing?.backlog.dropped ?? 0),
      lastError: this.#lastError,
    };
  }

  /** isHeard tells whether it is there, linked or not. */
  get isHeard(): boolean {
    return this.#phase === 'connecting' || this.#phase === 'connected';
  }

  /** mayBeThere tells whether it is there, or could not have said so yet. */
  get mayBeThere(): boolean {
    return this.isHeard || (this.#phase === 'away' && this.#deps.clock.monotonic() < this.#expectedUntil);
  }

  /** expect is told that NATS is reached, where it may be. */
  expect(): void {
    this.#expectedUntil = this.#deps.clock.monotonic() + EXPECTED_MS;
  }

  /** carry has more go to it, by the link once that is made, or wait for it. False = it was never linked. */
  async carry(wishes: readonly Wish[]): Promise<boolean> {
    if (!this.isConnected) await this.#linked();
    const link = this.#link;
    if (link === null || this.#revision === null) return carryLater(this.#deps.broker, this.id, wishes);
    if (wishes.length > 0) await link.change(wishes);
    return link === this.#link;
  }

  get isConnected(): boolean {
    return this.#phase === 'connected';
  }

  /** isAway tells that it is not spoken with: it may never come back. */
  get isAway(): boolean {
    return this.#phase === 'away' || this.#phase === 'refused';
  }

  /** heard takes a sign of life. */
  heard(alive: Alive): void {
    const isOther = this.#alive !== null && this.#alive.run !== alive.run;
    const { connection = 0 } = alive;
    const isElsewhere = isOther || connection > this.#connection;
    this.#alive = alive;
    this.#heardAt = this.#deps.clock.monotonic();
    if (isOther) this.#missed = { since: null }; // it was started again
    if (isElsewhere) {
      this.#connection = connection;
      this.#link?.close();
    }
    if (alive.leaves === true) return this.lost('it stops');
    if (this.#phase === 'away') this.#enter('connecting');
    this.#running ??= this.#run();
    if (this.#revision !== null && alive.revision !== this.#revision) void this.#askForAll();
  }

  /** refuse notes a broker of another protocol. */
  refuse({ version, protocol }: Alive): void {
    if (this.#phase === 'refused') return;
    this.lost(`it speaks protocol ${protocol} between brokers (midge ${version})`);
    this.#enter('refused');
    this.#deps.log.log(
      'error',
      `Error: Cluster: ${this.id} runs midge ${version}, which this version cannot work with. Update one of them.`,
    );
  }

  /** look finds out whether it has been silent for too long. */
  look(): void {
    if (this.#deps.clock.monotonic() - this.#heardAt <= SILENCE_MS) return;
    if (this.#phase !== 'away' && this.#phase !== 'refused') this.lost('nothing is heard of it');
    else this.#giveBack(); // somebody may have come who takes it
  }

  /** lost ends the link. */
  lost(reason: string): void {
    this.#expectedUntil = Number.NEGATIVE_INFINITY;
    if (this.#phase === 'away') return;
    const wasConnected = this.#phase === 'connected';
    this.#enter('away');
    this.#missed ??= { since: this.#since };
    this.#lastError = reason;
    this.#link?.close();
    this.#giveBack();
    if (wasConnected && !this.#stopping.signal.aborted)
      this.#deps.log.log('warning', `Cluster: ${this.id} is away: ${reason}. QoS 1 and 2 messages for it wait here.`);
  }

  /** wants takes a change of what it wants. */
  wants({ run, revision, wishes }: Change): void {
    if (this.#alive?.run !== run || this.#link === null || this.#revision === null || this.#asking !== null) return; // all of it will be asked for
    if (revision <= this.#revision) return;
    if (revision !== this.#revision + 1) {
      void this.#askForAll();
      return;
    }
    this.#revision = revision;
    void this.#link.change(wishes);
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    this.#link?.close();
    this.#wake();
    await this.#running;
  }

  get #session() {
    return this.#deps.broker.sessions.get(sessionTo(this.id));
  }

  get #isStopping(): boolean {
    return this.#stopping.signal.aborted;
  }

  #giveBack(): void {
    const session = this.#session;
    if (session !== null) giveBackShared(this.#deps.broker, session);
  }

  #enter(phase: PeerPhase): void {
    this.#phase = phase;
    this.#since = this.#deps.clock.now();
    if (phase === 'connected' || phase === 'refused') this.#wake();
  }

  /** The peer has asked for it, so that it is there: one of the two may have been started just now. Not for longer than it waits for an answer. */
  #linked(): Promise<void> {
    return new Promise((resolve) => {
      const late = setTimeout(resolve, CARRY_MS);
      late.unref();
      this.#waiting.push(() => {
        clearTimeout(late);
        resolve();
      });
    });
  }

  #wake(): void {
    for (const goOn of this.#waiting.splice(0)) goOn();
  }

  /** As long as signs of life come. */
  async #run(): Promise<void> {
    while (!this.#isStopping && this.#phase !== 'away' && this.#phase !== 'refused') {
      await this.#serve();
      if (!this.#isStopping) await sleep(PAUSE_MS, undefined, { signal: this.#stopping.signal, ref: false }).catch(() => {}); // it is stopped
    }
    this.#running = null;
  }

  async #serve(): Promise<void> {
    const { log } = this.#deps;
    try {
      const { run } = this.#alive!; // it was heard
      const connection = this.#connection;
      const link = await this.#deps.newLink(this.id, run, this.#watcher());
      this.#link = link;
      const isOver = this.#alive?.run !== run || this.#connection !== connection; // it was started again, or connected again, meanwhile
      if (this.#isStopping || this.isAway || isOver || !(await this.#begin(link))) link.close();
      else {
        this.#enter('connected');
        log.log('notice', `Cluster: connected to ${this.id}.`);
        if (this.#missed !== null) this.#deps.back(this.id, this.#missed.since);
        this.#missed = null;
      }
      this.#lastError = (await link.closed) ?? this.#lastError;
    } catch (error) {
      this.#lastError = reasonOf(error);
    }
    this.#link = null;
    this.#revision = null;
    if ((this.#phase as PeerPhase) === 'connected') {
      this.#enter('connecting');
      if (!this.#isStopping) log.log('notice', `Cluster: the link to ${this.id} has ended: ${this.#lastError}. It is made again.`);
    }
  }

  /** True = it carries what the peer wants. False, or an error = it does not: it may have been closed. */
  async #begin(link: Link): Promise<boolean> {
    await link.open();
    const isOpen = await Promise.race([this.#askForAll().then(() => true), link.closed.then(() => false)]);
    return isOpen && this.#revision !== null;
  }

  /** All that it wants, in the place of what was known. Changes that come meanwhile are in it, or show by the next sign of life. */
  async #askForAll(): Promise<void> {
    const link = this.#link;
    if (link === null || this.#asking === link) return;
    this.#asking = link;
    try {
      const parts = await this.#deps.interestOf(this.id);
      const revision = parts[0]?.revision;
      if (revision === undefined || parts.some((part) => part.revision !== revision))
        throw new Error('its interest changes faster than it tells');
      await link.replace(parts.flatMap(({ wishes }): readonly Wish[] => wishes));
      if (link === this.#link) this.#revision = revision;
    } catch (error) {
      this.#lastError = reasonOf(error);
    } finally {
      if (this.#asking === link) this.#asking = null;
    }
  }

  #watcher(): LinkWatcher {
    return {
      passed: (count) => {
        this.#sent += count;
      },
      lost: (why, topicName, reasonCode) => {
        this.#dropped++;
        const what = topicName === null ? 'a message' : `a message of ${topicName}`;
        if (this.#dropped === 1)
          this.#deps.log.log('warning', `Cluster: ${this.id} does not get ${what}: ${why} (${reasonCode}). Others are counted only.`);
      },
      refusedFilter: (topicFilter, reasonCode) => {
        const words = `cannot carry ${topicFilter} for ${this.id} (${reasonCode}): see max_subscriptions and memory_limit`;
        if (this.#lastError !== words) this.#deps.log.log('warning', `Cluster: ${words}.`);
        this.#lastError = words;
      },
    };
  }
}
