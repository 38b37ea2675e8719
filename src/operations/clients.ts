// Clients: who is connected, and who was and has a kept session; to disconnect one, and to forget its session.

import { z } from 'zod';
import { bridgeBehind } from '../bridges/options.ts';
import { NO_EXPIRY } from '../broker/session/expiry.ts';
import type { Session } from '../broker/session/session.ts';
import { REASON } from '../mqtt/reason-codes.ts';
import type { OperationNeeds } from './needs.ts';
import { type Answer, OperationFailure, operation } from './operation.ts';
import { PAGE_INPUT, pageOf, takePage } from './page.ts';
import { iso, TIME } from './time.ts';
import { whenDurable } from './when-durable.ts';

const VERSIONS = { 3: '3.1', 4: '3.1.1', 5: '5.0' } as const;

const CLIENT = z.object({
  id: z.string().describe('client identifier'),
  connected: z.boolean().describe('false = its session is kept for it'),
  username: z.string().nullable(),
  address: z.string().nullable().describe("remote address; '' for a Unix socket; null = not connected"),
  port: z.number().int().nullable().describe('remote port; null = not connected'),
  listener: z.string().describe('that it came through, now or last, such as `1883` or `1883 192.168.1.2`'),
  bridge: z.string().nullable().describe('of this broker, whose own end it is; null = it is a client'),
  protocol: z.enum(['3.1', '3.1.1', '5.0']).describe('version of MQTT'),
  tls: z.object({ version: z.string(), cipher: z.string() }).nullable().describe('null = without, or not connected'),
  since: TIME.nullable().describe('it is connected, or away, since then; null = not known'),
  keepAlive: z.number().int().nullable().describe('seconds; 0 = off; null = not connected'),
  sessionExpiry: z.number().int().nullable().describe('seconds that its session is kept after a connection; 0 = not; null = for ever'),
  subscriptions: z.number().int(),
  queue: z
    .object({
      inflight: z.number().int().describe('messages sent and not acknowledged'),
      waiting: z.number().int().describe('messages not sent so far'),
      bytes: z.number().int().describe('payload of both'),
      unread: z.number().int().describe('bytes that the client has not taken from its connection'),
      dropped: z.number().int().describe('messages that it did not get for want of room'),
    })
    .describe('messages of QoS 1 and 2 on their way to it'),
  will: z.string().nullable().describe('topic of its will'),
});

type Client = Answer<z.infer<typeof CLIENT>>;

const ONE = z.strictObject({ id: z.string().describe('client identifier') });

/** CLIENTS lists them. */
export const CLIENTS = operation({
  name: 'clients',
  kind: 'query',
  right: 'viewer',
  summary: 'Clients that are connected, and those whose sessions are kept, by their identifiers.',
  input: z.strictObject({
    ...PAGE_INPUT,
    search: z.string().nullish().describe('only those that have this in identifier, user name or address, in lower or upper case'),
    connected: z.boolean().nullish().describe('only those that are connected, or only those that are not'),
  }),
  output: pageOf(CLIENT),
  run: (needs, { search, connected, ...page }) => {
    const wanted = search?.toLowerCase() ?? '';
    const isMeant = (session: Session) =>
      (connected == null || connected === (session.connection !== null)) && (wanted === '' || isFoundBy(session, wanted));
    return takePage(shown(needs, isMeant), page, ({ clientId }) => clientId, show);
  },
});

/** CLIENT_OF shows one. */
export const CLIENT_OF = operation({
  name: 'client',
  kind: 'query',
  right: 'viewer',
  summary: 'One client.',
  input: ONE,
  output: CLIENT,
  run: (needs, { id }) => show(sessionOf(needs, id)),
});

/** KICK_CLIENT ends a connection. */
export const KICK_CLIENT = operation({
  name: 'kick client',
  kind: 'command',
  right: 'operator',
  summary: 'Disconnect a client; its will is published, its session stays if it is kept, and it may connect again.',
  input: ONE,
  output: z.object({ id: z.string(), address: z.string().describe('where it was connected from') }),
  run: async (needs, { id }) => {
    const connection = needs.broker.sessions.get(id)?.connection ?? null;
    if (connection !== null) {
      connection.disconnect(REASON.ADMINISTRATIVE_ACTION);
      return { id, address: connection.origin.address };
    }
    const address = await needs.kickElsewhere(id);
    if (address !== null) return { id, address };
    sessionOf(needs, id);
    throw new OperationFailure('conflict', `Cannot disconnect client "${id}": it is not connected`);
  },
});

/** FORGET_SESSION ends a session, and its connection if there is one. */
export const FORGET_SESSION = operation({
  name: 'forget session',
  kind: 'command',
  right: 'operator',
  summary: 'Forget the session of a client with its subscriptions and waiting messages, and disconnect it if it is connected.',
  input: ONE,
  output: z.object({ id: z.string(), subscriptions: z.number().int(), messages: z.number().int().describe('that waited for it') }),
  run: forgetSession,
});

/** The answer comes when it is durable: a session that comes back after a power cut was not forgotten. */
async function forgetSession(needs: OperationNeeds, { id }: z.infer<typeof ONE>) {
  const { broker } = needs;
  const session = sessionOf(needs, id);
  const { subscriptions, outgoing } = session;
  const lost = { id, subscriptions: subscriptions.size, messages: outgoing.inflightCount + outgoing.backlog.length };
  session.connection?.disconnect(REASON.ADMINISTRATIVE_ACTION);
  if (broker.sessions.get(id) === session) broker.sessions.end(session);
  await whenDurable(needs, `Cannot forget session "${id}" for good: the database cannot be written`);
  return lost;
}

/** sessionOf gives the session of a client. Throws OperationFailure when there is none. */
function sessionOf({ broker }: OperationNeeds, id: string): Session {
  const session = broker.sessions.get(id);
  if (session === null) throw new OperationFailure('not found', `Cannot find client "${id}": it is not connected and has no session`);
  return session;
}

/** shown gives the sessions but that of the broker's test of itself. */
export function* shown({ broker, traffic }: OperationNeeds, isMeant: (session: Session) => boolean): Generator<Session> {
  for (const session of broker.sessions) if (!traffic.isTester(session.clientId) && isMeant(session)) yield session;
}

function isFoundBy({ clientId, username, connection }: Session, wanted: string): boolean {
  return [clientId, username, connection?.origin.address].some((text) => text?.toLowerCase().includes(wanted));
}

function show(session: Session): Client {
  const { clientId, username, connection, listener, version, outgoing, expiryInterval, will } = session;
  const since = connection === null ? session.disconnectedAt : session.connectedAt;
  return {
    id: clientId,
    connected: connection !== null,
    username,
    address: connection?.origin.address ?? null,
    port: connection?.origin.port ?? null,
    listener,
    bridge: bridgeBehind(session),
    protocol: VERSIONS[version],
    tls: connection?.origin.tls ?? null,
    since: since === null || since === 0 ? null : iso(since),
    keepAlive: connection?.keepAlive ?? null,
    sessionExpiry: expiryInterval === NO_EXPIRY ? null : expiryInterval,
    subscriptions: session.subscriptions.size,
    queue: {
      inflight: outgoing.inflightCount,
      waiting: outgoing.backlog.length,
      bytes: outgoing.keptBytes,
      unread: connection?.output.pending ?? 0,
      dropped: outgoing.backlog.dropped,
    },
    will: will?.topicName ?? null,
  };
}
