// Clients of a cluster, who go from broker to broker: to which one each belongs, its will, and what brokers say of both over NATS.

import type { Clock } from '../base/clock.ts';
import type { Logger } from '../base/logger.ts';
import type { Broker } from '../broker/broker.ts';
import { ClientIds } from './client-ids.ts';
import type { Neighbours } from './neighbours.ts';
import type { Peer } from './peer.ts';
import { CLIENTS_VERSION } from './session-words.ts';
import { Wills } from './wills.ts';

export interface ClientsDeps {
  readonly broker: Broker;
  readonly clock: Clock;
  readonly log: Logger;
  /** Of this broker. */
  readonly id: string;
  readonly run: string;
  /** What subjects begin with. */
  readonly subjects: string;
  readonly peers: ReadonlyMap<string, Peer>;
  say(subject: string, bytes: Buffer): void;
  /** ask throws when no answer comes in so many milliseconds. */
  ask(subject: string, bytes: Buffer, milliseconds: number): Promise<Buffer>;
}

/** Listen hears a subject; it gives what ends that. */
type Listen = (subject: string, heard: (bytes: Buffer, reply: string | null) => void) => () => void;

/** Clients are those of one broker. */
export class Clients {
  readonly ids: ClientIds;
  readonly wills: Wills;
  readonly #deps: ClientsDeps;

  constructor(deps: ClientsDeps) {
    this.#deps = deps;
    const neighbours = neighboursOf(deps);
    const tell = (to: string | null, word: object) =>
      deps.say(`${deps.subjects}.${to === null ? '' : `${to}.`}wills`, Buffer.from(JSON.stringify(word)));
    this.wills = new Wills({ ...deps, neighbours, tell });
    this.ids = new ClientIds({ ...deps, neighbours, wills: this.wills });
  }

  start(): void {
    this.ids.start();
    this.wills.start();
  }

  stop(): void {
    this.ids.stop();
    this.wills.stop();
  }

  /** ended resolves when what was under way at `stop` is over. */
  ended(): Promise<void> {
    return this.ids.ended();
  }

  /** listen hears the others, on a new connection to NATS. */
  listen(listen: Listen): (() => void)[] {
    const { subjects, id } = this.#deps;
    this.wills.connected();
    return [
      listen(`${subjects}.${id}.clients`, (bytes, reply) => void this.#answer(bytes, reply)),
      listen(`${subjects}.wills`, (bytes) => this.wills.hear(bytes)),
      listen(`${subjects}.${id}.wills`, (bytes) => this.wills.hear(bytes)),
    ];
  }

  /** back is told of a broker that is linked; `since` as in PeerDeps. */
  back(peer: string, since: number | null): void {
    this.wills.back(peer);
    this.ids.peerBack(peer, since);
  }

  /** forget has nothing be left of a broker that never comes back. */
  forget(peer: string): void {
    this.wills.forget(peer);
    this.ids.forget(peer);
  }

  /** beat is called every second. */
  beat(): void {
    this.wills.beat();
    for (const { id, isHeard } of this.#deps.peers.values()) if (isHeard) void this.ids.settle(id);
  }

  async #answer(bytes: Buffer, reply: string | null): Promise<void> {
    if (reply !== null) this.#deps.say(reply, await this.ids.answer(bytes));
  }
}

function neighboursOf({ id, subjects, peers, ask }: ClientsDeps): Neighbours {
  return {
    id,
    known: () => [...peers.keys()],
    heard: () => [...peers.values()].filter(({ isHeard }) => isHeard).map((peer) => peer.id),
    mayBeThere: () => [...peers.values()].filter((peer) => peer.mayBeThere).map((peer) => peer.id),
    ask: (peer, word, milliseconds) =>
      ask(`${subjects}.${peer}.clients`, Buffer.from(JSON.stringify({ v: CLIENTS_VERSION, ...word })), milliseconds),
    carry: async (peer, wishes) => peers.get(peer)?.carry(wishes) ?? false,
  };
}
