// What is told to the refusal log: why a client was turned away. The client never gets it.

import type { RefusalReason } from '../../base/refusal-reason.ts';
import type { ConnectPacket } from '../../mqtt/packets.ts';
import { MalformedPacket, REASON } from '../../mqtt/reason-codes.ts';
import type { BrokerOptions, ConnectionOrigin } from '../options.ts';
import type { AuthenticationVerdict, RefusalLog } from '../ports.ts';
import type { RefusedTerm } from './connect-terms.ts';

/** RFC 9110 9.3; PRI is the preface of HTTP/2. */
const HTTP = /^(GET|HEAD|POST|PUT|DELETE|OPTIONS|PATCH|CONNECT|TRACE|PRI) /;

/** StrangeBytes is thrown for a connection whose first bytes are no CONNECT; `spoken` is what they look like. */
export class StrangeBytes extends MalformedPacket {
  readonly spoken: 'TLS' | 'HTTP' | 'something else';

  constructor(chunk: Buffer) {
    super('First packet is not CONNECT', REASON.PROTOCOL_ERROR);
    this.spoken = spokenIn(chunk);
  }
}

/** RefusedConnection is the connection as it is told of. */
export interface RefusedConnection {
  readonly id: string;
  readonly origin: ConnectionOrigin;
  readonly session: { readonly username: string | null } | null;
  readonly broker: { readonly options: BrokerOptions; readonly refusals: RefusalLog | null };
}

/** reportRefusal tells of a client that has not said who it is. */
export function reportRefusal(connection: RefusedConnection, reason: RefusalReason): void {
  const { id, session, origin, broker } = connection;
  const username = session?.username ?? origin.identity;
  broker.refusals?.refused({ reason, from: origin, clientId: id, username, topicName: null });
}

/** reportConnect tells of a CONNECT that was refused. */
export function reportConnect(connection: RefusedConnection, packet: ConnectPacket, reason: RefusalReason): void {
  const { origin, broker } = connection;
  const username = origin.identity ?? packet.username;
  broker.refusals?.refused({ reason, from: origin, clientId: packet.clientId, username, topicName: null });
}

/** reportTerm tells of a CONNECT that was refused by its own words, before anybody was asked. */
export function reportTerm(connection: RefusedConnection, packet: ConnectPacket, term: RefusedTerm): void {
  if (connection.broker.refusals !== null) reportConnect(connection, packet, termReason(connection, packet, term));
}

/** reportVerdict tells of a CONNECT that the authenticator does not accept. */
export function reportVerdict(connection: RefusedConnection, packet: ConnectPacket, verdict: AuthenticationVerdict): void {
  const { username, password } = packet;
  switch (verdict) {
    case 'accepted':
      return;
    case 'bad credentials':
    case 'locked':
      return reportConnect(connection, packet, {
        cause: 'credentials',
        what: password === null && connection.origin.identity === null ? 'no password' : 'wrong',
      });
    case 'not authorised':
      return reportConnect(connection, packet, { cause: 'not allowed', what: username === null ? 'no user name' : 'no accounts' });
    case 'held':
    case 'unavailable':
      return reportConnect(connection, packet, { cause: verdict });
  }
}

/** reportDenied tells of a PUBLISH that the client may not send. */
export function reportDenied({ id, session, origin, broker }: RefusedConnection, topicName: string): void {
  const username = session?.username ?? null;
  broker.refusals?.refused({ reason: { cause: 'topic', what: 'denied' }, from: origin, clientId: id, username, topicName });
}

/** reportBadPacket tells of bytes that are no MQTT, or not as it must be. */
export function reportBadPacket(connection: RefusedConnection, error: MalformedPacket): void {
  if (connection.broker.refusals !== null) reportRefusal(connection, badPacketReason(error));
}

function badPacketReason(error: MalformedPacket): RefusalReason {
  const { reasonCode, message: detail } = error;
  if (error instanceof StrangeBytes) return { cause: 'wrong protocol', spoken: error.spoken };
  if (reasonCode === REASON.UNSUPPORTED_PROTOCOL_VERSION) return { cause: 'protocol version', what: 'unknown', detail };
  return { cause: 'bad packet', what: reasonCode === REASON.PACKET_TOO_LARGE ? 'too large' : 'malformed', detail };
}

function termReason({ broker }: RefusedConnection, packet: ConnectPacket, term: RefusedTerm): RefusalReason {
  const { clientidPrefixes, maxKeepalive } = broker.options;
  switch (term) {
    case 'protocol version':
      return { cause: 'protocol version', what: 'not accepted', version: packet.version };
    case 'enhanced authentication':
      return { cause: 'not allowed', what: term };
    case 'no user name':
      return { cause: 'not allowed', what: 'no user name as client id' };
    case 'no client id':
      return { cause: 'client id', what: 'missing' };
    case 'client id prefix':
      return { cause: 'client id', what: 'prefix', prefix: clientidPrefixes };
    case 'keep alive':
      return { cause: 'not allowed', what: term, seconds: packet.keepAlive, most: maxKeepalive };
    case 'will topic':
      return { cause: 'will', what: 'topic' };
    case 'will QoS':
      return { cause: 'will', what: 'qos' };
    case 'will retain':
      return { cause: 'will', what: 'retain' };
    case 'will payload':
      return { cause: 'will', what: 'payload' };
  }
}

/** looksLikeTls tells a record of type handshake (22), legacy version 3.x, RFC 8446 5.1. Its first byte could be a CONNECT with bad flags. */
export function looksLikeTls(chunk: Buffer): boolean {
  return chunk[0] === 0x16 && (chunk.length === 1 || chunk[1] === 0x03);
}

function spokenIn(chunk: Buffer): StrangeBytes['spoken'] {
  if (looksLikeTls(chunk)) return 'TLS';
  return HTTP.test(chunk.toString('latin1', 0, 8)) ? 'HTTP' : 'something else';
}
