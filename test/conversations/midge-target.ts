// Our own broker as the other side of a conversation: in memory, with a clock that jumps, or behind a real socket.

import { once } from 'node:events';
import { type AddressInfo, connect, createServer } from 'node:net';
import { type Duplex, duplexPair } from 'node:stream';
import { setTimeout as sleep, setImmediate as turn } from 'node:timers/promises';
import { type Clock, systemClock } from '../../src/base/clock.ts';
import { type Logger, silentLogger } from '../../src/base/logger.ts';
import type { Broker } from '../../src/broker/broker.ts';
import type { ListenerPolicy } from '../../src/broker/options.ts';
import type { Authenticator, Authorizer } from '../../src/broker/ports.ts';
import { startTestBroker, type TestBroker, type TestBrokerOptions, testOrigin } from '../support/broker/test-broker.ts';
import { TestClock } from '../support/ports/test-clock.ts';
import { topicMatches } from '../support/protocol/naive-matcher.ts';
import type { Settings } from './conversation.ts';
import type { Target } from './player.ts';

/** startInMemory starts a broker without sockets; time passes for it only when a step says so. */
export async function startInMemory(settings: Settings, log: Logger = silentLogger): Promise<Target> {
  const clock = new TestClock();
  const broker = await startBroker(settings, clock, log);
  return {
    open: async () => openPair(broker.broker, settings),
    stop: () => broker.stop(),
    pass: (seconds) => passSeconds(seconds, clock, [broker.broker]),
  };
}

/** passSeconds has time pass in steps, as it does. */
export async function passSeconds(seconds: number, clock: TestClock, brokers: readonly Broker[]): Promise<void> {
  await quiet();
  for (let left = seconds * 1000; left > 0; left -= 250) {
    clock.advance(Math.min(250, left));
    for (const { wheel } of brokers) wheel.advance();
  }
  await quiet();
}

/** startOnTcp starts a broker behind a TCP port that the system chooses. */
export async function startOnTcp(settings: Settings): Promise<Target> {
  const broker = await startBroker(settings, systemClock);
  const origin = testOrigin(policyOf(settings));
  const server = createServer({ allowHalfOpen: false, noDelay: true }, (socket) => broker.broker.handle(socket, origin));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo; // a TCP server has one
  return {
    open: async () => {
      const socket = connect(port, '127.0.0.1');
      await once(socket, 'connect');
      return socket;
    },
    stop: async () => {
      server.close();
      await broker.stop();
    },
    pass: (seconds) => sleep(seconds * 1000),
  };
}

function startBroker(settings: Settings, clock: Clock, log: Logger = silentLogger): Promise<TestBroker> {
  return startTestBroker({ ...brokerOptions(settings), clock, log });
}

/** brokerOptions are those of a test broker that has these settings. */
export function brokerOptions({ options, accounts, denied }: Settings): TestBrokerOptions {
  return {
    options: options ?? {},
    ...(accounts === undefined ? {} : { authenticator: authenticatorOf(accounts) }),
    ...(denied === undefined ? {} : { authorizer: authorizerOf(denied) }),
  };
}

/** openPair connects to a broker in memory. */
export function openPair(broker: Broker, settings: Settings): Duplex {
  const [near, far] = duplexPair();
  broker.handle(far, testOrigin(policyOf(settings)));
  far.on('data', (chunk: Buffer) => chunk.fill(0xee)); // as on a socket, a chunk is the broker's only until it returns
  return near;
}

function policyOf(settings: Settings): Partial<ListenerPolicy> {
  return { allowAnonymous: settings.accounts === undefined, ...settings.policy };
}

/** The answer takes a turn of the event loop, as that of a password file does. */
function authenticatorOf(accounts: Readonly<Record<string, string>>): Authenticator {
  return {
    authenticate: async ({ username, password }) => {
      await turn();
      if (username === null) return 'not authorised';
      return accounts[username] === password?.toString() ? 'accepted' : 'bad credentials';
    },
  };
}

function authorizerOf(denied: NonNullable<Settings['denied']>): Authorizer {
  const isDenied = (topicName: string) => (denied.topics ?? []).some((filter) => topicMatches(filter, topicName));
  return {
    mayPublish: (_requester, topicName) => !isDenied(topicName),
    mayReceive: (_requester, topicName) => !isDenied(topicName),
    maySubscribe: (_requester, topicFilter) => !(denied.subscriptions ?? []).includes(topicFilter),
  };
}

/** quiet lets everything that is on its way in memory arrive. */
export async function quiet(): Promise<void> {
  for (let i = 0; i < 10; i++) await turn();
}
