// The layers that a connection has between its socket and MQTT, as the options of a listener ask for them: TLS, WebSocket, trusted proxies.

import type { TLSSocket } from 'node:tls';
import { OperatorError, reasonOf } from '../base/errors.ts';
import { Networks } from '../base/networks.ts';
import type { TlsProblem } from '../base/refusal-reason.ts';
import type { ListenerOptions } from './options.ts';
import { readTls, type TlsMaterial, type TlsSource } from './tls-files.ts';
import { createTlsLayer, type TlsLayer } from './tls-layer.ts';
import { createWebSocketLayer, type WebSocketLayer } from './websocket-layer.ts';

/** LayerDeps is what layers are made of, beside the options. */
export interface LayerDeps extends TlsSource {
  /** keyLog gets the secrets of each TLS connection, a line each; null = nobody reads along. */
  readonly keyLog: ((line: Buffer) => void) | null;
  /** maxMessageBytes gives the bytes of one WebSocket message, asked when options are put in force. */
  maxMessageBytes(): number;
}

/** LayerOutcomes are told how a TLS handshake ended; `origins` are the web sites that may open a WebSocket, asked for each. */
export interface LayerOutcomes {
  secured(socket: TLSSocket, psk: string | null): void;
  failed(socket: TLSSocket, problem: TlsProblem | null): void;
  origins(): ListenerOptions['websocketsOrigins'];
}

/** Layers are what a new connection goes through. */
export interface Layers {
  readonly options: ListenerOptions;
  readonly tls: TlsLayer | null;
  readonly websockets: WebSocketLayer | null;
  readonly proxies: Networks;
}

/** readLayers reads what options need, certificates too. Throws OperatorError when a file is bad. */
export async function readLayers(options: ListenerOptions, deps: LayerDeps, outcomes: LayerOutcomes): Promise<Layers> {
  const material = options.tls === null ? null : await readTls(options.tls, deps);
  const websockets =
    options.protocol === 'websockets' ? createWebSocketLayer({ origins: outcomes.origins, maxMessageBytes: deps.maxMessageBytes() }) : null;
  const tls = material === null ? null : makeTlsLayer(options, material, deps, outcomes);
  return { options, tls, websockets, proxies: new Networks(options.trustedProxies) };
}

function makeTlsLayer(
  options: ListenerOptions,
  material: TlsMaterial,
  { keyLog }: LayerDeps,
  { secured, failed }: LayerOutcomes,
): TlsLayer {
  try {
    return createTlsLayer(options.protocol, material, { keyLog, secured, failed });
  } catch (error) {
    throw new OperatorError(`Cannot use TLS on port "${options.port}": ${reasonOf(error)}`, { cause: error });
  }
}

/** asksTheSame tells whether a connection has to bring the same under both options, whatever the certificates and files are. */
export function asksTheSame(one: ListenerOptions, other: ListenerOptions): boolean {
  return whatIsAsked(one) === whatIsAsked(other);
}

function whatIsAsked({ protocol, proxyProtocol, proxyCertificate, proxyRequiresTls, tls }: ListenerOptions): string {
  const asked = tls === null ? null : [tls.identity, tls.requireCertificate, tls.psk === null];
  return JSON.stringify([protocol, proxyProtocol, proxyCertificate, proxyRequiresTls, asked]);
}

/** keyOf gives the pre-shared key of an identity. */
export function keyOf({ tls }: Layers, identity: string): Buffer | null {
  return tls?.material.psk?.keys.get(identity) ?? null;
}
