// What the tests of bridges are played with: a midge and its bridges in the test's process, and another broker far away.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { systemClock } from '../../src/base/clock.ts';
import type { Logger } from '../../src/base/logger.ts';
import { type Bridges, createBridges } from '../../src/bridges/bridges.ts';
import type { BridgeAddress, BridgeOptions, BridgeTopic } from '../../src/bridges/options.ts';
import type { BridgeState } from '../../src/bridges/state.ts';
import type { Broker } from '../../src/broker/broker.ts';
import { findMosquitto } from '../conversations/mosquitto-target.ts';
import { startTestBroker, type TestBroker, type TestBrokerOptions, testOrigin } from '../support/broker/test-broker.ts';
import { WirePeer } from '../support/clients/wire-peer.ts';
import { temporaryFolder } from '../support/disk/temporary-folder.ts';
import { freePort } from '../support/network/free-ports.ts';
import { recordingLog } from '../support/ports/recording-log.ts';
import { type ConnectOptions, connectTemplate } from '../support/protocol/connect-template.ts';

/** Milliseconds before a test gives up on something that must come. */
const PATIENCE_MS = 30_000;

/** FarBroker is the other side of a bridge. */
export interface FarBroker {
  readonly port: number;
  /** connect gives a client of it after CONNECT and CONNACK. */
  connect(options?: ConnectOptions): Promise<WirePeer>;
  stop(): Promise<void>;
}

/** Far is a way to start one. Each is free of what was there before, but for `again`. */
export interface Far {
  readonly name: string;
  start(test: TestContext, port?: number): Promise<FarBroker>;
}

/** OTHER_MIDGE is a second midge. */
export const OTHER_MIDGE: Far = {
  name: 'another midge',
  start: (test, port) => startOtherMidge(test, { options: { maxQueuedMessages: 0 } }, port),
};

/** MOSQUITTO is Debian's. */
export const MOSQUITTO: Far = { name: 'mosquitto', start: (test, port) => startMosquitto(test, '', port) };

/** FARS are those that can be started on this machine. */
export const FARS: readonly Far[] = findMosquitto() === null ? [OTHER_MIDGE] : [OTHER_MIDGE, MOSQUITTO];

/** startOtherMidge starts an engine in this process, behind a port. */
export async function startOtherMidge(
  test: TestContext,
  options: TestBrokerOptions = {},
  port = 0,
): Promise<FarBroker & { broker: Broker }> {
  const { broker } = await startTestBroker(options);
  const { stop, port: opened } = await listen(broker, options, port);
  const end = once1(async () => {
    await broker.stop();
    await stop();
  });
  test.after(end);
  return { broker, port: opened, stop: end, connect: (wants) => connectTo(opened, wants) };
}

/** listen opens a port for an engine. */
export async function listen(
  broker: Broker,
  { policy }: TestBrokerOptions = {},
  port = 0,
): Promise<{ port: number; stop(): Promise<void> }> {
  const sockets = new Set<Socket>();
  const server: Server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {}).on('close', () => sockets.delete(socket));
    broker.handle(socket, testOrigin(policy));
  });
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    stop: async () => {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

/** startMosquitto starts one with a configuration; `lines` may hold listeners of its own, and then there is no other. */
export async function startMosquitto(test: TestContext, lines = '', port?: number): Promise<FarBroker> {
  const folder = temporaryFolder(test);
  const opened = port ?? (await freePort());
  const text = `listener ${opened} 127.0.0.1\nallow_anonymous true\nmax_queued_messages 0\nlog_dest file ${join(folder, 'log')}\nuser root\n${lines}\n`;
  writeFileSync(join(folder, 'mosquitto.conf'), text);
  const child = spawn(findMosquitto()!, ['-c', join(folder, 'mosquitto.conf')], { stdio: 'ignore' });
  const stop = once1(() => endProcess(child));
  test.after(stop);
  await untilOpen(opened);
  return { port: opened, stop, connect: (wants) => connectTo(opened, wants) };
}

async function untilOpen(port: number): Promise<void> {
  await eventually(async () => {
    const socket = connect(port, '127.0.0.1');
    try {
      await once(socket, 'connect');
      return true;
    } catch {
      return false;
    } finally {
      socket.destroy();
    }
  }, `port ${port} opens`);
}

async function endProcess(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  child.kill('SIGTERM');
  await ended;
}

async function connectTo(port: number, options: ConnectOptions = {}): Promise<WirePeer> {
  const socket = connect(port, '127.0.0.1');
  await once(socket, 'connect');
  const peer = new WirePeer(socket, options);
  peer.send(connectTemplate(options));
  await peer.expect(options.version === undefined || options.version === 5 ? '20 [ ?? 00 { ... } ]' : '20 [ ?? 00 ]');
  return peer;
}

/** bridgeOptions is a bridge to a port of this machine with mosquitto's defaults, but for quick restarts. */
export function bridgeOptions(port: number, topics: readonly string[], more: Partial<BridgeOptions> = {}): BridgeOptions {
  return {
    name: 'test',
    addresses: [tcp(port)],
    roundRobin: false,
    topics: topics.map(topicOf),
    versions: [4],
    cleanSession: false,
    localCleanSession: false,
    remoteClientId: 'bridge-id',
    remoteUsername: null,
    remotePassword: null,
    localClientId: 'local.bridge-id',
    localUsername: null,
    localPassword: null,
    keepAlive: 60,
    startType: 'automatic',
    threshold: 10,
    idleTimeout: 60,
    restart: { base: 0.1, cap: 0.1, stable: 0 },
    notifications: 'both',
    notificationTopic: '$SYS/broker/connection/bridge-id/state',
    tryPrivate: true,
    attemptUnsubscribe: true,
    bindAddress: null,
    outgoingRetain: true,
    maxPacketSize: null,
    maxTopicAlias: 10,
    receiveMaximum: null,
    sessionExpiry: 0xffffffff,
    tcpKeepalive: null,
    tls: null,
    reload: 'immediate',
    queueExpiry: null,
    maxQueuedBytes: null,
    ...more,
  };
}

/** tcp is an address of this machine. */
export function tcp(port: number): BridgeAddress {
  return { scheme: 'mqtt', host: '127.0.0.1', port, path: '' };
}

/** A `topic` as it stands in a configuration: `# both 2 local/ remote/`. */
function topicOf(text: string): BridgeTopic {
  const [pattern = '', direction = 'out', qos = '0', localPrefix = '', remotePrefix = ''] = text
    .split(' ')
    .map((word) => (word === '""' ? '' : word));
  return { pattern, direction, qos: Number(qos), localPrefix, remotePrefix } as BridgeTopic; // a test writes what it means
}

/** Near is our own broker with its bridges. */
export interface Near {
  readonly midge: TestBroker;
  readonly broker: Broker;
  /** A port of it. */
  readonly port: number;
  readonly bridges: Bridges;
  readonly log: ReturnType<typeof recordingLog>;
  /** state is that of the only bridge. */
  state(): BridgeState;
  connected(): Promise<void>;
}

/** startNear starts a broker and bridges, which are stopped at the end of the test. It does not wait for a connection. */
export async function startNear(test: TestContext, options: readonly BridgeOptions[], more: TestBrokerOptions = {}, at = 0): Promise<Near> {
  const log = recordingLog();
  const midge = await startTestBroker({ log: log as Logger, ...more });
  const bridges = createBridges(options, { broker: midge.broker, clock: systemClock, log, tlsFor: () => null });
  const { port, stop } = await listen(midge.broker, more, at);
  test.after(async () => {
    await bridges.stop();
    await midge.stop();
    await stop();
  });
  await bridges.start();
  const state = () => bridges.states()[0]!; // there is one
  const connected = () => eventually(() => bridges.states().every(({ phase }) => phase === 'connected'), 'all bridges are connected');
  return { midge, broker: midge.broker, port, bridges, log, state, connected };
}

/** eventually waits until something is true. */
export async function eventually(condition: () => boolean | Promise<boolean>, what: string | (() => string)): Promise<void> {
  const end = performance.now() + PATIENCE_MS;
  while (!(await condition())) {
    if (performance.now() > end) throw new Error(`it never came true: ${typeof what === 'string' ? what : what()}`);
    await sleep(5);
  }
}

/** subscriber is a client that has subscribed, with the QoS. */
export async function subscribe(peer: WirePeer, topicFilter: string, qos: 0 | 1 | 2 = 2): Promise<WirePeer> {
  const properties = peer.version === 5 ? '{}' : '';
  peer.send(`82 [ 0001 ${properties} '${topicFilter}' 0${qos} ]`);
  await peer.expect(`90 [ 0001 ${properties} 0${qos} ]`);
  return peer;
}

function once1(work: () => Promise<void>): () => Promise<void> {
  let done: Promise<void> | null = null;
  return () => {
    done ??= work();
    return done;
  };
}
