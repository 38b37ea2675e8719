// PUBLISH, MQTT 5 3.3: the long way, for everything that PublishRun does not take.

import { ownBytes } from '../../mqtt/own-bytes.ts';
import { FIRST_BYTE } from '../../mqtt/packet-types.ts';
import { encodeProperties, type Properties } from '../../mqtt/properties.ts';
import type { PublishPacket } from '../../mqtt/publish-packet.ts';
import { MalformedPacket, protocolError, REASON, type ReasonCode } from '../../mqtt/reason-codes.ts';
import type { SignedIn } from '../connection/connection.ts';
import { publishInWords } from '../connection/packet-words.ts';
import { reportDenied } from '../connection/refusal.ts';
import type { Route } from '../delivery/route.ts';
import type { Broker } from '../engine.ts';
import type { Journal } from '../journal.ts';
import { Message, NEVER, NO_PROPERTIES } from '../message.ts';
import { digestOf, UNKNOWN_DIGEST } from '../message-digest.ts';
import { CLUSTER_LISTENER } from '../options.ts';
import type { Durability } from '../ports.ts';
import type { Session } from '../session/session.ts';
import type { Topic } from '../topic.ts';

/** Seconds after which it is looked again whether the card has room. */
const RETRY_SECONDS = 1;

/** handlePublish checks, acknowledges and delivers one message. */
export function handlePublish(connection: SignedIn, packet: PublishPacket): void {
  const broker = connection.broker;
  const { policy } = connection.origin;
  if (packet.qos > policy.maxQos) throw new MalformedPacket(`QoS ${packet.qos} above the maximum`, REASON.QOS_NOT_SUPPORTED); // [MQTT-3.2.2-11]
  if (packet.retain && !broker.options.retainAvailable) throw new MalformedPacket('RETAIN is not available', REASON.RETAIN_NOT_SUPPORTED); // [MQTT-3.2.2-14]
  const topic = topicOf(connection, packet);
  const counters = broker.counters;
  counters.publishReceived++;
  counters.publishBytesReceived += packet.end - packet.payloadStart;
  if (packet.qos === 2 && isRepetition(connection, packet, topic)) {
    if (broker.log.enabled.debug) logReceived(connection, packet, topic, null);
    acknowledgeAgain(connection, packet.packetId);
    return;
  }
  if (packet.qos > 0 && connection.version === 5) checkReceiveMaximum(connection, packet);
  const refusal = refusalOf(connection, packet, topic);
  if (broker.log.enabled.debug) logReceived(connection, packet, topic, refusal);
  if (refusal !== null) {
    acknowledge(connection, packet, topic, refusal);
    return;
  }
  if (topic.isControl) {
    takeRequest(connection, packet, topic);
    return;
  }
  if (hasBeenHere(broker, packet, topic)) {
    acknowledge(connection, packet, topic, REASON.SUCCESS);
    return;
  }
  const message = messageOf(connection, packet, topic);
  const isRefusable = packet.retain && packet.qos > 0 && connection.version === 5 && !isOfCluster(connection);
  if (isRefusable && !broker.retained.hasRoomFor(message)) {
    broker.counters.publishDropped++;
    acknowledge(connection, packet, topic, REASON.QUOTA_EXCEEDED); // who cannot be told, its message is delivered and not kept
    return;
  }
  const nobody = packet.qos === 1 && connection.version === 5 && broker.tree.routeOf(topic).isEmpty; // PUBREC may say it too, but mosquitto's does not
  const reason = nobody ? REASON.NO_MATCHING_SUBSCRIBERS : REASON.SUCCESS;
  if (packet.qos > 0 && broker.journal !== null && mustKeep(connection, packet, broker.tree.routeOf(topic))) {
    acceptDurably(connection, broker.journal, packet, message, reason);
    return;
  }
  acknowledge(connection, packet, topic, reason);
  broker.accept(message);
}

/** A request to the broker itself goes to nobody and is never retained. */
function takeRequest(connection: SignedIn, packet: PublishPacket, topic: Topic): void {
  acknowledge(connection, packet, topic, REASON.SUCCESS);
  connection.broker.control?.take(connection.session, topic.name, ownBytes(packet.buffer, packet.payloadStart, packet.end));
}

/**
 * The same message again, of which PUBREL has not come. Another one under its identifier is of a client that lost its state and counts from 1
 * anew, or took the identifier for free: it would be acknowledged and lost. The bytes decide, DUP only where they are not known.
 */
function isRepetition({ session, broker, id }: SignedIn, packet: PublishPacket, topic: Topic): boolean {
  const known = session.incoming?.get(packet.packetId);
  if (known === undefined) return false;
  const isSame = known === UNKNOWN_DIGEST ? packet.dup : known === digestOf(topic, packet.buffer, packet.payloadStart, packet.end);
  if (!isSame && broker.log.enabled.debug) broker.log.log('debug', `Reused message ID ${packet.packetId} from ${id} detected.`);
  return isSame;
}

/** The message itself may not be durable yet: it may have come on an earlier connection just now. When its own commit fails it is not known any more. */
function acknowledgeAgain(connection: SignedIn, packetId: number): void {
  const session = connection.session;
  const ack = connection.acks.hold(FIRST_BYTE.PUBREC, packetId, REASON.SUCCESS); // [MQTT-4.3.3-10]
  if (session.journal === null) return ack.settle('durable');
  whenKept(connection, session.journal, (outcome) => ack.settle(session.incoming?.has(packetId) ? 'durable' : outcome));
}

/** A bridge has brought it by another way. */
function hasBeenHere({ passages }: Broker, { properties }: PublishPacket, topic: Topic): boolean {
  if (properties?.subscriptionIdentifier !== undefined) return false; // for a shared subscription; it comes once more for the others
  return properties?.userProperty !== undefined && passages.isRepeated(topic.name, properties.userProperty);
}

/** Something of this message must be written down before it may be acknowledged. */
function mustKeep(connection: SignedIn, packet: PublishPacket, route: Route): boolean {
  if (packet.retain || route.shared !== null || (packet.qos === 2 && connection.session.journal !== null)) return true;
  for (const { session, qos } of route.subscribers) if (session.expiryInterval > 0 && (qos > 0 || session.upgradesQos)) return true;
  return false;
}

/** Delivers first and acknowledges when what must be kept of it is durable, or when all kept sessions have it, whichever comes first. */
function acceptDurably(connection: SignedIn, journal: Journal, packet: PublishPacket, message: Message, reason: ReasonCode): void {
  const session = connection.session;
  const before = journal.changes;
  const digest = packet.qos === 2 ? openExchange(connection, packet, message.topic) : UNKNOWN_DIGEST;
  if (packet.qos === 2) session.journal?.saveIncoming(session, packet.packetId, digest);
  const identifierIsKept = journal.changes !== before;
  const ack = connection.acks.hold(packet.qos === 1 ? FIRST_BYTE.PUBACK : FIRST_BYTE.PUBREC, packet.packetId, reason);
  const settle = (outcome: Durability) => {
    message.onSettled = null;
    ack.settle(outcome);
    message.ack = null;
  };
  message.ack = ack;
  connection.broker.accept(message);
  if (journal.changes === before) return settle('durable');
  if (!identifierIsKept && !message.retain && message.outstanding > 0) message.onSettled = () => settle('durable');
  const { qos, packetId } = packet;
  const kept = (outcome: Durability): void => {
    if (outcome !== 'durable' && qos === 2) forgetExchange(connection, session, packetId, digest);
    settle(outcome);
  };
  whenKept(connection, journal, kept, ack.isFollowed);
}

/** Another broker of the cluster is not refused when the card is full: its messages wait here, and unacknowledged there, until there is room. */
function whenKept(connection: SignedIn, journal: Journal, callback: (outcome: Durability) => void, isUrgent = false): void {
  if (!isOfCluster(connection)) return journal.whenDurable(callback, isUrgent);
  const kept = (outcome: Durability): void => {
    if (outcome === 'durable') callback(outcome);
    else if (connection.state === 'connected') connection.broker.wheel.after(RETRY_SECONDS, () => journal.whenDurable(kept));
  };
  journal.whenDurable(kept, isUrgent);
}

/** isOfCluster tells whether the publisher is another broker of the cluster. */
export function isOfCluster({ origin }: SignedIn): boolean {
  return origin.policy.name === CLUSTER_LISTENER;
}

/** The topic meant: by name, or by alias [MQTT-3.3.2-7]. */
function topicOf(connection: SignedIn, packet: PublishPacket): Topic {
  const { mountPoint } = connection.origin.policy;
  const alias = packet.properties?.topicAlias;
  let topic: Topic | null = null;
  if (packet.topicEnd > packet.topicStart || connection.version !== 5) {
    topic = connection.topicNamed(packet.buffer, packet.topicStart, packet.topicEnd);
    if (mountPoint !== '') topic = connection.broker.topics.named(mountPoint + topic.name);
  }
  if (topic !== null && alias === undefined) return topic;
  if (alias === undefined) throw protocolError('Empty Topic Name without a Topic Alias'); // 3.3.2.1
  if (connection.incomingAliases === null) throw new MalformedPacket('Topic Alias is not allowed', REASON.TOPIC_ALIAS_INVALID); // [MQTT-3.1.2-27]
  return connection.incomingAliases.resolve(alias, topic);
}

/** Messages of this connection that wait for PUBACK, or for PUBREL and PUBCOMP: no more than we told the client. */
function checkReceiveMaximum({ acks, unreleased, receiveMaximum, session }: SignedIn, { qos, packetId }: PublishPacket): void {
  if (acks.pubacks + unreleased < receiveMaximum) return;
  if (qos === 2 && session.incoming?.has(packetId)) return; // another message in the place of one that is counted
  throw new MalformedPacket('More messages at once than Receive Maximum', REASON.RECEIVE_MAXIMUM_EXCEEDED); // [MQTT-3.3.4-7]
}

/** Keeps the identifier of a QoS 2 message until PUBREL comes for it, and gives what the message is known by. */
function openExchange(connection: SignedIn, packet: PublishPacket, topic: Topic): number {
  const session = connection.session;
  session.incoming ??= new Map();
  if (!session.incoming.has(packet.packetId)) connection.unreleased++;
  const digest = digestOf(topic, packet.buffer, packet.payloadStart, packet.end);
  session.incoming.set(packet.packetId, digest); // [MQTT-4.3.3-8]
  return digest;
}

/** The client may send the message anew: its identifier must not wait to be written either. */
function forgetExchange(connection: SignedIn, session: Session, packetId: number, digest: number): void {
  if (session.incoming?.get(packetId) !== digest) return; // another message has its identifier now
  session.incoming.delete(packetId);
  session.journal?.dropIncoming(session, packetId);
  connection.unreleased--;
}

/** Why this message is not taken, or null. Before v5 the flow is completed and the message dropped [MQTT-3.3.5-2]. */
function refusalOf(connection: SignedIn, packet: PublishPacket, topic: Topic): ReasonCode | null {
  const broker = connection.broker;
  const limit = broker.options.messageSizeLimit;
  if (limit > 0 && packet.end - packet.payloadStart > limit) {
    broker.counters.publishDropped++;
    return REASON.IMPLEMENTATION_SPECIFIC_ERROR;
  }
  if (topic.isControl ? !broker.mayPublish(connection.session, topic) : !connection.mayPublish(topic)) {
    reportDenied(connection, topic.name);
    return REASON.NOT_AUTHORIZED;
  }
  if (packet.qos === 0 || connection.version !== 5 || packet.retain || isOfCluster(connection)) return null;
  if (nobodyHasRoom(broker.tree.routeOf(topic))) return REASON.QUOTA_EXCEEDED;
  return null;
}

/** Every subscriber's window and queue are full: nobody would get the message, and a v5 publisher is told so. */
function nobodyHasRoom(route: Route): boolean {
  const { subscribers } = route;
  if (subscribers.length === 0 || route.shared !== null || route.listeners !== null) return false;
  for (const { session, qos } of subscribers) if (qos === 0 || !session.outgoing.isFull) return false;
  for (const { session } of subscribers) session.outgoing.backlog.noteDropped(1);
  return true;
}

/** PUBACK or PUBREC goes out before the message does, so that a client sees it before its own message comes back. */
function acknowledge(connection: SignedIn, packet: PublishPacket, topic: Topic, reason: ReasonCode): void {
  if (packet.qos === 0) return;
  if (packet.qos === 1) {
    connection.acks.send(FIRST_BYTE.PUBACK, packet.packetId, reason); // [MQTT-4.3.2-4]
    return;
  }
  if (reason < 0x80 || connection.version !== 5) openExchange(connection, packet, topic);
  connection.acks.send(FIRST_BYTE.PUBREC, packet.packetId, reason);
}

function messageOf(connection: SignedIn, packet: PublishPacket, topic: Topic): Message {
  const properties = packet.properties === null ? NO_PROPERTIES : forwardedProperties(packet.properties);
  const expiry = packet.properties?.messageExpiryInterval;
  const expiresAt = expiry === undefined ? NEVER : connection.broker.clock.now() + expiry * 1000;
  const message = new Message(topic, packet, properties, expiresAt, connection.session, connection.lentBlock);
  const mark = packet.properties?.subscriptionIdentifier?.[0] ?? 0; // of a broker of the cluster: see dispatch.ts
  message.groupMark = mark;
  const asItCame = packet.properties === null || (expiry === undefined && packet.properties.topicAlias === undefined && mark === 0);
  if (asItCame && connection.output.mountLength === 0) message.adoptFrame(packet, connection.version === 5);
  return message;
}

/** What subscribers get of a publisher's properties: all but the alias and the expiry, which are counted anew [MQTT-3.3.2-4] [MQTT-3.3.2-17]. */
function forwardedProperties(properties: Properties): Buffer {
  const { topicAlias: _alias, messageExpiryInterval: _expiry, subscriptionIdentifier: _mark, ...forwarded } = properties;
  return encodeProperties(forwarded);
}

function logReceived({ broker, id }: SignedIn, packet: PublishPacket, topic: Topic, refusal: ReasonCode | null): void {
  const words = publishInWords(packet.buffer[packet.start]!, packet.packetId, topic, packet.end - packet.payloadStart); // it has one
  broker.log.log('debug', `${refusal === REASON.NOT_AUTHORIZED ? 'Denied' : 'Received'} PUBLISH from ${id} (${words})`);
}
