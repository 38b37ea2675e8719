// The HTTP side of a WebSocket listener: upgrades become streams, everything else gets a short answer.

import { createHash } from 'node:crypto';
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse, STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import type { WebSocketProblem } from '../base/refusal-reason.ts';
import { webSocketProblemWords } from '../base/refusal-sentences.ts';
import type { DirectWriter } from '../broker/transport.ts';
import { WebSocketStream, WebSocketWriter } from './websocket-stream.ts';

/** Names of the subprotocol, the newer first [MQTT-6.0.0-3]. */
const SUBPROTOCOLS = ['mqtt', 'mqttv3.1'];

/** RFC 6455 4.2.2: what is hashed together with the client's key. */
const ACCEPT_SALT = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';
/** RFC 6455 4.1: 16 bytes in Base64. */
const KEY = /^[\w+/]{22}==$/;
const VERSION = '13';

const MAX_HEADER_BYTES = 8192;

export interface WebSocketLayerOptions {
  /** ListenerOptions.websocketsOrigins of the moment. */
  readonly origins: () => readonly string[] | 'loopback';
  /** Bytes of one WebSocket message. */
  readonly maxMessageBytes: number;
}

/** WebSocketLayer takes raw (or TLS) streams that speak HTTP. */
export interface WebSocketLayer {
  /** admit serves one stream, past which `direct` writes; `open` is called with the byte stream after the upgrade and what writes past that, `refuse` with the problem when it is turned away. Both get X-Forwarded-For, if it is there. */
  admit(stream: Duplex, direct: DirectWriter | null, visitor: Visitor): void;
}

export interface Visitor {
  open(stream: Duplex, direct: DirectWriter | null, forwardedFor: string | undefined): void;
  refuse(problem: WebSocketProblem, forwardedFor?: string): void;
}

/** createWebSocketLayer makes the HTTP server (which never listens itself) and the WebSocket protocol behind it. */
export function createWebSocketLayer(options: WebSocketLayerOptions): WebSocketLayer {
  const visitors = new WeakMap<Duplex, { readonly visitor: Visitor; readonly direct: DirectWriter | null }>();
  const http = createServer({ maxHeaderSize: MAX_HEADER_BYTES, keepAlive: true }, (request, response) => {
    visitors.get(request.socket)?.visitor.refuse('web page', forwardedFor(request));
    answerPlainRequest(request, response);
  });
  http.on('clientError', (error: NodeJS.ErrnoException, socket) => {
    if (error.code?.startsWith('HPE_')) visitors.get(socket)?.visitor.refuse('no HTTP');
    refuse(socket, 400);
  });
  http.on('upgrade', (request: IncomingMessage, stream: Duplex, head: Buffer) => {
    const admitted = visitors.get(stream);
    const problem = upgradeProblem(request, options.origins());
    if (admitted === undefined) return stream.destroy();
    const { visitor, direct } = admitted;
    if (problem !== null) {
      visitor.refuse(problem, forwardedFor(request));
      return refuse(stream, problem === 'no subprotocol' ? 400 : 403, webSocketProblemWords(problem));
    }
    const malformed = malformedUpgrade(request);
    if (malformed !== null) return refuse(stream, 400, malformed, [`Sec-WebSocket-Version: ${VERSION}`]);
    stream.write(acceptance(request));
    const messages = new WebSocketStream(stream, options.maxMessageBytes);
    visitor.open(messages, direct === null ? null : new WebSocketWriter(messages, stream, direct), forwardedFor(request));
    messages.begin(head);
  });
  return {
    admit(stream, direct, visitor) {
      visitors.set(stream, { visitor, direct });
      http.emit('connection', stream);
    },
  };
}

/** Node joins repeated ones. */
function forwardedFor({ headers }: IncomingMessage): string | undefined {
  const value = headers['x-forwarded-for'];
  return Array.isArray(value) ? value.join() : value;
}

/** Why an Origin header is not welcome, or null; undefined = there is none. */
function originProblem(origin: string | undefined, allowed: ReturnType<WebSocketLayerOptions['origins']>): WebSocketProblem | null {
  if (allowed === 'loopback') return origin === undefined || isLoopbackOrigin(origin) ? null : 'foreign page';
  if (allowed.length === 0) return null;
  const isAllowed = origin !== undefined && allowed.some((each) => normalOrigin(each) === normalOrigin(origin));
  return isAllowed ? null : 'foreign origin';
}

/** RFC 6761 6.3 and RFC 1122 3.2.1.3. A name that leads to this machine is not enough: whoever owns a name can lead it here. */
function isLoopbackOrigin(origin: string): boolean {
  const host = URL.parse(origin)?.hostname ?? '';
  return host === 'localhost' || host.endsWith('.localhost') || host === '[::1]' || /^127(\.\d+){3}$/.test(host);
}

function upgradeProblem(request: IncomingMessage, allowed: ReturnType<WebSocketLayerOptions['origins']>): WebSocketProblem | null {
  const unwelcome = originProblem(request.headers.origin, allowed);
  if (unwelcome !== null) return unwelcome;
  return subprotocolOf(request.headers) === undefined ? 'no subprotocol' : null;
}

function subprotocolOf(headers: IncomingHttpHeaders): string | undefined {
  const offered = String(headers['sec-websocket-protocol'] ?? '').split(',');
  return SUBPROTOCOLS.find((name) => offered.some((one) => one.trim() === name));
}

/** What RFC 6455 4.2.1 asks for and this has not, in words; null = nothing is missing. */
function malformedUpgrade({ method, headers }: IncomingMessage): string | null {
  if (method !== 'GET' || headers.upgrade?.toLowerCase() !== 'websocket') return 'This is no upgrade to WebSocket';
  if (headers['sec-websocket-version'] !== VERSION) return `Only version ${VERSION} of WebSocket is spoken here`;
  return KEY.test(headers['sec-websocket-key'] ?? '') ? null : 'Sec-WebSocket-Key is missing or not 16 bytes in Base64';
}

/** RFC 6455 4.2.2, without extensions. */
function acceptance({ headers }: IncomingMessage): string {
  const accept = createHash('sha1').update(`${headers['sec-websocket-key']}${ACCEPT_SALT}`).digest('base64');
  return [
    'HTTP/1.1 101 Switching Protocols',
    'Upgrade: websocket',
    'Connection: Upgrade',
    `Sec-WebSocket-Accept: ${accept}`,
    `Sec-WebSocket-Protocol: ${subprotocolOf(headers)}`,
    '\r\n',
  ].join('\r\n');
}

function normalOrigin(origin: string): string {
  return origin.toLowerCase().replace(/\/$/, '');
}

/** RFC 9110 15.5.22: the client must change its protocol. */
function answerPlainRequest(_request: IncomingMessage, response: ServerResponse): void {
  response.writeHead(426, { connection: 'close', upgrade: 'websocket', 'content-type': 'text/plain; charset=utf-8' });
  response.end('This port speaks MQTT over WebSocket, subprotocol "mqtt".\n');
}

function refuse(stream: Duplex, status: number, reason = '', headers: readonly string[] = []): void {
  if (!stream.writable) {
    stream.destroy();
    return;
  }
  const body = reason === '' ? '' : `${reason}\n`;
  const head = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
    'Connection: close',
    'Content-Type: text/plain',
    `Content-Length: ${body.length}`,
    ...headers,
  ];
  stream.end(`${head.join('\r\n')}\r\n\r\n${body}`, () => stream.destroy());
}
