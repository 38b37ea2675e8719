// Door of the cluster: several brokers, each of which stays whole, that carry messages for each other over NATS.
//
//   broker A                                   NATS                                   broker B
//   clients of A publish                                                    clients of B subscribe
//      '-> tree: session "cluster.to.B" <--- interest of B (interest.ts) -------------'
//             '-> link.ts ------------ PUBLISH -----------------------> session "cluster.from.A" -> tree -> clients of B
//                            <-------- PUBACK, when durable at B ------
//
// What is promised rests on the stores of the two brokers and on the acknowledgements between their sessions, as between a client and a
// server. NATS carries bytes and signs of life; what it loses is noticed and sent again, so that its own disk (JetStream) holds nothing.

import type { Clock } from '../base/clock.ts';
import { reasonOf } from '../base/errors.ts';
import type { Part as LivingPart } from '../base/lifecycle.ts';
import type { Logger } from '../base/logger.ts';
import { exempting } from '../broker/authorizers.ts';
import type { Broker } from '../broker/broker.ts';
import { CLUSTER_LISTENER, type ConnectionOrigin } from '../broker/options.ts';
import type { Authenticator, Authorizer } from '../broker/ports.ts';
import { Backplane } from './backplane.ts';
import { Clients } from './clients.ts';
import { FigureExchange, type Figures } from './figures.ts';
import { Interest, type Wish } from './interest.ts';
import { Links, newMark } from './links.ts';
import { peerOf } from './options.ts';
import { Peer } from './peer.ts';
import { endPeerSessions, limitPeerSession } from './peer-session.ts';
import { SharedRetained } from './retained.ts';
import { answerPieces, RetainedSync } from './retained-sync.ts';
import type { ClusterState } from './state.ts';
import { type Alive, type Change, encode, inParts, type Part, PROTOCOL, readAlive, readChange, readForget, readPart } from './words.ts';

/** Milliseconds between two signs of life. */
const ALIVE_MS = 1000;

/** ClusterSettings are options whose files have been read. */
export interface ClusterSettings {
  readonly name: string;
  readonly id: string;
  readonly servers: readonly string[];
  readonly credentials: Buffer | null;
  /** PEM; null inside = the authorities of the system. */
  readonly tls: { readonly ca: string | null } | null;
}

export interface ClusterDeps {
  readonly broker: Broker;
  readonly clock: Clock;
  readonly log: Logger;
  /** Of this program, such as `0.1.0`. */
  readonly version: string;
  /** figures gives the numbers of this broker that the others show too; cheap. */
  figures(): Figures;
}

/** Forgotten: 'connected' = a broker that is there is not forgotten. */
export type Forgotten = 'forgotten' | 'unknown' | 'connected';

/** Cluster is this broker's part in it. */
export interface Cluster extends LivingPart {
  readonly state: ClusterState;
  /** forget ends what waits for a broker that never comes back, here and at all brokers that are connected. */
  forget(id: string): Forgotten;
  /** owns tells whether a connection of our own broker is the cluster's. */
  owns(origin: ConnectionOrigin): boolean;
  /** kick ends a client at the other broker where it is. Null = it is at none that answers. */
  kick(clientId: string): Promise<{ readonly broker: string; readonly address: string } | null>;
  /** authenticator lets the other brokers in, keeps their client ids from everybody else, and asks the other about them. */
  authenticator(other: Authenticator): Authenticator;
  /** authorizer lets the other brokers carry everything: who may publish and who may receive is asked where the client is. */
  authorizer(other: Authorizer | null): Authorizer | null;
}

/** createCluster does nothing until `start`, which does not wait for NATS. */
export function createCluster(settings: ClusterSettings, deps: ClusterDeps): Cluster {
  return new NatsCluster(settings, deps);
}

class NatsCluster implements Cluster {
  readonly name = 'cluster';
  readonly #settings: ClusterSettings;
  readonly #deps: ClusterDeps;
  readonly #backplane: Backplane;
  readonly #interest: Interest;
  readonly #retained: SharedRetained;
  readonly #sync: RetainedSync;
  readonly #figures: FigureExchange;
  readonly #peers = new Map<string, Peer>();
  readonly #clients: Clients;
  readonly #links: Links;
  readonly #subjects: string;
  #run = newMark();
  /** Something of an earlier run is here. */
  #remembers = false;
  #revision = 0;
  /** To NATS, so far. */
  #connections = 0;
  #phase: ClusterState['phase'] = 'connecting';
  #since: number;
  #server: string | null = null;
  #lastError: string | null = null;
  #carried = 0;
  #timer: NodeJS.Timeout | null = null;
  /** What is listened to on this connection to NATS. */
  #unlisten: (() => void)[] = [];

  constructor(settings: ClusterSettings, deps: ClusterDeps) {
    this.#settings = settings;
    this.#deps = deps;
    this.#subjects = `midge.${settings.name}`;
    this.#since = deps.clock.now();
    this.#interest = new Interest((wishes) => this.#tellChange(wishes));
    this.#retained = new SharedRetained({
      broker: deps.broker,
      id: settings.id,
      tell: (records) => this.#tellRetained(records),
      noRoom: (topicName) => deps.log.log('warning', `Cluster: no room for the retained message of ${topicName} (memory_limit).`),
    });
    this.#sync = new RetainedSync({
      values: this.#retained,
      ask: (peer, question) => this.#backplane.askForMany(`${this.#subjects}.${peer}.retained`, question),
      failed: (peer, reason) => deps.log.log('information', `Cluster: retained messages of ${peer} are not got: ${reason}.`),
    });
    this.#clients = new Clients({
      ...{ ...deps, id: settings.id, run: this.#run, subjects: this.#subjects, peers: this.#peers },
      say: (subject, bytes) => this.#say(subject, bytes),
      ask: (subject, bytes, milliseconds) => {
        this.#carried++;
        return this.#backplane.ask(subject, bytes, milliseconds);
      },
    });
    this.#links = new Links({
      ...{ broker: deps.broker, id: settings.id, run: this.#run, subjects: this.#subjects, carrier: this.#carrier() },
      ask: (subject, bytes) => this.#backplane.ask(subject, bytes),
      answer: (reply, bytes) => this.#backplane.publish(reply, bytes),
    });
    this.#figures = new FigureExchange({
      clock: deps.clock,
      own: () => deps.figures(),
      ask: (peer) => this.#backplane.ask(`${this.#subjects}.${peer}.figures`, Buffer.alloc(0)),
    });
    this.#backplane = new Backplane(
      { servers: settings.servers, credentials: settings.credentials, tls: settings.tls, name: `midge ${settings.id}` },
      {
        connected: (server) => this.#connected(server),
        lost: (reason) => this.#lost(reason),
        refused: (reason) => this.#refused(reason),
        failed: (subject, error) => this.#failed(subject, error),
      },
    );
  }

  get state(): ClusterState {
    const peers = Array.from(this.#peers.values(), ({ id, state }) => ({
      ...state,
      latency: this.#figures.of(id)?.latency ?? null,
      figures: this.#figures.of(id)?.figures ?? null,
    })).sort((one, other) => (one.id < other.id ? -1 : 1));
    return {
      name: this.#settings.name,
      id: this.#settings.id,
      phase: this.#phase,
      since: this.#since,
      server: this.#server,
      lastError: this.#lastError,
      carried: this.#carried,
      figures: this.#deps.figures(),
      totals: this.#figures.totals(),
      wills: this.#clients.wills.count,
      peers,
    };
  }

  async start(): Promise<void> {
    const { broker } = this.#deps;
    broker.tree.watcher = this.#interest;
    this.#retained.begin();
    for (const session of [...broker.sessions]) {
      if (session.listener === CLUSTER_LISTENER) this.#rememberPeer(session.clientId);
      for (const subscription of session.subscriptions.values()) this.#interest.added(subscription);
    }
    this.#clients.start();
    this.#timer = setInterval(() => this.#beat(), ALIVE_MS);
    this.#timer.unref();
    this.#backplane.start();
  }

  /** stop says farewell. Sessions stay: what other brokers have not got waits for the next start. */
  async stop(): Promise<void> {
    const { broker } = this.#deps;
    if (this.#timer !== null) clearInterval(this.#timer);
    if (broker.tree.watcher === this.#interest) broker.tree.watcher = null;
    this.#clients.stop();
    this.#tellAlive(true);
    const ending = Array.from(this.#peers.values(), (peer) => peer.stop());
    this.#links.cut();
    await this.#backplane.stop(); // no answer comes any more to what they ask
    await Promise.all([...ending, this.#clients.ended()]); // the next cluster finds the tree as the sessions have it
    this.#retained.end(); // last: a topic that is cleared meanwhile is remembered as such
  }

  forget(id: string): Forgotten {
    const forgotten = this.#forgetHere(id);
    if (forgotten === 'forgotten') this.#backplane.publish(`${this.#subjects}.forget`, encode({ id }));
    return forgotten;
  }

  #forgetHere(id: string): Forgotten {
    const peer = this.#peers.get(id);
    if (peer === undefined) return 'unknown';
    if (!peer.isAway) return 'connected';
    this.#peers.delete(id);
    void peer.stop();
    endPeerSessions(this.#deps.broker, id);
    this.#clients.forget(id);
    this.#sync.forget(id);
    this.#deps.log.log('notice', `Cluster: ${id} is forgotten, with all that waited for it.`);
    return 'forgotten';
  }

  owns(origin: ConnectionOrigin): boolean {
    return this.#links.owns(origin);
  }

  kick(clientId: string): Promise<{ broker: string; address: string } | null> {
    return this.#clients.ids.kick(clientId);
  }

  authenticator(other: Authenticator): Authenticator {
    return this.#links.authenticator(other);
  }

  authorizer(other: Authorizer | null): Authorizer | null {
    return exempting(other, ({ listener }) => listener === CLUSTER_LISTENER);
  }

  #rememberPeer(clientId: string): void {
    const id = peerOf(clientId);
    if (id === null) return;
    this.#remembers = true;
    this.#peerOf(id);
    limitPeerSession(this.#deps.broker, id);
  }

  #peerOf(id: string): Peer {
    let peer = this.#peers.get(id);
    if (peer === undefined) {
      const { broker, clock, log } = this.#deps;
      peer = new Peer(id, {
        broker,
        clock,
        log,
        newLink: (to, run, watcher) => this.#links.begin(to, run, watcher),
        interestOf: (of) => this.#interestOf(of),
        back: (linked, since) => this.#clients.back(linked, since),
      });
      this.#peers.set(id, peer);
    }
    return peer;
  }

  #connected(server: string): void {
    if (this.#phase === 'stopped') return;
    const { id, name } = this.#settings;
    for (const end of this.#unlisten) end();
    this.#connections++;
    this.#enter('connected');
    this.#server = server;
    this.#deps.log.log('notice', `Cluster ${name}: connected to NATS at ${server} as ${id}.`);
    this.#unlisten = [
      this.#backplane.listen(`${this.#subjects}.alive`, (bytes) => this.#hearAlive(bytes)),
      this.#backplane.listen(`${this.#subjects}.interest`, (bytes) => this.#hearChange(bytes)),
      this.#backplane.listen(`${this.#subjects}.retained`, (bytes) => void this.#retained.take(bytes)),
      this.#backplane.listen(`${this.#subjects}.${id}.retained`, (bytes, reply) => this.#answerRetained(bytes, reply)),
      this.#backplane.listen(`${this.#subjects}.${id}.interest`, (_, reply) => this.#answerInterest(reply)),
      this.#backplane.listen(`${this.#subjects}.${id}.link`, (bytes, reply) => this.#links.take(bytes, reply, this.#phase === 'connected')),
      ...this.#clients.listen((subject, heard) => this.#backplane.listen(subject, heard)),
      this.#backplane.listen(`${this.#subjects}.${id}.figures`, (_, reply) => {
        if (reply !== null) this.#backplane.publish(reply, this.#figures.answer());
      }),
      this.#backplane.listen(`${this.#subjects}.forget`, (bytes) => {
        const word = readForget(bytes);
        if (word !== null) this.#forgetHere(word.id);
      }),
    ];
    for (const peer of this.#peers.values()) peer.expect();
    this.#sync.restart();
    this.#tellAlive(false);
  }

  #lost(reason: string): void {
    if (this.#phase === 'stopped') return;
    this.#lastError = reason;
    if (this.#phase === 'alone') return;
    this.#enter('alone');
    this.#clients.wills.lost();
    this.#server = null;
    this.#deps.log.log(
      'warning',
      `Cluster ${this.#settings.name}: NATS is not reached: ${reason}. This broker works on alone until it is.`,
    );
    for (const peer of this.#peers.values()) peer.lost('NATS is not reached');
    this.#links.cut();
  }

  /** Rights at NATS that are missing: it is connected, and yet does not work. */
  #refused(reason: string): void {
    if (this.#lastError === reason) return;
    this.#lastError = reason;
    this.#deps.log.log('warning', `Cluster ${this.#settings.name}: NATS refuses something: ${reason}.`);
  }

  #failed(subject: string, error: unknown): void {
    const words = `cannot take what was said on ${subject}: ${reasonOf(error)}`;
    if (this.#lastError !== words) this.#deps.log.log('error', `Error: Cluster ${this.#settings.name}: ${words}.`);
    this.#lastError = words;
  }

  #enter(phase: ClusterState['phase']): void {
    this.#phase = phase;
    this.#since = this.#deps.clock.now();
  }

  #beat(): void {
    this.#clients.beat();
    this.#interest.look();
    for (const peer of this.#peers.values()) peer.look();
    this.#figures.look([...this.#peers.values()].filter(({ isConnected }) => isConnected).map(({ id }) => id));
    this.#tellAlive(false);
  }

  #tellAlive(leaves: boolean, twin?: string): void {
    if (this.#phase !== 'connected') return;
    const { id } = this.#settings;
    const { digest } = this.#retained;
    const word: Alive = {
      ...{ protocol: PROTOCOL, id, run: this.#run, version: this.#deps.version },
      revision: this.#revision,
      retained: digest,
      connection: this.#connections,
      remembers: this.#remembers,
      leaves,
      ...(twin === undefined ? {} : { twin }),
    };
    this.#backplane.publish(`${this.#subjects}.alive`, encode(word));
  }

  #hearAlive(bytes: Buffer): void {
    const alive = readAlive(bytes);
    if (alive === null || this.#phase !== 'connected') return;
    if (alive.id === this.#settings.id) return this.#hearTwin(alive);
    const peer = this.#peerOf(alive.id);
    if (alive.protocol !== PROTOCOL) return peer.refuse(alive);
    const isNew = peer.state.phase === 'away' && alive.leaves !== true;
    this.#clients.wills.heard(alive);
    peer.heard(alive);
    if (isNew) this.#tellAlive(false); // it does not have to wait for the next beat
    if (alive.leaves !== true) this.#sync.heard(alive.id, alive.retained);
  }

  /**
   * Two brokers of one name would take each other's messages. The one that was started later steps back when the other has answered it: a word
   * of its own run before this one may have waited in NATS for as long as a server of it was cut off. NATS does not give us our own words.
   */
  #hearTwin({ run, leaves, twin }: Alive): void {
    if (leaves === true) return;
    if (run > this.#run) return this.#tellAlive(false, run);
    if (twin !== this.#run) return;
    const words = `another broker is called ${this.#settings.id}: give each its own cluster_id`;
    for (const peer of this.#peers.values()) peer.lost(words);
    this.#links.cut();
    this.#lastError = words;
    this.#enter('stopped');
    this.#clients.wills.lost();
    this.#deps.log.log('error', `Error: Cluster ${this.#settings.name}: ${words}. This broker works alone until it is started again.`);
    for (const end of this.#unlisten) end();
    this.#unlisten = [];
  }

  #tellChange(wishes: readonly Wish[]): void {
    const { id } = this.#settings;
    for (const part of inParts(wishes)) {
      const word: Change = { id, run: this.#run, revision: ++this.#revision, wishes: part };
      if (this.#phase !== 'connected') continue; // who comes later asks for all
      this.#carried++;
      this.#backplane.publish(`${this.#subjects}.interest`, encode(word));
    }
  }

  #hearChange(bytes: Buffer): void {
    const change = readChange(bytes);
    if (change !== null) this.#peers.get(change.id)?.wants(change);
  }

  #tellRetained(records: Buffer): void {
    if (this.#phase !== 'connected') return; // who comes later asks for it
    this.#carried++;
    this.#backplane.publish(`${this.#subjects}.retained`, records);
  }

  #answerRetained(question: Buffer, reply: string | null): void {
    if (reply === null) return;
    for (const piece of answerPieces(this.#retained, question)) this.#backplane.publish(reply, piece);
    this.#backplane.publish(reply, Buffer.alloc(0));
  }

  #answerInterest(reply: string | null): void {
    if (reply === null) return;
    for (const wishes of inParts(this.#interest.all())) this.#backplane.publish(reply, encode({ revision: this.#revision, wishes }));
    this.#backplane.publish(reply, Buffer.alloc(0));
  }

  async #interestOf(peer: string): Promise<readonly Part[]> {
    const answers = await this.#backplane.askForMany(`${this.#subjects}.${peer}.interest`, Buffer.alloc(0));
    return answers.map(readPart).filter((part) => part !== null);
  }

  #say(subject: string, bytes: Buffer): void {
    if (this.#phase !== 'connected') return;
    this.#carried++;
    this.#backplane.publish(subject, bytes);
  }

  /** Counts what links send. */
  #carrier() {
    return {
      publish: (subject: string, bytes: Buffer) => {
        this.#carried++;
        this.#backplane.publish(subject, bytes);
      },
      listen: (subject: string, heard: (bytes: Buffer) => void) => this.#backplane.listen(subject, heard),
    };
  }
}
