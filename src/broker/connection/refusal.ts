// What is told to the refusal log: why a client was turned away, in words for people. The client never gets them.

import type { ConnectPacket } from '../../mqtt/packets.ts';
import { MalformedPacket, REASON } from '../../mqtt/reason-codes.ts';
import type { AuthenticationVerdict, RefusalCause } from '../ports.ts';
import type { RefusedTerm } from './connect-terms.ts';
import type { Connection } from './connection.ts';

const VERSIONS = { 3: '3.1', 4: '3.1.1', 5: '5' } as const;

/** RFC 9110 9.3; PRI is the preface of HTTP/2. */
const HTTP = /^(GET|HEAD|POST|PUT|DELETE|OPTIONS|PATCH|CONNECT|TRACE|PRI) /;

/** StrangeBytes is thrown for a connection whose first bytes are no CONNECT; `words` say what they look like. */
export class StrangeBytes extends MalformedPacket {
  readonly words: string;

  constructor(chunk: Buffer) {
    super('First packet is not CONNECT', REASON.PROTOCOL_ERROR);
    this.words = wordsOf(chunk);
  }
}

/** reportRefusal tells of a client that has not said who it is. */
export function reportRefusal(connection: Connection, cause: RefusalCause, reason: string): void {
  const { id, session, origin, broker } = connection;
  const username = session?.username ?? origin.identity;
  broker.refusals?.refused({ cause, reason, from: origin, clientId: id, username, topicName: null });
}

/** reportConnect tells of a CONNECT that was refused. */
export function reportConnect(connection: Connection, packet: ConnectPacket, cause: RefusalCause, reason: string): void {
  const { origin, broker } = connection;
  const username = packet.username ?? origin.identity;
  broker.refusals?.refused({ cause, reason, from: origin, clientId: packet.clientId, username, topicName: null });
}

/** reportTerm tells of a CONNECT that was refused by its own words, before anybody was asked. */
export function reportTerm(connection: Connection, packet: ConnectPacket, term: RefusedTerm): void {
  if (connection.broker.refusals === null) return;
  const [cause, reason] = termInWords(connection, packet, term);
  reportConnect(connection, packet, cause, reason);
}

/** reportVerdict tells of a CONNECT that the authenticator does not accept. */
export function reportVerdict(connection: Connection, packet: ConnectPacket, verdict: AuthenticationVerdict): void {
  switch (verdict) {
    case 'accepted':
      return;
    case 'bad credentials':
      return reportConnect(
        connection,
        packet,
        'credentials',
        packet.password === null ? 'gives no password' : 'gives a wrong user name or password',
      );
    case 'not authorised':
      if (packet.username === null)
        return reportConnect(connection, packet, 'not allowed', 'gives no user name, and this listener lets nobody in without');
      return reportConnect(connection, packet, 'not allowed', 'gives a user name, but nobody has an account here');
    case 'held':
      return reportConnect(connection, packet, 'held', 'was refused unseen after too many wrong logins');
    case 'unavailable':
      return reportConnect(connection, packet, 'unavailable', 'could not be checked: too many logins wait, or the check failed');
  }
}

/** reportDenied tells of a PUBLISH that the client may not send. */
export function reportDenied({ id, session, origin, broker }: Connection, topicName: string): void {
  const username = session?.username ?? null;
  broker.refusals?.refused({ cause: 'topic', reason: 'may not publish here', from: origin, clientId: id, username, topicName });
}

/** reportBadPacket tells of bytes that are no MQTT, or not as it must be. */
export function reportBadPacket(connection: Connection, error: MalformedPacket): void {
  if (error instanceof StrangeBytes) reportRefusal(connection, 'wrong protocol', error.words);
  else if (error.reasonCode === REASON.UNSUPPORTED_PROTOCOL_VERSION) {
    reportRefusal(connection, 'protocol version', `asks for a protocol that this broker does not speak: ${lower(error.message)}`);
  } else if (error.reasonCode === REASON.PACKET_TOO_LARGE)
    reportRefusal(connection, 'bad packet', `sends more than max_packet_size allows: ${lower(error.message)}`);
  else reportRefusal(connection, 'bad packet', `sends a packet that breaks the rules of MQTT: ${lower(error.message)}`);
}

function termInWords({ broker }: Connection, packet: ConnectPacket, term: RefusedTerm): [RefusalCause, string] {
  const { clientidPrefixes, maxKeepalive } = broker.options;
  switch (term) {
    case 'protocol version':
      return [
        'protocol version',
        `speaks MQTT ${VERSIONS[packet.version]}, which this listener does not accept (accept_protocol_versions)`,
      ];
    case 'enhanced authentication':
      return ['not allowed', 'asks for enhanced authentication, which this broker does not do'];
    case 'no user name':
      return ['not allowed', 'gives no user name, which is the client id here (use_username_as_clientid)'];
    case 'no client id':
      return ['client id', 'gives no client id where one is needed'];
    case 'client id prefix':
      return ['client id', `has a client id that does not begin with "${clientidPrefixes}" (clientid_prefixes)`];
    case 'keep alive':
      return ['not allowed', `has a keep alive of ${packet.keepAlive} s, and max_keepalive is ${maxKeepalive}`];
    case 'will topic':
      return ['will', 'has a will whose topic is no topic name'];
    case 'will QoS':
      return ['will', 'has a will with a QoS above max_qos'];
    case 'will retain':
      return ['will', 'has a will to be retained, and retain_available is false'];
    case 'will payload':
      return ['will', 'has a will with more payload than message_size_limit'];
  }
}

/** looksLikeTls tells a record of type handshake (22), legacy version 3.x, RFC 8446 5.1. Its first byte could be a CONNECT with bad flags. */
export function looksLikeTls(chunk: Buffer): boolean {
  return chunk[0] === 0x16 && (chunk.length === 1 || chunk[1] === 0x03);
}

function wordsOf(chunk: Buffer): string {
  if (looksLikeTls(chunk)) return 'speaks TLS to a port without TLS';
  if (HTTP.test(chunk.toString('latin1', 0, 8))) return 'speaks HTTP to an MQTT port';
  return 'speaks something that is not MQTT';
}

function lower(text: string): string {
  return /^[A-Z][a-z]/.test(text) ? text[0]!.toLowerCase() + text.slice(1) : text; // not empty
}
