// Makes the connections of a bridge: each address in turn, and at each what the other broker does not refuse.

import type { ConnectionOptions } from 'node:tls';
import type { Clock } from '../base/clock.ts';
import { reasonOf } from '../base/errors.ts';
import type { Logger } from '../base/logger.ts';
import type { Broker } from '../broker/broker.ts';
import { LinkError, type LinkFault } from '../broker/client/link-error.ts';
import { Addresses } from './addresses.ts';
import { EchoGuard } from './echo-guard.ts';
import { type Link, type LinkSetup, openLink } from './link.ts';
import { firstManner, isAmbiguous, type Manner, PROTOCOL_NAMES, plainerManner } from './manner.ts';
import type { BridgeAddress, BridgeOptions } from './options.ts';
import { endRemoteSession } from './remote-session.ts';
import { addressText, openTransport } from './transport.ts';
import type { Troubles } from './troubles.ts';

export interface BridgeDeps {
  readonly broker: Broker;
  readonly clock: Clock;
  readonly log: Logger;
  /** tlsFor gives what `tls.connect` needs for an address, read anew for each connection; null = no TLS. Throws OperatorError for a bad file. */
  tlsFor(options: BridgeOptions, address: BridgeAddress): ConnectionOptions | null;
}

export interface ConnectorSetup extends BridgeDeps {
  readonly options: BridgeOptions;
  readonly troubles: Troubles;
  /** What each connection has besides. */
  readonly ends: Pick<LinkSetup, 'origin' | 'incoming' | 'outgoing' | 'cleared'>;
  /** Aborted when the bridge stops. */
  readonly signal: AbortSignal;
}

/** Connector belongs to one bridge. */
export class Connector {
  /** The address in use or tried last; null = none was. */
  address: BridgeAddress | null = null;
  readonly #setup: ConnectorSetup;
  readonly #guard: EchoGuard;
  readonly #addresses: Addresses;
  /** Why the main address could not be used last. */
  #mainFault: LinkFault | null = null;
  /** What is tried first: without what the other broker has said that it does not take. */
  #firstManner: Manner;
  /** That of the latest connection. */
  #manner: Manner;

  constructor(setup: ConnectorSetup) {
    const { options, clock } = setup;
    this.#setup = setup;
    this.#guard = new EchoGuard(clock);
    this.#addresses = new Addresses(options.addresses, options.roundRobin);
    this.#firstManner = firstManner(options);
    this.#manner = this.#firstManner;
  }

  /** connect tries each address once; null = none of them answers, or the bridge stops. */
  async connect(): Promise<Link | null> {
    const { options, troubles } = this.#setup;
    for (const address of this.#addresses.round()) {
      this.address = address;
      const outcome = await this.#tryInTurn(address);
      if (this.#isStopping) {
        if (!(outcome instanceof LinkError)) outcome.close();
        return null;
      }
      if (!(outcome instanceof LinkError)) {
        this.#addresses.connected(address);
        return outcome;
      }
      if (address === options.addresses[0]) this.#mainFault = outcome.fault;
      troubles.notConnected(outcome, address);
    }
    return null;
  }

  /** addressToGoBackTo looks whether the main address answers again while another one is in use; null = the bridge stays where it is. */
  async addressToGoBackTo(): Promise<BridgeAddress | null> {
    const first = this.#addresses.toFailBackTo();
    if (first === null || !isAway(this.#mainFault)) return null;
    try {
      (await this.#open(first, this.#setup.signal)).destroy();
      return first;
    } catch {
      return null; // it is still away
    }
  }

  /** leave has the other broker forget the session, once: one that cannot be reached now keeps it. */
  async leave(): Promise<void> {
    const { address } = this;
    const { options, log } = this.#setup;
    if (address === null || options.cleanSession) return;
    try {
      const stream = await this.#open(address, new AbortController().signal); // nobody waits for it
      await endRemoteSession(stream, options, this.#manner);
    } catch (error) {
      log.log('notice', `The broker at ${addressText(address)} keeps the session of bridge ${options.name}: ${reasonOf(error)}.`);
    }
  }

  get #isStopping(): boolean {
    return this.#setup.signal.aborted;
  }

  #open(address: BridgeAddress, signal: AbortSignal) {
    const { options, tlsFor } = this.#setup;
    return openTransport(address, { options, tls: tlsFor(options, address), signal });
  }

  /** What the other broker refuses is left out at once, in turn. */
  async #tryInTurn(address: BridgeAddress): Promise<Link | LinkError> {
    const { options, log } = this.#setup;
    let isCertain = true;
    for (let manner = this.#firstManner; ; ) {
      const outcome = await this.#try(address, manner);
      if (!(outcome instanceof LinkError)) {
        this.#manner = manner;
        return outcome;
      }
      const next = this.#isStopping ? null : plainerManner(manner, outcome, options);
      if (next === null) {
        this.#firstManner = firstManner(options); // another broker may be there the next time
        return outcome;
      }
      isCertain &&= !isAmbiguous(outcome);
      if (isCertain) this.#firstManner = next;
      if (next.version !== manner.version)
        log.log('notice', `Bridge ${options.name} tries ${PROTOCOL_NAMES[next.version]}: ${outcome.message}.`);
      manner = next;
    }
  }

  async #try(address: BridgeAddress, manner: Manner): Promise<Link | LinkError> {
    const { options, broker, log, ends, troubles, signal } = this.#setup;
    log.log('notice', `Connecting bridge ${options.name} (${addressText(address)})`);
    try {
      const stream = await this.#open(address, signal);
      const giveUp = () => stream.destroy(); // whoever stops it does not wait for an answer
      signal.addEventListener('abort', giveUp);
      stream.once('close', () => signal.removeEventListener('abort', giveUp));
      const refusedFilters: LinkSetup['refusedFilters'] = (refused) => troubles.refused(refused);
      const link = await openLink(stream, { ...ends, options, manner, broker, log, guard: this.#guard, refusedFilters });
      signal.removeEventListener('abort', giveUp); // from here on it is closed in order
      return link;
    } catch (error) {
      return asLinkError(error);
    }
  }
}

/** asLinkError gives what was thrown as the failure of a connection. */
export function asLinkError(error: unknown): LinkError {
  return error instanceof LinkError ? error : new LinkError('local', reasonOf(error));
}

/** A broker that is there and refuses is no better when it answers again. */
function isAway(fault: LinkFault | null): boolean {
  return fault === 'network' || fault === 'name';
}
