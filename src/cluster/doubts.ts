// What a session has had of QoS 2 while other brokers may have the same session, and the same messages in it: when a broker was killed in the middle
// of a move, or did not answer a CONNECT. When the two sessions become one, what both have had comes once.
//
//   in doubt with brokers -> what the session has, and what it gets, is counted -> one of them gives its session: what was counted is left out
//                         -> one of them has been compared with: no doubt about it any more
//
// Messages are known by topic and payload, and counted: of one that was published twice, two are left out at most. QoS 1 may come twice.

import type { Broker } from '../broker/broker.ts';
import type { Message } from '../broker/message.ts';
import { digestOf } from '../broker/message-digest.ts';
import type { LoadedSession } from '../broker/ports.ts';
import type { Session } from '../broker/session/session.ts';

/** Messages that are counted at most, of all sessions: a broker that stays away keeps sessions in doubt. */
const MOST = 200_000;

interface Doubt {
  readonly peers: Set<string>;
  /** By digest; null = nothing was counted: there may be a hundred thousand sessions without a message. */
  counts: Map<number, number> | null;
}

/** Doubts are those of one broker. */
export class Doubts {
  readonly #broker: Broker;
  readonly #doubts = new Map<Session, Doubt>();
  #counted = 0;

  constructor(broker: Broker) {
    this.#broker = broker;
  }

  /** begin has a session be in doubt with more brokers. */
  begin(session: Session, peers: Iterable<string>): void {
    const all = new Set(peers);
    if (this.#doubts.size > 2 * this.#broker.sessions.count) this.#forgetOver();
    const known = this.#doubts.get(session);
    if (known !== undefined) for (const peer of all) known.peers.add(peer);
    if (known !== undefined || all.size === 0) return;
    const doubt: Doubt = { peers: all, counts: null };
    this.#doubts.set(session, doubt);
    for (const { qos, message } of session.outgoing.unacknowledged()) if (qos === 2) this.#count(doubt, message);
    session.outgoing.witness = (message) => this.#count(doubt, message);
  }

  /** about gives the client ids in doubt with a broker. */
  about(peer: string): string[] {
    return [...this.#doubts].filter(([, { peers }]) => peers.has(peer)).map(([{ clientId }]) => clientId);
  }

  /** settled ends the doubt about a broker, but for some client ids. */
  settled(peer: string, but: ReadonlySet<string>): void {
    for (const [session, { peers }] of this.#doubts) {
      if (!but.has(session.clientId)) peers.delete(peer);
      if (peers.size === 0 || session.isOver) this.#end(session);
    }
  }

  /** settledFor ends the doubt of one session about a broker. */
  settledFor(session: Session, peer: string): void {
    const peers = this.#doubts.get(session)?.peers;
    peers?.delete(peer);
    if (peers?.size === 0) this.#end(session);
  }

  /** unseen leaves out what the session has had too. */
  unseen(session: Session, loaded: LoadedSession): LoadedSession {
    const doubt = this.#doubts.get(session);
    if (doubt === undefined) return loaded;
    const left = new Map(doubt.counts ?? []);
    const isNew = ({ delivery, message }: LoadedSession['deliveries'][number]): boolean => {
      if (delivery.qos < 2) return true;
      const digest = this.#digestOf(message.topicName, message.payload);
      const count = left.get(digest) ?? 0;
      left.set(digest, count - 1);
      return count <= 0;
    };
    return { ...loaded, deliveries: loaded.deliveries.filter(isNew) };
  }

  /** Sessions that have ended in doubt. */
  #forgetOver(): void {
    for (const session of [...this.#doubts.keys()]) if (session.isOver) this.#end(session);
  }

  #end(session: Session): void {
    for (const count of this.#doubts.get(session)?.counts?.values() ?? []) this.#counted -= count;
    this.#doubts.delete(session);
    session.outgoing.witness = null;
  }

  #count(doubt: Doubt, { topic, payload }: Message): void {
    if (this.#counted >= MOST) return;
    this.#counted++;
    const counts = doubt.counts ?? new Map<number, number>();
    doubt.counts = counts;
    const digest = this.#digestOf(topic.name, payload);
    counts.set(digest, (counts.get(digest) ?? 0) + 1);
  }

  #digestOf(topicName: string, payload: Buffer): number {
    return digestOf(this.#broker.topics.named(topicName), payload, 0, payload.length);
  }
}
