// Door of the listeners: a socket in, a stream and its origin for the broker out.
//
//   open socket -> max_connections -> [ PROXY header ] -> [ TLS handshake ] -> [ WebSocket upgrade ] -> handle(stream, origin)

import type { X509Certificate } from 'node:crypto';
import type { Server, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { TLSSocket } from 'node:tls';
import { OperatorError, reasonOf } from '../base/errors.ts';
import type { Part } from '../base/lifecycle.ts';
import type { Logger } from '../base/logger.ts';
import { Networks } from '../base/networks.ts';
import type { ConnectionOrigin, ListenerPolicy } from '../broker/options.ts';
import type { Diagnostics, RefusalCause, RemoteEnd } from '../broker/ports.ts';
import { type BindTarget, bindTargets } from './bind-targets.ts';
import { certificateIdentity } from './certificate-identity.ts';
import { certificateProblem } from './client-certificate.ts';
import { clientBehind } from './forwarded-for.ts';
import { isAddressMissing, openPort, openUnixSocket } from './open-socket.ts';
import type { ListenerOptions } from './options.ts';
import { PendingConnections } from './pending-connections.ts';
import { proxyProblem, readProxyHeader } from './proxy-header.ts';
import { shareReads } from './shared-reads.ts';
import { readTls, type TlsMaterial, type TlsSource } from './tls-files.ts';
import { createTlsGate, type TlsGate } from './tls-gate.ts';
import { createWebSocketGate, type WebSocketGate } from './websocket-gate.ts';

export { isAddressMissing } from './open-socket.ts';

const NO_KEY = Buffer.alloc(0);

/** How often a system-chosen port is tried when the other address family has it taken. */
const PORT_TRIES = 5;

export interface ListenerDeps extends TlsSource {
  /** handle takes over a stream that speaks MQTT, and listens to 'data' before it returns. A chunk is only valid until the listener returns. */
  handle(stream: Duplex, origin: ConnectionOrigin): void;
  readonly log: Logger;
  /** Null = nobody asks later why a connection was refused. */
  readonly diagnostics: Diagnostics | null;
  /** maxMessageBytes gives the bytes of one WebSocket message, asked when options are put in force. */
  maxMessageBytes(): number;
}

/** Listener is one `listener` of the configuration. */
export interface Listener extends Part {
  /** options in force. */
  readonly options: ListenerOptions;
  /** port is the open TCP port, also when the system chose it; 0 for a Unix socket or before `start`. */
  readonly port: number;
  /** addresses are those bound, as text; the path for a Unix socket. */
  readonly addresses: readonly string[];
  /** connections counts those open now. */
  readonly connections: number;
  /**
   * prepare reads what new options for the same socket need, certificates too, and gives the step that puts them in force for
   * connections from now on; it drops unfinished handshakes. Throws OperatorError when a file is bad; until the step is taken nothing changes.
   */
  prepare(options: ListenerOptions): Promise<() => void>;
  /** replaceCertificate reads certificates and revoked ones again, without touching connections that are through; throws OperatorError and keeps the old ones when they are bad. */
  replaceCertificate(): Promise<void>;
  /** close stops listening and drops unfinished handshakes; connections handed over live on until `stop`. `start` opens it again. */
  close(): void;
}

/** createListener makes a listener that opens at `start`, which throws OperatorError naming port and reason when it can't. */
export function createListener(options: ListenerOptions, deps: ListenerDeps): Listener {
  return new OpenListener(options, deps);
}

/** Gates are what a new connection goes through. */
interface Gates {
  readonly options: ListenerOptions;
  readonly tls: TlsGate | null;
  readonly websockets: WebSocketGate | null;
  readonly proxies: Networks;
}

/** Peer is the other end: behind a proxy that says so, the client itself. */
type Peer = Pick<RemoteEnd, 'address' | 'port'>;

class OpenListener implements Listener {
  readonly name: string;
  readonly #deps: ListenerDeps;
  readonly #sockets = new Set<Socket>();
  /** Those among them whose other end has gone: nobody finds their places taken. */
  readonly #leaving = new Set<Socket>();
  readonly #peers = new WeakMap<Socket, Peer>();
  readonly #pending = new PendingConnections();
  #gates: Gates;
  /** With the port that is open. */
  #policy: ListenerPolicy;
  #servers: Server[] = [];
  #addresses: string[] = [];
  #port = 0;
  #isOpen = false;

  constructor(options: ListenerOptions, deps: ListenerDeps) {
    this.name = options.unixPath === null ? `listener ${options.port}` : `listener ${options.unixPath}`;
    this.#deps = deps;
    this.#gates = { options, tls: null, websockets: null, proxies: new Networks([]) };
    this.#policy = options.policy;
  }

  get options(): ListenerOptions {
    return this.#gates.options;
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
    this.#gates = await this.#makeGates(this.options);
    this.#addresses = [];
    if (this.options.unixPath !== null) await this.#openPath(this.options.unixPath);
    else await this.#openPorts(await bindTargets(this.options));
    this.#isOpen = true;
  }

  async prepare(options: ListenerOptions): Promise<() => void> {
    const gates = await this.#makeGates(options);
    return () => {
      this.#pending.destroyAll(); // who is at the gates that were
      this.#gates = gates;
      this.#policy = { ...options.policy, port: this.#port };
    };
  }

  async replaceCertificate(): Promise<void> {
    const putInForce = await this.prepare(this.options);
    putInForce();
  }

  close(): void {
    for (const server of this.#servers) server.close();
    this.#servers = [];
    this.#isOpen = false;
    this.#pending.destroyAll();
  }

  async stop(): Promise<void> {
    this.close();
    for (const socket of this.#sockets) socket.destroy();
  }

  async #makeGates(options: ListenerOptions): Promise<Gates> {
    const material = options.tls === null ? null : await readTls(options.tls, this.#deps);
    const websockets =
      options.protocol === 'websockets'
        ? createWebSocketGate({ origins: options.websocketsOrigins, maxMessageBytes: this.#deps.maxMessageBytes() })
        : null;
    const proxies = new Networks(options.trustedProxies);
    const gates: Gates = {
      options,
      tls: material === null ? null : this.#makeTlsGate(options, material, () => gates),
      websockets,
      proxies,
    };
    return gates;
  }

  #makeTlsGate(options: ListenerOptions, material: TlsMaterial, gates: () => Gates): TlsGate {
    try {
      return createTlsGate(options.protocol, material, {
        secured: (socket) => this.#secured(socket, gates()),
        failed: (socket, reason) => this.#handshakeFailed(socket, reason),
      });
    } catch (error) {
      throw new OperatorError(`Cannot use TLS on port "${options.port}": ${reasonOf(error)}`, { cause: error });
    }
  }

  /** Who goes before a byte was exchanged is a port probe or a watchdog, and worth no line. */
  #handshakeFailed(socket: TLSSocket, reason: string | null): void {
    this.#pending.settle(rawSocket(socket));
    if (reason !== null) {
      this.#deps.log.log('notice', `Client ${this.#fromWhere(socket)}failed the TLS handshake: ${reason}.`);
      this.#refused('tls', `failed the TLS handshake: ${reason}`, this.#peerOf(socket));
    }
    socket.destroy();
  }

  #peerOf(socket: Socket): Peer | null {
    return this.#peers.get(rawSocket(socket)) ?? null;
  }

  #fromWhere(socket: Socket): string {
    const peer = this.#peerOf(socket);
    return peer === null ? '' : `from ${peer.address}:${peer.port} `;
  }

  #refused(cause: RefusalCause, reason: string, peer: Peer | null): void {
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
      const server = await openPort(target, this.#port || this.options.port, (socket) => this.#accept(socket));
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
    if (this.options.protocol === 'websockets') {
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
    const gates = this.#gates;
    const { unixPath } = gates.options;
    const { remoteAddress, remotePort = 0 } = socket;
    if (remoteAddress === undefined && unixPath === null) {
      socket.destroy(); // reset before we could ask who it is
      return;
    }
    if (remoteAddress !== undefined) this.#peers.set(socket, { address: remoteAddress, port: remotePort });
    if (gates.options.tcpNoDelay && unixPath === null) socket.setNoDelay();
    this.#sockets.add(socket);
    socket.once('end', () => this.#leaving.add(socket));
    socket.once('close', () => this.#forget(socket));
    if (!this.#isOverfull()) this.#begin(socket, gates);
    else setImmediate(() => (this.#isOverfull() ? this.#turnAway(socket) : this.#begin(socket, this.#gates))); // who left in this turn is seen to have left
  }

  #forget(socket: Socket): void {
    this.#sockets.delete(socket);
    this.#leaving.delete(socket);
  }

  #isOverfull(): boolean {
    const { maxConnections } = this.#gates.options;
    return maxConnections >= 0 && this.#sockets.size - this.#leaving.size > maxConnections;
  }

  #turnAway(socket: Socket): void {
    this.#deps.log.log('notice', `Client connection from ${socket.remoteAddress ?? 'unix socket'} denied: max_connections exceeded.`);
    this.#refused('busy', 'finds no room: max_connections of this listener is reached', this.#peerOf(socket));
    this.#forget(socket);
    socket.destroy();
  }

  #begin(socket: Socket, gates: Gates): void {
    const { proxyProtocol } = gates.options;
    if (proxyProtocol === 0) this.#letIn(socket, gates);
    else this.#awaitProxy(socket, gates, proxyProtocol);
  }

  /** `identity` is the name that a proxy vouches for. */
  #letIn(socket: Socket, gates: Gates, identity: string | null = null): void {
    if (gates.tls === null) return this.#admit(socket, gates, identity, null);
    this.#pending.add(socket, socket);
    gates.tls.admit(socket);
  }

  #awaitProxy(socket: Socket, gates: Gates, version: 1 | 2): void {
    this.#pending.add(socket, socket);
    readProxyHeader(socket, version, (outcome) => {
      this.#pending.settle(socket);
      if (!(outcome instanceof Error) && outcome.client !== null) this.#peers.set(socket, outcome.client);
      const problem = outcome instanceof Error ? outcome.message : proxyProblem(outcome, gates.options);
      if (outcome instanceof Error || problem !== null) {
        this.#deps.log.log('notice', `Client ${this.#fromWhere(socket)}denied: ${problem}.`);
        this.#refused('proxy', `is turned away by the PROXY protocol of this listener: ${problem}`, this.#peerOf(socket));
        socket.destroy();
        return;
      }
      const { tls } = outcome;
      if (tls?.cipher != null)
        this.#deps.log.log('debug', `Connection ${this.#fromWhere(socket)}negotiated ${tls.version} cipher ${tls.cipher}.`);
      this.#letIn(socket, gates, gates.options.proxyCertificate === 'names the user' ? (tls?.commonName ?? null) : null);
    });
  }

  #secured(socket: TLSSocket, gates: Gates): void {
    this.#pending.settle(rawSocket(socket));
    socket.on('error', ignoreError);
    const wanted = gates.options.tls?.identity ?? 'none';
    const psk = gates.tls?.pskIdentity(socket) ?? null;
    const identity = psk !== null && wanted !== 'none' ? psk : certificateIdentity(socket, wanted);
    if (wanted !== 'none' && identity === null) {
      this.#deps.log.log('notice', `Client ${this.#fromWhere(socket)}denied: its certificate has no ${wanted}.`);
      this.#refused('certificate', `has a client certificate without a ${wanted}, which is the user name here`, this.#peerOf(socket));
      socket.destroy();
      return;
    }
    this.#admit(socket, gates, identity, { version: socket.getProtocol() ?? 'TLS', cipher: socket.getCipher().name });
  }

  #admit(socket: Socket, gates: Gates, identity: string | null, tls: ConnectionOrigin['tls']): void {
    const { address = '', port = 0 } = this.#peerOf(socket) ?? {};
    const secured = tls === null ? null : (socket as TLSSocket); // with TLS it is one
    const certificate = secured?.getPeerX509Certificate();
    const psk = secured === null ? null : (gates.tls?.pskIdentity(secured) ?? null);
    const key = psk === null ? undefined : gates.tls?.material.psk?.keys.get(psk);
    const isKnown = () => psk === null || key?.equals(this.#gates.tls?.material.psk?.keys.get(psk) ?? NO_KEY);
    const review = () => (isKnown() ? this.#review(certificate) : null);
    const origin = { address, port, policy: this.#policy, identity, tls, review };
    if (gates.websockets !== null) this.#upgrade(gates, gates.websockets, socket, origin);
    else this.#handOver(socket, origin);
  }

  /** The policy of now, if this connection, which came with this certificate, would come in now. */
  #review(certificate: X509Certificate | undefined): ListenerPolicy | null {
    if (!this.#isOpen) return null;
    const clients = this.#gates.tls?.material.clients ?? null;
    if (clients === null) return this.#policy;
    return certificate === undefined || certificateProblem(certificate, clients) !== null ? null : this.#policy;
  }

  #upgrade({ proxies }: Gates, gate: WebSocketGate, stream: Duplex, origin: ConnectionOrigin): void {
    const addressOf = (header: string | undefined) => clientBehind(origin.address, header, proxies);
    this.#pending.add(stream, stream);
    gate.admit(stream, {
      open: (messages, forwardedFor) => {
        this.#pending.settle(stream);
        messages.on('error', ignoreError);
        this.#deps.handle(messages, { ...origin, address: addressOf(forwardedFor) });
      },
      refuse: (reason, forwardedFor) => {
        const peer = { address: addressOf(forwardedFor), port: origin.port };
        this.#deps.log.log('notice', `Client from ${peer.address}:${peer.port} disconnected: ${reason}.`);
        this.#refused('websocket', `is no WebSocket client that is welcome here: ${reason}`, peer);
      },
    });
  }

  #handOver(socket: Socket, origin: ConnectionOrigin): void {
    this.#deps.handle(socket, origin);
    shareReads(socket);
  }
}

/** A TLS stream has forgotten its peer once it is closed; the socket below it is known. Node gives no public way down. */
function rawSocket(socket: Socket & { _parent?: Socket }): Socket {
  return socket._parent ?? socket;
}

function ignoreError(): void {}
