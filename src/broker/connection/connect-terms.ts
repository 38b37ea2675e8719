// The terms of a connection, MQTT 5 3.1 and 3.2: what a CONNECT asks for, what broker and listener allow, and what CONNACK says of it.

import type { ConnectPacket, WillMessage } from '../../mqtt/packets.ts';
import type { Properties } from '../../mqtt/properties.ts';
import { REASON, type ReasonCode } from '../../mqtt/reason-codes.ts';
import { isTopicName, TOPIC_BYTES_MAX } from '../../mqtt/topics.ts';
import { type BrokerOptions, type ConnectionOrigin, RECEIVE_MAXIMUM_LIMIT, receiveMaximumOf } from '../options.ts';
import { asksForMarks } from '../passages.ts';
import { allowedExpiry, NO_EXPIRY } from '../session/expiry.ts';

/** ConnectTerms are what client and broker keep to while the connection lasts. */
export interface ConnectTerms {
  /** The client's own identifier, its user name, or one that was made for it. */
  readonly clientId: string;
  /** From its certificate or pre-shared key, else as it says; null = none. */
  readonly username: string | null;
  readonly cleanStart: boolean;
  /** Seconds; 0 = off. */
  readonly keepAlive: number;
  /** Seconds that the session is kept after the connection has ended; NO_EXPIRY = for ever. */
  readonly sessionExpiryInterval: number;
  /** QoS 1 and 2 messages that the client may have unacknowledged. */
  readonly receiveMaximum: number;
  /** QoS 1 and 2 messages that the broker may have unacknowledged, as far as the client says. */
  readonly clientReceiveMaximum: number;
  /** Bytes of the largest packet that the client takes. */
  readonly clientMaximumPacketSize: number;
  /** Topic aliases that the client may set; 0 = none. */
  readonly topicAliasMaximum: number;
  /** Topic aliases that the broker may set; 0 = none. */
  readonly clientTopicAliasMaximum: number;
  readonly will: WillMessage | null;
  /** A mosquitto that carries messages between brokers in 3.1 or 3.1.1, which have no words for what it needs. */
  readonly isBridge: boolean;
  /** A bridge of midge's, which wants what it carries to be marked. MQTT 5 */
  readonly wantsMarks: boolean;
  /** Properties of CONNACK, in mosquitto's order; none before MQTT 5. */
  readonly connack: Properties;
}

/** REFUSED_TERMS are what a CONNECT is refused for by its own words, before anybody is asked, with the code of its CONNACK. */
export const REFUSED_TERMS = {
  'protocol version': REASON.UNSUPPORTED_PROTOCOL_VERSION,
  'enhanced authentication': REASON.BAD_AUTHENTICATION_METHOD, // [MQTT-4.12.0-1]
  'no user name': REASON.NOT_AUTHORIZED,
  'no client id': REASON.CLIENT_IDENTIFIER_NOT_VALID, // [MQTT-3.1.3-8] of 3.1.1
  'client id prefix': REASON.NOT_AUTHORIZED,
  'keep alive': REASON.CLIENT_IDENTIFIER_NOT_VALID, // as mosquitto: before v5 there is no better word
  'will topic': REASON.TOPIC_NAME_INVALID,
  'will QoS': REASON.QOS_NOT_SUPPORTED, // [MQTT-3.2.2-12]
  'will retain': REASON.RETAIN_NOT_SUPPORTED, // [MQTT-3.2.2-13]
  'will payload': REASON.PACKET_TOO_LARGE,
} as const satisfies Readonly<Record<string, ReasonCode>>;

export type RefusedTerm = keyof typeof REFUSED_TERMS;

/** ConnectOffer is what a broker can agree to on one connection. */
export interface ConnectOffer {
  readonly options: BrokerOptions;
  readonly origin: Pick<ConnectionOrigin, 'policy' | 'identity'>;
  /** What is put behind the listener's `auto_id_prefix` for a client without an identifier. */
  readonly uniqueId: () => string;
}

/** negotiate gives the terms, or the one that cannot be agreed to. */
export function negotiate(packet: ConnectPacket, offer: ConnectOffer): ConnectTerms | RefusedTerm {
  const { options, origin } = offer;
  const { policy } = origin;
  const refused = refusedTerm(packet, offer);
  if (refused !== null) return refused;
  const { version, cleanStart, properties, will } = packet;
  const terms = {
    clientId: clientIdOf(packet, offer),
    username: usernameOf(packet, offer),
    cleanStart,
    keepAlive: isTooLong(packet.keepAlive, options) ? options.maxKeepalive : packet.keepAlive,
    sessionExpiryInterval: allowedExpiry(askedExpiry(packet), options),
    receiveMaximum: policy.receiveMaximum ?? receiveMaximumOf(options),
    clientReceiveMaximum: properties.receiveMaximum ?? RECEIVE_MAXIMUM_LIMIT,
    clientMaximumPacketSize: properties.maximumPacketSize ?? Number.POSITIVE_INFINITY,
    topicAliasMaximum: version === 5 ? policy.maxTopicAlias : 0,
    clientTopicAliasMaximum: Math.min(properties.topicAliasMaximum ?? 0, policy.maxTopicAliasBroker),
    will,
    isBridge: packet.bridge && version !== 5,
    wantsMarks: version === 5 && asksForMarks(properties.userProperty),
  };
  return { ...terms, connack: version === 5 ? connackProperties(packet, terms, offer) : {} };
}

function refusedTerm(packet: ConnectPacket, offer: ConnectOffer): RefusedTerm | null {
  const { version, clientId, will } = packet;
  const { options, origin } = offer;
  const { policy } = origin;
  if (!policy.acceptProtocolVersions.includes(version)) return 'protocol version';
  if (packet.properties.authenticationMethod !== undefined) return 'enhanced authentication';
  if (policy.useUsernameAsClientid) {
    if (!usernameOf(packet, offer)) return 'no user name';
  } else if (clientId === '' && !mayComeWithoutId(packet, offer)) return 'no client id';
  const prefixed = clientId === '' && !policy.useUsernameAsClientid ? policy.autoIdPrefix : clientId; // one that is made counts too
  if (options.clientidPrefixes !== null && !prefixed.startsWith(options.clientidPrefixes)) return 'client id prefix';
  if (version !== 5 && isTooLong(packet.keepAlive, options)) return 'keep alive';
  return will === null ? null : refusedWill(will, offer);
}

/** In 3.1 each client has an identifier, in 3.1.1 each whose session is kept. */
function mayComeWithoutId({ version, cleanStart }: ConnectPacket, { origin }: ConnectOffer): boolean {
  if (version === 3 || (version === 4 && !cleanStart)) return false;
  return origin.policy.allowZeroLengthClientid;
}

function refusedWill(will: WillMessage, { options, origin }: ConnectOffer): RefusedTerm | null {
  const { mountPoint, maxQos } = origin.policy;
  const topicName = mountPoint + will.topicName;
  if (!isTopicName(will.topicName) || !isTopicName(topicName) || Buffer.byteLength(topicName) > TOPIC_BYTES_MAX) return 'will topic';
  if (will.qos > maxQos) return 'will QoS';
  if (will.retain && !options.retainAvailable) return 'will retain';
  return options.messageSizeLimit > 0 && will.payload.length > options.messageSizeLimit ? 'will payload' : null;
}

function usernameOf({ username }: ConnectPacket, { origin }: ConnectOffer): string | null {
  return origin.identity ?? username;
}

function clientIdOf(packet: ConnectPacket, offer: ConnectOffer): string {
  const { policy } = offer.origin;
  if (policy.useUsernameAsClientid) return usernameOf(packet, offer) ?? '';
  return packet.clientId === '' ? policy.autoIdPrefix + offer.uniqueId() : packet.clientId; // [MQTT-3.1.3-6] [MQTT-3.1.3-7]
}

function isTooLong(keepAlive: number, { maxKeepalive }: BrokerOptions): boolean {
  return maxKeepalive > 0 && (keepAlive === 0 || keepAlive > maxKeepalive);
}

/** Seconds [MQTT-3.1.2-23]. */
function askedExpiry({ version, cleanStart, properties }: ConnectPacket): number {
  if (version === 5) return properties.sessionExpiryInterval ?? 0;
  return cleanStart ? 0 : NO_EXPIRY;
}

function connackProperties(packet: ConnectPacket, terms: Omit<ConnectTerms, 'connack'>, { options, origin }: ConnectOffer): Properties {
  const { keepAlive, clientId, sessionExpiryInterval } = terms;
  const properties: Properties = {};
  if (keepAlive !== packet.keepAlive) properties.serverKeepAlive = keepAlive; // [MQTT-3.2.2-21]
  if (terms.topicAliasMaximum > 0) properties.topicAliasMaximum = terms.topicAliasMaximum;
  if (clientId !== packet.clientId) properties.assignedClientIdentifier = clientId; // [MQTT-3.2.2-16]
  if (sessionExpiryInterval !== askedExpiry(packet)) properties.sessionExpiryInterval = sessionExpiryInterval;
  if (!options.retainAvailable) properties.retainAvailable = 0;
  properties.maximumPacketSize = options.maxPacketSize;
  properties.receiveMaximum = terms.receiveMaximum;
  if (origin.policy.maxQos < 2) properties.maximumQos = origin.policy.maxQos; // [MQTT-3.2.2-9]
  return properties;
}
