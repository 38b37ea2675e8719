// A name that follows the address of this house: whenever the address is another one, the name server is told.

import { isIPv6 } from 'node:net';
import type { Clock } from '../base/clock.ts';
import { OperatorError, reasonOf } from '../base/errors.ts';
import type { Part } from '../base/lifecycle.ts';
import type { Logger } from '../base/logger.ts';
import { updateRecords } from './dns-update.ts';
import { UpdateFault, updateName } from './dyndns2.ts';
import type { DynamicDnsOptions } from './options.ts';

/** How often the router is asked. */
const LOOK_MS = 5 * 60_000;
/** A service is told so often where only it can see the address; most want it at least every 30 days. */
const BLIND_MS = 60 * 60_000;
const REFRESH_MS = 20 * 86_400_000;
const FIRST_WAIT_MS = 10 * 60_000;
const LONGEST_WAIT_MS = 6 * 3_600_000;
/** Seconds that others may keep the address. */
const TTL = 60;

export interface DynamicDnsSetup {
  readonly options: DynamicDnsOptions;
  readonly clock: Clock;
  readonly log: Logger;
  /** Asks the router under which address the Internet sees this house; null = it does not say. Must not reject. */
  externalAddress(): Promise<string | null>;
  /** What the names lead to now. Must not reject. */
  lookUp(name: string): Promise<readonly string[]>;
}

/** DynamicDnsState is what is told of it. */
export interface DynamicDnsState {
  readonly names: readonly string[];
  /** The address that was told last; null = none, or only the service knows it. */
  readonly address: string | null;
  /** Milliseconds since 1970 of the last update; null = there was none since the start. */
  readonly updatedAt: number | null;
  /** Why the last update failed; null = it did not. */
  readonly fault: string | null;
}

/** DynamicDns looks after the names of one configuration. */
export class DynamicDns implements Part {
  readonly name = 'dynamic DNS';
  readonly #setup: DynamicDnsSetup;
  #timer: NodeJS.Timeout | null = null;
  #looking: Promise<void> | null = null;
  #address: string | null = null;
  #updatedAt: number | null = null;
  #fault: string | null = null;
  #failures = 0;
  #nextTry = 0;

  constructor(setup: DynamicDnsSetup) {
    this.#setup = setup;
  }

  state(): DynamicDnsState {
    return { names: this.#setup.options.names, address: this.#address, updatedAt: this.#updatedAt, fault: this.#fault };
  }

  /** The broker does not wait for others. */
  async start(): Promise<void> {
    this.#timer = setInterval(() => void this.look(), LOOK_MS).unref();
    void this.look();
  }

  async stop(): Promise<void> {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
  }

  /** look tells the address if it is time to. Never rejects. */
  look(): Promise<void> {
    this.#looking ??= this.#look().finally(() => {
      this.#looking = null;
    });
    return this.#looking;
  }

  async #look(): Promise<void> {
    const { clock, options, externalAddress } = this.#setup;
    if (clock.now() < this.#nextTry) return;
    const address = await externalAddress();
    if (this.#timer === null || !(await this.#isDue(address))) return;
    try {
      if (address === null && options.service.type === 'dns')
        throw new OperatorError(
          'the router does not say which address this house has (NAT-PMP, UPnP): turn that on in the router, or use a service with dynamic_dns_url',
        );
      this.#done(address, await this.#tell(address));
    } catch (error) {
      this.#failed(error);
    }
  }

  /** After a start the name may be right already: services do not like to be told what they know. */
  async #isDue(address: string | null): Promise<boolean> {
    const { clock, options, lookUp } = this.#setup;
    const age = this.#updatedAt === null ? Number.POSITIVE_INFINITY : clock.now() - this.#updatedAt;
    if (this.#fault !== null) return true;
    if (address === null) return age >= BLIND_MS;
    if (this.#updatedAt !== null) return address !== this.#address || age >= REFRESH_MS;
    const found = await Promise.all(options.names.map(lookUp));
    if (!found.every((addresses) => addresses.length === 1 && addresses[0] === address)) return true;
    this.#address = address;
    this.#updatedAt = clock.now();
    return false;
  }

  async #tell(address: string | null): Promise<string | null> {
    const { names, service } = this.#setup.options;
    if (service.type === 'dyndns2') return updateName({ ...service, names, address });
    const value = address!; // looked at before
    const type = isIPv6(value) ? 'AAAA' : 'A';
    for (const name of names) await updateRecords(service.target, [{ name, type, action: 'set', value, ttl: TTL }]); // each may have a zone of its own
    return address;
  }

  #done(address: string | null, told: string | null): void {
    const { clock, log, options } = this.#setup;
    const isNews = this.#fault !== null || told !== this.#address || this.#updatedAt === null;
    this.#address = address ?? told;
    this.#updatedAt = clock.now();
    this.#fault = null;
    this.#failures = 0;
    if (isNews) log.log('notice', `${options.names.join(', ')} now leads to ${told ?? 'the address that the service sees'}.`);
  }

  #failed(error: unknown): void {
    const { clock, log, options } = this.#setup;
    const fault = reasonOf(error);
    const isLasting = error instanceof UpdateFault && error.isLasting;
    this.#nextTry = isLasting ? Number.POSITIVE_INFINITY : clock.now() + Math.min(FIRST_WAIT_MS * 2 ** this.#failures++, LONGEST_WAIT_MS);
    const what = isLasting ? 'It is not tried again before the configuration is another one or the broker starts' : 'It is tried again';
    if (fault !== this.#fault) log.log('error', `Error: Cannot tell the address of ${options.names.join(', ')}: ${fault}. ${what}.`);
    this.#fault = fault;
  }
}
