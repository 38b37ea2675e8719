// Why a bridge is not connected: sorted for programs, in words for people.

import type { DisconnectPacket } from '../../mqtt/packets.ts';
import { REASON, type ReasonCode } from '../../mqtt/reason-codes.ts';
import type { ConnackPacket } from '../../mqtt/server-packets.ts';
import { reasonInWords } from '../connection/disconnect-words.ts';

/** LinkFault sorts what ends a connection, or keeps it from being made. */
export type LinkFault =
  | 'name' // the address cannot be found
  | 'network' // nobody answers there, or the way is cut
  | 'tls'
  | 'websocket'
  | 'version' // it does not speak this version of MQTT
  | 'credentials'
  | 'client id'
  | 'refused' // any other answer of CONNACK or DISCONNECT
  | 'moved'
  | 'taken over' // another client has come with the same client id
  | 'silent' // it does not answer in time
  | 'closed' // without a word
  | 'protocol' // it says what may not be said
  | 'local'; // our own broker has ended it

/** LinkError is a failure of the connection to the other broker. Its message is a whole clause for people: `the other broker does not answer`. */
export class LinkError extends Error {
  override readonly name = 'LinkError';
  readonly fault: LinkFault;
  /** As in CONNACK or DISCONNECT; null = it came without one. */
  readonly reasonCode: number | null;
  /** It came in answer to CONNECT, or instead of an answer. */
  atConnect = false;

  constructor(fault: LinkFault, message: string, reasonCode: number | null = null) {
    super(message);
    this.fault = fault;
    this.reasonCode = reasonCode;
  }
}

/** refusedConnect gives the error of a CONNACK that is none of success. */
export function refusedConnect({ reasonCode, properties }: ConnackPacket): LinkError {
  const words = `the other broker refuses the connection: ${inWords(reasonCode)}`;
  const more = properties.reasonString === undefined ? '' : ` ("${properties.reasonString}")`;
  return new LinkError(faultOf(reasonCode), words + more + reference(properties.serverReference), reasonCode);
}

/** disconnected gives the error of a server's DISCONNECT. */
export function disconnected({ reasonCode, properties }: DisconnectPacket): LinkError {
  if (reasonCode === REASON.SESSION_TAKEN_OVER)
    return new LinkError('taken over', 'another device uses the same client id at the other broker', reasonCode);
  const words =
    reasonCode === REASON.SUCCESS ? 'the other broker ends the connection' : `the other broker ends the connection: ${inWords(reasonCode)}`;
  const more = properties.reasonString === undefined ? '' : ` ("${properties.reasonString}")`;
  return new LinkError(faultOf(reasonCode), words + more + reference(properties.serverReference), reasonCode);
}

function faultOf(reasonCode: number): LinkFault {
  switch (reasonCode) {
    case REASON.UNSUPPORTED_PROTOCOL_VERSION:
      return 'version';
    case REASON.BAD_USER_NAME_OR_PASSWORD:
    case REASON.NOT_AUTHORIZED:
    case REASON.BANNED:
    case REASON.BAD_AUTHENTICATION_METHOD:
      return 'credentials';
    case REASON.CLIENT_IDENTIFIER_NOT_VALID:
      return 'client id';
    case REASON.USE_ANOTHER_SERVER:
    case REASON.SERVER_MOVED:
      return 'moved';
    default:
      return 'refused';
  }
}

function inWords(reasonCode: number): string {
  if (reasonCode === REASON.USE_ANOTHER_SERVER) return 'use another server for now';
  if (reasonCode === REASON.SERVER_MOVED) return 'the server has moved';
  if (reasonCode === REASON.UNSPECIFIED_ERROR) return 'without a reason';
  return reasonInWords(reasonCode as ReasonCode); // other numbers have words too
}

function reference(server: string | undefined): string {
  return server === undefined ? '' : `; it names ${server} instead`;
}
