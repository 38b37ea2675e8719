// Wills of a broker that dies: the others have copies of those of its connected clients, and one of them says each, once.
//
//   client connects -> copy to all others          client goes -> forget it                    (told-wills.ts)
//   a broker is not heard any more -> the first of the others by name says its wills, and tells; where it does not, the next one does
//   a broker starts again -> it asks which of its wills have been said, and says the rest      (said-wills.ts, unsettled-wills.ts)
//                            or it remembers nothing: then it is as if it had not started again
//
// A client that connects elsewhere in the meantime has its will said then, or, within the will delay, not at all.

import type { Clock } from '../base/clock.ts';
import type { Logger } from '../base/logger.ts';
import type { Broker } from '../broker/broker.ts';
import { Will } from '../broker/session/will.ts';
import { publishWill, type WillOwner } from '../broker/session/wills.ts';
import type { Timer } from '../broker/timer-wheel.ts';
import { decodeProperties, WILL } from '../mqtt/properties.ts';
import type { Neighbours } from './neighbours.ts';
import { SaidWills } from './said-wills.ts';
import type { SaidAnswer, SaidWord } from './session-words.ts';
import { ToldWills } from './told-wills.ts';
import { UnsettledWills } from './unsettled-wills.ts';
import { readWillWord, type WillCopy, type WillsWord } from './will-words.ts';
import type { Alive } from './words.ts';

/** Milliseconds without a sign of life, and for each broker that comes first. */
const SILENCE_MS = 6000;
const RANK_MS = 3000;
/** Runs of another broker that are remembered. */
const PAST_RUNS = 8;

/** What is known of one run of another broker. Times are monotonic milliseconds. */
interface Run {
  readonly run: string;
  heardAt: number;
  readonly copies: Map<string, WillCopy>;
}

/** Another broker: its latest run, and one that has ended without a word of what becomes of its wills. */
interface Other {
  latest: Run;
  ended: Run | null;
  /** When it was heard that nobody remembers the ended run; null = not yet. */
  lostAt: number | null;
  /** Runs before the latest: words of theirs may come late, from a NATS server that was cut off. */
  readonly past: readonly string[];
}

export interface WillsDeps {
  readonly broker: Broker;
  readonly clock: Clock;
  readonly log: Logger;
  readonly neighbours: Neighbours;
  /** Of this run. */
  readonly run: string;
  /** tell says a word to one broker, or to all. */
  tell(to: string | null, word: WillsWord): void;
}

/** Wills belongs to one broker of a cluster. */
export class Wills {
  readonly #deps: WillsDeps;
  readonly #told: ToldWills;
  readonly #said: SaidWills;
  readonly #unsettled: UnsettledWills;
  readonly #others = new Map<string, Other>();
  /** Wills of others that wait for their delay, by client id. */
  readonly #delayed = new Map<string, Timer>();
  #connectedAt: number | null = null;

  constructor(deps: WillsDeps) {
    this.#deps = deps;
    this.#told = new ToldWills({ broker: deps.broker, id: deps.neighbours.id, run: deps.run, tell: deps.tell });
    this.#said = new SaidWills(deps);
    this.#unsettled = new UnsettledWills(deps);
  }

  /** count gives the copies that are here. */
  get count(): number {
    let count = 0;
    for (const { latest, ended } of this.#others.values()) count += latest.copies.size + (ended?.copies.size ?? 0);
    return count;
  }

  start(): void {
    this.#told.start();
  }

  /** stop leaves wills from before a restart to the next start: who has said them is not known. */
  stop(): void {
    const { broker } = this.#deps;
    this.#told.stop();
    for (const timer of this.#delayed.values()) broker.wheel.cancel(timer);
  }

  connected(): void {
    this.#connectedAt = this.#deps.clock.monotonic();
  }

  lost(): void {
    this.#connectedAt = null;
  }

  /** heard takes a sign of life. A broker that says farewell cares for its wills itself, and so does one that was started again and remembers them. */
  heard({ id, run, leaves, remembers }: Alive): void {
    const now = this.#deps.clock.monotonic();
    const other = this.#otherOf(id, run);
    if (other === null) return;
    other.latest.heardAt = now;
    if (leaves === true) other.latest.copies.clear();
    if (remembers !== false) other.ended = null;
    else if (other.ended !== null) other.lostAt ??= now;
    for (const clientId of this.#said.heard(id, run)) this.#cancelDelayed(clientId); // it was cut off: its clients may still be connected
  }

  /** back gives a broker that has come, or come back, our copies, and tells what has been said while it was away. */
  back(peer: string): void {
    this.#told.back(peer);
    this.#said.back(peer);
  }

  /** hear takes a word of another broker. */
  hear(bytes: Buffer): void {
    const word = readWillWord(bytes);
    if (word === null) return;
    const { id, run, begins, set, gone } = word;
    const copies = this.#otherOf(id, run)?.latest.copies;
    if (copies === undefined) return;
    if (begins === true) copies.clear();
    for (const copy of set) copies.set(copy.clientId, copy);
    for (const clientId of gone) copies.delete(clientId);
  }

  /** forget has nothing be left of a broker that never comes back. The first of the others says the wills that nobody has said. */
  forget(id: string): void {
    this.#said.forget(id);
    const other = this.#others.get(id);
    if (other === undefined || this.#connectedAt === null) return; // alone, this broker cannot tell: as soon as it can, it says them
    this.#others.delete(id);
    if (this.#rankFor(id) > 0) return;
    for (const one of [other.ended, other.latest])
      for (const copy of one?.copies.values() ?? []) this.#sayInTime(copy, id, other.latest.heardAt);
  }

  /** hearSaid is told what another broker has said in the place of a third. */
  hearSaid(word: SaidWord): object {
    this.#noteSaid(word.of, word.run, word.clients);
    return {};
  }

  /** saidOf gives the clients of a broker whose wills were cared for while it was gone: one part of them. */
  saidOf(id: string, run: string, part: number): SaidAnswer {
    return this.#said.of(id, run, part);
  }

  /** isHolding tells whether the will of a client from before a restart has not been cared for. */
  isHolding(clientId: string): boolean {
    return this.#unsettled.has(clientId);
  }

  /** release waits until it has been cared for, not for long. */
  release(clientId: string): Promise<void> {
    return this.#unsettled.release(clientId);
  }

  /** granted is told that a client has connected here. Brokers that answered care for its will there; of the others it is said now, unless it has a delay. */
  granted(clientId: string, answered: readonly string[]): void {
    this.#cancelDelayed(clientId);
    for (const [id, { latest, ended }] of this.#others) {
      if (!answered.includes(id)) this.#finish(id, latest, clientId);
      if (ended !== null) this.#finish(id, ended, clientId); // that one remembers nothing of it
    }
  }

  #finish(id: string, { run, copies }: Run, clientId: string): void {
    const copy = copies.get(clientId);
    if (copy === undefined) return;
    copies.delete(clientId);
    if (this.#delayOf(copy) === 0) this.#say(copy, id);
    this.#tellSaid(id, run, [clientId]);
  }

  /** claimed is told that a client has connected to another broker. */
  claimed(clientId: string): void {
    this.#cancelDelayed(clientId);
    for (const { ended } of this.#others.values()) {
      const copy = ended?.copies.get(clientId);
      if (copy !== undefined && this.#delayOf(copy) > 0) ended?.copies.delete(clientId);
    }
  }

  /** beat is called every second. */
  beat(): void {
    this.#told.beat();
    this.#said.beat();
    this.#unsettled.beat(this.#connectedAt);
    const connectedAt = this.#connectedAt;
    if (connectedAt === null) return;
    const heard = this.#deps.neighbours.heard();
    for (const [id, other] of this.#others) {
      const { latest, ended, lostAt } = other;
      const silentSince = Math.max(latest.heardAt, connectedAt);
      if (latest.copies.size > 0 && !heard.includes(id) && this.#isOurs(id, silentSince + SILENCE_MS))
        this.#inherit(id, latest, silentSince);
      if (ended === null || lostAt === null || !this.#isOurs(id, lostAt)) continue;
      other.ended = null;
      this.#inherit(id, ended, Math.max(ended.heardAt, connectedAt));
    }
  }

  /** The first of the others by name is, from then on; the next one a while later. */
  #isOurs(id: string, from: number): boolean {
    return this.#deps.clock.monotonic() >= from + this.#rankFor(id) * RANK_MS;
  }

  /** How many come before this broker. */
  #rankFor(id: string): number {
    const { neighbours } = this.#deps;
    return neighbours.heard().filter((one) => one !== id && one < neighbours.id).length;
  }

  #inherit(id: string, { run, copies }: Run, silentSince: number): void {
    if (copies.size === 0) return;
    const all = [...copies.values()];
    copies.clear();
    this.#deps.log.log('notice', `Cluster: ${id} is not heard any more: this broker says the wills of its ${all.length} clients.`);
    for (const copy of all) this.#sayInTime(copy, id, silentSince);
    this.#tellSaid(
      id,
      run,
      all.map(({ clientId }) => clientId),
    );
  }

  #sayInTime(copy: WillCopy, id: string, silentSince: number): void {
    const { broker, clock } = this.#deps;
    const delay = Math.min(this.#delayOf(copy), copy.expiryInterval) - (clock.monotonic() - silentSince) / 1000;
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

  /** Seconds. */
  #delayOf(copy: WillCopy): number {
    return this.#ownerOf(copy).will.delay;
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
    this.#noteSaid(of, run, clients);
    this.#said.tell(of, run, clients);
  }

  #noteSaid(of: string, run: string, clients: readonly string[]): void {
    this.#said.note({ of, run, clients });
    const other = this.#others.get(of);
    for (const one of [other?.latest, other?.ended]) if (one?.run === run) for (const clientId of clients) one.copies.delete(clientId); // a later run may have them again
  }

  /** Null = the run is past. */
  #otherOf(id: string, run: string): Other | null {
    const other = this.#others.get(id);
    if (other?.latest.run === run) return other;
    if (other?.past.includes(run)) return null;
    const latest: Run = { run, heardAt: this.#deps.clock.monotonic(), copies: new Map() };
    const ended = other === undefined || other.latest.copies.size === 0 ? (other?.ended ?? null) : other.latest;
    const past = other === undefined ? [] : [...other.past, other.latest.run].slice(-PAST_RUNS);
    const next: Other = { latest, ended, lostAt: ended === other?.ended ? (other?.lostAt ?? null) : null, past };
    this.#others.set(id, next);
    return next;
  }
}
