// Why a connection ended, in the words of mosquitto's log (2.1): "Client ID [ADDR:PORT] disconnected: WORDS."

import { REASON, type ReasonCode } from '../../mqtt/reason-codes.ts';

const WORDS = new Map<ReasonCode, string>([
  [REASON.MALFORMED_PACKET, 'malformed packet'],
  [REASON.PROTOCOL_ERROR, 'protocol error'],
  [REASON.IMPLEMENTATION_SPECIFIC_ERROR, 'implementation specific error'],
  [REASON.UNSUPPORTED_PROTOCOL_VERSION, 'unsupported protocol version'],
  [REASON.CLIENT_IDENTIFIER_NOT_VALID, 'client identifier not valid'],
  [REASON.BAD_USER_NAME_OR_PASSWORD, 'bad username or password'],
  [REASON.NOT_AUTHORIZED, 'not authorised'],
  [REASON.SERVER_UNAVAILABLE, 'server unavailable'],
  [REASON.SERVER_BUSY, 'server busy'],
  [REASON.BANNED, 'client banned'],
  [REASON.SERVER_SHUTTING_DOWN, 'server shutting down'],
  [REASON.BAD_AUTHENTICATION_METHOD, 'bad authentication method'],
  [REASON.KEEP_ALIVE_TIMEOUT, 'exceeded timeout'],
  [REASON.SESSION_TAKEN_OVER, 'session taken over'],
  [REASON.TOPIC_FILTER_INVALID, 'topic filter invalid'],
  [REASON.TOPIC_NAME_INVALID, 'topic name invalid'],
  [REASON.RECEIVE_MAXIMUM_EXCEEDED, 'receive maximum exceeded'],
  [REASON.TOPIC_ALIAS_INVALID, 'topic alias invalid'],
  [REASON.PACKET_TOO_LARGE, 'oversize packet'],
  [REASON.QUOTA_EXCEEDED, 'quota exceeded'],
  [REASON.ADMINISTRATIVE_ACTION, 'administrative action'],
  [REASON.RETAIN_NOT_SUPPORTED, 'used disallowed feature (retain)'],
  [REASON.QOS_NOT_SUPPORTED, 'used disallowed feature (QoS)'],
  [REASON.SHARED_SUBSCRIPTIONS_NOT_SUPPORTED, 'used disallowed feature (shared subscriptions)'],
  [REASON.CONNECTION_RATE_EXCEEDED, 'connection rate exceeded'],
]);

/** reasonInWords gives mosquitto's words for a reason code. */
export function reasonInWords(reason: ReasonCode): string {
  return WORDS.get(reason) ?? `reason code 0x${reason.toString(16)}`;
}
