// Clients about which another broker could not be asked: when it can be asked again, both compare what they have, and the later CONNECT holds.

import { reasonOf } from '../base/errors.ts';
import type { Logger } from '../base/logger.ts';
import type { Broker } from '../broker/broker.ts';
import { CLUSTER_LISTENER } from '../broker/options.ts';
import type { Session } from '../broker/session/session.ts';
import { NobodyListens } from './backplane.ts';
import type { Doubts } from './doubts.ts';
import type { Leases } from './leases.ts';
import { type Neighbours, UNHURRIED_MS } from './neighbours.ts';
import { type CompareWord, readAnswer } from './session-words.ts';
import { inParts } from './words.ts';

/** Milliseconds before a broker was missed in which it may not have heard us any more. */
const UNHEARD_MS = 15_000;

export interface SettlingDeps {
  readonly broker: Broker;
  readonly log: Logger;
  readonly neighbours: Neighbours;
  readonly leases: Leases;
  readonly doubts: Doubts;
  /** reclaim brings a client here that has connected there before. */
  reclaim(peer: string, clientId: string): Promise<void>;
  /** isMoving tells whether its session is on its way: what two brokers had of it is sorted out at the end of that. */
  isMoving(clientId: string): boolean;
}

/** Settling is with all other brokers. */
export class Settling {
  readonly #deps: SettlingDeps;
  /** Client ids by broker. */
  readonly #open = new Map<string, Set<string>>();
  readonly #underWay = new Set<string>();

  constructor(deps: SettlingDeps) {
    this.#deps = deps;
  }

  /** later has a broker be asked about a client when that is possible. */
  later(peer: string, clientId: string): void {
    const ids = this.#open.get(peer) ?? new Set<string>();
    this.#open.set(peer, ids.add(clientId));
  }

  /** back compares with a broker what both may have by now. `since` = it was not heard from then on; null = it is another run, or the first. */
  back(peer: string, since: number | null): void {
    const { broker, leases } = this.#deps;
    const from = since === null ? 0 : since - UNHEARD_MS;
    for (const session of broker.sessions) if (isOfClient(session) && leases.of(session).time >= from) this.later(peer, session.clientId);
    void this.settle(peer);
  }

  /** forget has nothing be left of a broker that never comes back. */
  forget(peer: string): void {
    this.#open.delete(peer);
    this.#underWay.delete(peer);
  }

  /** settle asks a broker about all that it could not be asked about. */
  async settle(peer: string): Promise<void> {
    const { doubts, isMoving } = this.#deps;
    const ids = this.#open.get(peer);
    if (ids === undefined || this.#underWay.has(peer)) return;
    this.#underWay.add(peer);
    this.#open.delete(peer);
    try {
      await this.#settleAll(peer, [...ids]);
      for (const clientId of doubts.about(peer)) if (isMoving(clientId)) this.later(peer, clientId);
      doubts.settled(peer, this.#open.get(peer) ?? new Set());
    } catch (error) {
      const isAgain = !(error instanceof NobodyListens) && this.#underWay.has(peer); // else it has been forgotten meanwhile
      for (const clientId of isAgain ? ids : []) if (this.#deps.broker.sessions.get(clientId) !== null) this.later(peer, clientId);
      this.#deps.log.log('debug', `Cluster: cannot compare clients with ${peer}: ${reasonOf(error)}`);
    } finally {
      this.#underWay.delete(peer);
    }
  }

  async #settleAll(peer: string, ids: readonly string[]): Promise<void> {
    const { broker, neighbours, leases, reclaim } = this.#deps;
    const sessions = ids.map((id) => broker.sessions.get(id)).filter((session) => session !== null);
    const all = sessions.map((session) => [session.clientId, leases.of(session).time] as const);
    for (const held of all.length === 0 ? [] : inParts(all)) {
      const bytes = await neighbours.ask(peer, { ask: 'compare', from: neighbours.id, held }, UNHURRIED_MS);
      for (const clientId of readAnswer<{ earlier: readonly string[] }>(bytes).earlier) await reclaim(peer, clientId);
    }
  }

  /** compare answers another broker: which of its clients are here too, by an earlier CONNECT? */
  compare({ from, held }: CompareWord): { earlier: string[] } {
    const { broker, leases } = this.#deps;
    const earlier: string[] = [];
    for (const [clientId, time] of held) {
      const session = broker.sessions.get(clientId);
      if (session !== null && !leases.isLater(leases.of(session).time, { time, from })) earlier.push(clientId);
    }
    return { earlier };
  }
}

/** isOfClient tells whether a session is that of a client, and of no part of this program. */
export function isOfClient({ listener, connection }: Session): boolean {
  return listener !== CLUSTER_LISTENER && connection?.origin.isOwn !== true;
}
