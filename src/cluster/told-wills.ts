// Wills of our connected clients, as the other brokers have been told of them. They are told what has changed, once per turn of the event loop.

import type { Broker } from '../broker/broker.ts';
import type { Connection } from '../broker/connection/connection.ts';
import { CLUSTER_LISTENER } from '../broker/options.ts';
import type { Session } from '../broker/session/session.ts';
import { copyOf, WILLS_VERSION, type WillCopy, type WillsWord } from './will-words.ts';
import { inParts } from './words.ts';

export interface ToldWillsDeps {
  readonly broker: Broker;
  /** Of this broker, and of this run of it. */
  readonly id: string;
  readonly run: string;
  /** tell says a word to one broker, or to all. */
  tell(to: string | null, word: WillsWord): void;
}

/** ToldWills belongs to one broker of a cluster. */
export class ToldWills {
  readonly #deps: ToldWillsDeps;
  /** Our clients that others have copies of. */
  readonly #told = new Map<string, Session>();
  readonly #changed = new Set<string>();
  #isTurnAwaited = false;
  readonly #note = ({ session }: Connection): void => this.#look(session);

  constructor(deps: ToldWillsDeps) {
    this.#deps = deps;
  }

  start(): void {
    const { broker } = this.#deps;
    broker.on('clientReady', this.#note);
    broker.on('clientDisconnect', this.#note);
    for (const session of broker.sessions) this.#look(session);
  }

  stop(): void {
    const { broker } = this.#deps;
    broker.removeListener('clientReady', this.#note);
    broker.removeListener('clientDisconnect', this.#note);
  }

  /** back gives a broker that has come, or come back, all of them. */
  back(peer: string): void {
    const copies = Array.from(this.#told.values(), copyOf).filter((copy) => copy !== null);
    const { id, run, tell } = this.#deps;
    for (const [at, set] of inParts(copies).entries()) tell(peer, { v: WILLS_VERSION, id, run, begins: at === 0, set, gone: [] });
  }

  /** beat finds those that were said, or ended, without a connection. */
  beat(): void {
    for (const session of this.#told.values()) if (session.will === null || session.isOver) this.#change(session.clientId);
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
    const { id, run, tell } = this.#deps;
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
    const word = { v: WILLS_VERSION, id, run, set: [], gone: [] };
    if (set.length > 0) for (const part of inParts(set)) tell(null, { ...word, set: part });
    if (gone.length > 0) for (const part of inParts(gone)) tell(null, { ...word, gone: part });
  }
}
