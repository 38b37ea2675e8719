// Sessions that leave this broker, which is their giver: see moves.ts for the steps. Until the last of them each one can stay.

import type { Broker } from '../broker/broker.ts';
import { storedSession, storedSubscription } from '../broker/journal.ts';
import type { Session } from '../broker/session/session.ts';
import { bytesOf, sessionToMove } from '../broker/session/session-transfer.ts';
import type { Qos } from '../mqtt/packet-types.ts';
import { Gate } from './gate.ts';
import { Markers } from './markers.ts';
import { durable, MARKERS_MS, type MoveTools, wordsOfMissing } from './move-tools.ts';
import { encodeSession } from './session-copy.ts';
import type { Announced, Moving, PartWord, TakeAnswer, TakeWord } from './session-words.ts';
import { PART_BYTES } from './words.ts';

/** Milliseconds after which a giver that hears no more of a move keeps the session. */
const SILENCE_MS = 3000;

interface Departure {
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

/** Departures are those of one broker, by the names of their moves. */
export class Departures {
  readonly #tools: MoveTools;
  readonly #leaving = new Map<string, Departure>();

  constructor(tools: MoveTools) {
    this.#tools = tools;
  }

  /** stop keeps what is here. */
  stop(): void {
    for (const [move, leaving] of [...this.#leaving]) this.#giveUp(move, leaving);
  }

  /** give begins the move of a session that has no connection. `end` is called when it is over. */
  give(session: Session, move: string, taker: string, end: () => void): Moving | Announced {
    const { broker, post } = this.#tools;
    const markers = new Markers();
    broker.sessions.suspend(session);
    const plain = [...session.subscriptions.values()].filter(({ group }) => group === null);
    for (const one of plain) broker.tree.remove(one);
    const gate = new Gate(
      broker,
      session,
      plain.map((one) => [one.topicFilter, one]),
      (message) => !markers.isBefore(post.sourceOf(message), message),
    );
    const timer = setTimeout(() => {}, 0);
    const leaving: Departure = { session, taker, markers, gate, end, bytes: null, taken: 0, timer };
    this.#leaving.set(move, leaving);
    this.#wait(move, leaving);
    const moving = movingOf(session);
    const bytes = Buffer.from(JSON.stringify(moving));
    if (bytes.length <= PART_BYTES) return moving;
    leaving.bytes = bytes; // until the session is taken
    return { size: bytes.length };
  }

  /** marked notes a marker of a broker, for a session that leaves. */
  marked(move: string, source: string, qos: Qos): void {
    this.#leaving.get(move)?.markers.add(source, qos);
  }

  /** hasCut notes that messages of our own clients go to the taker. */
  hasCut(move: string): void {
    this.#leaving.get(move)?.markers.addAll(this.#tools.neighbours.id);
  }

  /** goesOn keeps the session waiting: the taker is there. Nothing happens where none leaves by that name. */
  goesOn(move: string): void {
    const leaving = this.#leaving.get(move);
    if (leaving !== undefined) this.#wait(move, leaving);
  }

  /** take gives how large the session is, which takes nothing more here. */
  async take({ move, sources, waits }: TakeWord): Promise<TakeAnswer> {
    const leaving = this.#known(move);
    const { session, taker, markers, gate } = leaving;
    await markers.all(sources, MARKERS_MS);
    this.#known(move);
    const missing = markers.missing(sources);
    if (missing.length > 0 && waits === true) return { missing };
    if (missing.length > 0) this.#tools.log.log('notice', wordsOfMissing(session.clientId, missing));
    gate.close();
    leaving.bytes = encodeSession(sessionToMove(session));
    leaving.taken = session.outgoing.newestOrder;
    this.#tools.copies.note(session, taker, leaving.taken);
    return { size: leaving.bytes.length, lastOrder: leaving.taken };
  }

  part({ move, at }: PartWord): Buffer {
    return this.#known(move).bytes?.subarray(at, at + PART_BYTES) ?? Buffer.alloc(0);
  }

  /** done forgets the session for good, unless a shared subscription has brought it more meanwhile: then that is to be taken too. */
  async done(move: string): Promise<{ isOver: boolean }> {
    const leaving = this.#known(move);
    const { session, taken } = leaving;
    for (const one of session.subscriptions.values()) if (one.group !== null) this.#tools.broker.tree.remove(one);
    if (session.outgoing.newestOrder > taken) return { isOver: false };
    clearTimeout(leaving.timer);
    this.#leaving.delete(move);
    this.#tools.broker.sessions.handOver(session);
    leaving.end();
    await durable(this.#tools.broker).catch(() => {}); // after a power cut it would be there again, which shows then
    return { isOver: true };
  }

  /** keep ends a move that the taker has no room for: nothing has changed. */
  keep(move: string): void {
    const leaving = this.#known(move);
    const words = `${leaving.taker} has no room for the session of client ${leaving.session.clientId} (memory_limit)`;
    this.#tools.log.log('notice', `Cluster: ${words}. This broker keeps it.`);
    this.#keep(move, leaving);
  }

  #known(move: string): Departure {
    const leaving = this.#leaving.get(move);
    if (leaving === undefined) throw new Error('no session moves by that name');
    this.#wait(move, leaving);
    return leaving;
  }

  #wait(move: string, leaving: Departure): void {
    clearTimeout(leaving.timer);
    leaving.timer = setTimeout(() => this.#giveUp(move, leaving), SILENCE_MS);
    leaving.timer.unref();
  }

  /** The taker is lost. If it has the session too, that shows when it is back. */
  #giveUp(move: string, leaving: Departure): void {
    const { session, taker } = leaving;
    const words = `${taker} has not taken over the session of client ${session.clientId} to the end`;
    if (!session.isOver) {
      this.#tools.doubts.begin(session, [taker]);
      this.#tools.log.log('warning', `Cluster: ${words}. This broker keeps it.`);
    }
    this.#keep(move, leaving);
  }

  #keep(move: string, { session, gate, timer, end }: Departure): void {
    clearTimeout(timer);
    this.#leaving.delete(move);
    gate.close();
    if (!session.isOver) putBack(this.#tools.broker, session);
    end();
  }
}

function movingOf(session: Session): Moving {
  return {
    session: { ...storedSession(session), will: null },
    subscriptions: Array.from(session.subscriptions, ([topicFilter, one]) => storedSubscription(topicFilter, one)),
    incoming: [...(session.incoming ?? [])],
    lastOrder: session.outgoing.newestOrder,
    bytes: bytesOf(session),
  };
}

function putBack({ tree, sessions }: Broker, session: Session): void {
  for (const one of session.subscriptions.values()) {
    tree.remove(one);
    tree.add(one);
  }
  sessions.unsuspend(session);
}
