// What the tests of the cluster are played with: Debian's nats-server, and several midges in the test's process.

import { connect } from 'node:net';
import type { TestContext } from 'node:test';
import { systemClock } from '../../src/base/clock.ts';
import type { Logger } from '../../src/base/logger.ts';
import type { Broker } from '../../src/broker/broker.ts';
import { type Cluster, type ClusterSettings, createCluster } from '../../src/cluster/cluster.ts';
import type { PeerState } from '../../src/cluster/state.ts';
import { eventually, listen } from '../bridges/scene.ts';
import { startTestBroker, type TestBrokerOptions } from '../support/broker/test-broker.ts';
import { freePorts } from '../support/network/free-ports.ts';
import { recordingLog } from '../support/ports/recording-log.ts';
import { type WatchedProcess, watchProcess } from '../support/process/watched-process.ts';

/** Nats is a NATS cluster of some nodes. */
export interface Nats {
  /** `HOST:PORT` of each node. */
  readonly servers: readonly string[];
  /** kill ends one node as a power cut does. */
  kill(node: number): Promise<void>;
  /** revive starts it again at its port. */
  revive(node: number): Promise<void>;
}

/** startNats starts nodes on loopback that know each other. */
export async function startNats(test: TestContext, nodes = 1, words: readonly string[] = []): Promise<Nats> {
  const free = await freePorts(2 * nodes);
  const [ports, routePorts] = [free.slice(0, nodes), free.slice(nodes)];
  const routes = routePorts.map((port) => `nats://127.0.0.1:${port}`).join(',');
  const running: WatchedProcess[] = [];
  const revive = async (node: number): Promise<void> => {
    const cluster = ['--cluster_name', 'test', '--cluster', `nats://127.0.0.1:${routePorts[node]}`, '--routes', routes];
    const own = ['-a', '127.0.0.1', '-p', String(ports[node]), ...(nodes > 1 ? cluster : []), ...words];
    const started = watchProcess(test, ['nats-server', own]);
    running[node] = started;
    await started.line(/Server is ready/);
    await eventually(() => isOpen(ports[node]!), 'NATS listens'); // one for each node
  };
  await Promise.all(ports.map((_, node) => revive(node)));
  if (nodes > 1) await Promise.all(running.map((node) => node.line(/Route connection created/)));
  return { servers: ports.map((port) => `127.0.0.1:${port}`), kill: (node) => running[node]!.kill(), revive };
}

function isOpen(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  return new Promise((resolve) => {
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
  }).finally(() => socket.destroy()) as Promise<boolean>; // both resolve with one
}

/** Member is a midge in a cluster. */
export interface Member {
  readonly id: string;
  readonly broker: Broker;
  readonly cluster: Cluster;
  /** Of its listener. */
  readonly port: number;
  readonly log: ReturnType<typeof recordingLog>;
  peer(id: string): PeerState | undefined;
  /** knows resolves when it is linked to a peer that wants so many topic filters. */
  knows(id: string, filters: number): Promise<void>;
  /** leave stops the cluster of this broker. */
  leave(): Promise<void>;
  /** end stops the broker too. */
  end(): Promise<void>;
}

/** MemberOptions are those of a test broker, and of its cluster: its name, and how NATS lets it in. */
export type MemberOptions = TestBrokerOptions & Partial<Pick<ClusterSettings, 'name' | 'credentials' | 'tls'>>;

/** startMember starts a midge; it does not wait for the others. */
export async function startMember(
  test: TestContext,
  nats: Pick<Nats, 'servers'>,
  id: string,
  { name = 'test', credentials = null, tls = null, ...more }: MemberOptions = {},
): Promise<Member> {
  const log = recordingLog();
  const midge = await startTestBroker({ log: log as Logger, holdsWills: true, ...more });
  const { broker } = midge;
  const settings = { name, id, servers: nats.servers, credentials, tls };
  const figures = () => ({ 'clients/connected': broker.sessions.connectedClients });
  const cluster = createCluster(settings, { broker, clock: more.clock ?? systemClock, log: log as Logger, version: '0.0.0', figures });
  broker.authenticator = cluster.authenticator(more.authenticator ?? { authenticate: () => 'accepted' });
  broker.setAuthorizer(cluster.authorizer(more.authorizer ?? null));
  await cluster.start();
  const { port, stop } = await listen(broker, more);
  let hasLeft = false;
  const leave = async (): Promise<void> => {
    if (!hasLeft) await cluster.stop();
    hasLeft = true;
  };
  let ending: Promise<void> | null = null;
  const end = (): Promise<void> => {
    ending ??= leave().then(midge.stop).then(stop);
    return ending;
  };
  test.after(end);
  const peer = (wanted: string) => cluster.state.peers.find((one) => one.id === wanted);
  const knows = (wanted: string, filters: number) =>
    eventually(
      () => peer(wanted)?.phase === 'connected' && peer(wanted)?.filters === filters,
      () => `${id} knows what ${wanted} wants: ${JSON.stringify(cluster.state)}`,
    );
  return { id, broker, cluster, port, log, peer, knows, leave, end };
}

/** startMembers starts several, and waits until all are linked. */
export async function startMembers(
  test: TestContext,
  nats: Nats,
  ids: readonly string[],
  more: TestBrokerOptions | ((id: string) => TestBrokerOptions) = {},
): Promise<Member[]> {
  const members = await Promise.all(ids.map((id) => startMember(test, nats, id, typeof more === 'function' ? more(id) : more)));
  for (const one of members) for (const other of members) if (one !== other) await one.knows(other.id, 0);
  return members;
}
