// Door of the listeners: a socket in, a stream and its origin for the broker out. Here its ports are opened and closed.

import type { Server } from 'node:net';
import { OperatorError } from '../base/errors.ts';
import type { Part } from '../base/lifecycle.ts';
import type { Logger } from '../base/logger.ts';
import { Acceptor, type AcceptorDeps } from './acceptor.ts';
import { type BindTarget, bindTargets } from './bind-targets.ts';
import { isAddressMissing, openPort, openUnixSocket } from './open-socket.ts';
import type { ListenerOptions } from './options.ts';

export { isAddressMissing, isPortTaken } from './open-socket.ts';

/** How often a system-chosen port is tried when the other address family has it taken. */
const PORT_TRIES = 5;

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
  /** identifies tells whether a user name is one that it takes from certificates or pre-shared keys, and that can still sign in by what is in force. */
  identifies(username: string): boolean;
  /**
   * prepare reads what new options for the same socket need, certificates too, and gives the step that puts them in force for
   * connections from now on; unfinished handshakes go on and are judged by them, unless other things are asked for than before. Throws OperatorError when a file is bad; until the step is taken nothing changes.
   */
  prepare(options: ListenerOptions): Promise<() => void>;
  /** replaceCertificate reads certificates and revoked ones again, without touching connections that are through; throws OperatorError and keeps the old ones when they are bad. */
  replaceCertificate(): Promise<void>;
  /** close stops listening and drops unfinished handshakes; connections handed over live on until `stop`. `start` opens it again. */
  close(): void;
}

/** createListener makes a listener that opens at `start`, which throws OperatorError naming port and reason when it can't. */
export function createListener(options: ListenerOptions, deps: AcceptorDeps): Listener {
  return new OpenListener(options, deps);
}

class OpenListener implements Listener {
  readonly name: string;
  readonly #log: Logger;
  readonly #acceptor: Acceptor;
  #servers: Server[] = [];
  #addresses: string[] = [];
  #port = 0;

  constructor(options: ListenerOptions, deps: AcceptorDeps) {
    this.name = options.unixPath === null ? `listener ${options.port}` : `listener ${options.unixPath}`;
    this.#log = deps.log;
    this.#acceptor = new Acceptor(options, deps);
  }

  get options(): ListenerOptions {
    return this.#acceptor.options;
  }

  get port(): number {
    return this.#port;
  }

  get addresses(): readonly string[] {
    return this.#addresses;
  }

  get connections(): number {
    return this.#acceptor.connections;
  }

  identifies(username: string): boolean {
    return this.#acceptor.identifies(username);
  }

  async start(): Promise<void> {
    this.#acceptor.use(await this.#acceptor.makeLayers(this.options));
    this.#addresses = [];
    if (this.options.unixPath !== null) await this.#openPath(this.options.unixPath);
    else await this.#openPorts(await bindTargets(this.options));
    this.#acceptor.open(this.#port);
  }

  async prepare(options: ListenerOptions): Promise<() => void> {
    const layers = await this.#acceptor.makeLayers(options);
    return () => this.#acceptor.use(layers);
  }

  async replaceCertificate(): Promise<void> {
    const putInForce = await this.prepare(this.options);
    putInForce();
  }

  close(): void {
    for (const server of this.#servers) server.close();
    this.#servers = [];
    this.#acceptor.close();
  }

  async stop(): Promise<void> {
    this.close();
    this.#acceptor.cut();
  }

  async #openPath(path: string): Promise<void> {
    this.#servers = [await openUnixSocket(path, this.#acceptor)];
    this.#addresses = [path];
    this.#log.log('information', `Opening unix listen socket on path ${path}.`);
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
    this.#logOpened();
  }

  async #openTarget(target: BindTarget): Promise<void> {
    try {
      const server = await openPort(target, this.#port || this.options.port, this.#acceptor);
      this.#servers.push(server);
      const bound = server.address();
      if (bound !== null && typeof bound === 'object') this.#port = bound.port;
      this.#addresses.push(target.host);
    } catch (error) {
      if (!(target.optional && isAddressMissing(error))) throw error;
      this.#log.log(
        'debug',
        `No ${target.family} listen socket on port ${this.options.port}: this machine has no ${target.family} address.`,
      );
    }
  }

  #logOpened(): void {
    if (this.options.protocol !== 'mqtt') {
      const family = this.#addresses.every((address) => address.includes(':')) ? 'ipv6 ' : ''; // beside one for ipv4
      const name = this.options.protocol.replace('_', ' '); // http api
      this.#log.log('information', `Opening ${family}${name} listen socket on port ${this.#port}.`);
      if (this.options.httpDir !== null) this.#log.log('information', `Using http_dir ${this.options.httpDir}`);
      return;
    }
    for (const address of this.#addresses) {
      const family = address.includes(':') ? 'ipv6' : 'ipv4';
      this.#log.log('information', `Opening ${family} listen socket on port ${this.#port}.`);
    }
  }
}
