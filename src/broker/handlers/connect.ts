// CONNECT, MQTT 5 3.1: who comes, whether they may, and which session they find.

import { randomUUID } from 'node:crypto';
import { encodeConnack, setSessionPresent } from '../../mqtt/encode.ts';
import type { ConnectPacket } from '../../mqtt/packets.ts';
import { REASON, type ReasonCode } from '../../mqtt/reason-codes.ts';
import { type ConnectTerms, negotiate, REFUSED_TERMS, type RefusedTerm } from '../connection/connect-terms.ts';
import type { Connection } from '../connection/connection.ts';
import { CONNECTION_EVENT } from '../connection/connection-states.ts';
import { reasonInWords } from '../connection/disconnect-words.ts';
import { reportConnect, reportTerm, reportVerdict } from '../connection/refusal.ts';
import { IncomingAliases, OutgoingAliases } from '../connection/topic-aliases.ts';
import type { Broker } from '../engine.ts';
import { CLUSTER_LISTENER } from '../options.ts';
import type { AuthenticationVerdict, ClaimVerdict } from '../ports.ts';
import { isOfAnother } from '../session/ownership.ts';
import { Session } from '../session/session.ts';
import { Will } from '../session/will.ts';
import { publishWill } from '../session/wills.ts';

/** Characters of an Authentication Method that the log shows. */
const METHOD_SHOWN = 40;

/** handleConnect checks a CONNECT, asks the authenticator, and answers CONNACK. */
export function handleConnect(connection: Connection, packet: ConnectPacket): void {
  connection.broker.counters.connections++;
  connection.authenticate();
  if (connection.broker.log.enabled.debug) logReceived(connection, packet);
  decide(connection, packet);
}

function decide(connection: Connection, packet: ConnectPacket): void {
  if (!connection.isStillWelcome()) {
    reportConnect(connection, packet, { cause: 'not allowed', what: 'not in force any more' });
    refuse(connection, REASON.NOT_AUTHORIZED);
    return;
  }
  const terms = negotiate(packet, { options: connection.broker.options, origin: connection.origin, uniqueId: randomUUID });
  if (typeof terms === 'string') {
    reportTerm(connection, packet, terms);
    if (terms === 'enhanced authentication') connection.id = packet.clientId; // the log names who has to be set up otherwise
    refuse(connection, REFUSED_TERMS[terms], refusedInWords(packet, terms));
    return;
  }
  connection.id = terms.clientId;
  const verdict = authenticate(connection, packet);
  if (verdict instanceof Promise) waitFor(connection, packet, terms, verdict);
  else conclude(connection, packet, terms, verdict);
}

function refusedInWords({ properties }: ConnectPacket, term: RefusedTerm): string {
  const words = reasonInWords(REFUSED_TERMS[term]);
  if (term !== 'enhanced authentication') return words;
  const method = JSON.stringify(properties.authenticationMethod?.slice(0, METHOD_SHOWN));
  return `${words}: it asks for ${method}, and this broker knows user name and password, certificates and pre-shared keys only`;
}

function authenticate(connection: Connection, packet: ConnectPacket): AuthenticationVerdict | Promise<AuthenticationVerdict> {
  const { authenticator } = connection.broker;
  if (authenticator === null) return 'accepted';
  const { username, password } = packet;
  return authenticator.authenticate({ clientId: connection.id, username, password, origin: connection.origin });
}

function waitFor(connection: Connection, packet: ConnectPacket, terms: ConnectTerms, verdict: Promise<AuthenticationVerdict>): void {
  const { authenticator, options } = connection.broker;
  connection.wait();
  verdict
    .catch((error: unknown): AuthenticationVerdict => {
      connection.broker.log.log('error', `Error: Cannot authenticate client ${connection.id}: ${String(error)}`);
      return 'unavailable';
    })
    .then((decided) => {
      if (connection.reactionTo(CONNECTION_EVENT.VERDICT) === 'ignore') return;
      const { broker } = connection;
      const isOutdated = broker.authenticator !== authenticator || broker.options !== options; // the rules have changed while it waited
      connection.proceed(() => (isOutdated ? decide(connection, packet) : conclude(connection, packet, terms, decided)));
    });
}

function conclude(connection: Connection, packet: ConnectPacket, terms: ConnectTerms, verdict: AuthenticationVerdict): void {
  reportVerdict(connection, packet, verdict);
  switch (verdict) {
    case 'bad credentials':
      return refuse(connection, REASON.NOT_AUTHORIZED, 'bad username or password'); // the code that mosquitto sends for it
    case 'locked':
      return refuse(connection, REASON.NOT_AUTHORIZED, 'account locked');
    case 'not authorised':
      return refuse(connection, REASON.NOT_AUTHORIZED);
    case 'held':
      return refuse(connection, REASON.CONNECTION_RATE_EXCEEDED, 'too many wrong logins');
    case 'unavailable':
      return refuse(connection, REASON.SERVER_UNAVAILABLE);
    case 'accepted':
      return claim(connection, packet, terms);
  }
}

/** Answers CONNACK with an error and closes. */
function refuse(connection: Connection, reason: ReasonCode, words = reasonInWords(reason)): void {
  connection.refuse(reason);
  const { log } = connection.broker;
  if (log.enabled.debug) log.log('debug', `Sending CONNACK to ${connection.id || connection.remote} (0, ${reason})`);
  connection.closeFor(words);
}

/** Where there are other brokers, the client id is claimed of them: its session may be there. What is a part of this program belongs here. */
function claim(connection: Connection, packet: ConnectPacket, terms: ConnectTerms): void {
  const { broker, origin } = connection;
  const { claims, authenticator, options } = broker;
  const isMadeHere = packet.clientId === '' && !origin.policy.useUsernameAsClientid;
  if (claims === null || origin.isOwn === true || isMadeHere) return accept(connection, packet, terms);
  if (isKeptOut(connection, packet, terms, broker.sessions.get(connection.id))) return;
  const { clientId, username, cleanStart } = terms;
  const asked = { clientId, username, listener: origin.policy.name, cleanStart, isProven: isProven(connection, username) };
  const waiting = claims.claim(asked, connection);
  if (waiting === null) return accept(connection, packet, terms);
  connection.wait();
  waiting.then((verdict) => {
    if (connection.reactionTo(CONNECTION_EVENT.VERDICT) === 'ignore') return;
    const isOutdated = broker.authenticator !== authenticator || broker.options !== options; // the rules have changed while it waited
    connection.proceed(() => (isOutdated ? decide(connection, packet) : claimed(connection, packet, terms, verdict)));
  });
}

function claimed(connection: Connection, packet: ConnectPacket, terms: ConnectTerms, verdict: ClaimVerdict): void {
  if (verdict === 'granted') return accept(connection, packet, terms);
  if (verdict === 'of another') return refuseId(connection, packet, null);
  if (verdict === 'no room') return refuseForMemory(connection, packet);
  connection.disconnect(REASON.SESSION_TAKEN_OVER);
}

function accept(connection: Connection, packet: ConnectPacket, terms: ConnectTerms): void {
  const { broker } = connection;
  const existing = broker.sessions.get(connection.id);
  if (isKeptOut(connection, packet, terms, existing)) return;
  const connack = encodeConnack(connection.version, false, REASON.SUCCESS, terms.connack)!; // success has a code in every version
  if (connack.length > terms.clientMaximumPacketSize) {
    connection.closeFor('its Maximum Packet Size has no room for CONNACK'); // [MQTT-3.1.2-24]
    return;
  }
  const { clientId, username } = terms;
  const letIn = { clientId, username, isProven: isProven(connection, username) };
  broker.refusals?.connected(letIn, connection.origin, existing?.connection?.origin ?? null);
  const isAwaited = existing?.connection?.isWaiting === true; // an earlier one waits for the same
  existing?.connection?.disconnect(REASON.SESSION_TAKEN_OVER); // [MQTT-3.1.4-3]
  const kept = broker.sessions.get(connection.id); // it may have ended with its connection
  const resumes = kept !== null && !terms.cleanStart && kept.isMountedAt(connection.origin.policy.mountPoint);
  const forgets = !resumes && kept?.journal != null; // a power cut would bring it back: CONNACK, which says that there is none, waits
  if (kept !== null && !resumes) broker.sessions.end(kept); // [MQTT-3.1.2-4]
  const session = resumes ? kept : new Session(broker, connection.id);
  if (resumes) setSessionPresent(connack, connection.version); // [MQTT-3.2.2-2] [MQTT-3.2.2-3]
  const keeps = broker.journal !== null && terms.sessionExpiryInterval > 0 && (!resumes || terms.will !== null);
  const waits = isAwaited || forgets || keeps;
  configure(connection, session, terms);
  broker.sessions.adopt(session, connection);
  connection.origin.signedIn?.();
  const greet = () => welcome(connection, packet, session, resumes, connack);
  if (!waits) return greet();
  connection.wait();
  broker.journal?.whenDurable(() => {
    if (connection.reactionTo(CONNECTION_EVENT.COMMIT) === 'do') connection.proceed(greet); // not taken over meanwhile
  });
}

/** Refuses who finds no room, or another's session: it tells whether it has. */
function isKeptOut(connection: Connection, packet: ConnectPacket, terms: ConnectTerms, existing: Session | null): boolean {
  const { broker, origin } = connection;
  const { name } = origin.policy;
  const limit = broker.sessions.limitFor(existing, connection.id, broker.accountOf(name, terms.username));
  if (limit === 'memory_limit') {
    refuseForMemory(connection, packet);
    return true;
  }
  if (limit !== null && name !== CLUSTER_LISTENER) {
    reportConnect(connection, packet, { cause: 'busy', limit });
    if (limit === 'global_max_clients') refuse(connection, REASON.SERVER_BUSY);
    else connection.closeFor(`${limit} exceeded`); // without a word, as mosquitto
    return true;
  }
  if (existing === null || !isOfAnother(existing, broker, terms.username, isProven(connection, terms.username))) return false;
  refuseId(connection, packet, existing.username);
  return true;
}

function refuseForMemory(connection: Connection, packet: ConnectPacket): void {
  reportConnect(connection, packet, { cause: 'busy', limit: 'memory_limit' });
  refuse(connection, REASON.QUOTA_EXCEEDED);
}

/** `owner` null = it is not known here. */
function refuseId(connection: Connection, packet: ConnectPacket, owner: string | null): void {
  reportConnect(connection, packet, { cause: 'client id', what: 'of another user', owner });
  refuse(connection, REASON.CLIENT_IDENTIFIER_NOT_VALID, 'the client id belongs to another user');
}

/** A name proves nothing where the listener does not check it. */
function isProven({ broker, origin }: Connection, username: string | null): boolean {
  return origin.identity !== null || broker.isAccount(origin.policy.name, username);
}

function welcome(connection: Connection, packet: ConnectPacket, session: Session, resumes: boolean, connack: Buffer): void {
  const { broker, output } = connection;
  connection.welcome(connack);
  output.isPlain = output.outgoingAliases === null && output.mountLength === 0 && !output.marksMessages;
  if (broker.log.enabled.debug) broker.log.log('debug', `Sending CONNACK to ${connection.id} (${Number(resumes)}, 0)`);
  logConnected(connection, packet);
  broker.emit('clientReady', connection);
  session.outgoing.resume(connection);
}

function configure(connection: Connection, session: Session, terms: ConnectTerms): void {
  const { broker, origin, output } = connection;
  const { policy } = origin;
  if (session.will !== null) cancelWill(connection, session);
  if (session.expiryTimer !== null) broker.wheel.cancel(session.expiryTimer);
  session.expiryTimer = null;
  session.version = connection.version;
  setRequester(broker, session, terms.username, policy.name);
  session.belongTo(broker.accountOf(policy.name, terms.username));
  session.expiryInterval = terms.sessionExpiryInterval;
  session.will = terms.will === null ? null : new Will(terms.will, policy.mountPoint);
  connection.commit(session);
  connection.keepAlive = terms.keepAlive;
  connection.receiveMaximum = terms.receiveMaximum;
  connection.isBridge = terms.isBridge;
  if (terms.topicAliasMaximum > 0) connection.incomingAliases = new IncomingAliases(terms.topicAliasMaximum);
  output.maximumPacketSize = terms.clientMaximumPacketSize;
  output.mountLength = Buffer.byteLength(policy.mountPoint);
  if (terms.clientTopicAliasMaximum > 0) output.outgoingAliases = new OutgoingAliases(terms.clientTopicAliasMaximum);
  output.marksMessages = terms.wantsMarks;
  output.isPlain = false; // until CONNACK has gone out
  session.attach(connection, terms.clientReceiveMaximum);
}

/** Routes are kept for whom the session was: what another may receive is asked anew. */
function setRequester({ tree }: Broker, session: Session, username: string | null, listener: string): void {
  if (session.subscriptions.size > 0 && (session.username !== username || session.listener !== listener)) tree.generation++;
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
  if (!connection.isAnnounced) return;
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
