// A session moves from the broker where its client was, the giver, to the one where it is, the taker.
//
//   taker                          giver                               every other broker
//   claim ----------------------->  the client is disconnected
//         <-----------------------  what it subscribes to
//   gate: closed for all            gate: open for all
//   cut  ------------------------>  ... ------------------------------->  messages for the filters go to the taker too;
//        from each a marker, by its links, behind the messages so far:    the marker goes to giver and taker at once
//   marker of C: open for C         marker of C: closed for C
//   take ------------------------>  when the markers are there: the session as it is
//   its bytes are on the disk
//   done ------------------------>  it is forgotten
//
// Each message passes one of the two gates, once. A broker that is slow to cut, or whose marker is late, is waited for as long as it gives signs
// of life (patience.ts): what it sends to the giver behind "take" reaches the session at neither. The giver forgets the session only when the
// taker has it on its disk: whatever is cut in between, one of the two has it. If both have it then, the numbers of its deliveries tell which
// of them are the same.

import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { reasonOf } from '../base/errors.ts';
import type { Logger } from '../base/logger.ts';
import type { AedesPacket } from '../broker/aedes-packet.ts';
import type { Broker } from '../broker/broker.ts';
import { Subscription } from '../broker/delivery/subscription.ts';
import { storedSession, storedSubscription } from '../broker/journal.ts';
import { Message } from '../broker/message.ts';
import type { LoadedSession } from '../broker/ports.ts';
import type { Session } from '../broker/session/session.ts';
import { beginSession, bytesOf, sessionToMove, takeMessages, takeSession } from '../broker/session/session-transfer.ts';
import type { Qos } from '../mqtt/packet-types.ts';
import { NobodyListens } from './backplane.ts';
import type { Doubts } from './doubts.ts';
import { Gate } from './gate.ts';
import { staysHere, type Wish } from './interest.ts';
import type { Neighbours } from './neighbours.ts';
import { sessionFrom, sessionTo } from './options.ts';
import { Patience } from './patience.ts';
import { decodeSession, encodeSession } from './session-copy.ts';
import {
  type Announced,
  type CutAnswer,
  type CutWord,
  type Moving,
  type PartWord,
  readAnswer,
  type TakeAnswer,
  type Taken,
  type TakeWord,
} from './session-words.ts';
import { inParts, PART_BYTES } from './words.ts';

/** Milliseconds for one answer. */
const ANSWER_MS = 2000;
/** Milliseconds between two questions to a broker that has not answered. */
const PAUSE_MS = 250;
/** Milliseconds that markers may be on their way before it is looked whether their brokers are still there. */
const MARKERS_MS = 1000;
/** Milliseconds after which a giver that hears no more of a move keeps the session, and after which the taker says that it goes on. */
const SILENCE_MS = 3000;
const ONWARD_MS = 1000;
/** Deliveries that the giver may still number before it gives the session away. */
const ORDERS = 1_000_000;

const MARKERS = '$cluster/moves/';
const FROM = sessionFrom('');

/** MARKED are the QoS of markers: QoS 2 waits for a disk where QoS 1 does not, so that each has its own order. */
const MARKED = [1, 2] as const;

/** The brokers whose markers have come. */
class Markers {
  readonly #lower = new Set<string>();
  readonly #exact = new Set<string>();
  #look: () => void = () => {};

  /** add notes a marker of a QoS. */
  add(source: string, qos: Qos): void {
    (qos === 2 ? this.#exact : this.#lower).add(source);
    this.#look();
  }

  /** isBefore tells whether a message has come behind the marker of its source. */
  isBefore(source: string, { qos }: Pick<Message, 'qos'>): boolean {
    return (qos === 2 ? this.#exact : this.#lower).has(source);
  }

  /** missing are those of some sources whose markers have not all come. */
  missing(sources: readonly string[]): string[] {
    return sources.filter((source) => !this.#lower.has(source) || !this.#exact.has(source));
  }

  /** all resolves when they are there, or with false after a time. */
  all(sources: readonly string[], milliseconds: number): Promise<boolean> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => resolve(false), milliseconds);
      this.#look = () => {
        if (this.missing(sources).length > 0) return;
        clearTimeout(timer);
        resolve(true);
      };
      this.#look();
    });
  }
}

interface Leaving {
  readonly session: Session;
  readonly taker: string;
  readonly markers: Markers;
  readonly gate: Gate;
  /** Its turn. */
  readonly end: () => void;
  bytes: Buffer | null;
  /** The order of the last delivery in them. */
  taken: number;
  timer: NodeJS.Timeout;
}

export interface MovesDeps {
  readonly broker: Broker;
  readonly log: Logger;
  readonly neighbours: Neighbours;
  readonly doubts: Doubts;
}

/** NoRoom is memory_limit, found out before anything of a session has come. */
export class NoRoom extends Error {}

/** Moves belongs to one broker, which gives some sessions and takes others. */
export class Moves {
  readonly #deps: MovesDeps;
  readonly #leaving = new Map<string, Leaving>();
  readonly #arriving = new Map<string, Markers>();
  /** By session and broker: deliveries up to this order are the same here and there. */
  readonly #copies = new WeakMap<Session, Map<string, number>>();
  readonly #fetches = new Set<Promise<void>>();
  #isStopped = false;
  readonly #hearMarker = (packet: AedesPacket): void => this.#noteMarker(packet);

  constructor(deps: MovesDeps) {
    this.#deps = deps;
  }

  start(): void {
    this.#deps.broker.tree.addListener(`${MARKERS}+`, this.#hearMarker);
  }

  /** stop keeps what is here. */
  stop(): void {
    this.#isStopped = true;
    this.#deps.broker.tree.removeListener(`${MARKERS}+`, this.#hearMarker);
    for (const [move, leaving] of [...this.#leaving]) this.#giveUp(move, leaving);
  }

  /** ended resolves when no session is brought here any more. */
  async ended(): Promise<void> {
    await Promise.allSettled(this.#fetches);
  }

  /** newMove names one. */
  newMove(): string {
    return `${this.#deps.neighbours.id}-${randomBytes(9).toString('base64url')}`;
  }

  /** give begins the move of a session that has no connection. `end` is called when it is over. */
  give(session: Session, move: string, taker: string, end: () => void): Moving | Announced {
    const { broker } = this.#deps;
    const markers = new Markers();
    broker.sessions.suspend(session);
    const plain = [...session.subscriptions.values()].filter(({ group }) => group === null);
    for (const one of plain) broker.tree.remove(one);
    const gate = new Gate(
      broker,
      session,
      plain.map((one) => [one.topicFilter, one]),
      (message) => !markers.isBefore(this.#sourceOf(message), message),
    );
    const timer = setTimeout(() => {}, 0);
    const leaving: Leaving = { session, taker, markers, gate, end, bytes: null, taken: 0, timer };
    this.#leaving.set(move, leaving);
    this.#wait(move, leaving);
    const moving: Moving = {
      session: { ...storedSession(session), will: null },
      subscriptions: Array.from(session.subscriptions, ([topicFilter, one]) => storedSubscription(topicFilter, one)),
      incoming: [...(session.incoming ?? [])],
      lastOrder: session.outgoing.newestOrder,
      bytes: bytesOf(session),
    };
    const bytes = Buffer.from(JSON.stringify(moving));
    if (bytes.length <= PART_BYTES) return moving;
    leaving.bytes = bytes; // until the session is taken
    return { size: bytes.length };
  }

  /** cut has messages go to the taker, and tells both by a marker which are the first. */
  async cut({ move, giver, taker, wishes, hasMore }: CutWord): Promise<CutAnswer> {
    const { broker, neighbours } = this.#deps;
    const leaving = this.#leaving.get(move);
    if (leaving !== undefined) this.#wait(move, leaving);
    const had = broker.sessions.get(sessionTo(taker))?.subscriptions;
    const more = wishes.filter(([topicFilter, qos]) => (had?.get(topicFilter)?.qos ?? -1) < qos);
    if (!(await neighbours.carry(taker, more))) return { isCut: false };
    if (hasMore) return { isCut: true };
    const isCut = this.#sendMarkers(taker, move);
    if (giver !== neighbours.id) this.#sendMarkers(giver, move);
    else for (const qos of MARKED) leaving?.markers.add(neighbours.id, qos);
    return { isCut };
  }

  /** take gives how large the session is, which takes nothing more here. */
  async take({ move, sources, waits }: TakeWord): Promise<TakeAnswer> {
    const leaving = this.#known(move);
    await leaving.markers.all(sources, MARKERS_MS);
    this.#known(move);
    const missing = leaving.markers.missing(sources);
    if (missing.length > 0 && waits === true) return { missing };
    if (missing.length > 0) this.#logMissing(leaving.session.clientId, missing);
    leaving.gate.close();
    leaving.bytes = encodeSession(sessionToMove(leaving.session));
    const lastOrder = leaving.session.outgoing.newestOrder;
    leaving.taken = lastOrder;
    this.#noteCopy(leaving.session, leaving.taker, lastOrder);
    return { size: leaving.bytes.length, lastOrder };
  }

  /** forgetOrders is told that a broker was started again: it may number deliveries as it did before. */
  forgetOrders(peer: string): void {
    for (const session of this.#deps.broker.sessions) this.#copies.get(session)?.delete(peer);
  }

  /** goesOn keeps the giver waiting: the taker is there. */
  goesOn(move: string): object {
    this.#known(move);
    return {};
  }

  part({ move, at }: PartWord): Buffer {
    return this.#known(move).bytes?.subarray(at, at + PART_BYTES) ?? Buffer.alloc(0);
  }

  /** done forgets the session for good, unless a shared subscription has brought it more meanwhile: then that is to be taken too. */
  async done(move: string): Promise<{ isOver: boolean }> {
    const leaving = this.#known(move);
    const { session, taken } = leaving;
    for (const one of session.subscriptions.values()) if (one.group !== null) this.#deps.broker.tree.remove(one);
    if (session.outgoing.newestOrder > taken) return { isOver: false };
    clearTimeout(leaving.timer);
    this.#leaving.delete(move);
    this.#deps.broker.sessions.handOver(session);
    leaving.end();
    await this.#durable().catch(() => {}); // after a power cut it would be there again, which shows then
    return { isOver: true };
  }

  /** keep ends a move that the taker has no room for: nothing has changed. */
  keep(move: string): object {
    const leaving = this.#known(move);
    const words = `${leaving.taker} has no room for the session of client ${leaving.session.clientId} (memory_limit)`;
    this.#deps.log.log('notice', `Cluster: ${words}. This broker keeps it.`);
    this.#keep(move, leaving);
    return {};
  }

  /** fetch brings a session here. Throws NoRoom, or when the giver is lost meanwhile: then all is here but the messages that it has. */
  async fetch(giver: string, move: string, announced: Moving | Announced): Promise<void> {
    if (this.#isStopped) throw new Error('this broker leaves the cluster');
    const onward = setInterval(() => {
      this.#ask(giver, { ask: 'onward', move }).catch(() => {}); // that it is lost shows by the questions that wait for an answer
    }, ONWARD_MS);
    const fetched = this.#fetch(giver, move, announced);
    this.#fetches.add(fetched);
    await fetched.finally(() => {
      clearInterval(onward);
      this.#fetches.delete(fetched);
    });
  }

  async #fetch(giver: string, move: string, announced: Moving | Announced): Promise<void> {
    const { broker, doubts } = this.#deps;
    const moving = 'size' in announced ? await this.#announced(giver, move, announced) : announced;
    const { clientId, listener, username } = moving.session;
    const here = broker.sessions.get(clientId);
    const isLive = here !== null && here.connection !== null;
    if (!isLive && !broker.budget.hasRoom(moving.bytes ?? 0, broker.accountOf(listener, username))) {
      await this.#ask(giver, { ask: 'keep', move }).catch(() => {}); // unasked, it keeps the session a little later
      throw new NoRoom(`no room for the session of client ${clientId}`);
    }
    const session = here ?? beginSession(broker, moving, moving.lastOrder + ORDERS);
    doubts.begin(session, [giver]); // it may be lost before it is sure what is here
    let isTaken = false;
    const markers = new Markers();
    const patience = new Patience(broker.clock, this.#deps.neighbours);
    const gate = isLive ? null : this.#openGate(session, moving, markers);
    try {
      const sources = await this.#cutAll(giver, move, moving, markers, patience);
      for (let isOver = false; !isOver; ) {
        const { size, lastOrder } = await this.#take(giver, move, sources, patience);
        const all = decodeSession(await this.#bytes(giver, move, size));
        await this.#awaitMarkers(clientId, markers, sources, patience);
        gate?.close();
        if (broker.sessions.get(clientId) !== session) throw new Error('its session has ended meanwhile');
        const loaded = doubts.unseen(session, all); // behind the markers: what the giver has of others is here too by now
        const above = this.#copies.get(session)?.get(giver) ?? 0;
        if (isLive) takeMessages(session, loaded, above);
        else takeSession(session, loaded, above);
        isTaken = true;
        this.#noteCopy(session, giver, lastOrder);
        await this.#durable();
        isOver = (await this.#ask<{ isOver: boolean }>(giver, { ask: 'done', move })).isOver;
      }
      doubts.settledFor(session, giver);
    } finally {
      this.#arriving.delete(move);
      gate?.close();
      if (!isLive && !isTaken && broker.sessions.get(clientId) === session) takeSession(session, withoutMessages(moving), 0);
    }
  }

  #openGate(session: Session, { subscriptions }: Moving, markers: Markers): Gate {
    const filters = subscriptions.filter(({ group, topicFilter }) => group === null && !session.subscriptions.has(topicFilter));
    return new Gate(
      this.#deps.broker,
      session,
      filters.map((one) => [one.mountedFilter, one]),
      (message) => markers.isBefore(this.#sourceOf(message), message),
    );
  }

  /** It gives those who have cut. */
  async #cutAll(giver: string, move: string, moving: Moving, markers: Markers, patience: Patience): Promise<string[]> {
    const { neighbours, log } = this.#deps;
    const { subscriptions } = moving;
    const highest = new Map<string, Wish>();
    for (const { mountedFilter, qos, group } of subscriptions)
      if (group === null && !staysHere(mountedFilter) && (highest.get(mountedFilter)?.[1] ?? -1) < qos)
        highest.set(mountedFilter, [mountedFilter, qos]);
    if (highest.size === 0) return [];
    const parts = inParts([...highest.values()]);
    this.#arriving.set(move, markers);
    const cut = async (peer: string): Promise<string | null> => {
      try {
        for (const [at, part] of parts.entries()) {
          const word = { ask: 'cut', move, giver, taker: neighbours.id, wishes: part, hasMore: at + 1 < parts.length } as const;
          if (!(await this.#askToCut(peer, word, patience)).isCut) return null;
        }
        return peer;
      } catch (error) {
        const words = `${peer} still sends messages for client ${moving.session.clientId} to ${giver}, where it is no more`; // until it hears of its subscriptions here
        log.log('notice', `Cluster: ${words}: ${reasonOf(error)}.`);
        return null;
      }
    };
    const others = Promise.all(neighbours.heard().map(cut));
    const isLinked = this.#sendMarkers(giver, move);
    for (const qos of MARKED) markers.add(neighbours.id, qos);
    const sources = (await others).filter((peer) => peer !== null);
    return isLinked ? [...sources, neighbours.id] : sources;
  }

  /** Throws when it is not there, or of an older version. */
  async #askToCut(peer: string, word: CutWord, patience: Patience): Promise<CutAnswer> {
    let bytes: Buffer | null = null;
    while (bytes === null) {
      try {
        bytes = await this.#deps.neighbours.ask(peer, word, ANSWER_MS);
      } catch (error) {
        if (this.#isStopped || error instanceof NobodyListens || !patience.holdsFor([peer])) throw error;
        await sleep(PAUSE_MS);
      }
    }
    return readAnswer<CutAnswer>(bytes);
  }

  /** The giver asks, so to speak, whether to wait for markers that take long. */
  async #take(giver: string, move: string, sources: readonly string[], patience: Patience): Promise<Taken> {
    for (let waits = true; ; ) {
      const answer = await this.#ask<TakeAnswer>(giver, { ask: 'take', move, sources, waits });
      if (!('missing' in answer)) return answer;
      waits = !this.#isStopped && patience.holdsFor(answer.missing);
    }
  }

  async #awaitMarkers(clientId: string, markers: Markers, sources: readonly string[], patience: Patience): Promise<void> {
    while (!(await markers.all(sources, MARKERS_MS))) {
      const missing = markers.missing(sources);
      if (this.#isStopped || !patience.holdsFor(missing)) return this.#logMissing(clientId, missing);
    }
  }

  async #announced(giver: string, move: string, { size }: Announced): Promise<Moving> {
    return readAnswer<Moving>(await this.#bytes(giver, move, size));
  }

  async #bytes(giver: string, move: string, size: number): Promise<Buffer> {
    const parts: Buffer[] = [];
    for (let at = 0; at < size; ) {
      const part = await this.#deps.neighbours.ask(giver, { ask: 'part', move, at }, ANSWER_MS);
      if (part.length === 0) throw new Error('the session does not come to its end');
      parts.push(part);
      at += part.length;
    }
    return Buffer.concat(parts);
  }

  async #ask<T>(peer: string, word: Parameters<Neighbours['ask']>[1]): Promise<T> {
    return readAnswer<T>(await this.#deps.neighbours.ask(peer, word, ANSWER_MS));
  }

  #durable(): Promise<void> {
    const { journal } = this.#deps.broker;
    if (journal === null) return Promise.resolve();
    return new Promise((resolve, reject) => {
      journal.whenDurable((outcome) => (outcome === 'durable' ? resolve() : reject(new Error('the database cannot be written'))), true);
    });
  }

  #known(move: string): Leaving {
    const leaving = this.#leaving.get(move);
    if (leaving === undefined) throw new Error('no session moves by that name');
    this.#wait(move, leaving);
    return leaving;
  }

  #wait(move: string, leaving: Leaving): void {
    clearTimeout(leaving.timer);
    leaving.timer = setTimeout(() => this.#giveUp(move, leaving), SILENCE_MS);
    leaving.timer.unref();
  }

  /** The taker is lost: the session stays here. If the taker has it too, that shows when it is back. */
  #giveUp(move: string, leaving: Leaving): void {
    const { session, taker } = leaving;
    const words = `${taker} has not taken over the session of client ${session.clientId} to the end`;
    if (!session.isOver) {
      this.#deps.doubts.begin(session, [taker]);
      this.#deps.log.log('warning', `Cluster: ${words}. This broker keeps it.`);
    }
    this.#keep(move, leaving);
  }

  #keep(move: string, { session, gate, timer, end }: Leaving): void {
    const { broker } = this.#deps;
    clearTimeout(timer);
    this.#leaving.delete(move);
    gate.close();
    if (!session.isOver) {
      for (const one of session.subscriptions.values()) {
        broker.tree.remove(one);
        broker.tree.add(one);
      }
      broker.sessions.unsuspend(session);
    }
    end();
  }

  #sourceOf({ publisher }: Message): string {
    const clientId = publisher?.clientId ?? '';
    return clientId.startsWith(FROM) ? clientId.slice(FROM.length) : this.#deps.neighbours.id;
  }

  /** Behind the messages that wait for a broker already. */
  #sendMarkers(peer: string, move: string): boolean {
    const { broker } = this.#deps;
    const session = broker.sessions.get(sessionTo(peer));
    if (session === null) return false;
    const topic = broker.topics.named(MARKERS + move);
    for (const qos of MARKED) {
      const options = { qos, noLocal: true, retainAsPublished: false, identifier: 0 };
      const message = Message.of({ topic, qos, retain: false, payload: Buffer.alloc(0) });
      session.outgoing.deliver(message, new Subscription(session, topic.name, options, null, null));
    }
    return true;
  }

  #noteMarker({ topic, qos, clientId = '' }: AedesPacket): void {
    if (!clientId.startsWith(FROM)) return; // no client of ours may have such an id
    const move = topic.slice(MARKERS.length);
    const source = clientId.slice(FROM.length);
    this.#leaving.get(move)?.markers.add(source, qos);
    this.#arriving.get(move)?.add(source, qos);
  }

  #noteCopy(session: Session, peer: string, order: number): void {
    const copies = this.#copies.get(session) ?? new Map<string, number>();
    this.#copies.set(session, copies.set(peer, order));
  }

  #logMissing(clientId: string, sources: readonly string[]): void {
    const words = `the session of client ${clientId} moves before all messages from ${sources.join(', ')} have come`;
    this.#deps.log.log('notice', `Cluster: ${words}.`);
  }
}

function withoutMessages({ session, subscriptions, incoming }: Moving): LoadedSession {
  return { session, subscriptions, incoming, deliveries: [] };
}
