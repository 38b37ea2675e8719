// A session moves from the broker where its client was, the giver (departures.ts), to the one where it is, the taker (arrivals.ts).
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
import type { Logger } from '../base/logger.ts';
import type { Broker } from '../broker/broker.ts';
import type { Session } from '../broker/session/session.ts';
import { Arrivals } from './arrivals.ts';
import { Departures } from './departures.ts';
import type { Doubts } from './doubts.ts';
import { KnownCopies } from './known-copies.ts';
import { MarkerPost } from './markers.ts';
import type { Neighbours } from './neighbours.ts';
import { sessionTo } from './options.ts';
import type { Announced, CutAnswer, CutWord, MoveWord, Moving } from './session-words.ts';

export interface MovesDeps {
  readonly broker: Broker;
  readonly log: Logger;
  readonly neighbours: Neighbours;
  readonly doubts: Doubts;
}

/** Moves belongs to one broker, which gives some sessions and takes others. */
export class Moves {
  readonly #deps: MovesDeps;
  readonly #post: MarkerPost;
  readonly #copies = new KnownCopies();
  readonly #departures: Departures;
  readonly #arrivals: Arrivals;

  constructor(deps: MovesDeps) {
    const post = new MarkerPost(deps.broker, deps.neighbours.id, (move, source, qos) => {
      this.#departures.marked(move, source, qos);
      this.#arrivals.marked(move, source, qos);
    });
    const tools = { ...deps, post, copies: this.#copies };
    this.#deps = deps;
    this.#post = post;
    this.#departures = new Departures(tools);
    this.#arrivals = new Arrivals(tools);
  }

  start(): void {
    this.#post.start();
  }

  /** stop keeps what is here. */
  stop(): void {
    this.#post.stop();
    this.#arrivals.stop();
    this.#departures.stop();
  }

  /** ended resolves when no session is brought here any more. */
  ended(): Promise<void> {
    return this.#arrivals.ended();
  }

  /** newMove names one. */
  newMove(): string {
    return `${this.#deps.neighbours.id}-${randomBytes(9).toString('base64url')}`;
  }

  /** forgetOrders is told that a broker was started again: it may number deliveries as it did before. */
  forgetOrders(peer: string): void {
    this.#copies.forget(this.#deps.broker.sessions, peer);
  }

  /** give begins the move of a session that has no connection. `end` is called when it is over. */
  give(session: Session, move: string, taker: string, end: () => void): Moving | Announced {
    return this.#departures.give(session, move, taker, end);
  }

  /** fetch brings a session here. Throws NoRoom, or when the giver is lost meanwhile: then all is here but the messages that it has. */
  fetch(giver: string, move: string, announced: Moving | Announced): Promise<void> {
    return this.#arrivals.fetch(giver, move, announced);
  }

  /** answer gives what the taker asks for: an object, or bytes of the session. Throws for a move that is none. */
  async answer(word: MoveWord): Promise<object | Buffer> {
    switch (word.ask) {
      case 'cut':
        return this.#cut(word);
      case 'take':
        return this.#departures.take(word);
      case 'part':
        return this.#departures.part(word);
      case 'onward':
        this.#departures.goesOn(word.move);
        return {};
      case 'done':
        return this.#departures.done(word.move);
      case 'keep':
        this.#departures.keep(word.move);
        return {};
    }
  }

  /** Messages go to the taker from now on, and both are told by a marker which are the first. */
  async #cut({ move, giver, taker, wishes, hasMore }: CutWord): Promise<CutAnswer> {
    const { broker, neighbours } = this.#deps;
    this.#departures.goesOn(move);
    const had = broker.sessions.get(sessionTo(taker))?.subscriptions;
    const more = wishes.filter(([topicFilter, qos]) => (had?.get(topicFilter)?.qos ?? -1) < qos);
    if (!(await neighbours.carry(taker, more))) return { isCut: false };
    if (hasMore) return { isCut: true };
    const isCut = this.#post.send(taker, move);
    if (giver === neighbours.id) this.#departures.hasCut(move);
    else this.#post.send(giver, move);
    return { isCut };
  }
}
