// Door of discovery: what we announce by mDNS / DNS-SD (RFC 6762, RFC 6763), and looking for the brokers of others.

import { networkInterfaces } from 'node:os';
import { setTimeout as pause } from 'node:timers/promises';
import { type Clock, systemClock } from '../base/clock.ts';
import { reasonOf } from '../base/errors.ts';
import type { Part } from '../base/lifecycle.ts';
import { type Logger, silentLogger } from '../base/logger.ts';
import { hostNameOf } from '../base/network-label.ts';
import { announcementsOf, type Machine } from './announcement.ts';
import type { BrowseOptions } from './browse.ts';
import type { Publication } from './conflict.ts';
import { linkPlansOf, type NetworkInterfaces } from './link-plan.ts';
import type { AdvertisedListener, DiscoveryOptions } from './options.ts';
import type { Responder, Verdict } from './responder.ts';

export type { BrokerKind, BrowseOptions, DiscoveredBroker } from './browse.ts';

/** AdvertiserSubject is what to announce and whom to ask about it; the functions are asked again every few seconds. */
export interface AdvertiserSubject {
  readonly options: DiscoveryOptions;
  /** The listeners that are open now. */
  readonly listeners: () => readonly AdvertisedListener[];
  /** Host name of the machine, with or without a domain; announced is `HOST.local`. */
  readonly hostName: string;
  readonly machine: Machine | null;
  /** SHA-256 of our certificate authority in hex, or null. */
  readonly caFingerprint: string | null;
  /** Addresses under which the listeners can be reached. Each is announced on its own interface only. */
  readonly addresses: () => readonly string[];
  /** Called with `HOST.local` when the machine is announced under another name than before, and with null when it no longer is. */
  readonly onHost?: (host: string | null) => void;
  readonly clock?: Clock;
  readonly log?: Logger;
  /** The machine's interfaces; other ones in tests. */
  readonly interfaces?: () => NetworkInterfaces;
}

/** Advertiser announces the open listeners from `start` to `stop`. Its `start` opens nothing yet and never fails: a network without multicast is one warning in the log. */
export interface Advertiser extends Part {
  /** refresh looks at listeners and addresses at once instead of within seconds. */
  refresh(): void;
}

/** Milliseconds between two looks at listeners and addresses. Costs one getifaddrs(3). */
const POLL_INTERVAL = 5000;
/** Milliseconds that a goodbye may take; the network may be gone. */
const GOODBYE_LIMIT = 500;
/** Milliseconds to wait when two machines claim a name at once: RFC 6762 8.2 says one second, the spread makes sure that one is first. */
const TIE_WAIT = [1000, 3000] as const;

/** Names that are given up in an hour before it takes longer each time: no network has so many boxes of one name, but one liar is enough. */
const PATIENT_CONFLICTS = 5;
const HOUR = 3_600_000;
/** Milliseconds before the next try then, doubled each time up to the second number. */
const CONFLICT_WAIT = [15_000, 900_000] as const;

/** createAdvertiser makes the part that announces the broker; with `advertise false` one that does nothing. */
export function createAdvertiser(subject: AdvertiserSubject): Advertiser {
  return new NetworkAdvertiser(subject);
}

/** browse looks for MQTT brokers until `signal` is aborted, then resolves. Services that never told an address are given to `onFound` at the end. Throws OperatorError when no interface can be used. */
export async function browse(options: BrowseOptions): Promise<void> {
  const { browseNetwork } = await import('./browse.ts');
  return browseNetwork(options);
}

class NetworkAdvertiser implements Advertiser {
  readonly name = 'discovery';
  readonly #subject: AdvertiserSubject;
  readonly #log: Logger;
  readonly #stopping: AbortController;
  #nap: AbortController;
  #life: Promise<void>;
  #responder: Responder | null;
  /** What is announced now, to compare with what should be; null = nothing. */
  #announced: string | null;
  /** The host name that others find us by; null = none. */
  #host: string | null;
  /** Whether the responder asked for a new claim. */
  #upset: boolean;
  #instanceOrdinal: number;
  #hostOrdinal: number;
  #warned: boolean;
  /** When names had to be given up, monotonic milliseconds. */
  #conflicts: readonly number[];

  constructor(subject: AdvertiserSubject) {
    this.#subject = subject;
    this.#log = subject.log ?? silentLogger;
    this.#stopping = new AbortController();
    this.#nap = new AbortController();
    this.#life = Promise.resolve();
    this.#responder = null;
    this.#announced = null;
    this.#host = null;
    this.#upset = false;
    this.#instanceOrdinal = 1;
    this.#hostOrdinal = 1;
    this.#warned = false;
    this.#conflicts = [];
  }

  async start(): Promise<void> {
    if (this.#subject.options.advertise) this.#life = this.#live(this.#stopping.signal); // not awaited: the broker does not wait for the network
  }

  refresh(): void {
    this.#nap.abort();
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#life;
    const responder = this.#responder;
    this.#responder = null;
    if (responder === null) return;
    await Promise.race([responder.withdraw(), pause(GOODBYE_LIMIT, undefined, { ref: false })]);
    await responder.close();
  }

  async #live(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      this.#nap = new AbortController();
      await this.#follow(signal).catch((error: unknown) => this.#onTrouble(reasonOf(error), signal));
      await pause(POLL_INTERVAL, undefined, { signal: AbortSignal.any([signal, this.#nap.signal]), ref: false }).catch(() => {}); // woken up
    }
  }

  async #follow(signal: AbortSignal): Promise<void> {
    const plans = linkPlansOf(this.#subject.addresses(), (this.#subject.interfaces ?? networkInterfaces)());
    const listeners = this.#subject.listeners();
    const responder = await this.#loadResponder();
    const troubles = await responder.open(plans);
    if (troubles.length > 0) this.#onTrouble(troubles.join('; '), signal);
    const wanted = JSON.stringify([plans, listeners, responder.links]);
    if (wanted === this.#announced && !this.#upset) return responder.lookAfter();
    this.#announced = null;
    this.#upset = false;
    if (listeners.length === 0) await responder.withdraw();
    const host = listeners.length > 0 && responder.links.length > 0 ? await this.#claim(responder, signal) : null;
    this.#tellHost(host);
    if (listeners.length > 0 && host === null) {
      return this.#onTrouble(responder.links.length === 0 ? 'no network interface is up' : 'the network takes no multicast', signal);
    }
    this.#announced = wanted;
    if (troubles.length === 0) this.#warned = false;
  }

  // The package is loaded here, not when the program starts.
  async #loadResponder(): Promise<Responder> {
    if (this.#responder !== null) return this.#responder;
    const { Responder } = await import('./responder.ts');
    this.#responder = new Responder({ clock: this.#subject.clock ?? systemClock, onUpset: () => this.#onUpset() });
    return this.#responder;
  }

  #tellHost(host: string | null): void {
    if (host === this.#host) return;
    this.#host = host;
    this.#subject.onHost?.(host);
  }

  /** Gives the host name that is ours now, or null when nothing could be sent. */
  async #claim(responder: Responder, signal: AbortSignal): Promise<string | null> {
    for (;;) {
      const { serviceRecords } = await import('./records.ts');
      const host = hostNameOf(this.#subject.hostName, this.#hostOrdinal);
      const announcements = announcementsOf({
        ...this.#subject,
        listeners: this.#subject.listeners(),
        name: this.#subject.options.name ?? this.#subject.hostName.split('.')[0] ?? '',
        ordinal: this.#instanceOrdinal,
      });
      const publication: Publication = { host, services: announcements.map((each) => serviceRecords(each, host)) };
      const verdict = await responder.claim(publication, signal);
      if (verdict === 'claimed') {
        const names = [...new Set(announcements.map((each) => `"${each.instance}"`))].join(', ');
        this.#log.log('notice', `Announced by mDNS as ${names} at ${host} on ${responder.links.join(', ')}.`);
        return host;
      }
      if (verdict === 'not sent') return null;
      await this.#giveWay(verdict, host, signal);
    }
  }

  // A round takes three quarters of a second at least, so the limit of RFC 6762 8.1 (15 conflicts in ten seconds) is never reached.
  async #giveWay(verdict: Exclude<Verdict, 'claimed' | 'not sent'>, host: string, signal: AbortSignal): Promise<void> {
    const [least, most] = TIE_WAIT;
    await pause(this.#waitAfterConflict(), undefined, { signal, ref: false });
    if (verdict === 'tie') return pause(least + Math.random() * (most - least), undefined, { signal, ref: false });
    if (verdict === 'host taken') {
      this.#hostOrdinal++;
      this.#log.log(
        'notice',
        `The name ${host} belongs to another machine: trying ${hostNameOf(this.#subject.hostName, this.#hostOrdinal)}.`,
      );
    } else {
      this.#instanceOrdinal++;
    }
  }

  #waitAfterConflict(): number {
    const now = (this.#subject.clock ?? systemClock).monotonic();
    this.#conflicts = [...this.#conflicts.filter((at) => now - at < HOUR), now].slice(-50);
    return waitAfter(this.#conflicts.length);
  }

  #onUpset(): void {
    this.#upset = true;
    this.#nap.abort();
  }

  #onTrouble(reason: string, signal: AbortSignal): void {
    if (signal.aborted || this.#warned) return;
    this.#warned = true;
    this.#log.log('warning', `Warning: Cannot announce the broker by mDNS: ${reason} - midge tries again and says nothing until it works.`);
  }
}

/** waitAfter gives the milliseconds before the next claim after so many conflicts within an hour (RFC 6762 9). */
export function waitAfter(conflicts: number): number {
  const [first, most] = CONFLICT_WAIT;
  return conflicts <= PATIENT_CONFLICTS ? 0 : Math.min(most, first * 2 ** (conflicts - PATIENT_CONFLICTS - 1));
}
