// Reason codes of MQTT 5 2.4, the return codes of 3.1.1 that stand for them, and the error that carries one.

/** REASON holds the codes that a server sends or understands. */
export const REASON = {
  SUCCESS: 0x00,
  GRANTED_QOS_1: 0x01,
  GRANTED_QOS_2: 0x02,
  DISCONNECT_WITH_WILL: 0x04,
  NO_MATCHING_SUBSCRIBERS: 0x10,
  NO_SUBSCRIPTION_EXISTED: 0x11,
  CONTINUE_AUTHENTICATION: 0x18,
  RE_AUTHENTICATE: 0x19,
  UNSPECIFIED_ERROR: 0x80,
  MALFORMED_PACKET: 0x81,
  PROTOCOL_ERROR: 0x82,
  IMPLEMENTATION_SPECIFIC_ERROR: 0x83,
  UNSUPPORTED_PROTOCOL_VERSION: 0x84,
  CLIENT_IDENTIFIER_NOT_VALID: 0x85,
  BAD_USER_NAME_OR_PASSWORD: 0x86,
  NOT_AUTHORIZED: 0x87,
  SERVER_UNAVAILABLE: 0x88,
  SERVER_BUSY: 0x89,
  BANNED: 0x8a,
  SERVER_SHUTTING_DOWN: 0x8b,
  BAD_AUTHENTICATION_METHOD: 0x8c,
  KEEP_ALIVE_TIMEOUT: 0x8d,
  SESSION_TAKEN_OVER: 0x8e,
  TOPIC_FILTER_INVALID: 0x8f,
  TOPIC_NAME_INVALID: 0x90,
  PACKET_IDENTIFIER_IN_USE: 0x91,
  PACKET_IDENTIFIER_NOT_FOUND: 0x92,
  RECEIVE_MAXIMUM_EXCEEDED: 0x93,
  TOPIC_ALIAS_INVALID: 0x94,
  PACKET_TOO_LARGE: 0x95,
  MESSAGE_RATE_TOO_HIGH: 0x96,
  QUOTA_EXCEEDED: 0x97,
  ADMINISTRATIVE_ACTION: 0x98,
  PAYLOAD_FORMAT_INVALID: 0x99,
  RETAIN_NOT_SUPPORTED: 0x9a,
  QOS_NOT_SUPPORTED: 0x9b,
  USE_ANOTHER_SERVER: 0x9c,
  SERVER_MOVED: 0x9d,
  SHARED_SUBSCRIPTIONS_NOT_SUPPORTED: 0x9e,
  CONNECTION_RATE_EXCEEDED: 0x9f,
  MAXIMUM_CONNECT_TIME: 0xa0,
  SUBSCRIPTION_IDENTIFIERS_NOT_SUPPORTED: 0xa1,
  WILDCARD_SUBSCRIPTIONS_NOT_SUPPORTED: 0xa2,
} as const;

export type ReasonCode = (typeof REASON)[keyof typeof REASON];

/** CONNECT_RETURN_CODE are the CONNACK return codes of 3.1.1 3.2.2.3. */
export const CONNECT_RETURN_CODE = {
  ACCEPTED: 0,
  UNACCEPTABLE_PROTOCOL_VERSION: 1,
  IDENTIFIER_REJECTED: 2,
  SERVER_UNAVAILABLE: 3,
  BAD_USER_NAME_OR_PASSWORD: 4,
  NOT_AUTHORIZED: 5,
} as const;

/** connectReturnCode gives the 3.1.1 return code that says what a v5 reason code of CONNACK says, or null: then only closing is right. */
export function connectReturnCode(reason: ReasonCode): number | null {
  switch (reason) {
    case REASON.SUCCESS:
      return CONNECT_RETURN_CODE.ACCEPTED;
    case REASON.UNSUPPORTED_PROTOCOL_VERSION:
      return CONNECT_RETURN_CODE.UNACCEPTABLE_PROTOCOL_VERSION;
    case REASON.CLIENT_IDENTIFIER_NOT_VALID:
      return CONNECT_RETURN_CODE.IDENTIFIER_REJECTED;
    case REASON.SERVER_UNAVAILABLE:
    case REASON.SERVER_BUSY:
    case REASON.QUOTA_EXCEEDED:
    case REASON.CONNECTION_RATE_EXCEEDED:
      return CONNECT_RETURN_CODE.SERVER_UNAVAILABLE;
    case REASON.BAD_USER_NAME_OR_PASSWORD:
      return CONNECT_RETURN_CODE.BAD_USER_NAME_OR_PASSWORD;
    case REASON.NOT_AUTHORIZED:
    case REASON.BANNED:
    case REASON.PACKET_TOO_LARGE: // as mosquitto
      return CONNECT_RETURN_CODE.NOT_AUTHORIZED;
    default:
      return null;
  }
}

/** reasonOfReturnCode gives the v5 reason code that says what a CONNACK return code of 3.1.1 says. */
export function reasonOfReturnCode(returnCode: number): ReasonCode {
  switch (returnCode) {
    case CONNECT_RETURN_CODE.ACCEPTED:
      return REASON.SUCCESS;
    case CONNECT_RETURN_CODE.UNACCEPTABLE_PROTOCOL_VERSION:
      return REASON.UNSUPPORTED_PROTOCOL_VERSION;
    case CONNECT_RETURN_CODE.IDENTIFIER_REJECTED:
      return REASON.CLIENT_IDENTIFIER_NOT_VALID;
    case CONNECT_RETURN_CODE.SERVER_UNAVAILABLE:
      return REASON.SERVER_UNAVAILABLE;
    case CONNECT_RETURN_CODE.BAD_USER_NAME_OR_PASSWORD:
      return REASON.BAD_USER_NAME_OR_PASSWORD;
    case CONNECT_RETURN_CODE.NOT_AUTHORIZED:
      return REASON.NOT_AUTHORIZED;
    default:
      return REASON.UNSPECIFIED_ERROR;
  }
}

/** MalformedPacket is thrown by the grammar for bytes that no client may send; `reasonCode` says which rule was broken (MQTT 5 4.13). */
export class MalformedPacket extends Error {
  override readonly name = 'MalformedPacket';
  readonly reasonCode: ReasonCode;

  constructor(message: string, reasonCode: ReasonCode = REASON.MALFORMED_PACKET) {
    super(message);
    this.reasonCode = reasonCode;
  }
}

/** protocolError makes the error for a packet that can be parsed but is not allowed (MQTT 5 1.2, "Protocol Error"). */
export function protocolError(message: string): MalformedPacket {
  return new MalformedPacket(message, REASON.PROTOCOL_ERROR);
}
