// CONNECT, MQTT 5 3.1: who comes, whether they may, and which session they find.

import { randomUUID } from 'node:crypto';
import { encodeConnack } from '../../mqtt/encode.ts';
import type { ConnectPacket } from '../../mqtt/packets.ts';
import type { Properties } from '../../mqtt/properties.ts';
import { REASON, type ReasonCode } from '../../mqtt/reason-codes.ts';
import { isTopicName } from '../../mqtt/topics.ts';
import type { Connection } from '../connection/connection.ts';
import { reasonInWords } from '../connection/disconnect-words.ts';
import { reportConnect, reportEarly, reportVerdict } from '../connection/refusal.ts';
import { IncomingAliases, OutgoingAliases } from '../connection/topic-aliases.ts';
import type { Account } from '../memory-budget.ts';
import type { AuthenticationVerdict } from '../ports.ts';
import { NO_EXPIRY, Session } from '../session/session.ts';
import { publishWill, Will } from '../session/will.ts';
import { TOPIC_BYTES_MAX } from '../topic.ts';

const RECEIVE_MAXIMUM_DEFAULT = 65_535; // 3.1.2.11.3
/** Characters of an Authentication Method that the log shows. */
const METHOD_SHOWN = 40;

/** handleConnect checks a CONNECT, asks the authenticator, and answers CONNACK. */
export function handleConnect(connection: Connection, packet: ConnectPacket): void {
  connection.broker.counters.connections++;
  connection.acceptPackets();
  if (connection.broker.log.enabled.debug) logReceived(connection, packet);
  decide(connection, packet);
}

function decide(connection: Connection, packet: ConnectPacket): void {
  if (!connection.isStillWelcome()) {
    reportConnect(connection, packet, 'not allowed', 'came by what is not in force any more: its certificate, its key, or its listener');
    refuse(connection, REASON.NOT_AUTHORIZED);
    return;
  }
  const refusal = refusalOf(connection, packet);
  if (refusal !== null) {
    reportEarly(connection, packet, refusal);
    if (refusal === REASON.BAD_AUTHENTICATION_METHOD) connection.id = packet.clientId; // the log names who has to be set up otherwise
    refuse(connection, refusal, refusalInWords(packet, refusal));
    return;
  }
  connection.id = clientIdOf(connection, packet);
  const verdict = authenticate(connection, packet);
  if (verdict instanceof Promise) waitFor(connection, packet, verdict);
  else conclude(connection, packet, verdict);
}

/** Why this CONNECT is refused before anybody is asked, or null. */
function refusalOf(connection: Connection, packet: ConnectPacket): ReasonCode | null {
  const { broker, origin } = connection;
  const { policy } = origin;
  const { options } = broker;
  if (!policy.acceptProtocolVersions.includes(packet.version)) return REASON.UNSUPPORTED_PROTOCOL_VERSION;
  if (packet.properties.authenticationMethod !== undefined) return REASON.BAD_AUTHENTICATION_METHOD; // [MQTT-4.12.0-1]
  if (policy.useUsernameAsClientid && clientIdOf(connection, packet) === '') return REASON.NOT_AUTHORIZED;
  if (packet.clientId === '' && !policy.useUsernameAsClientid) {
    if (packet.version === 3 || (packet.version === 4 && !packet.cleanStart)) return REASON.CLIENT_IDENTIFIER_NOT_VALID; // [MQTT-3.1.3-8] of 3.1.1
    if (!policy.allowZeroLengthClientid) return REASON.CLIENT_IDENTIFIER_NOT_VALID;
  }
  const id = packet.clientId === '' && !policy.useUsernameAsClientid ? policy.autoIdPrefix : packet.clientId; // one that is made counts too
  if (options.clientidPrefixes !== null && !id.startsWith(options.clientidPrefixes)) return REASON.NOT_AUTHORIZED;
  if (options.maxKeepalive > 0 && packet.version !== 5 && (packet.keepAlive === 0 || packet.keepAlive > options.maxKeepalive)) {
    return REASON.CLIENT_IDENTIFIER_NOT_VALID; // as mosquitto: v3 has no better word
  }
  return willRefusalOf(connection, packet);
}

function refusalInWords({ properties }: ConnectPacket, refusal: ReasonCode): string {
  const words = reasonInWords(refusal);
  if (refusal !== REASON.BAD_AUTHENTICATION_METHOD) return words;
  const method = JSON.stringify(properties.authenticationMethod?.slice(0, METHOD_SHOWN));
  return `${words}: it asks for ${method}, and this broker knows user name and password, certificates and pre-shared keys only`;
}

function willRefusalOf(connection: Connection, packet: ConnectPacket): ReasonCode | null {
  const { will } = packet;
  if (will === null) return null;
  const topicName = connection.origin.policy.mountPoint + will.topicName;
  if (!isTopicName(will.topicName) || !isTopicName(topicName) || Buffer.byteLength(topicName) > TOPIC_BYTES_MAX)
    return REASON.TOPIC_NAME_INVALID;
  if (will.qos > connection.origin.policy.maxQos) return REASON.QOS_NOT_SUPPORTED; // [MQTT-3.2.2-12]
  const { retainAvailable, messageSizeLimit } = connection.broker.options;
  if (will.retain && !retainAvailable) return REASON.RETAIN_NOT_SUPPORTED; // [MQTT-3.2.2-13]
  if (messageSizeLimit > 0 && will.payload.length > messageSizeLimit) return REASON.PACKET_TOO_LARGE;
  return null;
}

function clientIdOf(connection: Connection, packet: ConnectPacket): string {
  const { policy, identity } = connection.origin;
  if (policy.useUsernameAsClientid) return identity ?? packet.username ?? '';
  return packet.clientId === '' ? policy.autoIdPrefix + randomUUID() : packet.clientId; // [MQTT-3.1.3-6] [MQTT-3.1.3-7]
}

function authenticate(connection: Connection, packet: ConnectPacket): AuthenticationVerdict | Promise<AuthenticationVerdict> {
  const { authenticator } = connection.broker;
  if (authenticator === null) return 'accepted';
  const { username, password } = packet;
  return authenticator.authenticate({ clientId: connection.id, username, password, origin: connection.origin });
}

function waitFor(connection: Connection, packet: ConnectPacket, verdict: Promise<AuthenticationVerdict>): void {
  const { authenticator } = connection.broker;
  connection.hold();
  verdict
    .catch((error: unknown): AuthenticationVerdict => {
      connection.broker.log.log('error', `Error: Cannot authenticate client ${connection.id}: ${String(error)}`);
      return 'unavailable';
    })
    .then((decided) => {
      if (connection.state !== 'connecting') return;
      const isOutdated = connection.broker.authenticator !== authenticator; // the rules have changed while it waited
      connection.proceed(() => (isOutdated ? decide(connection, packet) : conclude(connection, packet, decided)));
    });
}

function conclude(connection: Connection, packet: ConnectPacket, verdict: AuthenticationVerdict): void {
  reportVerdict(connection, packet, verdict);
  switch (verdict) {
    case 'bad credentials':
      return refuse(connection, REASON.NOT_AUTHORIZED, 'bad username or password'); // the code that mosquitto sends for it
    case 'not authorised':
      return refuse(connection, REASON.NOT_AUTHORIZED);
    case 'held':
      return refuse(connection, REASON.CONNECTION_RATE_EXCEEDED, 'too many wrong logins');
    case 'unavailable':
      return refuse(connection, REASON.SERVER_UNAVAILABLE);
    case 'accepted':
      return accept(connection, packet);
  }
}

/** refuse answers CONNACK with an error and closes [MQTT-3.1.4-2] [MQTT-3.2.2-7]. */
function refuse(connection: Connection, reason: ReasonCode, words = reasonInWords(reason)): void {
  const connack = encodeConnack(connection.version, false, reason, {});
  if (connack !== null) connection.output.send(connack);
  const { log } = connection.broker;
  if (log.enabled.debug) log.log('debug', `Sending CONNACK to ${connection.id || connection.remote} (0, ${reason})`);
  connection.closeFor(words);
}

function accept(connection: Connection, packet: ConnectPacket): void {
  const { broker } = connection;
  const existing = broker.sessions.get(connection.id);
  const limit = broker.sessions.limitFor(existing, connection.id, accountOf(connection, packet));
  if (limit !== null) {
    reportConnect(connection, packet, 'busy', `finds no room: ${limit} is reached`);
    if (limit === 'global_max_clients') refuse(connection, REASON.SERVER_BUSY);
    else if (limit === 'memory_limit') refuse(connection, REASON.QUOTA_EXCEEDED);
    else connection.closeFor(`${limit} exceeded`); // without a word, as mosquitto
    return;
  }
  if (existing !== null && isOfAnother(existing, connection, packet)) {
    reportConnect(
      connection,
      packet,
      'client id',
      `has the client id of user "${existing.username}", whose session nobody else may take over`,
    );
    refuse(connection, REASON.CLIENT_IDENTIFIER_NOT_VALID, 'the client id belongs to another user');
    return;
  }
  connection.output.maximumPacketSize = packet.properties.maximumPacketSize ?? Number.POSITIVE_INFINITY;
  const connack = encodeConnack(connection.version, false, REASON.SUCCESS, connackProperties(connection, packet))!; // success has a code in every version
  if (connack.length > connection.output.maximumPacketSize) {
    connection.closeFor('its Maximum Packet Size has no room for CONNACK'); // [MQTT-3.1.2-24]
    return;
  }
  broker.refusals?.connected(connection.id, connection.origin, existing?.connection?.origin ?? null);
  const isAwaited = existing?.connection?.isHeld === true; // an earlier one waits for the same
  existing?.connection?.disconnect(REASON.SESSION_TAKEN_OVER); // [MQTT-3.1.4-3]
  const kept = broker.sessions.get(connection.id); // it may have ended with its connection
  const resumes = kept !== null && !packet.cleanStart && kept.isMountedAt(connection.origin.policy.mountPoint);
  const forgets = !resumes && kept?.journal != null; // a power cut would bring it back: CONNACK, which says that there is none, waits
  if (kept !== null && !resumes) broker.sessions.end(kept); // [MQTT-3.1.2-4]
  const session = resumes ? kept : new Session(broker, connection.id);
  const keeps = broker.journal !== null && expiryOf(connection, packet) > 0 && (!resumes || packet.will !== null);
  const waits = isAwaited || forgets || keeps;
  if (waits) connection.hold();
  configure(connection, session, packet);
  broker.sessions.adopt(session, connection);
  connection.origin.signedIn?.();
  const conclude = () => welcome(connection, packet, session, resumes);
  if (!waits) return conclude();
  broker.journal?.whenDurable(() => {
    if (connection.state === 'connected') connection.proceed(conclude); // not taken over meanwhile
  });
}

function accountOf({ broker, origin }: Connection, packet: ConnectPacket): Account {
  return broker.accountOf(origin.policy.name, origin.identity ?? packet.username);
}

/**
 * A client id is no secret: without this anybody could discard what waits for another, or read it. A user who can sign in no more, and
 * who never had to prove the name, leaves its sessions to others. A name proves nothing where the listener does not check it.
 */
function isOfAnother({ username, listener }: Session, { broker, origin }: Connection, packet: ConnectPacket): boolean {
  if (!broker.isAccount(listener, username)) return false;
  if (origin.identity !== null) return origin.identity !== username;
  return packet.username !== username || !broker.isAccount(origin.policy.name, username);
}

/** welcome answers CONNACK of success. */
function welcome(connection: Connection, packet: ConnectPacket, session: Session, resumes: boolean): void {
  const { broker } = connection;
  const connack = encodeConnack(connection.version, resumes, REASON.SUCCESS, connackProperties(connection, packet)); // [MQTT-3.2.2-2] [MQTT-3.2.2-3]
  connection.output.send(connack!); // as above
  if (broker.log.enabled.debug) broker.log.log('debug', `Sending CONNACK to ${connection.id} (${Number(resumes)}, 0)`);
  logConnected(connection, packet);
  broker.emit('clientReady', connection);
  session.outgoing.resume();
}

function configure(connection: Connection, session: Session, packet: ConnectPacket): void {
  const { broker, origin } = connection;
  const { policy } = origin;
  const { properties } = packet;
  if (session.will !== null) cancelWill(connection, session);
  if (session.expiryTimer !== null) broker.wheel.cancel(session.expiryTimer);
  session.expiryTimer = null;
  session.version = packet.version;
  setRequester(session, origin.identity ?? packet.username, policy.name);
  session.belongTo(accountOf(connection, packet));
  session.expiryInterval = expiryOf(connection, packet);
  session.will = packet.will === null ? null : new Will(packet.will, policy.mountPoint);
  connection.session = session;
  connection.keepAlive = keepAliveOf(connection, packet);
  connection.receiveMaximum = receiveMaximumOf(connection);
  connection.isBridge = packet.bridge && packet.version !== 5;
  connection.output.mountLength = Buffer.byteLength(policy.mountPoint);
  if (packet.version === 5 && policy.maxTopicAlias > 0) connection.incomingAliases = new IncomingAliases(policy.maxTopicAlias);
  const aliases = Math.min(properties.topicAliasMaximum ?? 0, policy.maxTopicAliasBroker);
  if (aliases > 0) connection.output.outgoingAliases = new OutgoingAliases(aliases);
  connection.output.isPlain = aliases === 0 && connection.output.mountLength === 0;
  session.attach(connection, properties.receiveMaximum ?? RECEIVE_MAXIMUM_DEFAULT);
}

/** Routes are kept for whom the session was: what another may receive is asked anew. */
function setRequester(session: Session, username: string | null, listener: string): void {
  if (session.subscriptions.size > 0 && (session.username !== username || session.listener !== listener)) session.broker.tree.generation++;
  session.username = username;
  session.listener = listener;
}

/** A delayed will of the session's last connection: not said any more if this connection comes in time [MQTT-3.1.3-9]. */
function cancelWill(connection: Connection, session: Session): void {
  const will = session.will;
  if (will?.timer == null) {
    publishWill(connection.broker, session);
    return;
  }
  connection.broker.wheel.cancel(will.timer);
  session.will = null;
}

/** Seconds the session is kept [MQTT-3.1.2-23]. */
function expiryOf(connection: Connection, packet: ConnectPacket): number {
  if (packet.version === 5) return connection.broker.allowedExpiry(packet.properties.sessionExpiryInterval ?? 0);
  return connection.broker.allowedExpiry(packet.cleanStart ? 0 : NO_EXPIRY);
}

function keepAliveOf(connection: Connection, packet: ConnectPacket): number {
  const { maxKeepalive } = connection.broker.options;
  return maxKeepalive > 0 && (packet.keepAlive === 0 || packet.keepAlive > maxKeepalive) ? maxKeepalive : packet.keepAlive;
}

function receiveMaximumOf({ broker, origin }: Connection): number {
  return origin.policy.receiveMaximum ?? broker.receiveMaximum;
}

function connackProperties(connection: Connection, packet: ConnectPacket): Properties {
  if (connection.version !== 5) return {};
  const { broker, origin } = connection;
  const { policy } = origin;
  const properties: Properties = {}; // in mosquitto's order
  const keepAlive = keepAliveOf(connection, packet);
  if (keepAlive !== packet.keepAlive) properties.serverKeepAlive = keepAlive; // [MQTT-3.2.2-21]
  if (policy.maxTopicAlias > 0) properties.topicAliasMaximum = policy.maxTopicAlias;
  if (packet.clientId !== connection.id) properties.assignedClientIdentifier = connection.id; // [MQTT-3.2.2-16]
  const expiry = expiryOf(connection, packet);
  if (expiry !== (packet.properties.sessionExpiryInterval ?? 0)) properties.sessionExpiryInterval = expiry;
  if (!broker.options.retainAvailable) properties.retainAvailable = 0;
  properties.maximumPacketSize = broker.options.maxPacketSize;
  properties.receiveMaximum = receiveMaximumOf(connection);
  if (policy.maxQos < 2) properties.maximumQos = policy.maxQos; // [MQTT-3.2.2-9]
  return properties;
}

function logReceived(connection: Connection, packet: ConnectPacket): void {
  const { log } = connection.broker;
  const words = `p${packet.version}, c${Number(packet.cleanStart)}, k${packet.keepAlive}`;
  log.log('debug', `Received CONNECT from ${connection.remote} as ${packet.clientId} (${words})`);
  const { will } = packet;
  if (will === null) log.log('debug', 'No will message specified.');
  else
    log.log(
      'debug',
      `Will message specified (${will.payload.length} bytes) (r${Number(will.retain)}, q${will.qos}) for topic ${will.topicName}.`,
    );
}

function logConnected(connection: Connection, packet: ConnectPacket): void {
  const { broker } = connection;
  if (!broker.options.connectionMessages) return;
  const clean = Number(packet.cleanStart);
  const user = connection.session?.username;
  const suffix = user === null || user === undefined ? '' : `, u'${user}'`;
  const kind = packet.bridge ? 'bridge' : 'client';
  const words = `p${packet.version}, c${clean}, k${connection.keepAlive}${suffix}`;
  broker.log.log('notice', `New ${kind} connected from ${connection.remote} as ${connection.id} (${words}).`, connection.lineSource);
  const { tls } = connection.origin;
  if (tls !== null && broker.log.enabled.debug) {
    broker.log.log('debug', `Client ${connection.id} negotiated ${tls.version} cipher ${tls.cipher}`);
  }
}
