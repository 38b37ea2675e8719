// What the REST interface gets of the running broker.

import { resolve } from 'node:path';
import { addRule } from '../access/acl-file-edit.ts';
import { filesOf } from '../access/options.ts';
import { setUser } from '../access/password-file-edit.ts';
import { hashPassword } from '../access/password-hash.ts';
import type { Accounts, ApiSetup, Login, MissingPasswordFile } from '../api/ports.ts';
import { OperatorError, reasonOf } from '../base/errors.ts';
import { DEFAULT_LISTENER_POLICY } from '../broker/options.ts';
import { machineNames } from '../host/host.ts';
import { publicNames } from '../internet/public-name.ts';
import type { Log } from '../logging/logging.ts';
import { filterMatches } from '../mqtt/topics.ts';
import { changeInForce } from '../operations/change-in-force.ts';
import { describePhone } from '../operations/location-shapes.ts';
import { mayReadOf, maySeeOf } from '../operations/location-sight.ts';
import { mapTilesFile } from '../operations/map-tiles.ts';
import type { OperationNeeds } from '../operations/needs.ts';
import { OPERATIONS, type Operations } from '../operations/operations.ts';
import type { Appliance } from './app.ts';
import { openApiReader } from './openapi-file.ts';
import { ownTracksDoor } from './owntracks-door.ts';
import { readPageFiles } from './page-files.ts';
import type { KeptForApi } from './parts/api-part.ts';
import { phoneDoor } from './phone-door.ts';
import type { Reloads } from './reloads.ts';
import { signInLog } from './sign-in-log.ts';

export interface ApiWorld {
  readonly appliance: Appliance;
  readonly operations: Operations;
  /** needs are what the operations get. */
  readonly needs: () => OperationNeeds;
  readonly reloads: Reloads;
  readonly log: Log;
  readonly title: string;
  /** Milliseconds since 1970. */
  readonly since: number;
  readonly isReady: () => boolean;
  readonly changed: ApiSetup['changed'];
}

/** apiSetup makes what the API asks. */
export async function apiSetup(world: ApiWorld, { roles, tokens, phones }: KeptForApi, setupCode: string): Promise<ApiSetup> {
  const { appliance, operations, log, title } = world;
  const { broker, throttle } = appliance;
  const { Prometheus } = await import('../telemetry/prometheus.ts');
  const prometheus = new Prometheus({
    ...world,
    broker,
    store: appliance.store,
    machine: () => machineOf(appliance),
    bridges: () => appliance.bridges,
    cluster: () => appliance.cluster,
  });
  prometheus.start();
  return {
    operations,
    table: OPERATIONS,
    title,
    openApi: openApiReader(title),
    accounts: accountsOf(world),
    signIns: signInLog(appliance),
    roles,
    tokens,
    page: readPageFiles(),
    mapTiles: mapTilesFile(appliance.state.path),
    attempts: throttle,
    phones: phoneDoor(phones, world.needs),
    ownTracks: ownTracksDoor(phones, world.needs, appliance),
    setupCode: () => setupCode,
    messages: messagesOf(world),
    isRetained: (topic) => appliance.broker.retained.has(topic),
    locations: locationsOf(world),
    log: (_, deliver) => log.follow(deliver),
    metrics: (accept) => prometheus.read(accept),
    stopped: () => prometheus.stop(),
    isReady: world.isReady,
    hosts: () => hostsOf(appliance),
    httpsPort: () => appliance.listeners.find(({ options }) => options.protocol === 'http' && options.tls !== null)?.port ?? null,
    originsAt: (listener) => appliance.listeners.find(({ options }) => options.policy.name === listener)?.options.httpOrigins ?? [],
    challengeAnswer: (path) => appliance.internet?.answerTo(path) ?? null,
    now: () => performance.now(),
    changed: world.changed,
    logger: log,
  };
}

/** What was known last; it is asked anew for the next time. */
function machineOf({ machine }: Appliance) {
  void machine.now();
  return machine.latest;
}

function hostsOf({ announcedHost, configuration }: Appliance): readonly string[] {
  const { hostName } = machineNames();
  const names = [
    hostName,
    `${hostName}.local`,
    announcedHost ?? '',
    ...configuration.certificateNames,
    ...publicNames(configuration.internet),
  ];
  return names.filter((name) => name !== '').map((name) => name.toLowerCase());
}

function messagesOf({ appliance, needs }: ApiWorld): ApiSetup['messages'] {
  const { broker } = appliance;
  return ({ filters, asker }, deliver) => {
    const maySee = maySeeOf(needs, asker);
    const ends = filters.map((filter, index) => {
      const earlier = filters.slice(0, index);
      const listener: Parameters<typeof broker.subscribe>[1] = (packet, done) => {
        const isSeen = earlier.some((each) => filterMatches(each, packet.topic));
        if (!isSeen && maySee(packet.topic)) deliver(packet);
        done();
      };
      broker.subscribe(filter, listener, () => {});
      return () => broker.unsubscribe(filter, listener, () => {});
    });
    return () => {
      for (const end of ends) end();
    };
  };
}

/** The owner may use all topics, and read what the broker says of itself: # does not stand for $SYS [MQTT-4.7.2-1]. */
const OWNER_RULES = [
  { kind: 'topic', access: 'readwrite', filter: '#' },
  { kind: 'topic', access: 'read', filter: '$SYS/#' },
] as const;

/** Where there is no ACL file, everybody may do everything. An owner without rules is still one. */
async function allowEverything({ appliance, reloads, log }: ApiWorld, username: string, listener: string): Promise<void> {
  const { aclFile } = filesOf(appliance.configuration.access, listener);
  if (aclFile === null || appliance.access.aclOf(listener)?.file.users.has(username) === true) return;
  try {
    await changeInForce({ reloads }, aclFile, (text) => OWNER_RULES.reduce((changed, rule) => addRule(changed, username, rule), text));
  } catch (error) {
    log.log('warning', `Warning: ${JSON.stringify(username)} may use no topics yet: ${reasonOf(error)}.`);
  }
}

function locationsOf({ needs }: ApiWorld): ApiSetup['locations'] {
  return (asker, deliver) => {
    const { locations } = needs();
    if (locations === null) return () => {};
    return locations.live.onChange(({ phone }) => {
      const asked = needs(); // the rules may be others by now
      const mayRead = mayReadOf(asked, asker);
      const { topic } = phone;
      if (mayRead(topic)) deliver({ topic, phone: locations.live.find(topic) === null ? null : describePhone(asked, phone, mayRead) });
    });
  };
}

function accountsOf(world: ApiWorld): Accounts {
  const { appliance, reloads } = world;
  const policyOf = (name: string) => ({ ...DEFAULT_LISTENER_POLICY, name, allowAnonymous: false });
  return {
    async check({ username, password, address, listener }: Login) {
      const { access } = appliance;
      const policy = policyOf(listener);
      const origin = { address, port: 0, policy, identity: null, tls: null };
      const secret = access.secretOf(listener, username); // before: it may change meanwhile
      const verdict = await access.authenticator.authenticate({ clientId: '', username, password: Buffer.from(password), origin });
      if (verdict === 'unavailable') return verdict;
      if (verdict !== 'accepted') return 'refused';
      return { isStillGood: () => secret !== null && secret === appliance.access.secretOf(listener, username) };
    },
    has: (listener, username) => appliance.access.knows(listener, username),
    canSignIn: (listener, username) => appliance.access.secretOf(listener, username) !== null,
    async add({ username, password, listener }) {
      const { passwordFile } = filesOf(appliance.configuration.access, listener);
      if (passwordFile === null)
        throw new OperatorError('Cannot add an account: the configuration has no password_file - write one, then reload');
      const hash = await hashPassword(password);
      await changeInForce({ reloads }, passwordFile, (text) => setUser(text, username, hash));
      await allowEverything(world, username, listener);
    },
    missing: (listener) => missingPasswordFile(appliance, listener),
  };
}

/** The state folder belongs to the broker's user, who can write there whatever the folder of the configuration is. */
function missingPasswordFile(
  { configuration: { access, file }, access: inForce, state }: Appliance,
  listener: string,
): MissingPasswordFile | null {
  if (file === null || filesOf(access, listener).passwordFile !== null) return null;
  return {
    configuration: resolve(file),
    passwordFile: state.passwordFile,
    listener: access.listeners === null ? null : listener,
    hasAccounts: access.account !== null || inForce.dynamicUsers.length > 0,
  };
}
