// Door of the listeners: a socket in, a stream and its origin for the broker out.
//
//   open socket -> max_connections -> [ TLS handshake ] -> [ WebSocket upgrade ] -> handle(stream, origin)

import type { Server, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { TLSSocket } from 'node:tls';
import { OperatorError } from '../base/errors.ts';
import type { Part } from '../base/lifecycle.ts';
import type { Logger } from '../base/logger.ts';
import type { ConnectionOrigin, ListenerPolicy } from '../broker/options.ts';
import type { Diagnostics, RefusalCause, RemoteEnd } from '../broker/ports.ts';
import { type BindTarget, bindTargets } from './bind-targets.ts';
import { certificateIdentity } from './certificate-identity.ts';
import { isAddressMissing, openPort, openUnixSocket } from './open-socket.ts';
import type { ListenerOptions, TlsOptions } from './options.ts';
import { PendingConnections } from './pending-connections.ts';
import type { CertificatePair } from './tls-files.ts';
import { createTlsGate, type TlsGate } from './tls-gate.ts';
import { createWebSocketGate, type WebSocketGate } from './websocket-gate.ts';

export { isAddressMissing } from './open-socket.ts';

/** How often a system-chosen port is tried when the other address family has it taken. */
const PORT_TRIES = 5;

export interface ListenerDeps {
  /** handle takes over a stream that speaks MQTT. Called before its first byte is read. */
  handle(stream: Duplex, origin: ConnectionOrigin): void;
  readonly log: Logger;
  /** Null = nobody asks later why a connection was refused. */
  readonly diagnostics: Diagnostics | null;
  /** applianceCertificate gives the certificate of our own authority; asked only where `tls.certificate` is 'appliance'. */
  applianceCertificate(): CertificatePair;
  /** Bytes of one WebSocket message. */
  readonly maxMessageBytes: number;
}

/** Listener is one `listener` of the configuration. */
export interface Listener extends Part {
  readonly options: ListenerOptions;
  /** port is the open TCP port, also when the system chose it; 0 for a Unix socket or before `start`. */
  readonly port: number;
  /** addresses are those bound, as text; the path for a Unix socket. */
  readonly addresses: readonly string[];
  /** connections counts those open now. */
  readonly connections: number;
  /** replaceCertificate reads certificate files again, without touching connections; throws OperatorError and keeps the old ones when they are bad. */
  replaceCertificate(): void;
  /** setPolicy replaces what the engine obeys for connections from now on. */
  setPolicy(policy: ListenerPolicy): void;
  /** close stops listening and drops unfinished handshakes; connections handed over live on until `stop`. */
  close(): void;
}

/** createListener makes a listener that opens at `start`, which throws OperatorError naming port and reason when it can't. */
export function createListener(options: ListenerOptions, deps: ListenerDeps): Listener {
  return new OpenListener(options, deps);
}

class OpenListener implements Listener {
  readonly name: string;
  readonly options: ListenerOptions;
  readonly #deps: ListenerDeps;
  readonly #sockets = new Set<Socket>();
  readonly #pending = new PendingConnections();
  readonly #websockets: WebSocketGate | null;
  #tls: TlsGate | null = null;
  #servers: Server[] = [];
  #addresses: string[] = [];
  #policy: ListenerPolicy;
  #port = 0;

  constructor(options: ListenerOptions, deps: ListenerDeps) {
    this.name = options.unixPath === null ? `listener ${options.port}` : `listener ${options.unixPath}`;
    this.options = options;
    this.#deps = deps;
    this.#policy = options.policy;
    this.#websockets =
      options.protocol === 'websockets'
        ? createWebSocketGate({ origins: options.websocketsOrigins, maxMessageBytes: deps.maxMessageBytes })
        : null;
  }

  get port(): number {
    return this.#port;
  }

  get addresses(): readonly string[] {
    return this.#addresses;
  }

  get connections(): number {
    return this.#sockets.size;
  }

  async start(): Promise<void> {
    if (hasTls(this.options)) this.#tls = this.#makeTlsGate(this.options);
    if (this.options.unixPath !== null) await this.#openPath(this.options.unixPath);
    else await this.#openPorts(await bindTargets(this.options));
  }

  replaceCertificate(): void {
    this.#tls?.renew();
  }

  setPolicy(policy: ListenerPolicy): void {
    this.#policy = { ...policy, port: this.#port };
  }

  close(): void {
    for (const server of this.#servers) server.close();
    this.#servers = [];
    this.#pending.destroyAll();
  }

  async stop(): Promise<void> {
    this.close();
    for (const socket of this.#sockets) socket.destroy();
  }

  #makeTlsGate(options: ListenerOptions & { tls: TlsOptions }): TlsGate {
    return createTlsGate(options, () => this.#deps.applianceCertificate(), {
      secured: (socket) => this.#secured(socket, options.tls),
      failed: (socket, reason) => this.#handshakeFailed(socket, reason),
    });
  }

  /** Who goes before a byte was exchanged is a port probe or a watchdog, and worth no line. */
  #handshakeFailed(socket: TLSSocket, reason: string | null): void {
    this.#pending.settle(peerKey(socket));
    if (reason !== null) {
      const peer = peerOf(socket);
      const name = peer === null ? '' : `from ${peer.address}:${peer.port} `;
      this.#deps.log.log('notice', `Client ${name}failed the TLS handshake: ${reason}.`);
      this.#refused('tls', `failed the TLS handshake: ${reason}`, peer);
    }
    socket.destroy();
  }

  #refused(cause: RefusalCause, reason: string, peer: Pick<RemoteEnd, 'address' | 'port'> | null): void {
    const from = { address: peer?.address ?? '', port: peer?.port ?? 0, policy: this.#policy };
    this.#deps.diagnostics?.refused({ cause, reason, from, clientId: '', username: null, topicName: null });
  }

  async #openPath(path: string): Promise<void> {
    this.#servers = [await openUnixSocket(path, (socket) => this.#accept(socket))];
    this.#addresses = [path];
    this.#deps.log.log('information', `Opening unix listen socket on path ${path}.`);
  }

  async #openPorts(targets: readonly BindTarget[]): Promise<void> {
    for (let tries = 1; ; tries++) {
      try {
        for (const target of targets) await this.#openTarget(target);
        break;
      } catch (error) {
        this.close();
        this.#port = 0;
        this.#addresses = [];
        if (this.options.port !== 0 || tries >= PORT_TRIES) throw error;
      }
    }
    if (this.#servers.length === 0) throw new OperatorError(`Cannot open port "${this.options.port}": this machine has no IP address`);
    this.#policy = { ...this.options.policy, port: this.#port };
    this.#logOpened();
  }

  async #openTarget(target: BindTarget): Promise<void> {
    try {
      const server = await openPort(target, this.#port || this.options.port, this.options.tcpNoDelay, (socket) => this.#accept(socket));
      this.#servers.push(server);
      const bound = server.address();
      if (bound !== null && typeof bound === 'object') this.#port = bound.port;
      this.#addresses.push(target.host);
    } catch (error) {
      if (!(target.optional && isAddressMissing(error))) throw error;
      this.#deps.log.log(
        'debug',
        `No ${target.family} listen socket on port ${this.options.port}: this machine has no ${target.family} address.`,
      );
    }
  }

  #logOpened(): void {
    if (this.#websockets !== null) {
      this.#deps.log.log('information', `Opening websockets listen socket on port ${this.#port}.`);
      return;
    }
    for (const address of this.#addresses) {
      const family = address.includes(':') ? 'ipv6' : 'ipv4';
      this.#deps.log.log('information', `Opening ${family} listen socket on port ${this.#port}.`);
    }
  }

  #accept(socket: Socket): void {
    socket.on('error', ignoreError); // what a peer does to its socket ends its connection, nothing else
    const { maxConnections } = this.options;
    if (maxConnections >= 0 && this.#sockets.size >= maxConnections) {
      this.#deps.log.log('notice', `Client connection from ${socket.remoteAddress ?? 'unix socket'} denied: max_connections exceeded.`);
      this.#refused('busy', 'finds no room: max_connections of this listener is reached', peerOf(socket));
      socket.destroy();
      return;
    }
    this.#sockets.add(socket);
    socket.once('close', () => this.#sockets.delete(socket));
    if (this.#tls !== null) this.#secure(socket, this.#tls);
    else this.#admit(socket, socket, null, null);
  }

  #secure(socket: Socket, tls: TlsGate): void {
    if (socket.remoteAddress !== undefined) this.#pending.add(peerKey(socket), socket);
    tls.admit(socket);
  }

  #secured(socket: TLSSocket, options: TlsOptions): void {
    this.#pending.settle(peerKey(socket));
    socket.on('error', ignoreError);
    const identity = certificateIdentity(socket, options.identity);
    if (options.identity !== 'none' && identity === null) {
      const peer = peerOf(socket);
      const name = peer === null ? '' : `from ${peer.address}:${peer.port} `;
      this.#deps.log.log('notice', `Client ${name}denied: its certificate has no ${options.identity}.`);
      this.#refused('certificate', `has a client certificate without a ${options.identity}, which is the user name here`, peer);
      socket.destroy();
      return;
    }
    this.#admit(socket, socket, identity, { version: socket.getProtocol() ?? 'TLS', cipher: socket.getCipher().name });
  }

  #admit(socket: Socket, stream: Duplex, identity: string | null, tls: ConnectionOrigin['tls']): void {
    const origin = { address: socket.remoteAddress ?? '', port: socket.remotePort ?? 0, policy: this.#policy, identity, tls };
    if (origin.address === '' && this.options.unixPath === null) {
      socket.destroy(); // reset before we could ask who it is
      return;
    }
    if (this.#websockets !== null) this.#upgrade(this.#websockets, stream, origin);
    else this.#handOver(stream, origin);
  }

  #upgrade(gate: WebSocketGate, stream: Duplex, origin: ConnectionOrigin): void {
    this.#pending.add(stream, stream);
    gate.admit(stream, {
      open: (messages) => {
        this.#pending.settle(stream);
        messages.on('error', ignoreError);
        this.#deps.handle(messages, origin);
      },
      refuse: (reason) => {
        this.#deps.log.log('notice', `Client from ${origin.address}:${origin.port} disconnected: ${reason}.`);
        this.#refused('websocket', `is no WebSocket client that is welcome here: ${reason}`, origin);
      },
    });
  }

  #handOver(stream: Duplex, origin: ConnectionOrigin): void {
    if (origin.tls === null) stream.prependOnceListener('data', (chunk: Buffer) => this.#noticeTls(chunk, origin));
    this.#deps.handle(stream, origin);
  }

  #noticeTls(chunk: Buffer, origin: ConnectionOrigin): void {
    if (!isClientHello(chunk)) return;
    this.#deps.log.log('notice', `Client from ${origin.address}:${origin.port} appears to be using TLS to connect to a non-TLS listener.`);
  }
}

function hasTls(options: ListenerOptions): options is ListenerOptions & { tls: TlsOptions } {
  return options.tls !== null;
}

/** RFC 8446 5.1: a record of type handshake (22), legacy version 3.x. No MQTT client starts so: CONNECT is 0x10. */
function isClientHello(chunk: Buffer): boolean {
  return chunk[0] === 0x16 && (chunk.length === 1 || chunk[1] === 0x03);
}

/** A TLS stream and the raw socket below it have this in common. */
function peerKey(socket: Socket): string {
  return `${socket.remoteAddress} ${socket.remotePort}`;
}

/** A closed TLS stream has forgotten its peer; the socket below it, asked once while open, has not. Node gives no public way down. */
function peerOf(socket: Socket & { _parent?: Socket }): Pick<RemoteEnd, 'address' | 'port'> | null {
  const known = socket.remoteAddress === undefined ? socket._parent : socket;
  return known?.remoteAddress === undefined ? null : { address: known.remoteAddress, port: known.remotePort ?? 0 };
}

function ignoreError(): void {}
