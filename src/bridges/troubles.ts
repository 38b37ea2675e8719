// What goes wrong with a bridge, in words: each thing is said once, for it mostly happens again and again.

import type { Clock } from '../base/clock.ts';
import type { Logger } from '../base/logger.ts';
import type { Loss } from '../broker/client/flow.ts';
import { LinkError } from '../broker/client/link-error.ts';
import type { ReasonCode } from '../mqtt/reason-codes.ts';
import { adviceFor } from './advice.ts';
import type { BridgeAddress, BridgeOptions } from './options.ts';
import type { BridgeError } from './state.ts';

/** Connections that another broker ends so soon, in milliseconds, and without a word are suspicious from the third on. */
const SHORT_MS = 10_000;
const SUSPICIOUS = 3;

export interface TroublesSetup {
  readonly options: BridgeOptions;
  readonly clock: Clock;
  readonly log: Logger;
}

/** Troubles belongs to one bridge. */
export class Troubles {
  /** What ended the latest connection or kept it from being made. */
  lastError: BridgeError | null = null;
  /** Topic filters that the other broker does not let us have. */
  refusedFilters: readonly string[] = [];
  /** Messages that did not go over. */
  dropped = 0;
  readonly #setup: TroublesSetup;
  readonly #said = new Set<string>();
  #shortConnections = 0;

  constructor(setup: TroublesSetup) {
    this.#setup = setup;
  }

  /** notConnected is told why no connection could be made to an address. */
  notConnected(error: LinkError, address: BridgeAddress | null): void {
    const likely = error.atConnect ? error : this.#suspect(error, 0);
    this.#note(likely, address, this.lastError?.words !== likely.message);
  }

  /** disconnected is told why a connection has ended that lasted so many milliseconds. */
  disconnected(error: LinkError, address: BridgeAddress | null, lasted: number): void {
    this.#note(this.#suspect(error, lasted), address, true);
  }

  /** lost is told of a message that goes no further; `topicName` null = it is not known any more. */
  lost(direction: 'in' | 'out', why: Loss, topicName: string | null, reasonCode: ReasonCode): void {
    const { name } = this.#setup.options;
    const about = topicName === null ? '' : ` (topic ${topicName})`;
    const code = `0x${reasonCode.toString(16)}`;
    this.dropped++;
    if (why === 'echo') {
      const cause = 'The other broker does not know that this is a bridge, or bridges make a ring';
      this.#sayOnce('echo', `Messages of bridge ${name} come back${about}: they are stopped. ${cause}.`);
    } else if (why === 'too large') {
      this.#sayOnce('too large', `Bridge ${name} drops messages that are larger than the other broker takes${about}.`);
    } else if (direction === 'out') {
      this.#sayOnce(`there ${code}`, `The other broker of bridge ${name} refuses messages with reason code ${code}${about}.`);
    } else {
      this.#sayOnce(`here ${code}`, `Messages from bridge ${name} are refused here with reason code ${code}${about}.`);
    }
  }

  /** refused is told of all topic filters that the other broker refuses on this connection, with their reason codes. */
  refused(filters: readonly (readonly [topicFilter: string, reasonCode: number])[]): void {
    this.refusedFilters = filters.map(([topicFilter]) => topicFilter);
    for (const [topicFilter, reasonCode] of filters) {
      const what = `refuses the subscription to ${topicFilter} with reason code 0x${reasonCode.toString(16)}`;
      this.#sayOnce(
        `filter ${topicFilter}`,
        `The other broker of bridge ${this.#setup.options.name} ${what}. It is asked again at the next connection.`,
      );
    }
  }

  /** Before MQTT 5 a broker does not say why it ends a connection. */
  #suspect(error: LinkError, lasted: number): LinkError {
    if (error.fault === 'network') return error; // nobody was reached: that tells nothing
    this.#shortConnections = error.fault === 'closed' && lasted < SHORT_MS ? this.#shortConnections + 1 : 0;
    if (this.#shortConnections < SUSPICIOUS) return error;
    const suspicion = `another device may use the same client id ("${this.#setup.options.remoteClientId}")`;
    return new LinkError('closed', `${error.message}, again and again: ${suspicion}`);
  }

  #note(error: LinkError, address: BridgeAddress | null, isNew: boolean): void {
    const { options, clock, log } = this.#setup;
    this.lastError = {
      fault: error.fault,
      words: error.message,
      advice: adviceFor(error, options, address?.host ?? null),
      at: clock.now(),
    };
    if (isNew) log.log('warning', `Warning: Bridge ${options.name}: ${error.message}.`);
  }

  #sayOnce(key: string, line: string): void {
    if (this.#said.has(key)) return;
    this.#said.add(key);
    this.#setup.log.log('warning', `Warning: ${line}`);
  }
}
