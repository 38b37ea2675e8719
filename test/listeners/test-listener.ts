// A listener with a hub that only records what it is handed.

import type { Duplex } from 'node:stream';
import type { TestContext } from 'node:test';
import { systemClock } from '../../src/base/clock.ts';
import type { RefusalCause } from '../../src/base/refusal-reason.ts';
import { refusalSentence } from '../../src/base/refusal-sentences.ts';
import { type ConnectionOrigin, DEFAULT_LISTENER_POLICY } from '../../src/broker/options.ts';
import type { RemoteEnd } from '../../src/broker/ports.ts';
import { Revocations, readRevocations } from '../../src/certificates/revocation-lists.ts';
import { createListener, type Listener } from '../../src/listeners/listeners.ts';
import type { ListenerOptions, TlsOptions } from '../../src/listeners/options.ts';
import { PendingConnections } from '../../src/listeners/pending-connections.ts';
import { type RecordingLog, recordingLog } from '../support/ports/recording-log.ts';

export interface Arrival {
  readonly stream: Duplex;
  readonly origin: ConnectionOrigin;
}

/** ToldRefusal has its reason in words. */
export interface ToldRefusal {
  readonly cause: RefusalCause;
  readonly reason: string;
  readonly from: RemoteEnd;
}

export interface TestListener {
  readonly listener: Listener;
  readonly log: RecordingLog;
  /** What the refusal log was told. */
  readonly refusals: readonly ToldRefusal[];
  /** next resolves with the next stream handed over. */
  next(): Promise<Arrival>;
}

export const PLAIN: ListenerOptions = {
  protocol: 'mqtt',
  port: 0,
  address: '127.0.0.1',
  unixPath: null,
  bindInterface: null,
  socketDomain: null,
  maxConnections: -1,
  tcpNoDelay: true,
  tls: null,
  proxyProtocol: 0,
  proxyCertificate: 'not asked',
  proxyRequiresTls: false,
  trustedProxies: [],
  websocketsOrigins: [],
  httpDir: null,
  httpOrigins: [],
  policy: DEFAULT_LISTENER_POLICY,
};

export const TLS: TlsOptions = {
  certificate: 'appliance',
  cafile: null,
  capath: null,
  crlfile: null,
  requireCertificate: false,
  checksClientDates: true,
  identity: 'none',
  minVersion: 'TLSv1.2',
  ciphers: null,
  ciphersTls13: null,
  psk: null,
};

/** makeListener makes a listener that is stopped when the test ends; it is not started yet. */
export function makeListener(test: TestContext, options: Partial<ListenerOptions> = {}, pair = { cert: '', key: '' }): TestListener {
  const log = recordingLog();
  const refusals: ToldRefusal[] = [];
  const arrived: Arrival[] = [];
  const waiting: ((arrival: Arrival) => void)[] = [];
  const listener = createListener(
    { ...PLAIN, ...options },
    {
      log,
      pending: new PendingConnections({ clock: systemClock, log }),
      keyLog: null,
      serveHttp: (stream: Duplex) => void stream.destroy(),
      refusals: {
        refused: ({ reason, from }) => refusals.push({ cause: reason.cause, reason: refusalSentence(reason), from }),
        connected: () => {},
      },
      applianceCertificate: () => pair,
      applianceAuthority: () => ({ cert: pair.cert, revocations: new Revocations([]) }),
      readRevocations,
      maxMessageBytes: () => 1000,
      handle(stream, origin) {
        const waiter = waiting.shift();
        if (waiter === undefined) arrived.push({ stream, origin });
        else waiter({ stream, origin });
      },
    },
  );
  test.after(() => listener.stop());
  const next = () => {
    const arrival = arrived.shift();
    return arrival === undefined ? new Promise<Arrival>((resolve) => waiting.push(resolve)) : Promise.resolve(arrival);
  };
  return { listener, log, refusals, next };
}

/** openListener makes and starts a listener. */
export async function openListener(
  test: TestContext,
  options: Partial<ListenerOptions> = {},
  pair?: { cert: string; key: string },
): Promise<TestListener> {
  const made = makeListener(test, options, pair);
  await made.listener.start();
  return made;
}
