// Door of the hallway: wires the rooms of the house, and knows the order in which they start and stop.
//
//   start: store -> engine -> plain listeners ------------------> TLS listeners -> (ready) -> announcements
//                    certificates, if a listener wants ours ^
//   stop:  listeners close -> announcements withdrawn, clients told and flushed -> what is left is cut -> certificates, store

import { basename, dirname } from 'node:path';
import { type Access, createAccess } from '../access/access.ts';
import { KnownLogins } from '../access/known-logins.ts';
import { LoginThrottle } from '../access/login-throttle.ts';
import { systemClock } from '../base/clock.ts';
import { reasonOf } from '../base/errors.ts';
import type { Part } from '../base/lifecycle.ts';
import type { Logger } from '../base/logger.ts';
import { type Broker, createBroker } from '../broker/broker.ts';
import type { BrokerOptions } from '../broker/options.ts';
import type { Certificates } from '../certificates/certificates.ts';
import type { MachineNames } from '../certificates/options.ts';
import type { Configuration } from '../config/configuration.ts';
import type { Advertiser } from '../discovery/discovery.ts';
import { machineModel, machineNames } from '../host/host.ts';
import { memoryShare } from '../host/memory-share.ts';
import { createListener, isAddressMissing, type Listener } from '../listeners/listeners.ts';
import { type ListenerOptions, wantsOurs } from '../listeners/options.ts';
import { PendingConnections } from '../listeners/pending-connections.ts';
import { REASON } from '../mqtt/reason-codes.ts';
import type { SelfTestPass } from '../service/self-test-pass.ts';
import type { StateFolder } from '../state/state-folder.ts';
import { STORE_DEFAULTS } from '../store/options.ts';
import type { Store } from '../store/store.ts';
import { createTelemetry, type Telemetry } from '../telemetry/telemetry.ts';
import { advertisedListeners, reachableAddresses } from './advertised.ts';
import { ClientTraffic } from './client-traffic.ts';
import { DefaultPorts } from './default-ports.ts';
import { explainRefusal } from './explain-refusal.ts';
import { withIdentities } from './identified-users.ts';
import { type ListenerChange, prepareListeners } from './listener-change.ts';
import { MachineWatch } from './machine-watch.ts';
import { RefusalMemory } from './refusal-memory.ts';
import { settingsThatStay } from './reload.ts';
import { storeTopics } from './store-topics.ts';

/** Time for clients to take their last words before their connections are cut. */
const FAREWELL_MS = 3000;

/** mqtt's largest packet, for WebSocket messages where no limit is configured. */
const MAX_PACKET_BYTES = 268_435_460;

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
  readonly selfTest: SelfTestPass | null;
  /** keyLog gets the secrets of each TLS connection; null = nobody reads along. */
  readonly keyLog: ((line: Buffer) => void) | null;
}

/** Appliance is the broker with everything around it. */
export interface Appliance extends Part {
  readonly broker: Broker;
  /** listeners are those that are open. */
  readonly listeners: readonly Listener[];
  /** What is in force now. */
  readonly configuration: Configuration;
  readonly throttle: LoginThrottle;
  readonly refusals: RefusalMemory;
  /** Accounts and rules in force. */
  readonly access: Access;
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
  /** announce begins to announce the listeners by mDNS, if the configuration wants it. Its start can't fail. */
  announce(): void;
  /**
   * reload takes another configuration over. Everything is read, checked and opened first, then put in force at once: with a mistake it
   * throws OperatorError and nothing has changed. Clients whose rights ended are disconnected. Gives the words whose change needs a restart.
   */
  reload(next: Configuration): Promise<readonly string[]>;
}

/** createAppliance wires the rooms without opening anything; throws OperatorError when a password or ACL file is bad. `start` throws when a port can't be opened or certificates are damaged. */
export function createAppliance(setup: ApplianceSetup): Appliance {
  return new HomeAppliance(setup);
}

class HomeAppliance implements Appliance {
  readonly name = 'appliance';
  readonly broker: Broker;
  readonly #setup: ApplianceSetup;
  readonly throttle: LoginThrottle;
  readonly refusals: RefusalMemory;
  readonly machine: MachineWatch;
  readonly telemetry: Telemetry;
  readonly traffic: ClientTraffic;
  readonly #pending: PendingConnections;
  readonly #knownLogins: KnownLogins;
  readonly #defaultPorts: DefaultPorts;
  #listeners: readonly Listener[];
  #access: Access;
  #configuration: Configuration;
  /** What a reload is about to put in force, otherwise what is. */
  #upcoming: Configuration;
  #opened: readonly Listener[] = [];
  #reloading: Promise<unknown> = Promise.resolve();
  #certificates: Certificates | null = null;
  #advertiser: Promise<Advertiser> | null = null;
  #store: Store | null = null;
  #announcedHost: string | null = null;
  #isStopping = false;

  constructor(setup: ApplianceSetup) {
    const { configuration, log, state, title } = setup;
    this.#setup = setup;
    this.#configuration = configuration;
    this.#upcoming = configuration;
    this.#pending = new PendingConnections({ clock: systemClock, log });
    this.#defaultPorts = new DefaultPorts(log);
    this.#knownLogins = new KnownLogins(setup.keepsSessions ? state.knownLogins : null, log);
    this.throttle = new LoginThrottle(configuration.access.loginThrottle, { clock: systemClock, log, known: this.#knownLogins });
    this.#access = createAccess(configuration.access, this.throttle);
    this.refusals = new RefusalMemory({ clock: systemClock, log, explain: (refusal) => explainRefusal(refusal, this) });
    this.machine = new MachineWatch(state.path, systemClock);
    this.broker = createBroker(withinMemory(configuration.broker), {
      clock: systemClock,
      log,
      ...this.#guards(),
      openStore: setup.keepsSessions ? () => this.#openStore() : null,
      diagnostics: this.refusals,
    });
    this.telemetry = createTelemetry({
      broker: this.broker,
      clock: systemClock,
      version: title,
      interval: configuration.broker.sysInterval,
      more: () => this.#moreTopics(),
    });
    this.traffic = new ClientTraffic({ clock: systemClock, broker: this.broker, telemetry: this.telemetry, selfTest: setup.selfTest });
    this.#listeners = configuration.listeners.map((options) => this.#createListener(options));
  }

  get listeners(): readonly Listener[] {
    return this.#opened;
  }

  get configuration(): Configuration {
    return this.#configuration;
  }

  get access(): Access {
    return this.#access;
  }

  get certificates(): Certificates | null {
    return this.#certificates;
  }

  get state(): StateFolder {
    return this.#setup.state;
  }

  get announcedHost(): string | null {
    return this.#announcedHost;
  }

  get store(): Store | null {
    return this.#store;
  }

  start(): Promise<void> {
    const started = this.#begin();
    this.#reloading = started.catch(() => {}); // a reload waits for it
    return started;
  }

  async #begin(): Promise<void> {
    await this.broker.start();
    await this.telemetry.start();
    const plain = this.#listeners.filter((listener) => !wantsOurs(listener.options));
    const secure = this.#listeners.filter((listener) => wantsOurs(listener.options));
    const outcomes = await Promise.allSettled([
      ...plain.map((listener) => this.#open(listener)),
      secure.length === 0 ? null : this.#openSecure(secure),
    ]);
    const failure = outcomes.find((outcome) => outcome.status === 'rejected');
    if (failure !== undefined) throw failure.reason;
    this.#opened = await this.#defaultPorts.withoutHalves(this.#opened);
  }

  announce(): void {
    if (!this.#configuration.discovery.advertise || this.#advertiser !== null) return;
    this.#advertiser = this.#startAdvertiser();
  }

  async stop(): Promise<void> {
    this.#isStopping = true;
    await this.#reloading;
    for (const listener of this.#listeners) listener.close();
    const cut = setTimeout(() => this.#cutConnections(), FAREWELL_MS);
    await Promise.all([this.#withdraw(), this.telemetry.stop(), this.broker.stop()]);
    clearTimeout(cut);
    this.#cutConnections();
    this.#knownLogins.save();
    await Promise.all([this.#certificates?.stop(), this.#store?.stop()]);
  }

  reload(next: Configuration): Promise<readonly string[]> {
    const reloaded = this.#reloading.then(() => this.#reload(next)).finally(() => this.#settle()); // one after the other
    this.#reloading = reloaded.catch(() => {});
    return reloaded;
  }

  #settle(): void {
    this.#upcoming = this.#configuration;
  }

  async #reload(next: Configuration): Promise<readonly string[]> {
    this.#upcoming = next;
    const access = createAccess(next.access, this.throttle);
    if (next.listeners.some(wantsOurs)) await this.#startCertificates(next);
    const change = await prepareListeners({
      open: this.#opened,
      next: next.listeners,
      create: (options) => this.#createListener(options),
      start: (listener) => this.#start(listener, next),
    });
    if (this.#isStopping) {
      await change.undo();
      return [];
    }
    return this.#putInForce(next, access, change);
  }

  /** From here on nothing can fail, and nobody is served in between. */
  #putInForce(next: Configuration, access: Access, change: ListenerChange): readonly string[] {
    const before = this.#access;
    this.#configuration = next;
    this.#access = access;
    this.#opened = change.commit();
    this.#listeners = [
      ...this.#opened,
      ...this.#listeners.filter((listener) => listener.connections > 0 && !this.#opened.includes(listener)),
    ];
    const guards = this.#guards();
    this.broker.authenticator = guards.authenticator;
    this.broker.setAuthorizer(guards.authorizer);
    this.throttle.setOptions(next.access.loginThrottle);
    this.broker.setOptions(withinMemory(next.broker));
    this.telemetry.setInterval(next.broker.sysInterval);
    for (const connection of this.broker.connections) this.broker.refreshFast(connection); // debug lines may be wanted now
    this.#disconnectUnwelcome(before);
    return settingsThatStay(this.#setup.configuration, next);
  }

  /** [MQTT-4.13.1] Who is not through CONNECT goes on: the engine decides by the rules of the moment. */
  #disconnectUnwelcome(before: Access): void {
    for (const connection of [...this.broker.connections]) {
      const { origin, session } = connection;
      const policy = origin.review === undefined ? origin.policy : origin.review();
      if (policy !== null && (session === null || connection.id === this.#setup.selfTest?.clientId)) continue;
      const isWelcome =
        policy !== null && this.#access.keeps({ username: session?.username ?? null, identity: origin.identity, policy }, before);
      if (!isWelcome) connection.disconnect(REASON.NOT_AUTHORIZED);
    }
  }

  #guards() {
    const { authorizer } = this.#access;
    const { selfTest } = this.#setup;
    const authenticator = withIdentities(this.#access.authenticator, () => this.#listeners);
    if (selfTest === null) return { authenticator, authorizer };
    return { authenticator: selfTest.authenticator(authenticator), authorizer: selfTest.authorizer(authorizer) };
  }

  #moreTopics(): readonly (readonly [topicName: string, text: string])[] {
    this.traffic.sample();
    return [...this.machine.topics(), ...storeTopics(this.#store, this.machine.latest?.disk?.total ?? null)];
  }

  async #openStore(): Promise<Store> {
    const { log, state } = this.#setup;
    const { openStore } = await import('../store/store.ts');
    this.#makeState(state.database);
    this.#store = await openStore(
      { ...STORE_DEFAULTS, folder: dirname(state.database), file: basename(state.database), isOwnFolder: state.isDatabaseFolderOurs() },
      { clock: systemClock, log },
    );
    return this.#store;
  }

  /** A database elsewhere needs no state folder: without one the broker can't be asked, and that is all. */
  #makeState(database: string): void {
    const { state, log } = this.#setup;
    try {
      state.make();
    } catch (error) {
      if (dirname(database) === state.path) throw error;
      log.log('warning', `Warning: ${reasonOf(error)}. midge status and midge why will not work.`);
    }
  }

  #createListener(options: ListenerOptions): Listener {
    return createListener(options, {
      log: this.#setup.log,
      pending: this.#pending,
      keyLog: this.#setup.keyLog,
      diagnostics: this.refusals,
      handle: (stream, origin) => void this.broker.open(stream, origin),
      applianceCertificate: () => this.#ourCertificates().server(),
      applianceAuthority: () => ({ cert: this.#ourCertificates().authority().cert, revocations: this.#ourCertificates().revocations() }),
      readRevocations: async (text, authorities) => (await import('../certificates/revocation.ts')).readRevocations(text, authorities),
      maxMessageBytes: () => this.#upcoming.broker.maxPacketSize || MAX_PACKET_BYTES,
    });
  }

  async #open(listener: Listener): Promise<void> {
    if (await this.#start(listener, this.#configuration)) this.#opened = [...this.#opened, listener];
  }

  async #start(listener: Listener, { localOnly, hasDefaultPorts }: Configuration): Promise<boolean> {
    try {
      await listener.start();
      return true;
    } catch (error) {
      // Nobody has asked for ::1 by name, and a machine may be without IPv6.
      const isSpare = localOnly && listener.options.address === '::1' && isAddressMissing(error);
      if (!isSpare && !(hasDefaultPorts && this.#defaultPorts.leaveOut(listener, error))) throw error;
      return false;
    }
  }

  async #openSecure(listeners: readonly Listener[]): Promise<void> {
    await this.#startCertificates(this.#configuration);
    await Promise.all(listeners.map((listener) => this.#open(listener)));
  }

  async #startCertificates({ certificateNames }: Configuration): Promise<void> {
    if (this.#certificates !== null) return;
    const { log, state, buildDate } = this.#setup;
    const { createCertificates } = await import('../certificates/certificates.ts');
    state.make();
    const options = { folder: state.certificates, extraNames: certificateNames };
    const certificates = createCertificates({ options, clock: systemClock, log, buildDate, machine: () => this.#machineNames() });
    await certificates.start();
    this.#certificates = certificates;
    certificates.onChange(() => void this.#renewCertificates());
  }

  #machineNames(): MachineNames {
    return { ...machineNames(), announced: this.#announcedHost };
  }

  #ourCertificates(): Certificates {
    if (this.#certificates === null) throw new Error('certificates are not made yet');
    return this.#certificates;
  }

  /** Who came with a certificate that is revoked by now, goes. */
  async #renewCertificates(): Promise<void> {
    const ours = this.#opened.filter(({ options }) => wantsOurs(options));
    const renewals = await Promise.allSettled(ours.map((listener) => listener.replaceCertificate()));
    for (const renewal of renewals) {
      if (renewal.status === 'rejected')
        this.#setup.log.log('error', `Error: ${reasonOf(renewal.reason)}. The old certificate stays in use.`);
    }
    this.#disconnectUnwelcome(this.#access);
  }

  async #startAdvertiser(): Promise<Advertiser> {
    const { configuration, log } = this.#setup;
    const { createAdvertiser } = await import('../discovery/discovery.ts');
    const advertiser = createAdvertiser({
      options: configuration.discovery,
      listeners: () => advertisedListeners(this.#opened),
      hostName: machineNames().hostName,
      machine: await machineModel(),
      caFingerprint: this.#certificates?.authority().fingerprint ?? null,
      addresses: () => reachableAddresses(this.#opened, machineNames().addresses),
      onHost: (host) => this.#onHost(host),
      log,
    });
    await advertiser.start();
    return advertiser;
  }

  #onHost(host: string | null): void {
    this.#announcedHost = host;
    void this.#certificates?.check();
  }

  async #withdraw(): Promise<void> {
    const advertiser = await this.#advertiser;
    await advertiser?.stop();
  }

  #cutConnections(): void {
    for (const listener of this.#listeners) void listener.stop();
  }
}

/** The memory of this machine bounds what is kept, where the configuration says nothing. */
function withinMemory(options: BrokerOptions): BrokerOptions {
  return { ...options, memoryLimit: options.memoryLimit ?? memoryShare() };
}
