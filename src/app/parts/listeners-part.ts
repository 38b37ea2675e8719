// The listeners as a part: what is open, what a reload opens and closes, and the connections that outlive their listener.

import { reasonOf } from '../../base/errors.ts';
import type { Logger } from '../../base/logger.ts';
import type { Configuration } from '../../config/configuration.ts';
import { describeHolder } from '../../host/port-holder.ts';
import type { AcceptorDeps } from '../../listeners/acceptor.ts';
import { DefaultPorts } from '../../listeners/default-ports.ts';
import { createListener, isAddressMissing, type Listener } from '../../listeners/listeners.ts';
import { type ListenerOptions, wantsOurs } from '../../listeners/options.ts';
import type { AppliancePart, Step } from '../parts.ts';
import { prepareListeners } from './listener-change.ts';

/** mqtt's largest packet, for WebSocket messages where no limit is configured. */
const MAX_PACKET_BYTES = 268_435_460;

export interface ListenersPartSetup {
  /** What the start is asked for. */
  readonly configuration: Configuration;
  readonly log: Logger;
  /** What a listener needs of others. */
  readonly needs: Omit<AcceptorDeps, 'log' | 'maxMessageBytes'>;
}

/** ListenersPart opens at the start those of the configuration, plain ones first. Its stop closes them; the connections stay until `cut`. */
export class ListenersPart implements AppliancePart {
  readonly name = 'listeners';
  readonly #setup: ListenersPartSetup;
  readonly #defaultPorts: DefaultPorts;
  /** What a reload is about to put in force, otherwise what is. */
  #upcoming: Configuration;
  #opened: readonly Listener[] = [];
  /** Those that were closed and have connections, too. */
  #all: readonly Listener[];

  constructor(setup: ListenersPartSetup) {
    this.#setup = setup;
    this.#upcoming = setup.configuration;
    this.#defaultPorts = new DefaultPorts(setup.log, describeHolder);
    this.#all = setup.configuration.listeners.map((options) => this.#create(options));
  }

  /** opened are those that clients can use now. */
  get opened(): readonly Listener[] {
    return this.#opened;
  }

  /** all have connections, or are open. */
  get all(): readonly Listener[] {
    return this.#all;
  }

  /** Scripts wait for the plain port: it is open before the first TLS listener has read its files. */
  async start(): Promise<void> {
    const isSecure = ({ options }: Listener): boolean => wantsOurs(options);
    for (const group of [this.#all.filter((each) => !isSecure(each)), this.#all.filter(isSecure)]) {
      const outcomes = await Promise.allSettled(group.map((listener) => this.#open(listener)));
      const failure = outcomes.find((outcome) => outcome.status === 'rejected');
      if (failure !== undefined) throw failure.reason;
    }
    this.#opened = await this.#defaultPorts.withoutHalves(this.#opened);
  }

  async stop(): Promise<void> {
    for (const listener of this.#all) listener.close();
  }

  /** cut ends the connections that are left. */
  cut(): void {
    for (const listener of this.#all) void listener.stop();
  }

  async prepare(next: Configuration): Promise<Step> {
    const inForce = this.#upcoming;
    this.#upcoming = next;
    const reset = (): void => {
      this.#upcoming = inForce;
    };
    try {
      const change = await prepareListeners({
        open: this.#opened,
        next: next.listeners,
        create: (options) => this.#create(options),
        start: (listener) => this.#start(listener, next),
      });
      const undo = async (): Promise<void> => {
        reset();
        await change.undo();
      };
      return { commit: () => this.#use(change.commit()), undo };
    } catch (error) {
      reset();
      throw error;
    }
  }

  /** replaceCertificates gives new connections the certificate of now. */
  async replaceCertificates(): Promise<void> {
    const ours = this.#opened.filter(({ options }) => wantsOurs(options));
    const renewals = await Promise.allSettled(ours.map((listener) => listener.replaceCertificate()));
    for (const renewal of renewals) {
      if (renewal.status === 'rejected')
        this.#setup.log.log('error', `Error: ${reasonOf(renewal.reason)}. The old certificate stays in use.`);
    }
  }

  #use(opened: readonly Listener[]): void {
    this.#opened = opened;
    this.#all = [...opened, ...this.#all.filter((listener) => listener.connections > 0 && !opened.includes(listener))];
  }

  #create(options: ListenerOptions): Listener {
    const { log, needs } = this.#setup;
    return createListener(options, { ...needs, log, maxMessageBytes: () => this.#upcoming.broker.maxPacketSize || MAX_PACKET_BYTES });
  }

  async #open(listener: Listener): Promise<void> {
    if (await this.#start(listener, this.#setup.configuration)) this.#opened = [...this.#opened, listener];
  }

  async #start(listener: Listener, { localOnly, hasDefaultPorts }: Configuration): Promise<boolean> {
    try {
      await listener.start();
      return true;
    } catch (error) {
      // Nobody has asked for ::1 by name, and a machine may be without IPv6.
      const isSpare = localOnly && listener.options.address === '::1' && isAddressMissing(error);
      if (!isSpare && !(hasDefaultPorts && this.#defaultPorts.leaveOut(listener, error))) throw error;
      return false;
    }
  }
}
