// How a run of pub, sub or rr ends: mosquitto's sentences and exit statuses.

import { getSystemErrorMessage } from 'node:util';
import type { ClientName } from './settings.ts';

/** Ending is the last word of a run: lines for stderr (none with --quiet) and the exit status. */
export interface Ending {
  readonly lines: readonly string[];
  readonly status: number;
  /** The broker is told to send the will (MQTT 5): mosquitto_sub and mosquitto_rr leave so when time or a signal ends them. */
  readonly withWill?: boolean;
  /** What may help, for people; mosquitto's programs do not say it. */
  readonly advice?: string;
}

/** Numbers of libmosquitto's mosq_err_t. */
export const STATUS = { OK: 0, FAILED: 1, NOT_CONNECTED: 4, LOST: 7, TLS: 8, ERRNO: 14, LOOKUP: 15, KEEPALIVE: 19, TIMED_OUT: 27 } as const;

export const DONE: Ending = { lines: [], status: STATUS.OK };

/** INTERRUPTED: sub was told to stop. */
export const INTERRUPTED: Ending = { lines: [], status: STATUS.OK, withWill: true };

/** NEVER_CONNECTED: sub was told to stop before the broker has answered. */
export const NEVER_CONNECTED: Ending = { lines: [], status: 255 };

/** TIMED_OUT: the time of -W is over. */
export const TIMED_OUT: Ending = { lines: ['Timed out'], status: STATUS.TIMED_OUT, withWill: true };

export const LOST: Ending = { lines: ['Error: The connection was lost.'], status: STATUS.LOST };

/** NEVER_ANSWERED: the broker has closed a connection without TLS and without a CONNACK. */
export const NEVER_ANSWERED: Ending = {
  ...LOST,
  advice: 'the broker closed the connection without an answer: if this port speaks TLS, name the authority to trust by --cafile FILE',
};

/** refusal is the ending after a CONNACK that says no; its status is the code. pub says more than the others. */
export function refusal(name: ClientName, version: 3 | 4 | 5, code: number): Ending {
  if (version < 5) {
    const lines = [`Connection error: Connection Refused: ${RETURN_CODES[code] ?? 'unknown reason.'}`];
    return { lines: name === 'pub' ? [...lines, 'Error: The connection was refused.'] : lines, status: code };
  }
  const reason = code === 1 ? 0x84 : code; // an old broker answers with the return code of 3.1.1
  const advice = reason === 0x84 ? '. Try connecting to an MQTT v5 broker, or use MQTT v3.x mode.' : '';
  const lines = [`Connection error: ${reasonText(reason)}${advice}`];
  const second = 'Error: A network protocol error occurred when communicating with the broker.';
  return { lines: name === 'pub' ? [...lines, second] : lines, status: reason };
}

/** unreachable is the ending when there is no connection at all. `handshaking` = TCP stands, TLS does not. mosquitto_ctrl has statuses of its own. */
export function unreachable(name: ClientName, error: Error & { code?: unknown; errno?: unknown }, handshaking: boolean): Ending {
  const code = String(error.code ?? '');
  const [reason] = error.message.split(';'); // behind it stands advice for people who write programs
  if (handshaking) return { lines: [`Error: A TLS error occurred (${reason}).`], status: STATUS.TLS, advice: tlsAdvice(code) };
  const isCtrl = name === 'ctrl';
  if (code === 'ENOTFOUND' || code.startsWith('EAI_'))
    return { lines: ['Unable to connect (Lookup error.).'], status: isCtrl ? STATUS.LOOKUP : STATUS.FAILED };
  return { lines: [`Error: ${systemText(error)}`], status: isCtrl ? STATUS.ERRNO : STATUS.FAILED };
}

/** Codes of X509_verify_cert(3) as Node words them. */
const UNTRUSTED =
  /^(SELF_SIGNED_CERT_IN_CHAIN|DEPTH_ZERO_SELF_SIGNED_CERT|UNABLE_TO_GET_ISSUER_CERT(_LOCALLY)?|UNABLE_TO_VERIFY_LEAF_SIGNATURE)$/;

function tlsAdvice(code: string): string {
  if (UNTRUSTED.test(code))
    return "the authority of the broker's certificate is not trusted here: name it by --cafile FILE (midge cert export-ca prints that of a midge)";
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') return 'connect by one of the names in the certificate (-h NAME)';
  if (code === 'CERT_HAS_EXPIRED' || code === 'CERT_NOT_YET_VALID') return "compare the broker's clock with this machine's";
  return 'perhaps this port does not speak TLS: try it without --cafile and the like';
}

/** reasonText is mosquitto_reason_string. */
export function reasonText(reason: number): string {
  return REASONS[reason - 0x80] ?? 'Unknown reason';
}

const RETURN_CODES: Readonly<Record<number, string>> = {
  1: 'unacceptable protocol version.',
  2: 'identifier rejected.',
  3: 'broker unavailable.',
  4: 'bad user name or password.',
  5: 'not authorised.',
};

/** REASONS from 0x80 on, MQTT 5 2.4. */
const REASONS: readonly string[] = [
  'Unspecified error',
  'Malformed Packet',
  'Protocol Error',
  'Implementation specific error',
  'Unsupported Protocol Version',
  'Client Identifier not valid',
  'Bad User Name or Password',
  'Not authorized',
  'Server unavailable',
  'Server busy',
  'Banned',
  'Server shutting down',
  'Bad authentication method',
  'Keep Alive timeout',
  'Session taken over',
  'Topic Filter invalid',
  'Topic Name invalid',
  'Packet Identifier in use',
  'Packet Identifier not found',
  'Receive Maximum exceeded',
  'Topic Alias invalid',
  'Packet too large',
  'Message rate too high',
  'Quota exceeded',
  'Administrative action',
  'Payload format invalid',
  'Retain not supported',
  'QoS not supported',
  'Use another server',
  'Server moved',
  'Shared Subscriptions not supported',
  'Connection rate exceeded',
  'Maximum connect time',
  'Subscription identifiers not supported',
  'Wildcard Subscriptions not supported',
];

/** SYSTEM_TEXTS are strerror(3)'s where libuv words it differently by more than the first letter. */
const SYSTEM_TEXTS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'Connection refused',
  ECONNRESET: 'Connection reset by peer',
  EHOSTUNREACH: 'No route to host',
  ENETUNREACH: 'Network is unreachable',
  ENOENT: 'No such file or directory',
  ETIMEDOUT: 'Connection timed out',
  EACCES: 'Permission denied',
  EADDRNOTAVAIL: 'Cannot assign requested address',
  EINVAL: 'Invalid argument',
};

/** systemText is strerror(3) of a failed system call. */
export function systemText(cause: unknown): string {
  const error = cause as Error & { code?: unknown; errno?: unknown }; // Node's system errors; of any other the message is told
  const known = SYSTEM_TEXTS[String(error.code ?? '')];
  if (known !== undefined) return known;
  const text = typeof error.errno === 'number' && error.errno < 0 ? getSystemErrorMessage(error.errno) : error.message;
  return text.charAt(0).toUpperCase() + text.slice(1);
}
