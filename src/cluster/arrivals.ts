// Sessions that come to this broker, which is their taker: see moves.ts for the steps.

import { setTimeout as sleep } from 'node:timers/promises';
import { reasonOf } from '../base/errors.ts';
import type { LoadedSession } from '../broker/ports.ts';
import type { Session } from '../broker/session/session.ts';
import { beginSession, takeMessages, takeSession } from '../broker/session/session-transfer.ts';
import type { Qos } from '../mqtt/packet-types.ts';
import { NobodyListens } from './backplane.ts';
import { Gate } from './gate.ts';
import { staysHere, type Wish } from './interest.ts';
import { Markers } from './markers.ts';
import { durable, MARKERS_MS, type MoveTools, wordsOfMissing } from './move-tools.ts';
import { AWAITED_MS } from './neighbours.ts';
import { Patience } from './patience.ts';
import { decodeSession } from './session-copy.ts';
import {
  type Announced,
  type ClientsWord,
  type CutAnswer,
  type CutWord,
  type Moving,
  readAnswer,
  type TakeAnswer,
  type Taken,
} from './session-words.ts';
import { inParts } from './words.ts';

/** Milliseconds between two questions to a broker that has not answered. */
const PAUSE_MS = 250;
/** Milliseconds after which the giver is told that this broker still waits for others. */
const ONWARD_MS = 1000;
/** Deliveries that the giver may still number before it gives the session away. */
const ORDERS = 1_000_000;

/** NoRoom is memory_limit, found out before anything of a session has come. */
export class NoRoom extends Error {}

/** Arrival is one move. */
interface Arrival {
  readonly giver: string;
  readonly move: string;
  readonly moving: Moving;
  readonly markers: Markers;
  /** When it waits for no slow broker any more. */
  readonly until: number;
}

/** Arrivals are those of one broker. */
export class Arrivals {
  readonly #tools: MoveTools;
  readonly #arriving = new Map<string, Markers>();
  readonly #fetches = new Set<Promise<void>>();
  readonly #patience: Patience;
  #isStopped = false;

  constructor(tools: MoveTools) {
    this.#tools = tools;
    this.#patience = new Patience(tools.broker.clock, tools.neighbours);
  }

  /** stop waits for no broker any more. */
  stop(): void {
    this.#isStopped = true;
  }

  /** ended resolves when no session is brought here any more. */
  async ended(): Promise<void> {
    await Promise.allSettled(this.#fetches);
  }

  /** marked notes a marker of a broker, for a session that comes. */
  marked(move: string, source: string, qos: Qos): void {
    this.#arriving.get(move)?.add(source, qos);
  }

  /** fetch brings a session here. Throws NoRoom, or when the giver is lost meanwhile: then all is here but the messages that it has. */
  async fetch(giver: string, move: string, announced: Moving | Announced): Promise<void> {
    if (this.#isStopped) throw new Error('this broker leaves the cluster');
    const fetched = this.#fetch(giver, move, announced);
    this.#fetches.add(fetched);
    await fetched.finally(() => this.#fetches.delete(fetched));
  }

  async #fetch(giver: string, move: string, announced: Moving | Announced): Promise<void> {
    const { broker, copies, doubts } = this.#tools;
    const moving = 'size' in announced ? readAnswer<Moving>(await this.#bytes(giver, move, announced.size)) : announced;
    const { clientId } = moving.session;
    const here = broker.sessions.get(clientId);
    const isLive = here !== null && here.connection !== null;
    if (!isLive) await this.#askForRoom(giver, move, moving);
    const session = here ?? beginSession(broker, moving, moving.lastOrder + ORDERS);
    doubts.begin(session, [giver]); // it may be lost before it is sure what is here
    const arrival = { giver, move, moving, markers: new Markers(), until: this.#patience.begin() };
    const gate = isLive ? null : this.#openGate(session, arrival);
    let onward: NodeJS.Timeout | undefined;
    let isTaken = false;
    try {
      if (here === null) await durable(broker); // what others send here from the cut on waits for a session that a power cut must not take
      onward = setInterval(() => this.#goOn(giver, move), ONWARD_MS); // not while a disk is waited for, which may be full
      const sources = await this.#cutAll(arrival);
      for (let isOver = false; !isOver; ) {
        const { size, lastOrder } = await this.#take(arrival, sources);
        const all = decodeSession(await this.#bytes(giver, move, size));
        await this.#awaitMarkers(arrival, sources);
        clearInterval(onward);
        gate?.close();
        if (broker.sessions.get(clientId) !== session) throw new Error('its session has ended meanwhile');
        const loaded = doubts.unseen(session, all); // behind the markers: what the giver has of others is here too by now
        const above = copies.upTo(session, giver);
        if (isLive) takeMessages(session, loaded, above);
        else takeSession(session, loaded, above);
        isTaken = true;
        copies.note(session, giver, lastOrder);
        await durable(broker);
        isOver = (await this.#ask<{ isOver: boolean }>(giver, { ask: 'done', move })).isOver;
      }
      doubts.settledFor(session, giver);
    } finally {
      clearInterval(onward);
      this.#arriving.delete(move);
      gate?.close();
      if (!isLive && !isTaken && broker.sessions.get(clientId) === session) takeSession(session, withoutMessages(moving), 0);
    }
  }

  /** Before anything is changed: what is sent elsewhere already cannot stay. */
  async #askForRoom(giver: string, move: string, { session, bytes = 0 }: Moving): Promise<void> {
    const { broker } = this.#tools;
    if (broker.budget.hasRoom(bytes, broker.accountOf(session.listener, session.username))) return;
    await this.#ask(giver, { ask: 'keep', move }).catch(() => {}); // unasked, it keeps the session a little later
    throw new NoRoom(`no room for the session of client ${session.clientId}`);
  }

  #openGate(session: Session, { moving, markers }: Arrival): Gate {
    const { broker, post } = this.#tools;
    const filters = moving.subscriptions.filter(({ group, topicFilter }) => group === null && !session.subscriptions.has(topicFilter));
    return new Gate(
      broker,
      session,
      filters.map((one) => [one.mountedFilter, one]),
      (message) => markers.isBefore(post.sourceOf(message), message),
    );
  }

  #goOn(giver: string, move: string): void {
    this.#ask(giver, { ask: 'onward', move }).catch(() => {}); // that it is lost shows by the questions that wait for an answer
  }

  /** It gives those who have cut. */
  async #cutAll(arrival: Arrival): Promise<string[]> {
    const { neighbours } = this.#tools;
    const { giver, move, moving, markers } = arrival;
    const wishes = wishesOf(moving);
    if (wishes.length === 0) return [];
    this.#arriving.set(move, markers);
    const others = Promise.all(neighbours.mayBeThere().map((peer) => this.#cut(peer, wishes, arrival)));
    const isLinked = this.#tools.post.send(giver, move);
    markers.addAll(neighbours.id);
    const sources = (await others).filter((peer) => peer !== null);
    return isLinked ? [...sources, neighbours.id] : sources;
  }

  /** Null = it has not cut: what it sends goes to the giver until it hears that the session is here. */
  async #cut(peer: string, wishes: readonly Wish[], { giver, move, moving, until }: Arrival): Promise<string | null> {
    const { neighbours, log } = this.#tools;
    const parts = inParts(wishes);
    try {
      for (const [at, part] of parts.entries()) {
        const word = { ask: 'cut', move, giver, taker: neighbours.id, wishes: part, hasMore: at + 1 < parts.length } as const;
        if (!(await this.#askToCut(peer, word, until)).isCut) throw new Error('it has no link to this broker');
      }
      return peer;
    } catch (error) {
      const words = `messages from ${peer} for client ${moving.session.clientId} still go to ${giver}, where its session is no more`;
      log.log('notice', `Cluster: ${words}: ${reasonOf(error)}.`);
      return null;
    }
  }

  /** Throws when it is not there, or of an older version. */
  async #askToCut(peer: string, word: CutWord, until: number): Promise<CutAnswer> {
    let bytes: Buffer | null = null;
    while (bytes === null) {
      try {
        bytes = await this.#tools.neighbours.ask(peer, word, AWAITED_MS);
      } catch (error) {
        if (error instanceof NobodyListens || !this.#waitsFor([peer], until)) throw error;
        await sleep(PAUSE_MS);
      }
    }
    return readAnswer<CutAnswer>(bytes);
  }

  /** The giver asks, so to speak, whether to wait for markers that take long. */
  async #take({ giver, move, until }: Arrival, sources: readonly string[]): Promise<Taken> {
    for (let waits = true; ; ) {
      const answer = await this.#ask<TakeAnswer>(giver, { ask: 'take', move, sources, waits });
      if (!('missing' in answer)) return answer;
      waits = this.#waitsFor(answer.missing, until);
    }
  }

  async #awaitMarkers({ moving, markers, until }: Arrival, sources: readonly string[]): Promise<void> {
    while (!(await markers.all(sources, MARKERS_MS))) {
      const missing = markers.missing(sources);
      if (!this.#waitsFor(missing, until)) return this.#tools.log.log('notice', wordsOfMissing(moving.session.clientId, missing));
    }
  }

  #waitsFor(brokers: readonly string[], until: number): boolean {
    return !this.#isStopped && this.#patience.holdsFor(brokers, until);
  }

  async #bytes(giver: string, move: string, size: number): Promise<Buffer> {
    const parts: Buffer[] = [];
    for (let at = 0; at < size; ) {
      const part = await this.#tools.neighbours.ask(giver, { ask: 'part', move, at }, AWAITED_MS);
      if (part.length === 0) throw new Error('the session does not come to its end');
      parts.push(part);
      at += part.length;
    }
    return Buffer.concat(parts);
  }

  async #ask<T>(peer: string, word: ClientsWord): Promise<T> {
    return readAnswer<T>(await this.#tools.neighbours.ask(peer, word, AWAITED_MS));
  }
}

/** What has to come here: each filter with its highest QoS. */
function wishesOf({ subscriptions }: Moving): Wish[] {
  const highest = new Map<string, Wish>();
  for (const { mountedFilter, qos, group } of subscriptions)
    if (group === null && !staysHere(mountedFilter) && (highest.get(mountedFilter)?.[1] ?? -1) < qos)
      highest.set(mountedFilter, [mountedFilter, qos]);
  return [...highest.values()];
}

function withoutMessages({ session, subscriptions, incoming }: Moving): LoadedSession {
  return { session, subscriptions, incoming, deliveries: [] };
}
