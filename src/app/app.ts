// Door of the hallway: wires the rooms of the house. The order in which they start and stop is that of one table, `#table`.

import type { Duplex } from 'node:stream';
import type { Access } from '../access/access.ts';
import type { DynamicSecurity } from '../access/dynamic-security/dynamic-security.ts';
import type { LoginThrottle } from '../access/login-throttle.ts';
import { systemClock } from '../base/clock.ts';
import type { Logger } from '../base/logger.ts';
import type { InvitationBook } from '../bridges/invitation-book.ts';
import type { BridgeState } from '../bridges/state.ts';
import { type Broker, createBroker } from '../broker/broker.ts';
import type { Connection } from '../broker/connection/connection.ts';
import type { BrokerOptions, ConnectionOrigin } from '../broker/options.ts';
import type { Certificates } from '../certificates/certificates.ts';
import type { Forgotten } from '../cluster/cluster.ts';
import type { ClusterState } from '../cluster/state.ts';
import type { Configuration } from '../config/configuration.ts';
import { BROKER_TOPIC, createBrokerEndpoint, DYNAMIC_SECURITY_TOPIC } from '../control/broker-endpoint.ts';
import { type ControlEndpoint, MqttControl } from '../control/mqtt-control.ts';
import { machineNames } from '../host/host.ts';
import { MachineWatch } from '../host/machine-watch.ts';
import { memoryShare } from '../host/memory-share.ts';
import type { Internet } from '../internet/internet.ts';
import type { HttpVisit } from '../listeners/acceptor.ts';
import { withIdentities } from '../listeners/identified-users.ts';
import type { Listener } from '../listeners/listeners.ts';
import { isPlainHttp } from '../listeners/options.ts';
import { PendingConnections } from '../listeners/pending-connections.ts';
import { REASON } from '../mqtt/reason-codes.ts';
import { explainRefusal } from '../refusals/explain-refusal.ts';
import { RefusalMemory } from '../refusals/refusal-memory.ts';
import type { SelfTestLogin } from '../service/self-test-login.ts';
import type { StateFolder } from '../state/state-folder.ts';
import type { Store } from '../store/store.ts';
import { ClientTraffic } from '../telemetry/client-traffic.ts';
import { clusterTopics } from '../telemetry/cluster-topics.ts';
import { storeTopics } from '../telemetry/store-topics.ts';
import { createTelemetry, type Telemetry } from '../telemetry/telemetry.ts';
import { AccessPart } from './parts/access-part.ts';
import { AnnouncementsPart } from './parts/announcements-part.ts';
import { BridgesPart } from './parts/bridges-part.ts';
import { CertificatesPart } from './parts/certificates-part.ts';
import { ClusterPart } from './parts/cluster-part.ts';
import { HomeAssistantPart } from './parts/home-assistant-part.ts';
import { InternetPart } from './parts/internet-part.ts';
import { InvitationsPart } from './parts/invitations-part.ts';
import { ListenersPart } from './parts/listeners-part.ts';
import { StorePart } from './parts/store-part.ts';
import { UpdatesPart } from './parts/updates-part.ts';
import { type AppliancePart, Parts, row, type Step, whenReady } from './parts.ts';
import { letsIn, mayPublish, refusalNeeds } from './refusal-needs.ts';

/** Time for clients to take their last words before their connections are cut. */
const FAREWELL_MS = 3000;

export interface ApplianceSetup {
  readonly configuration: Configuration;
  readonly log: Logger;
  readonly state: StateFolder;
  /** Sessions and retained messages outlive the process, in the state folder. */
  readonly keepsSessions: boolean;
  /** What the program calls itself, for example `midge version 0.1.0`. */
  readonly title: string;
  /** When the program was built, in milliseconds since 1970. */
  readonly buildDate: number;
  /** Lets the test of itself in; null = there is none. */
  readonly selfTest: SelfTestLogin | null;
  /** keyLog gets the secrets of each TLS connection; null = nobody reads along. */
  readonly keyLog: ((line: Buffer) => void) | null;
  /** serveHttp takes what comes in by a listener with `protocol http`. */
  readonly serveHttp: (stream: Duplex, visit: HttpVisit) => void;
  /** accountsChanged is told when dynamic security has changed, between two reloads too; absent = nobody asks. */
  readonly accountsChanged?: () => void;
}

/** Appliance is the broker with everything around it. */
export interface Appliance extends AppliancePart {
  readonly broker: Broker;
  /** listeners are those that are open. */
  readonly listeners: readonly Listener[];
  /** What is in force now. */
  readonly configuration: Configuration;
  readonly throttle: LoginThrottle;
  readonly refusals: RefusalMemory;
  /** Accounts and rules in force. */
  readonly access: Access;
  /** Null = the configuration has none. */
  readonly dynamicSecurity: DynamicSecurity | null;
  readonly machine: MachineWatch;
  readonly telemetry: Telemetry;
  readonly traffic: ClientTraffic;
  /** Null = nobody needs a certificate of ours. */
  readonly certificates: Certificates | null;
  /** Null = nothing outlives the process. */
  readonly store: Store | null;
  readonly state: StateFolder;
  /** `HOST.local` as mDNS tells it, another than that of the machine's own name where that one was taken; null = it is not announced. */
  readonly announcedHost: string | null;
  /** Null = nothing is done towards the Internet. */
  readonly internet: Internet | null;
  /** updates are of midge itself. */
  readonly updates: UpdatesPart;
  /** invitations are those to bridges that this box has given. */
  readonly invitations: InvitationBook;
  /** bridges are those of the configuration, in its order. */
  readonly bridges: readonly BridgeState[];
  /** Null = this broker is on its own. */
  readonly cluster: ClusterState | null;
  /** kickElsewhere ends a client at the other broker of the cluster where it is, and gives the address that it came from; null = it is at none. */
  kickElsewhere(clientId: string): Promise<string | null>;
  /** forgetBroker ends what waits for another broker of the cluster; null = this one is on its own. */
  forgetBroker(id: string): Forgotten | null;
  /** announcements are started when everything else runs: a part beside the appliance. */
  readonly announcements: AppliancePart;
  /** parts are its rows, in the order of their start. */
  readonly parts: readonly AppliancePart[];
  /**
   * reload takes another configuration over. Everything is read, checked and opened first, then put in force at once: with a mistake it
   * throws OperatorError and nothing has changed. Clients whose rights ended are disconnected. False = a stop has come first.
   */
  reload(next: Configuration): Promise<boolean>;
}

/** createAppliance wires the rooms without opening anything; throws OperatorError when a password or ACL file is bad. `start` throws when a port can't be opened or certificates are damaged. */
export function createAppliance(setup: ApplianceSetup): Appliance {
  return new HomeAppliance(setup);
}

class HomeAppliance implements Appliance {
  readonly name = 'appliance';
  readonly #setup: ApplianceSetup;
  readonly #access: AccessPart;
  readonly #store: StorePart;
  readonly #certificates: CertificatesPart;
  readonly #listeners: ListenersPart;
  readonly #homeAssistant: HomeAssistantPart;
  readonly #bridges: BridgesPart;
  readonly #invitations: InvitationsPart;
  readonly #cluster: ClusterPart;
  readonly #internet: InternetPart;
  readonly updates: UpdatesPart;
  readonly refusals: RefusalMemory;
  readonly machine: MachineWatch;
  readonly broker: Broker;
  readonly telemetry: Telemetry;
  readonly traffic: ClientTraffic;
  readonly announcements: AnnouncementsPart;
  readonly #parts: Parts;
  #configuration: Configuration;

  constructor(setup: ApplianceSetup) {
    const { configuration, log, state, selfTest } = setup;
    this.#setup = setup;
    this.#configuration = configuration;
    this.#access = new AccessPart({
      options: configuration.access,
      log,
      knownLogins: setup.keepsSessions ? state.knownLogins : null,
      clients: {
        addressesOf: (username) => this.#connectionsOf(username).map(({ origin }) => origin.address),
        changed: (kicked) => this.#rightsChanged(kicked),
      },
    });
    this.#store = new StorePart(state, log);
    const needs = refusalNeeds(this);
    this.refusals = new RefusalMemory({
      clock: systemClock,
      log,
      explain: (refusal) => explainRefusal(refusal, needs),
      isPage: (port) => this.listeners.some((each) => each.port === port && each.options.protocol === 'http'),
      mayPublish: (...question) => mayPublish(this, ...question),
      letsIn: (...question) => letsIn(this, ...question),
      hasAccount: (...question) => this.access.knows(...question),
    });
    this.machine = new MachineWatch(state.path, systemClock);
    this.#bridges = new BridgesPart({
      settings: configuration.bridges,
      broker: () => this.broker,
      log,
      changed: () => this.#installGuards(),
    });
    this.#invitations = new InvitationsPart({ broker: () => this.broker, state, log });
    this.updates = new UpdatesPart(setup);
    this.#cluster = new ClusterPart({
      options: configuration.cluster,
      broker: () => this.broker,
      log,
      title: setup.title,
      changed: () => this.#installGuards(),
    });
    this.#homeAssistant = new HomeAssistantPart({
      configuration,
      broker: () => this.broker,
      machine: this.machine,
      store: () => this.store,
      folder: state.path,
      title: setup.title,
      updates: this.updates,
      log,
      changed: () => this.#installGuards(),
    });
    this.broker = this.#createBroker();
    this.telemetry = createTelemetry({
      broker: this.broker,
      clock: systemClock,
      version: setup.title,
      interval: configuration.broker.sysInterval,
      more: () => this.#moreTopics(),
    });
    this.traffic = new ClientTraffic({ clock: systemClock, broker: this.broker, telemetry: this.telemetry, selfTest });
    this.#certificates = new CertificatesPart({
      ...setup,
      machine: () => ({ ...machineNames(), announced: this.announcements.host }),
      changed: () => void this.#certificatesChanged(),
    });
    this.#internet = new InternetPart({
      ...setup,
      showsAnswers: (port) => this.listeners.some((each) => each.port === port && isPlainHttp(each.options)),
      changed: () => void this.#certificatesChanged(),
    });
    this.#listeners = this.#createListeners();
    this.announcements = new AnnouncementsPart({
      options: configuration.discovery,
      log,
      listeners: () => this.listeners,
      caFingerprint: () => this.certificates?.authority().fingerprint ?? null,
      renamed: () => void this.certificates?.check(),
    });
    this.#parts = new Parts(this.name, this.#table(), log);
  }

  /** The order of start, of commit, and backwards of stop. */
  #table(): readonly AppliancePart[] {
    const { broker, telemetry } = this;
    return [
      row('configuration', { prepare: (next) => whenReady(() => this.#use(next)) }),
      ...(this.#setup.keepsSessions ? [this.#store] : []),
      this.#access,
      row('connections', { stop: async () => this.#listeners.cut() }),
      row('engine', {
        start: () => broker.start(),
        stop: () => this.#sayFarewell(),
        prepare: (next) => whenReady(() => this.#configureBroker(next)),
      }),
      row('telemetry', {
        start: () => telemetry.start(),
        stop: () => telemetry.stop(),
        prepare: (next) => whenReady(() => telemetry.setInterval(next.broker.sysInterval)),
      }),
      this.#homeAssistant,
      this.#invitations,
      this.#cluster, // before the listeners: nobody else may have the names of its sessions
      this.#certificates,
      this.#listeners,
      this.#internet,
      this.updates,
      this.#bridges,
      row('clients', { prepare: () => this.#reviewLater() }),
    ];
  }

  get parts(): readonly AppliancePart[] {
    return this.#parts.rows;
  }

  get listeners(): readonly Listener[] {
    return this.#listeners.opened;
  }

  get invitations(): InvitationBook {
    return this.#invitations.book;
  }

  get bridges(): readonly BridgeState[] {
    return this.#bridges.states();
  }

  get cluster(): ClusterState | null {
    return this.#cluster.state;
  }

  kickElsewhere(clientId: string): Promise<string | null> {
    return this.#cluster.kick(clientId);
  }

  forgetBroker(id: string): Forgotten | null {
    return this.#cluster.forget(id);
  }

  get configuration(): Configuration {
    return this.#configuration;
  }

  get access(): Access {
    return this.#access.access;
  }

  get dynamicSecurity(): DynamicSecurity | null {
    return this.#access.dynamic;
  }

  get throttle(): LoginThrottle {
    return this.#access.throttle;
  }

  get certificates(): Certificates | null {
    return this.#certificates.certificates;
  }

  get state(): StateFolder {
    return this.#setup.state;
  }

  get internet(): Internet | null {
    return this.#internet.internet;
  }

  get announcedHost(): string | null {
    return this.announcements.host;
  }

  get store(): Store | null {
    return this.#store.store;
  }

  start(): Promise<void> {
    return this.#parts.start();
  }

  stop(): Promise<void> {
    return this.#parts.stop();
  }

  prepare(next: Configuration): Promise<Step> {
    return this.#parts.prepare(next);
  }

  reload(next: Configuration): Promise<boolean> {
    return this.#parts.reload(next);
  }

  #use(next: Configuration): void {
    this.#configuration = next;
  }

  #createBroker(): Broker {
    const { configuration, log, keepsSessions } = this.#setup;
    return createBroker(withinMemory(configuration.broker), {
      clock: systemClock,
      log,
      ...this.#guards(),
      openStore: keepsSessions ? async () => this.#store.opened() : null,
      refusals: this.refusals,
      control: this.#createMqttControl(),
      holdsWills: configuration.cluster !== null,
    });
  }

  #createMqttControl(): MqttControl {
    const broker = createBrokerEndpoint({ listeners: () => this.listeners, hasDynamicSecurity: () => this.#access.dynamic !== null });
    const endpointOf = (topicName: string): ControlEndpoint | null => {
      if (topicName === DYNAMIC_SECURITY_TOPIC) return this.#access.dynamic;
      return topicName === BROKER_TOPIC && this.configuration.controlApi ? broker : null;
    };
    const publish = (topic: string, payload: Buffer): void =>
      this.broker.publish({ cmd: 'publish', topic, payload, qos: 0, retain: false, dup: false }, () => {});
    return new MqttControl({ log: this.#setup.log, endpointOf, publish });
  }

  /** Dynamic security was changed: verdicts are asked anew, and who has lost something comes again, with what it may now. */
  #rightsChanged(kicked: ReadonlySet<string | null>): void {
    this.#installGuards();
    this.#setup.accountsChanged?.();
    for (const username of kicked)
      for (const connection of this.#connectionsOf(username)) connection.disconnect(REASON.ADMINISTRATIVE_ACTION);
  }

  #connectionsOf(username: string | null): Connection[] {
    return [...this.broker.connections].filter(
      ({ session, id }) => session?.username === username && id !== this.#setup.selfTest?.clientId,
    );
  }

  #configureBroker(next: Configuration): void {
    this.#installGuards();
    this.broker.setOptions(withinMemory(next.broker));
    for (const connection of this.broker.connections) this.broker.refreshFast(connection); // debug lines may be wanted now
  }

  #installGuards(): void {
    const guards = this.#guards();
    this.broker.authenticator = guards.authenticator;
    this.broker.setAuthorizer(guards.authorizer);
  }

  #guards() {
    const authorizer = this.#cluster.authorizer(this.#homeAssistant.authorizer(this.#bridges.authorizer(this.access.authorizer)));
    const { selfTest } = this.#setup;
    const clients = withIdentities(this.access.authenticator, () => this.#listeners.all);
    const authenticator = this.#cluster.authenticator(this.#bridges.authenticator(clients));
    if (selfTest === null) return { authenticator, authorizer };
    return { authenticator: selfTest.authenticator(authenticator), authorizer: selfTest.authorizer(authorizer) };
  }

  /** Who does not take the last words in time is cut off. */
  async #sayFarewell(): Promise<void> {
    const cut = setTimeout(() => this.#listeners.cut(), FAREWELL_MS);
    await this.broker.stop();
    clearTimeout(cut);
  }

  #createListeners(): ListenersPart {
    const { configuration, log, keyLog, serveHttp } = this.#setup;
    const needs = {
      serveHttp,
      pending: new PendingConnections({ clock: systemClock, log }),
      keyLog,
      refusals: this.refusals,
      handle: (stream: Duplex, origin: ConnectionOrigin) => void this.broker.open(stream, origin),
      applianceCertificate: () => this.#certificates.ours().server(),
      publicCertificate: () => this.internet?.certificate ?? null,
      applianceAuthority: () => ({
        cert: this.#certificates.ours().authority().cert,
        revocations: this.#certificates.ours().revocations(),
      }),
      readRevocations: async (text: string, authorities: readonly string[]) =>
        (await import('../certificates/revocation-lists.ts')).readRevocations(text, authorities),
    };
    return new ListenersPart({ configuration, log, needs });
  }

  /** The last row: those before it are in force when it judges. */
  #reviewLater(): Step {
    const before = this.access;
    return whenReady(() => this.#disconnectUnwelcome(before));
  }

  /** [MQTT-4.13.1] Who is not through CONNECT goes on: the engine decides by the rules of the moment. */
  #disconnectUnwelcome(before: Access): void {
    for (const connection of [...this.broker.connections]) {
      const { origin, session } = connection;
      if (this.#bridges.owns(origin) || this.#cluster.owns(origin)) continue; // a change of its own block ends it
      const policy = origin.review === undefined ? origin.policy : origin.review();
      if (policy !== null && (session === null || connection.id === this.#setup.selfTest?.clientId)) continue;
      const isWelcome =
        policy !== null && this.access.keeps({ username: session?.username ?? null, identity: origin.identity, policy }, before);
      if (!isWelcome) connection.disconnect(REASON.NOT_AUTHORIZED);
    }
  }

  /** Who came with a certificate that is revoked by now, goes. */
  async #certificatesChanged(): Promise<void> {
    await this.#listeners.replaceCertificates();
    this.#disconnectUnwelcome(this.access);
  }

  #moreTopics(): readonly (readonly [topicName: string, text: string])[] {
    this.traffic.sample();
    return [...this.machine.topics(), ...storeTopics(this.store, this.machine.latest?.disk?.total ?? null), ...clusterTopics(this.cluster)];
  }
}

/** The memory of this machine bounds what is kept, where the configuration says nothing. */
function withinMemory(options: BrokerOptions): BrokerOptions {
  return { ...options, memoryLimit: options.memoryLimit ?? memoryShare() };
}
