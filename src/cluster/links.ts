// Links to the other brokers as connections of our own broker: asked for and answered over NATS, and let in by name.

import { randomBytes } from 'node:crypto';
import type { Broker } from '../broker/broker.ts';
import { CLUSTER_LISTENER, type ConnectionOrigin, DEFAULT_LISTENER_POLICY } from '../broker/options.ts';
import type { Authenticator } from '../broker/ports.ts';
import { Link, type LinkWatcher } from './link.ts';
import { type Carrier, NatsStream } from './nats-stream.ts';
import { peerOf, sessionFrom, sessionTo } from './options.ts';
import { encode, readLinkAnswer, readLinkRequest } from './words.ts';

/** What the engine takes at once from another broker. */
const RECEIVE_MAXIMUM = 65_535;

export interface LinksDeps {
  readonly broker: Broker;
  /** Of this broker, and of this run of it. */
  readonly id: string;
  readonly run: string;
  /** What subjects begin with. */
  readonly subjects: string;
  /** Brings what links send. */
  readonly carrier: Carrier;
  /** ask gives one answer; throws where none comes. */
  ask(subject: string, bytes: Buffer): Promise<Buffer>;
  /** answer is for one who has asked. */
  answer(reply: string, bytes: Buffer): void;
}

/** Links are those of one broker. */
export class Links {
  readonly #deps: LinksDeps;
  /** Client ids of connections that other brokers, and we for them, have opened here. */
  readonly #origins = new Map<ConnectionOrigin, string>();

  constructor(deps: LinksDeps) {
    this.#deps = deps;
  }

  owns(origin: ConnectionOrigin): boolean {
    return this.#origins.has(origin);
  }

  /** authenticator lets the other brokers in, keeps their client ids from everybody else, and asks the other about them. */
  authenticator(other: Authenticator): Authenticator {
    return {
      authenticate: (credentials) => {
        const clientId = this.#origins.get(credentials.origin);
        if (clientId !== undefined) return clientId === credentials.clientId ? 'accepted' : 'not authorised';
        return peerOf(credentials.clientId) === null ? other.authenticate(credentials) : 'not authorised';
      },
      hasAccount: (listener, username) => other.hasAccount?.(listener, username) ?? false,
    };
  }

  /** begin makes a link to a run of a broker, to be opened; throws. */
  async begin(peer: string, run: string, watcher: LinkWatcher): Promise<Link> {
    const { broker, id, subjects, carrier, ask } = this.#deps;
    const ours = this.#newSubject();
    const answer = await ask(`${subjects}.${peer}.link`, encode({ from: id, to: run, subject: ours }));
    const { subject } = readLinkAnswer(answer);
    if (subject === null) throw new Error('it does not take a link now');
    const stream = new NatsStream(carrier, ours, subject);
    return new Link(stream, { broker, id, peer, origin: this.#newOrigin(sessionTo(peer)), watcher });
  }

  /** take answers a broker that wants a link. The other end speaks first (CONNECT), so that nothing is missed between the answer and the stream. */
  take(bytes: Buffer, reply: string | null, isWorking: boolean): void {
    const { broker, run, carrier, answer } = this.#deps;
    const request = readLinkRequest(bytes);
    if (request === null || reply === null) return;
    const ours = request.to === run && isWorking ? this.#newSubject() : null;
    if (ours !== null) {
      const stream = new NatsStream(carrier, ours, request.subject);
      broker.open(stream, this.#newOrigin(sessionFrom(request.from), stream));
    }
    answer(reply, encode({ subject: ours }));
  }

  /** cut ends the streams that others have opened: what comes in by them cannot be whole any more. */
  cut(): void {
    for (const connection of [...this.#deps.broker.connections]) if (this.owns(connection.origin)) connection.destroy();
  }

  #newSubject(): string {
    return `${this.#deps.subjects}.stream.${newMark()}`;
  }

  /** It is known until its connection has ended. */
  #newOrigin(clientId: string, stream?: NatsStream): ConnectionOrigin {
    const policy = { ...DEFAULT_LISTENER_POLICY, name: CLUSTER_LISTENER, port: 0, maxTopicAlias: 0, receiveMaximum: RECEIVE_MAXIMUM };
    const origin: ConnectionOrigin = { address: '', port: 0, policy, identity: null, tls: null, isOwn: true };
    for (const [old, its] of this.#origins) if (its === clientId) this.#origins.delete(old);
    this.#origins.set(origin, clientId);
    stream?.once('close', () => this.#origins.delete(origin));
    return origin;
  }
}

/** newMark makes marks in the order of time: the one of a later start is greater. */
export function newMark(): string {
  return `${Date.now().toString(36).padStart(9, '0')}-${randomBytes(6).toString('hex')}`;
}
