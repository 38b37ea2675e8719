// The way in: what a connection goes through between the open port and the broker.
//
//   socket -> max_connections -> [ PROXY header ] -> [ TLS handshake ] -> [ WebSocket upgrade ] -> handle(stream, origin) -> CONNECT
//             '----------------- pending connections: bounded, and of all listeners together ------------------------------------'

import type { X509Certificate } from 'node:crypto';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { TLSSocket } from 'node:tls';
import { reasonOf } from '../base/errors.ts';
import type { Logger } from '../base/logger.ts';
import { Networks } from '../base/networks.ts';
import type { ProxyProblem, RefusalReason, TlsProblem } from '../base/refusal-reason.ts';
import { proxyProblemWords, tlsProblemWords, webSocketProblemWords } from '../base/refusal-sentences.ts';
import type { ConnectionOrigin, ListenerPolicy } from '../broker/options.ts';
import type { RefusalLog, RemoteEnd } from '../broker/ports.ts';
import { certificateIdentity } from './certificate-identity.ts';
import { certificateProblem, laterProblem } from './client-certificate.ts';
import { directWriter } from './direct-writes.ts';
import { clientBehind } from './forwarded-for.ts';
import { asksTheSame, keyOf, type LayerDeps, type Layers, readLayers } from './layers.ts';
import { isLocal, type ListenerOptions, speaksHttp } from './options.ts';
import type { Pending, PendingConnections } from './pending-connections.ts';
import { PLAIN_HTTP_ANSWER } from './plain-http-answer.ts';
import { proxyProblem, readProxyHeader } from './proxy-header.ts';
import { shareReads } from './shared-reads.ts';
import type { WebSocketLayer } from './websocket-layer.ts';
import { WEBSOCKET_FRAMING } from './websocket-stream.ts';

const NO_KEY = Buffer.alloc(0);

export interface AcceptorDeps extends LayerDeps {
  /** handle takes over a stream that speaks MQTT, and listens to 'data' before it returns. A chunk is only valid until the listener returns. */
  handle(stream: Duplex, origin: ConnectionOrigin): void;
  /** serveHttp takes over a stream that speaks HTTP. */
  serveHttp(stream: Duplex, visit: HttpVisit): void;
  readonly log: Logger;
  /** Connections of all listeners that have not signed in. */
  readonly pending: PendingConnections;
  /** Null = nobody asks later why a connection was refused. */
  readonly refusals: RefusalLog | null;
}

/** HttpVisit is what is known about a connection of a listener with `protocol http` or `http_api`. */
export interface HttpVisit {
  readonly protocol: 'http' | 'http_api';
  readonly httpDir: string | null;
  readonly origin: ConnectionOrigin;
  /** Nobody on the way can read along: it has TLS, or does not leave this machine. */
  readonly isPrivate: boolean;
  /** clientOf gives the address of the client, from X-Forwarded-For where a proxy that is trusted has written it. */
  clientOf(forwardedFor: string | undefined): string;
}

/** Peer is the other end: behind a proxy that says so, the client itself. */
type Peer = Pick<RemoteEnd, 'address' | 'port'>;

/** Proof is what a connection has shown on its way: the parts of its origin that come of it. */
type Proof = Pick<ConnectionOrigin, 'identity' | 'tls' | 'review'>;

/** Refusal of a connection: what the log says, and what `midge why` says. */
interface Refusal {
  readonly line: string;
  readonly reason: RefusalReason;
}

/** Acceptor belongs to one listener. It knows every socket that came in, until that is closed. */
export class Acceptor {
  readonly #deps: AcceptorDeps;
  readonly #sockets = new Map<Socket, Pending>();
  /** Those among them whose other end has gone: nobody finds their places taken. */
  readonly #leaving = new Set<Socket>();
  readonly #peers = new WeakMap<Socket, Peer>();
  #layers: Layers;
  #port: number;
  /** With the port that is open. */
  #policy: ListenerPolicy;
  #isOpen = false;

  constructor(options: ListenerOptions, deps: AcceptorDeps) {
    this.#deps = deps;
    this.#layers = { options, tls: null, websockets: null, proxies: new Networks([]) };
    this.#port = options.policy.port;
    this.#policy = options.policy;
  }

  /** options in force. */
  get options(): ListenerOptions {
    return this.#layers.options;
  }

  /** connections counts those open now. */
  get connections(): number {
    return this.#sockets.size;
  }

  /** identifies tells whether it takes a user name from certificates, whatever they are, or from its pre-shared keys; before it opens, from any. */
  identifies(username: string): boolean {
    const { tls, proxyCertificate } = this.options;
    if (tls === null) return proxyCertificate === 'names the user';
    if (tls.identity === 'none') return false;
    return tls.psk === null || this.#layers.tls === null || keyOf(this.#layers, username) !== null;
  }

  /** makeLayers reads what options need, certificates too; throws OperatorError when a file is bad. */
  async makeLayers(options: ListenerOptions): Promise<Layers> {
    const layers: Layers = await readLayers(options, this.#deps, {
      secured: (socket, psk) => this.#secured(socket, psk, layers), // those that it came to
      failed: (socket, problem) => this.#handshakeFailed(socket, problem),
      origins: () => this.options.websocketsOrigins,
    });
    return layers;
  }

  /**
   * use puts layers in force. A handshake that is under way goes on in the old ones, and these judge it
   * at its end. Where they ask for something else than the old ones, connections that have not signed in are closed.
   */
  use(layers: Layers): void {
    if (!asksTheSame(this.options, layers.options)) {
      for (const pending of this.#sockets.values()) if (pending.lane !== null) pending.destroy();
    }
    this.#layers = layers;
    this.#policy = { ...layers.options.policy, port: this.#port };
  }

  /** open is told when the port is open, and which that is. */
  open(port: number): void {
    this.#port = port;
    this.#policy = { ...this.#policy, port };
    this.#isOpen = true;
  }

  /** close drops unfinished handshakes; connections handed over live on. */
  close(): void {
    this.#isOpen = false;
    for (const pending of this.#sockets.values()) if (pending.isUnfinished) pending.destroy();
  }

  /** cut ends all connections, those handed over too. */
  cut(): void {
    for (const socket of this.#sockets.keys()) socket.destroy();
  }

  /** accept lets a socket begin its way. */
  accept(socket: Socket): void {
    socket.on('error', ignoreError); // what a peer does to its socket ends its connection, nothing else
    const { unixPath, tcpNoDelay } = this.options;
    const { remoteAddress, remotePort = 0 } = socket;
    if (remoteAddress === undefined && unixPath === null) {
      socket.destroy(); // reset before we could ask who it is
      return;
    }
    if (remoteAddress !== undefined) this.#peers.set(socket, { address: remoteAddress, port: remotePort });
    if (tcpNoDelay && unixPath === null) socket.setNoDelay();
    this.#sockets.set(socket, this.#deps.pending.enter(socket, remoteAddress ?? ''));
    if (socket.destroyed) return this.#forget(socket); // it was one too many
    socket.once('end', () => this.#leaving.add(socket));
    socket.once('close', () => this.#forget(socket));
    if (!this.#isOverfull()) this.#begin(socket);
    else setImmediate(() => (this.#isOverfull() ? this.#turnAway(socket) : this.#begin(socket))); // who left in this turn is seen to have left
  }

  /** acceptFailed makes room where the system has no descriptor left. */
  acceptFailed(error: NodeJS.ErrnoException): void {
    if (error.code === 'EMFILE' || error.code === 'ENFILE') this.#deps.pending.outOfDescriptors();
    else this.#deps.log.log('warning', `Warning: cannot accept a connection: ${reasonOf(error)}.`);
  }

  #forget(socket: Socket): void {
    this.#sockets.delete(socket);
    this.#leaving.delete(socket);
  }

  #isOverfull(): boolean {
    const { maxConnections } = this.options;
    return maxConnections >= 0 && this.#sockets.size - this.#leaving.size > maxConnections;
  }

  #turnAway(socket: Socket): void {
    this.#refuse(socket, {
      line: `Client connection from ${socket.remoteAddress ?? 'unix socket'} denied: max_connections exceeded.`,
      reason: { cause: 'busy', limit: 'max_connections' },
    });
    this.#forget(socket);
  }

  #begin(socket: Socket): void {
    const layers = this.#layers;
    const { proxyProtocol } = layers.options;
    if (proxyProtocol === 0) this.#letIn(socket, layers);
    else this.#awaitProxy(socket, proxyProtocol);
  }

  #awaitProxy(socket: Socket, version: 1 | 2): void {
    const pending = this.#pendingOf(socket);
    pending?.waits(socket);
    readProxyHeader(socket, version, (outcome) => {
      pending?.arrives(socket);
      const layers = this.#layers;
      if (typeof outcome === 'string') return this.#refuseProxied(socket, outcome);
      if (outcome.client !== null) {
        this.#peers.set(socket, outcome.client);
        pending?.comesFrom(outcome.client.address);
      }
      const problem = proxyProblem(outcome, layers.options);
      if (problem !== null) return this.#refuseProxied(socket, problem);
      const { tls } = outcome;
      if (tls?.cipher != null)
        this.#deps.log.log('debug', `Connection ${this.#fromWhere(socket)}negotiated ${tls.version} cipher ${tls.cipher}.`);
      this.#letIn(socket, layers, layers.options.proxyCertificate === 'names the user' ? (tls?.commonName ?? null) : null);
    });
  }

  #refuseProxied(socket: Socket, problem: ProxyProblem): void {
    const line = `Client ${this.#fromWhere(socket)}denied: ${proxyProblemWords(problem)}.`;
    this.#refuse(socket, { line, reason: { cause: 'proxy', problem } });
  }

  /** `identity` is the name that a proxy vouches for. */
  #letIn(socket: Socket, layers: Layers, identity: string | null = null): void {
    if (layers.tls === null) return this.#admit(socket, layers, { identity, tls: null, review: () => this.#review(undefined) });
    const { tls } = layers;
    const pending = this.#pendingOf(socket);
    pending?.waits(socket);
    pending?.queues(socket, () => tls.admit(socket));
  }

  /** Who goes before a byte was exchanged is a port probe or a watchdog, and worth no line. */
  #handshakeFailed(socket: TLSSocket, problem: TlsProblem | null): void {
    this.#handshakeEnded(socket);
    if (problem === null) {
      socket.destroy();
      return;
    }
    if (problem === 'plain HTTP' && speaksHttp(this.options.protocol)) {
      this.#deps.log.log('debug', `Client ${this.#fromWhere(socket)}came by http:// and was led to https://.`);
      rawSocket(socket).write(PLAIN_HTTP_ANSWER); // the bytes are with the system when this returns
      socket.destroy();
      return;
    }
    const line = `Client ${this.#fromWhere(socket)}failed the TLS handshake: ${tlsProblemWords(problem)}.`;
    this.#refuse(socket, { line, reason: { cause: 'tls', what: 'handshake', problem } });
  }

  #handshakeEnded(socket: TLSSocket): void {
    this.#pendingOf(socket)?.arrives(socket);
    this.#deps.pending.handshakes.ended(rawSocket(socket));
  }

  /** `psk` is the identity of the pre-shared key that it came with, or null. */
  #secured(socket: TLSSocket, psk: string | null, layers: Layers): void {
    this.#handshakeEnded(socket);
    socket.on('error', ignoreError);
    const wanted = layers.options.tls?.identity ?? 'none';
    const identity = psk !== null && wanted !== 'none' ? psk : certificateIdentity(socket, wanted);
    if (wanted !== 'none' && identity === null) {
      const line = `Client ${this.#fromWhere(socket)}denied: its certificate has no ${wanted}.`;
      this.#refuse(socket, { line, reason: { cause: 'certificate', wanted } });
      return;
    }
    const tls = { version: socket.getProtocol() ?? 'TLS', cipher: socket.getCipher().name };
    const clients = this.#layers.tls?.material.clients ?? null;
    const problem = layers === this.#layers || clients === null ? null : laterProblem(socket, clients);
    if (problem !== null) return this.#handshakeFailed(socket, problem);
    const certificate = socket.getPeerX509Certificate();
    const key = psk === null ? null : keyOf(layers, psk);
    const review = () => (psk === null || key?.equals(keyOf(this.#layers, psk) ?? NO_KEY) ? this.#review(certificate) : null);
    if (review() === null) return this.#handshakeFailed(socket, 'not in force any more');
    this.#admit(socket, this.#layers, { identity, tls, review });
  }

  /** The policy of now, if a connection that came with this certificate would come in now. */
  #review(certificate: X509Certificate | undefined): ListenerPolicy | null {
    if (!this.#isOpen) return null;
    const clients = this.#layers.tls?.material.clients ?? null;
    if (clients === null) return this.#policy;
    return certificate === undefined || certificateProblem(certificate, clients) !== null ? null : this.#policy;
  }

  #admit(socket: Socket, { options, websockets }: Layers, proof: Proof): void {
    const { address = '', port = 0 } = this.#peerOf(socket) ?? {};
    const pending = this.#pendingOf(socket);
    const direct = proof.tls === null ? directWriter(socket) : null;
    const origin = { address, port, policy: this.#policy, signedIn: () => pending?.signedIn(), direct, ...proof };
    if (websockets !== null) return this.#upgrade(socket, origin, websockets);
    const { protocol, httpDir } = options;
    if (speaksHttp(protocol)) {
      pending?.listensTo(socket);
      const clientOf = (header: string | undefined) => clientBehind(address, header, this.#layers.proxies);
      this.#deps.serveHttp(socket, { protocol, httpDir, origin, isPrivate: proof.tls !== null || isLocal(options), clientOf });
      return;
    }
    this.#deps.handle(socket, origin);
    pending?.listensTo(socket);
    shareReads(socket);
  }

  #upgrade(stream: Socket, origin: ConnectionOrigin, layer: WebSocketLayer): void {
    const addressOf = (header: string | undefined) => clientBehind(origin.address, header, this.#layers.proxies);
    const pending = this.#pendingOf(stream);
    pending?.waits(stream);
    layer.admit(stream, origin.direct ?? null, {
      open: (messages, direct, forwardedFor) => {
        const address = addressOf(forwardedFor);
        pending?.arrives(messages);
        pending?.comesFrom(address);
        pending?.listensTo(stream);
        messages.on('error', ignoreError);
        this.#deps.handle(messages, { ...origin, address, policy: this.#policy, framing: WEBSOCKET_FRAMING, direct });
      },
      refuse: (problem, forwardedFor) => {
        const peer = { address: addressOf(forwardedFor), port: origin.port };
        this.#tell(peer, {
          line: `Client from ${peer.address}:${peer.port} disconnected: ${webSocketProblemWords(problem)}.`,
          reason: { cause: 'websocket', problem },
        });
      },
    });
  }

  #pendingOf(socket: Socket): Pending | null {
    return this.#sockets.get(rawSocket(socket)) ?? null;
  }

  #peerOf(socket: Socket): Peer | null {
    return this.#peers.get(rawSocket(socket)) ?? null;
  }

  #fromWhere(socket: Socket): string {
    const peer = this.#peerOf(socket);
    return peer === null ? '' : `from ${placeOf(peer)} `;
  }

  #refuse(socket: Socket, refusal: Refusal): void {
    this.#tell(this.#peerOf(socket), refusal);
    socket.destroy();
  }

  /** #tell writes the line, and notes the reason for who asks later. */
  #tell(peer: Peer | null, { line, reason }: Refusal): void {
    const { address, port } = peer ?? { address: '', port: 0 };
    this.#deps.log.log('notice', line, { address, name: '', isSignedIn: false });
    const from = { address, port, policy: this.#policy };
    this.#deps.refusals?.refused({ reason, from, clientId: '', username: null, topicName: null });
  }
}

/** Behind a proxy it may be the path of a Unix socket, which has no port. */
function placeOf({ address, port }: Peer): string {
  return address.startsWith('/') ? address : `${address}:${port}`;
}

/** A TLS stream has forgotten its peer once it is closed; the socket below it is known. Node gives no public way down. */
function rawSocket(socket: Socket & { _parent?: Socket }): Socket {
  return socket._parent ?? socket;
}

function ignoreError(): void {}
