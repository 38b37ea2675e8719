// Wills of a broker that dies: the others have copies of those of its connected clients, and one of them says each, once.
//
//   client connects -> copy to all others          client goes -> forget it
//   a broker is not heard any more -> the first of the others by name says its wills, and tells; where it does not, the next one does
//   a broker starts again -> it asks which of its wills have been said, and says the rest
//
// A client that connects elsewhere in the meantime has its will said then, or, within the will delay, not at all.

import { setTimeout as sleep } from 'node:timers/promises';
import type { Clock } from '../base/clock.ts';
import type { Logger } from '../base/logger.ts';
import type { Broker } from '../broker/broker.ts';
import type { Connection } from '../broker/connection/connection.ts';
import { CLUSTER_LISTENER } from '../broker/options.ts';
import type { Session } from '../broker/session/session.ts';
import { Will } from '../broker/session/will.ts';
import { publishWill, type WillOwner } from '../broker/session/wills.ts';
import type { Timer } from '../broker/timer-wheel.ts';
import { decodeProperties, WILL } from '../mqtt/properties.ts';
import type { Neighbours } from './neighbours.ts';
import { readAnswer, type SaidAnswer } from './session-words.ts';
import { copyOf, readWillWord, type SaidWord, WILLS_VERSION, type WillCopy, type WillsWord } from './will-words.ts';
import { type Alive, inParts } from './words.ts';

/** Milliseconds without a sign of life, and for each broker that comes first. */
const SILENCE_MS = 6000;
const RANK_MS = 3000;
/** Milliseconds that wills from before a restart wait: for others to be heard, and at most. */
const HEARING_MS = 1500;
const HELD_MS = 8000;
const ANSWER_MS = 2000;
/** Milliseconds that a client with such a will waits for that when it connects. */
const RELEASE_MS = 5000;

/** What is known of another broker. */
interface Other {
  run: string;
  heardAt: number;
  readonly copies: Map<string, WillCopy>;
}

export interface WillsDeps {
  readonly broker: Broker;
  readonly clock: Clock;
  readonly log: Logger;
  readonly neighbours: Neighbours;
  /** Of this run. */
  readonly run: string;
  /** tell says a word to one broker, or to all. */
  tell(to: string | null, word: WillsWord | SaidWord): void;
}

/** Wills belongs to one broker of a cluster. */
export class Wills {
  readonly #deps: WillsDeps;
  readonly #others = new Map<string, Other>();
  /** Of brokers that were not heard any more: the clients whose wills have been cared for. */
  readonly #said = new Map<string, { run: string; readonly clients: Set<string> }>();
  /** Wills of others that wait for their delay, by client id. */
  readonly #delayed = new Map<string, Timer>();
  /** Our clients that others have copies of. */
  readonly #told = new Map<string, Session>();
  readonly #changed = new Set<string>();
  #isTurnAwaited = false;
  #connectedAt: number | null = null;
  #startedAt = 0;
  #settle: () => void = () => {};
  /** Resolves when wills from before a restart have been cared for. */
  readonly #settled: Promise<void>;
  #isAsking = false;
  readonly #noteReady = ({ session }: Connection): void => this.#look(session);
  readonly #noteGone = ({ session }: Connection): void => this.#look(session);

  constructor(deps: WillsDeps) {
    this.#deps = deps;
    this.#settled = new Promise((resolve) => {
      this.#settle = resolve;
    });
  }

  /** count gives the copies that are here. */
  get count(): number {
    return Array.from(this.#others.values(), ({ copies }) => copies.size).reduce((sum, one) => sum + one, 0);
  }

  start(): void {
    const { broker, clock } = this.#deps;
    this.#startedAt = clock.monotonic();
    broker.on('clientReady', this.#noteReady);
    broker.on('clientDisconnect', this.#noteGone);
    for (const session of broker.sessions) this.#look(session);
    if (broker.heldWills === null || broker.heldWills.isEmpty) this.#settle();
  }

  /** stop leaves wills from before a restart to the next start: who has said them is not known. */
  stop(): void {
    const { broker } = this.#deps;
    broker.removeListener('clientReady', this.#noteReady);
    broker.removeListener('clientDisconnect', this.#noteGone);
    for (const timer of this.#delayed.values()) broker.wheel.cancel(timer);
  }

  connected(): void {
    this.#connectedAt = this.#deps.clock.monotonic();
  }

  lost(): void {
    this.#connectedAt = null;
  }

  /** heard takes a sign of life. A broker that says farewell cares for its wills itself, and so does one that was started again. */
  heard({ id, run, leaves }: Alive): void {
    const other = this.#otherOf(id, run);
    other.heardAt = this.#deps.clock.monotonic();
    if (other.run !== run || leaves === true) other.copies.clear();
    other.run = run;
    const said = this.#said.get(id);
    if (said?.run !== run) return;
    for (const clientId of said.clients) this.#cancelDelayed(clientId); // it was cut off, not dead: its clients may still be connected
    this.#said.delete(id);
  }

  /** back gives a broker that has come, or come back, our copies. */
  back(peer: string): void {
    const copies = Array.from(this.#told.values(), copyOf).filter((copy) => copy !== null);
    const { id } = this.#deps.neighbours;
    for (const [at, set] of inParts(copies).entries())
      this.#deps.tell(peer, { v: WILLS_VERSION, id, run: this.#deps.run, begins: at === 0, set, gone: [] });
  }

  /** hear takes a word of another broker. */
  hear(bytes: Buffer): void {
    const word = readWillWord(bytes);
    if (word === null) return;
    if ('clients' in word) return this.#noteSaid(word);
    const { id, run, begins, set, gone } = word;
    const other = this.#otherOf(id, run);
    if (begins === true || other.run !== run) other.copies.clear();
    other.run = run;
    for (const copy of set) other.copies.set(copy.clientId, copy);
    for (const clientId of gone) other.copies.delete(clientId);
  }

  /** saidOf gives the clients of a broker whose wills were cared for while it was gone: one part of them. */
  saidOf(id: string, run: string, part: number): SaidAnswer {
    const said = this.#said.get(id);
    const parts = said === undefined || said.run === run ? [] : inParts([...said.clients]);
    return { said: parts[part] ?? [], more: part + 1 < parts.length };
  }

  /** isHolding tells whether the will of a client from before a restart has not been cared for. */
  isHolding(clientId: string): boolean {
    return this.#deps.broker.heldWills?.has(clientId) === true;
  }

  /** release waits until it has been cared for, not for long. */
  async release(clientId: string): Promise<void> {
    const ending = new AbortController();
    const late = sleep(RELEASE_MS, undefined, { signal: ending.signal }).catch(() => {}); // it was in time
    await Promise.race([this.#settled, late]);
    ending.abort();
    this.#deps.broker.heldWills?.finishOne(clientId, false);
  }

  /** granted is told that a client has connected here. Brokers that answered care for its will there; of the others it is said now, unless it has a delay. */
  granted(clientId: string, answered: readonly string[]): void {
    this.#cancelDelayed(clientId);
    for (const [id, { run, copies }] of this.#others) {
      const copy = copies.get(clientId);
      if (copy === undefined || answered.includes(id)) continue;
      copies.delete(clientId);
      if (this.#ownerOf(copy).will.delay === 0) this.#say(copy, id);
      this.#tellSaid(id, run, [clientId]);
    }
  }

  /** claimed is told that a client has connected to another broker. */
  claimed(clientId: string): void {
    this.#cancelDelayed(clientId);
  }

  /** beat is called every second. */
  beat(): void {
    for (const session of this.#told.values()) if (session.will === null || session.isOver) this.#change(session.clientId);
    if (!this.#isHeldDone) void this.#releaseHeld();
    if (this.#connectedAt === null) return;
    for (const [id, other] of this.#others) if (other.copies.size > 0 && this.#isMine(id, other)) this.#inherit(id, other);
  }

  #isMine(id: string, { heardAt }: Other): boolean {
    const { clock, neighbours } = this.#deps;
    const heard = neighbours.heard();
    if (heard.includes(id)) return false;
    const rank = heard.filter((one) => one < neighbours.id).length;
    return clock.monotonic() - Math.max(heardAt, this.#connectedAt ?? Number.POSITIVE_INFINITY) > SILENCE_MS + rank * RANK_MS;
  }

  #inherit(id: string, { run, copies }: Other): void {
    const all = [...copies.values()];
    copies.clear();
    this.#deps.log.log('notice', `Cluster: ${id} is not heard any more: this broker says the wills of its ${all.length} clients.`);
    for (const copy of all) this.#sayInTime(copy, id);
    this.#tellSaid(
      id,
      run,
      all.map(({ clientId }) => clientId),
    );
  }

  #sayInTime(copy: WillCopy, id: string): void {
    const { broker } = this.#deps;
    const delay = Math.min(this.#ownerOf(copy).will.delay, copy.expiryInterval) - SILENCE_MS / 1000;
    if (delay <= 0) return this.#say(copy, id);
    const timer = broker.wheel.after(delay, () => {
      this.#delayed.delete(copy.clientId);
      this.#say(copy, id);
    });
    this.#cancelDelayed(copy.clientId);
    this.#delayed.set(copy.clientId, timer);
  }

  #cancelDelayed(clientId: string): void {
    const timer = this.#delayed.get(clientId);
    if (timer === undefined) return;
    this.#deps.broker.wheel.cancel(timer);
    this.#delayed.delete(clientId);
  }

  #say(copy: WillCopy, of: string): void {
    const { broker, log } = this.#deps;
    log.log('information', `Cluster: the will of client ${copy.clientId}, which was connected to ${of}, is published here.`);
    publishWill(broker, this.#ownerOf(copy));
  }

  #ownerOf(copy: WillCopy): WillOwner & { readonly will: Will } {
    const { broker } = this.#deps;
    const { clientId, username, listener, version, expiryInterval, topicName, qos, retain } = copy;
    const payload = Buffer.from(copy.payload, 'base64');
    const properties = decodeProperties(Buffer.from(copy.properties, 'base64'), WILL);
    return {
      ...{ clientId, username, listener, version, expiryInterval },
      ...{ requester: { clientId, username, listener }, account: broker.accountOf(listener, username) },
      ...{ connection: null, journal: null, isSaved: false, disconnectedAt: null, secondsAway: 0 },
      will: new Will({ topicName, payload, qos, retain, properties }, ''),
    };
  }

  #tellSaid(of: string, run: string, clients: readonly string[]): void {
    for (const part of inParts(clients)) {
      const word = { v: WILLS_VERSION, id: this.#deps.neighbours.id, of, run, clients: part };
      this.#noteSaid(word);
      this.#deps.tell(null, word);
    }
  }

  #noteSaid({ of, run, clients }: SaidWord): void {
    const copies = this.#others.get(of)?.copies;
    let said = this.#said.get(of);
    if (said?.run !== run) said = { run, clients: new Set() };
    this.#said.set(of, said);
    for (const clientId of clients) {
      copies?.delete(clientId);
      said.clients.add(clientId);
    }
  }

  #otherOf(id: string, run: string): Other {
    const other = this.#others.get(id) ?? { run, heardAt: this.#deps.clock.monotonic(), copies: new Map() };
    this.#others.set(id, other);
    return other;
  }

  get #isHeldDone(): boolean {
    return this.#deps.broker.heldWills?.isEmpty !== false;
  }

  /** Wills from before a restart: when others have been asked, or nobody can be. */
  async #releaseHeld(): Promise<void> {
    const { clock, neighbours, run } = this.#deps;
    const now = clock.monotonic();
    const isHeard = this.#connectedAt !== null && now - this.#connectedAt > HEARING_MS;
    if (this.#isAsking || (!isHeard && now - this.#startedAt < HELD_MS)) return;
    this.#isAsking = true;
    const said = new Set<string>();
    const ask = async (peer: string): Promise<void> => {
      for (let part = 0, hasMore = true; hasMore; part++) {
        const word = { ask: 'wills', from: neighbours.id, run, part } as const;
        const answer = readAnswer<SaidAnswer>(await neighbours.ask(peer, word, ANSWER_MS));
        for (const clientId of answer.said) said.add(clientId);
        hasMore = answer.more;
      }
    };
    await Promise.allSettled(neighbours.heard().map(ask)); // one that does not answer has not said any, as far as is known
    this.#finishHeld(said);
    this.#isAsking = false;
  }

  #finishHeld(said: ReadonlySet<string>): void {
    this.#deps.broker.heldWills?.finish(said);
    this.#settle();
  }

  #look(session: Session | null): void {
    if (session === null || session.listener === CLUSTER_LISTENER || (session.will === null && !this.#told.has(session.clientId))) return;
    this.#told.set(session.clientId, session);
    this.#change(session.clientId);
  }

  #change(clientId: string): void {
    this.#changed.add(clientId);
    if (this.#isTurnAwaited) return;
    this.#isTurnAwaited = true;
    setImmediate(() => this.#tell()); // a will that is said at the end of its connection is none any more
  }

  #tell(): void {
    const { neighbours, run, tell } = this.#deps;
    this.#isTurnAwaited = false;
    const gone: string[] = [];
    const set: WillCopy[] = [];
    for (const clientId of this.#changed) {
      const session = this.#told.get(clientId);
      const copy = session === undefined || session.isOver ? null : copyOf(session);
      if (copy !== null) set.push(copy);
      else {
        gone.push(clientId);
        this.#told.delete(clientId);
      }
    }
    this.#changed.clear();
    const word = { v: WILLS_VERSION, id: neighbours.id, run, set: [], gone: [] };
    if (set.length > 0) for (const part of inParts(set)) tell(null, { ...word, set: part });
    if (gone.length > 0) for (const part of inParts(gone)) tell(null, { ...word, gone: part });
  }
}
