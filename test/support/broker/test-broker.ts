// A broker of a test's own, in its process, without sockets: started in a few milliseconds, with raw clients.

import { duplexPair } from 'node:stream';
import { type Clock, systemClock } from '../../../src/base/clock.ts';
import { type Logger, silentLogger } from '../../../src/base/logger.ts';
import { type Broker, createBroker } from '../../../src/broker/broker.ts';
import {
  type BrokerOptions,
  type ConnectionOrigin,
  DEFAULT_BROKER_OPTIONS,
  DEFAULT_LISTENER_POLICY,
  type ListenerPolicy,
} from '../../../src/broker/options.ts';
import type { Authenticator, Authorizer, RefusalLog, SessionStore } from '../../../src/broker/ports.ts';
import { WirePeer } from '../clients/wire-peer.ts';
import { type ConnectOptions, connectTemplate } from '../protocol/connect-template.ts';

/** TestBrokerOptions: what is left out is the default, but anonymous clients are let in and there is no $SYS tree. */
export interface TestBrokerOptions {
  options?: Partial<BrokerOptions>;
  policy?: Partial<ListenerPolicy>;
  authenticator?: Authenticator;
  authorizer?: Authorizer;
  openStore?: () => Promise<SessionStore>;
  refusals?: RefusalLog;
  clock?: Clock;
  holdsWills?: boolean;
  log?: Logger;
}

/** TestBroker is a started broker. `await using broker = await startTestBroker()` stops it at the end of the test. */
export interface TestBroker extends AsyncDisposable {
  readonly broker: Broker;
  /** open gives a network connection on which nothing was sent yet. */
  open(options?: Pick<ConnectOptions, 'version' | 'bytewise'>): WirePeer;
  /** connect gives a connection after CONNECT and a CONNACK of success, whatever its properties. */
  connect(options?: ConnectOptions): Promise<WirePeer>;
  stop(): Promise<void>;
}

/** startTestBroker creates and starts a broker. */
export async function startTestBroker(given: TestBrokerOptions = {}): Promise<TestBroker> {
  const broker = createBroker(
    { ...DEFAULT_BROKER_OPTIONS, sysInterval: 0, ...given.options },
    {
      clock: given.clock ?? systemClock,
      log: given.log ?? silentLogger,
      authenticator: given.authenticator ?? null,
      authorizer: given.authorizer ?? null,
      openStore: given.openStore ?? null,
      refusals: given.refusals ?? null,
      holdsWills: given.holdsWills ?? false,
    },
  );
  await broker.start();
  const origin = testOrigin(given.policy);
  const open: TestBroker['open'] = (options = {}) => {
    const [near, far] = duplexPair({ allowHalfOpen: false });
    broker.handle(far, origin);
    return new WirePeer(near, options);
  };
  return {
    broker,
    open,
    connect: async (options = {}) => {
      const peer = open(options);
      peer.send(connectTemplate(options));
      await peer.expect('20 [ ?? 00 { ... } ]');
      return peer;
    },
    stop: () => broker.stop(),
    [Symbol.asyncDispose]: () => broker.stop(),
  };
}

/** testOrigin is a connection from nowhere on an anonymous listener, changed by a policy. */
export function testOrigin(policy: Partial<ListenerPolicy> = {}): ConnectionOrigin {
  return {
    address: '127.0.0.1',
    port: 50000,
    policy: { ...DEFAULT_LISTENER_POLICY, allowAnonymous: true, ...policy },
    identity: null,
    tls: null,
  };
}
