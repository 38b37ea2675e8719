// One owner of a client id: the broker of its latest CONNECT. The brokers ask each other; nothing is kept for it anywhere.
//
//   CONNECT at B -> claim to all others -> the one that has the client disconnects it, and gives its session (moves.ts)
//
// Of two claims at once the later one holds, by a hybrid logical clock (MessageKeys): the earlier connection is closed, also where both are at one
// broker. A broker that does not answer is not waited for. When it can be asked again, the later CONNECT holds then too (settling.ts).

import type { Clock } from '../base/clock.ts';
import { reasonOf } from '../base/errors.ts';
import type { Logger } from '../base/logger.ts';
import type { Broker } from '../broker/broker.ts';
import type { Connection } from '../broker/connection/connection.ts';
import { CLUSTER_LISTENER } from '../broker/options.ts';
import type { Claimant, ClaimVerdict, ClientIdClaim, ClientIdClaims } from '../broker/ports.ts';
import { isOfAnother } from '../broker/session/ownership.ts';
import type { Session } from '../broker/session/session.ts';
import { REASON } from '../mqtt/reason-codes.ts';
import { NoRoom } from './arrivals.ts';
import { NobodyListens } from './backplane.ts';
import { Doubts } from './doubts.ts';
import { type Lease, Leases } from './leases.ts';
import { durable } from './move-tools.ts';
import { Moves } from './moves.ts';
import { AWAITED_MS, type Neighbours, UNHURRIED_MS } from './neighbours.ts';
import {
  type Announced,
  CLIENTS_VERSION,
  type ClaimAnswer,
  type ClaimWord,
  isTime,
  type Moving,
  readAnswer,
  readWord,
} from './session-words.ts';
import { isOfClient, Settling } from './settling.ts';
import { Turns } from './turns.ts';
import type { Wills } from './wills.ts';

interface Claim extends Lease {
  readonly asked: ClientIdClaim;
  readonly claimant: Claimant;
  /** Brokers that have answered, and have nothing of the client any more. */
  answered: readonly string[];
}

export interface ClientIdsDeps {
  readonly broker: Broker;
  readonly clock: Clock;
  readonly log: Logger;
  readonly neighbours: Neighbours;
  readonly wills: Wills;
}

/** ClientIds is asked by the engine for each CONNECT, and by the other brokers for theirs. */
export class ClientIds implements ClientIdClaims {
  readonly #deps: ClientIdsDeps;
  readonly #turns = new Turns();
  readonly #doubts: Doubts;
  readonly #moves: Moves;
  readonly #leases: Leases;
  readonly #settling: Settling;
  /** CONNECTs that wait for CONNACK: the latest of each client id. */
  readonly #claims = new Map<string, Claim>();
  readonly #noteReady = (connection: Connection): void => this.#noteLease(connection);

  constructor(deps: ClientIdsDeps) {
    this.#deps = deps;
    this.#doubts = new Doubts(deps.broker);
    this.#moves = new Moves({ ...deps, doubts: this.#doubts });
    this.#leases = new Leases(deps.clock, deps.neighbours.id);
    this.#settling = new Settling({
      ...{ ...deps, leases: this.#leases, doubts: this.#doubts },
      reclaim: (peer, clientId) => this.#reclaim(peer, clientId),
      isMoving: (clientId) => this.isMoving(clientId),
    });
  }

  start(): void {
    const { broker, neighbours } = this.#deps;
    broker.claims = this;
    broker.on('clientReady', this.#noteReady);
    for (const session of broker.sessions) if (isOfClient(session)) this.#doubts.begin(session, neighbours.known()); // they may have gone on elsewhere
    this.#moves.start();
  }

  stop(): void {
    const { broker } = this.#deps;
    if (broker.claims === this) broker.claims = null;
    broker.removeListener('clientReady', this.#noteReady);
    this.#moves.stop();
  }

  /** ended resolves when nothing is left of it in the tree of subscriptions, shortly after other brokers cannot be asked any more. */
  ended(): Promise<void> {
    return this.#moves.ended();
  }

  claim(asked: ClientIdClaim, claimant: Claimant): Promise<ClaimVerdict> | null {
    const { clientId, username, isProven } = asked;
    const earlier = this.#claims.get(clientId);
    if (earlier !== undefined && isOfAnother(earlier.asked, this.#deps.broker, username, isProven)) return Promise.resolve('of another');
    const claim: Claim = { time: this.#leases.now(), isClean: asked.cleanStart, asked, claimant, answered: [] };
    this.#claims.set(clientId, claim);
    if (earlier !== undefined && earlier.claimant !== claimant) earlier.claimant.disconnect(REASON.SESSION_TAKEN_OVER); // [MQTT-3.1.4-3]
    claimant.whenClosed(() => {
      if (this.#claims.get(clientId) === claim) this.#claims.delete(clientId);
    });
    const { neighbours, wills } = this.#deps;
    if (neighbours.mayBeThere().length === 0 && !this.#turns.isTaken(clientId) && !wills.isHolding(clientId)) {
      wills.granted(clientId, []);
      return null;
    }
    return this.#claimOfAll(claim).catch((error: unknown): ClaimVerdict => {
      this.#deps.log.log('error', `Error: Cluster: cannot ask for the session of client ${clientId}: ${reasonOf(error)}`);
      return 'granted';
    });
  }

  async #claimOfAll(claim: Claim): Promise<ClaimVerdict> {
    const { neighbours } = this.#deps;
    const { asked, time } = claim;
    const { clientId, username, isProven, cleanStart } = asked;
    const leave = await this.#turns.enter(clientId);
    try {
      if (this.#deps.wills.isHolding(clientId)) await this.#deps.wills.release(clientId);
      const word = { ask: 'claim', from: neighbours.id, clientId, time, username, isProven, cleanStart, isLate: false } as const;
      const answers = await Promise.all(
        neighbours.mayBeThere().map(async (peer) => {
          const move = this.#moves.newMove();
          return { peer, move, answer: await this.#askClaim(peer, { ...word, move }, AWAITED_MS) };
        }),
      );
      if (answers.some(({ answer }) => answer?.is === 'later')) return 'taken';
      if (answers.some(({ answer }) => answer?.is === 'another')) return 'of another';
      for (const { peer, move, answer } of answers)
        if (answer?.is === 'session' && !(await this.#fetch(peer, move, clientId, answer.moving))) return 'no room';
      claim.answered = answers.filter(({ answer }) => answer !== null).map(({ peer }) => peer);
      this.#deps.wills.granted(clientId, claim.answered);
      return 'granted';
    } finally {
      leave();
    }
  }

  /** Null = there is no answer, and the client is not kept waiting for it. */
  async #askClaim(peer: string, word: ClaimWord, milliseconds: number): Promise<ClaimAnswer | null> {
    try {
      const answer = readAnswer<ClaimAnswer>(await this.#deps.neighbours.ask(peer, word, milliseconds));
      if (answer.is === 'later' && isTime(answer.time)) this.#leases.raise(answer.time);
      return answer;
    } catch (error) {
      if (!(error instanceof NobodyListens)) this.#settling.later(peer, word.clientId);
      return null;
    }
  }

  /** False = it stays there, for here is no room. */
  async #fetch(peer: string, move: string, clientId: string, moving: Moving | Announced): Promise<boolean> {
    try {
      await this.#moves.fetch(peer, move, moving);
      this.#deps.log.log('information', `Cluster: the session of client ${clientId} has come from ${peer}.`);
    } catch (error) {
      if (error instanceof NoRoom) return false;
      this.#settling.later(peer, clientId);
      const words = `messages that waited at ${peer} for client ${clientId} come when it is back`;
      this.#deps.log.log('warning', `Cluster: ${words}: ${reasonOf(error)}.`);
    }
    return true;
  }

  #noteLease(connection: Connection): void {
    const { session, origin } = connection;
    if (session === null || origin.isOwn === true) return;
    const claim = this.#claims.get(session.clientId);
    const isGranted = claim?.claimant === connection; // else its id was made here, and is nowhere else
    if (isGranted) this.#claims.delete(session.clientId);
    const { time, isClean } = isGranted ? claim : { time: this.#leases.now(), isClean: false };
    this.#leases.set(session, { time, isClean });
    if (!isGranted) return;
    const unasked = this.#deps.neighbours.known().filter((peer) => !claim.answered.includes(peer));
    this.#doubts.begin(session, unasked);
  }

  /** isMoving tells whether a claim of a client id, or the move of its session, is under way. */
  isMoving(clientId: string): boolean {
    return this.#turns.isTaken(clientId);
  }

  /** answer gives what another broker asks for; it never throws. */
  async answer(bytes: Buffer): Promise<Buffer> {
    try {
      return await this.#answerTo(bytes);
    } catch (error) {
      return json({ error: reasonOf(error) });
    }
  }

  async #answerTo(bytes: Buffer): Promise<Buffer> {
    const word = readWord(bytes);
    if (word === null) throw new Error(`this broker knows questions of version ${CLIENTS_VERSION} only`);
    switch (word.ask) {
      case 'claim':
        return json(await this.#answerClaim(word));
      case 'compare':
        return json(this.#settling.compare(word));
      case 'wills':
        return json(this.#deps.wills.saidOf(word.from, word.run, word.part));
      case 'said':
        return json(this.#deps.wills.hearSaid(word));
      case 'kick':
        return json({ address: this.#kickHere(word.clientId) });
      default: {
        const answer = await this.#moves.answer(word);
        return Buffer.isBuffer(answer) ? answer : json(answer);
      }
    }
  }

  async #answerClaim(word: ClaimWord): Promise<ClaimAnswer> {
    const { clientId } = word;
    this.#leases.raise(word.time);
    this.#deps.wills.claimed(clientId);
    const claim = this.#claims.get(clientId);
    if (claim !== undefined) {
      if (this.#leases.isLater(claim.time, word)) return { is: 'later', time: claim.time };
      claim.claimant.disconnect(REASON.SESSION_TAKEN_OVER);
    }
    const leave = await this.#turns.enter(clientId);
    let isMoving = false;
    try {
      const newer = this.#claims.get(clientId);
      if (newer !== undefined && this.#leases.isLater(newer.time, word)) return { is: 'later', time: newer.time };
      const answer = await this.#release(word, leave);
      isMoving = answer.is === 'session';
      return answer;
    } finally {
      if (!isMoving) leave();
    }
  }

  /** The client is connected elsewhere: here it is not any more. */
  async #release(word: ClaimWord, leave: () => void): Promise<ClaimAnswer> {
    const { broker } = this.#deps;
    const { sessions } = broker;
    const session = sessions.get(word.clientId);
    if (session === null || session.listener === CLUSTER_LISTENER || session.connection?.origin.isOwn === true) return { is: 'none' };
    const { time } = this.#leases.of(session);
    if (this.#leases.isLater(time, word)) return { is: 'later', time };
    if (isOfAnother(session, broker, word.username, word.isProven)) return { is: 'another' };
    this.#disconnect(session, word);
    if (sessions.get(word.clientId) !== session) return { is: 'none' }; // it ended with its connection
    if (!word.cleanStart) return { is: 'session', moving: this.#moves.give(session, word.move, word.from, leave) };
    sessions.end(session);
    await durable(broker).catch(() => {}); // after a power cut it would be there again, which shows then
    return { is: 'none' };
  }

  #disconnect({ connection, clientId }: Session, { from, isLate }: ClaimWord): void {
    if (connection === null) return;
    const late = `Cluster: client ${clientId} was connected to two brokers while they did not reach each other. It connected to ${from} later and stays there.`;
    if (isLate) this.#deps.log.log('warning', late);
    else this.#deps.log.log('notice', `Cluster: client ${clientId} has connected to ${from}.`);
    connection.disconnect(REASON.SESSION_TAKEN_OVER);
  }

  /** kick ends a client where it is. It gives its address; null = it is connected to no broker that answers. */
  async kick(clientId: string): Promise<{ broker: string; address: string } | null> {
    const { neighbours } = this.#deps;
    const answers = await Promise.all(
      neighbours.heard().map(async (peer) => {
        try {
          const bytes = await neighbours.ask(peer, { ask: 'kick', clientId }, AWAITED_MS);
          return { broker: peer, address: readAnswer<{ address: string | null }>(bytes).address };
        } catch {
          return { broker: peer, address: null };
        }
      }),
    );
    for (const { broker, address } of answers) if (address !== null) return { broker, address };
    return null;
  }

  #kickHere(clientId: string): string | null {
    const connection = this.#deps.broker.sessions.get(clientId)?.connection ?? null;
    if (connection === null || connection.origin.isOwn === true) return null;
    connection.disconnect(REASON.ADMINISTRATIVE_ACTION);
    return connection.origin.address;
  }

  /** peerBack compares with a broker what both may have by now; `since` as in Settling. */
  peerBack(peer: string, since: number | null): void {
    if (since === null) this.#moves.forgetOrders(peer);
    this.#settling.back(peer, since);
  }

  /** settle asks a broker about all that it could not be asked about. */
  settle(peer: string): Promise<void> {
    return this.#settling.settle(peer);
  }

  /** forget has nothing be left of a broker that never comes back. */
  forget(peer: string): void {
    this.#settling.forget(peer);
    this.#moves.forgetOrders(peer);
    this.#doubts.settled(peer, new Set());
  }

  /** The client is here, and was there before. */
  async #reclaim(peer: string, clientId: string): Promise<void> {
    const { broker, neighbours, log } = this.#deps;
    const leave = await this.#turns.enter(clientId);
    try {
      const session = broker.sessions.get(clientId);
      if (session === null) return;
      const { username, listener } = session;
      const { time, isClean } = this.#leases.of(session);
      const move = this.#moves.newMove();
      const isProven = broker.isAccount(listener, username);
      const own = { ask: 'claim', from: neighbours.id, move, clientId, username, isProven } as const;
      const answer = await this.#askClaim(peer, { ...own, time, cleanStart: isClean, isLate: true }, UNHURRIED_MS);
      if (answer?.is === 'session') await this.#fetch(peer, move, clientId, answer.moving);
      if (answer?.is !== 'another') return;
      log.log('warning', `Cluster: client id ${clientId} belongs to another user at ${peer}: its client here is disconnected.`);
      session.connection?.disconnect(REASON.NOT_AUTHORIZED);
    } finally {
      leave();
    }
  }
}

function json(answer: object): Buffer {
  return Buffer.from(JSON.stringify(answer));
}
