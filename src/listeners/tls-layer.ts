// The TLS side of a listener: raw sockets in, verified streams out. Certificates can change while connections live.

import { constants, type X509Certificate } from 'node:crypto';
import type { Socket } from 'node:net';
import { createServer, type Server, type TLSSocket } from 'node:tls';
import type { PlainTlsProblem, TlsProblem } from '../base/refusal-reason.ts';
import { chainProblem, unverifiedProblem } from './client-certificate.ts';
import type { ListenerOptions } from './options.ts';
import type { PskKeys } from './psk-file.ts';
import type { TlsMaterial } from './tls-files.ts';

/** SSL_OP_NO_TICKET of OpenSSL: no session is resumed, so each handshake brings the whole chain. */
const NO_RESUMPTION = constants.SSL_OP_NO_TICKET;

/** A handshake is cut after this time; a small microcontroller may need 10 s for its key exchange. */
const HANDSHAKE_TIMEOUT_MS = 20_000;

export interface TlsLayerEvents {
  /** keyLog gets the secrets of each connection, a line each; null = nobody reads along. */
  readonly keyLog: ((line: Buffer) => void) | null;
  /** secured gets the identity of the pre-shared key by which a client came in, or null. */
  readonly secured: (socket: TLSSocket, psk: string | null) => void;
  /** failed gets the reason; null = the client went before it had said anything. */
  readonly failed: (socket: TLSSocket, problem: TlsProblem | null) => void;
}

/** TlsLayer does the handshakes of one listener. */
export interface TlsLayer {
  readonly material: TlsMaterial;
  admit(socket: Socket): void;
}

/** createTlsLayer makes the TLS server, which never listens itself. Throws what OpenSSL has against the certificate or the ciphers. */
export function createTlsLayer(protocol: ListenerOptions['protocol'], material: TlsMaterial, events: TlsLayerEvents): TlsLayer {
  const { context, clients, psk } = material;
  const identities = new WeakMap<TLSSocket, string>();
  const leavesDates = clients !== null && !clients.checksDates;
  const server = createServer({
    ...context,
    requestCert: clients !== null,
    rejectUnauthorized: clients !== null && !leavesDates,
    ...(leavesDates || psk !== null ? { secureOptions: NO_RESUMPTION } : {}),
    ...(psk === null
      ? {}
      : { pskIdentityHint: psk.hint, pskCallback: (socket: TLSSocket, identity: string) => pskOf(socket, identity, psk.keys) }),
    handshakeTimeout: HANDSHAKE_TIMEOUT_MS,
    ALPNCallback: ({ protocols }) => chooseProtocol(protocols, protocol),
  });
  for (const name of material.named?.names ?? [])
    server.addContext(name, { ...context, cert: material.named!.cert, key: material.named!.key });
  const { keyLog } = events;
  if (keyLog !== null) server.on('keylog', (line: Buffer) => keyLog(line));
  const shown = clients === null || leavesDates ? new WeakMap<TLSSocket, X509Certificate>() : shownCertificates(server);
  server.on('secureConnection', (socket: TLSSocket) => {
    const problem = clients === null ? null : chainProblem(socket, clients);
    if (problem === null) events.secured(socket, identities.get(socket) ?? null);
    else events.failed(socket, problem);
  });
  server.on('tlsClientError', (error, socket) => {
    const identity = identities.get(socket);
    events.failed(socket, identity === undefined || psk === null ? failureReason(error, socket, shown) : pskFailure(identity, psk.keys));
  });
  const pskOf = (socket: TLSSocket, identity: string, keys: PskKeys): Buffer | null => {
    identities.set(socket, identity);
    return keys.get(identity) ?? null;
  };
  return {
    material,
    admit: (socket) => server.emit('connection', socket),
  };
}

/**
 * shownCertificates remembers what clients show: when Node tells that a certificate was not accepted, it has forgotten which. Of all events
 * before that only 'keylog' brings the socket; its line, which is secret, is not looked at. Not for chains that
 * are verified here: asking Node for a certificate takes the next one out of its chain.
 */
function shownCertificates(server: Server): WeakMap<TLSSocket, X509Certificate> {
  const shown = new WeakMap<TLSSocket, X509Certificate>();
  const note = function (this: TLSSocket): void {
    const certificate = this.getPeerX509Certificate();
    if (certificate !== undefined) shown.set(this, certificate);
  };
  server.on('keylog', (_secret, socket: TLSSocket) => {
    if (!socket.listeners('secure').includes(note)) socket.prependListener('secure', note); // Node's own listener cuts the connection
  });
  return shown;
}

/** ALPN: a web browser must not be led to speak HTTP to MQTT, nor HTTP/2 to a WebSocket listener; any other name is a client's own word for MQTT. */
function chooseProtocol(offered: readonly string[], protocol: ListenerOptions['protocol']): string | undefined {
  if (protocol !== 'mqtt') return offered.find((name) => name === 'http/1.1');
  return offered.find((name) => name === 'mqtt') ?? offered.find((name) => !/^(h\d|http\/)/.test(name));
}

/** OpenSSL has another word for a wrong key in each version: it cannot know why nothing fits. */
function pskFailure(identity: string, keys: PskKeys): TlsProblem {
  return keys.has(identity) ? 'wrong pre-shared key' : 'unknown identity';
}

/** The bytes of a handshake are counted by the socket below; Node gives no public way down. */
function failureReason(
  error: NodeJS.ErrnoException,
  socket: TLSSocket & { _parent?: Socket },
  shown: WeakMap<TLSSocket, X509Certificate>,
): TlsProblem | null {
  const hasLeft = error.code === 'ECONNRESET' || error.code === 'EPIPE';
  if (hasLeft && socket._parent?.bytesRead === 0) return null;
  const unverified: unknown = socket.authorizationError; // a code such as 'CERT_HAS_EXPIRED', whatever the types say
  if (unverified) return unverifiedProblem(String(unverified), shown.get(socket));
  if (hasLeft && socket._parent !== undefined && socket._parent.bytesWritten > 0) return 'left'; // many clients send no alert
  const code = error.code ?? '';
  const known = FAILURES.find(([pattern]) => pattern.test(code));
  return known?.[1] ?? { what: 'other', detail: code === '' ? error.message : wordsOf(code) };
}

function wordsOf(code: string): string {
  return code
    .replace(/^ERR_(SSL_)?/, '')
    .toLowerCase()
    .replaceAll('_', ' ');
}

/** What Node calls a handshake that failed, and what a person should think of. */
const FAILURES: readonly (readonly [RegExp, PlainTlsProblem])[] = [
  [/^(ECONNRESET|EPIPE)$/, 'closed'],
  [/HANDSHAKE_TIMEOUT/, 'timeout'],
  [/HTTP_REQUEST/, 'plain HTTP'],
  [/WRONG_VERSION_NUMBER|PACKET_LENGTH_TOO_LONG|RECORD_TOO_(LONG|SMALL)/, 'no TLS'],
  [/UNSUPPORTED_PROTOCOL/, 'no common version'],
  [/NO_SHARED_CIPHER/, 'no common cipher'],
  [/NO_APPLICATION_PROTOCOL/, 'no common protocol'],
  [/PEER_DID_NOT_RETURN_A_CERTIFICATE/, 'no client certificate'],
  [/ALERT_(UNKNOWN_CA|BAD_CERTIFICATE|CERTIFICATE_UNKNOWN)/, 'server untrusted'],
  [/ALERT_INTERNAL_ERROR/, 'server name'], // mosquitto's clients send this alert when they do not find the name
  [/ALERT_CERTIFICATE_EXPIRED/, 'server expired'],
  [/ALERT_(PROTOCOL_VERSION|HANDSHAKE_FAILURE)/, 'nothing in common'],
];
