// The byte stream to the other broker: TCP, TLS, WebSocket and both.

import { connect as connectTcp, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { type ConnectionOptions, connect as connectTls } from 'node:tls';
import { createWebSocketStream, WebSocket } from 'ws';
import { reasonOf } from '../base/errors.ts';
import { LinkError, type LinkFault } from '../broker/client/link-error.ts';
import type { BridgeAddress, BridgeOptions } from './options.ts';

/** Milliseconds for name, TCP, TLS and WebSocket together. */
const OPEN_MS = 30_000;
/** Bytes of a read. All bridges read into one buffer, which is lent to who listens. */
const READ_SIZE = 65_536;

/** addressText writes an address as people do: `host:port`, or an URL. */
export function addressText({ scheme, host, port, path }: BridgeAddress): string {
  const place = `${host.includes(':') ? `[${host}]` : host}:${port}`;
  if (scheme === 'mqtt' || scheme === 'mqtts') return place;
  return `${scheme}://${place}${path}`;
}

export interface TransportSetup {
  readonly options: Pick<BridgeOptions, 'bindAddress' | 'tcpKeepalive'>;
  /** As for `tls.connect`; null = no TLS. */
  readonly tls: ConnectionOptions | null;
  readonly signal: AbortSignal;
}

/** openTransport connects to an address; throws LinkError. Chunks of the stream are only valid until the listener returns. */
export async function openTransport(address: BridgeAddress, setup: TransportSetup): Promise<Duplex> {
  const waiting = new AbortController();
  const timer = setTimeout(() => waiting.abort(), OPEN_MS);
  const signal = AbortSignal.any([setup.signal, waiting.signal]);
  try {
    if (address.scheme === 'ws' || address.scheme === 'wss') return await openWebSocket(address, setup, signal);
    const socket = await openTcp(address, setup, signal, setup.tls === null);
    return setup.tls === null ? socket : await openTls(socket, address, setup.tls, signal);
  } catch (error) {
    if (waiting.signal.aborted) throw new LinkError('network', `nobody answers at ${addressText(address)}`);
    throw error;
  } finally {
    clearTimeout(timer);
  }
}

function openTcp(address: BridgeAddress, { options }: TransportSetup, signal: AbortSignal, isRead: boolean): Promise<Socket> {
  const { host, port } = address;
  const socket: Socket = connectTcp({
    host,
    port,
    noDelay: true,
    ...(options.bindAddress === null ? {} : { localAddress: options.bindAddress }),
    ...(options.tcpKeepalive === null ? {} : { keepAlive: true, keepAliveInitialDelay: options.tcpKeepalive.idle * 1000 }),
    ...(isRead ? { onread: { buffer: sharedBuffer(), callback: (length: number, bytes: Uint8Array) => hand(socket, bytes, length) } } : {}),
  });
  return opened(socket, 'connect', signal, (error) => networkError(error, address));
}

let shared: Buffer | null = null;

function sharedBuffer(): Buffer {
  shared ??= Buffer.allocUnsafeSlow(READ_SIZE);
  return shared;
}

function hand(socket: Socket, bytes: Uint8Array, length: number): boolean {
  socket.emit('data', (bytes as Buffer).subarray(0, length)); // it is sharedBuffer()
  return true;
}

function openTls(socket: Socket, address: BridgeAddress, tls: ConnectionOptions, signal: AbortSignal): Promise<Duplex> {
  const secure = connectTls({ ...tls, socket });
  return opened(secure, 'secureConnect', signal, (error) => tlsError(error, address));
}

async function openWebSocket(address: BridgeAddress, setup: TransportSetup, signal: AbortSignal): Promise<Duplex> {
  const tcp = await openTcp(address, setup, signal, false);
  const wire = setup.tls === null ? tcp : await openTls(tcp, address, setup.tls, signal);
  const url = `ws://${addressText({ ...address, scheme: 'mqtt' })}${address.path || '/'}`; // TLS is there already
  const socket = new WebSocket(url, 'mqtt', { createConnection: () => wire as Socket, perMessageDeflate: false });
  const stream = createWebSocketStream(socket);
  const failed = (error: unknown) =>
    new LinkError('websocket', `${addressText(address)} does not open a WebSocket for MQTT: ${reasonOf(error)}`);
  await new Promise<void>((resolve, reject) => {
    signal.addEventListener('abort', () => reject(new LinkError('closed', 'it is given up')), { once: true });
    stream.once('error', (error) => reject(failed(error)));
    socket.once('open', resolve);
    socket.once('error', (error) => reject(failed(error)));
    socket.once('close', () => reject(failed(new Error('it is closed'))));
  });
  return stream;
}

/** Waits for an event of a stream, which is destroyed when it does not come. */
function opened<T extends Duplex>(stream: T, event: string, signal: AbortSignal, explain: (error: Error) => LinkError): Promise<T> {
  return new Promise((resolve, reject) => {
    const give = (error: Error) => {
      cleanUp();
      stream.on('error', () => {}); // one may follow
      stream.destroy();
      reject(explain(error));
    };
    const closed = () => give(new Error('the connection is closed'));
    const aborted = () => give(new Error('it is given up'));
    const cleanUp = () => {
      stream.off('error', give).off('close', closed).off(event, done);
      signal.removeEventListener('abort', aborted);
    };
    const done = () => {
      cleanUp();
      resolve(stream);
    };
    stream.on('error', give).on('close', closed).on(event, done);
    if (signal.aborted) aborted();
    else signal.addEventListener('abort', aborted);
  });
}

/** nameError gives the error of a name that has no address, or none now; null = the code (getaddrinfo(3)) is of something else. */
export function nameError(host: string, code: string | undefined): LinkError | null {
  if (code === 'ENOTFOUND') return new LinkError('name', `the name "${host}" is not known`);
  if (code === 'EAI_AGAIN') return new LinkError('name', `the name "${host}" cannot be looked up now`);
  return null;
}

function networkError(error: Error, address: BridgeAddress): LinkError {
  const { code } = firstOf(error);
  const where = addressText(address);
  const ofName = nameError(address.host, code);
  if (ofName !== null) return ofName;
  if (code === 'ECONNREFUSED') return new LinkError('network', `no broker listens at ${where}`);
  if (code === 'ETIMEDOUT') return new LinkError('network', `nobody answers at ${where}`);
  if (code === 'EHOSTUNREACH' || code === 'ENETUNREACH') return new LinkError('network', `there is no way to ${where}`);
  return new LinkError('network', `cannot connect to ${where}: ${firstOf(error).message}`);
}

/** Node tries every address of a name, and gives the errors of all. */
function firstOf(error: Error): NodeJS.ErrnoException {
  return error instanceof AggregateError ? (error.errors[0] as NodeJS.ErrnoException) : error;
}

function tlsError(error: NodeJS.ErrnoException, address: BridgeAddress): LinkError {
  return new LinkError('tls' satisfies LinkFault, `TLS to ${addressText(address)} fails: ${tlsWords(error)}`);
}

function tlsWords({ code, message }: NodeJS.ErrnoException): string {
  switch (code) {
    case 'UNABLE_TO_VERIFY_LEAF_SIGNATURE':
    case 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY':
    case 'SELF_SIGNED_CERT_IN_CHAIN':
    case 'DEPTH_ZERO_SELF_SIGNED_CERT':
      return 'its certificate is not of an authority that this bridge trusts (bridge_cafile)';
    case 'CERT_HAS_EXPIRED':
      return 'its certificate has expired, or the clock of this machine is wrong';
    case 'CERT_NOT_YET_VALID':
      return 'its certificate is not valid yet, or the clock of this machine is wrong';
    case 'ERR_TLS_CERT_ALTNAME_INVALID':
      return 'its certificate is for another name';
    case 'ECONNRESET':
      return 'it ends the handshake: it may not speak TLS there, or does not accept our certificate';
    default:
      return message;
  }
}
