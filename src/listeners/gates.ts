// The gates between an open port and the broker, as the options of a listener ask for them: TLS, WebSocket, the proxies to believe.

import type { TLSSocket } from 'node:tls';
import { OperatorError, reasonOf } from '../base/errors.ts';
import { Networks } from '../base/networks.ts';
import type { TlsProblem } from '../base/refusal-reason.ts';
import type { ListenerOptions } from './options.ts';
import { readTls, type TlsMaterial, type TlsSource } from './tls-files.ts';
import { createTlsGate, type TlsGate } from './tls-gate.ts';
import { createWebSocketGate, type WebSocketGate } from './websocket-gate.ts';

/** GateDeps is what gates are made of, beside the options. */
export interface GateDeps extends TlsSource {
  /** keyLog gets the secrets of each TLS connection, a line each; null = nobody reads along. */
  readonly keyLog: ((line: Buffer) => void) | null;
  /** maxMessageBytes gives the bytes of one WebSocket message, asked when options are put in force. */
  maxMessageBytes(): number;
}

/** GateOutcomes are told how a TLS handshake ended; `origins` are the web sites that may open a WebSocket, asked for each. */
export interface GateOutcomes {
  secured(socket: TLSSocket, psk: string | null): void;
  failed(socket: TLSSocket, problem: TlsProblem | null): void;
  origins(): ListenerOptions['websocketsOrigins'];
}

/** Gates are what a new connection goes through. */
export interface Gates {
  readonly options: ListenerOptions;
  readonly tls: TlsGate | null;
  readonly websockets: WebSocketGate | null;
  readonly proxies: Networks;
}

/** readGates reads what options need, certificates too. Throws OperatorError when a file is bad. */
export async function readGates(options: ListenerOptions, deps: GateDeps, outcomes: GateOutcomes): Promise<Gates> {
  const material = options.tls === null ? null : await readTls(options.tls, deps);
  const websockets =
    options.protocol === 'websockets' ? createWebSocketGate({ origins: outcomes.origins, maxMessageBytes: deps.maxMessageBytes() }) : null;
  const tls = material === null ? null : makeTlsGate(options, material, deps, outcomes);
  return { options, tls, websockets, proxies: new Networks(options.trustedProxies) };
}

function makeTlsGate(options: ListenerOptions, material: TlsMaterial, { keyLog }: GateDeps, { secured, failed }: GateOutcomes): TlsGate {
  try {
    return createTlsGate(options.protocol, material, { keyLog, secured, failed });
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
export function keyOf({ tls }: Gates, identity: string): Buffer | null {
  return tls?.material.psk?.keys.get(identity) ?? null;
}
