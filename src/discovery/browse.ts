// Looking for the MQTT brokers of the network (`midge discover`).
//
// The package's Browser keeps the list of services. It takes a service only from a packet that holds PTR and SRV together, never updates
// addresses, asks once and never expires by itself. So it is fed with completed packets: each one carries all that is known, from a
// cache (RFC 6762 10) of what the links heard; and questions are repeated (5.2), with the known answers (7.1).

import { EventEmitter } from 'node:events';
import { networkInterfaces } from 'node:os';
import { setTimeout as pause } from 'node:timers/promises';
import { Browser, type Service } from 'bonjour-service';
import { type Clock, systemClock } from '../base/clock.ts';
import { OperatorError } from '../base/errors.ts';
import { type MqttServiceType, SERVICE_TYPES } from './announcement.ts';
import type { Packet, Question } from './answer.ts';
import { Link } from './link.ts';
import { linkPlansOf, type NetworkInterfaces } from './link-plan.ts';
import { RecordCache } from './record-cache.ts';
import type { MdnsRecord } from './records.ts';

/** BrokerKind says how to connect: the scheme of the URL. */
export type BrokerKind = 'mqtt' | 'mqtts' | 'ws' | 'wss';

/** DiscoveredBroker is one service of one broker. Control characters in its texts are replaced: they come from the network. */
export interface DiscoveredBroker {
  /** Full service name, its identity: `midge._mqtt._tcp.local`. */
  readonly id: string;
  /** Instance name for people. */
  readonly name: string;
  readonly host: string;
  /** IPv4 first; link-local IPv6 with its zone (`fe80::1%eth0`). Empty when the host told none. */
  readonly addresses: readonly string[];
  readonly port: number;
  readonly kind: BrokerKind;
  /** TXT keys in lower case (RFC 6763 6.4); a key without value is ''. */
  readonly txt: Readonly<Record<string, string>>;
}

/** BrowseOptions: browsing goes on until `signal` is aborted. */
export interface BrowseOptions {
  readonly signal: AbortSignal;
  /** Called for each service when its address is known, and again when something about it changed. */
  readonly onFound: (broker: DiscoveredBroker) => void;
  readonly onLost?: (broker: DiscoveredBroker) => void;
  /** The machine's interfaces; other ones in tests. Default all, loopback too: a broker of this machine may have no other. */
  readonly interfaces?: () => NetworkInterfaces;
  readonly clock?: Clock;
}

const KINDS: Readonly<Record<MqttServiceType, BrokerKind>> = { mqtt: 'mqtt', 'secure-mqtt': 'mqtts', 'mqtt-ws': 'ws', 'mqtt-wss': 'wss' };

/** Milliseconds to the second question; each wait is twice the one before, up to the second number (RFC 6762 5.2). */
const FIRST_WAIT = 1000;
const LONGEST_WAIT = 60_000;

/** browseNetwork looks for brokers until `signal` is aborted, then resolves. Services that never told an address are given to `onFound` at the end. Throws OperatorError when no interface can be used. */
export async function browseNetwork(options: BrowseOptions): Promise<void> {
  const hunt = new Hunt(options);
  try {
    await hunt.open();
    for (let wait = FIRST_WAIT; !options.signal.aborted; wait = Math.min(wait * 2, LONGEST_WAIT)) {
      await hunt.ask();
      await pause(wait, undefined, { signal: options.signal }).catch(() => {}); // the end of browsing
    }
    hunt.report({ withoutAddress: true });
  } finally {
    await hunt.close();
  }
}

class Hunt {
  readonly #options: BrowseOptions;
  readonly #cache: RecordCache;
  readonly #links: Link[];
  readonly #feed: EventEmitter;
  readonly #browsers: readonly Browser[];
  readonly #asked: Set<string>;
  #reported: Map<string, DiscoveredBroker>;

  constructor(options: BrowseOptions) {
    this.#options = options;
    this.#cache = new RecordCache(options.clock ?? systemClock);
    const plans = linkPlansOf(allAddresses(this.#interfaces()), this.#interfaces());
    const response = (packet: Packet, _sender: unknown, link: Link) => this.#onResponse(packet, link);
    this.#links = plans.map((plan) => new Link(plan, { query: () => {}, response }));
    this.#feed = new EventEmitter();
    const transport = Object.assign(this.#feed, { query: () => {} }); // the questions are ours
    this.#browsers = SERVICE_TYPES.map((type) => new Browser(transport, { type }));
    this.#asked = new Set();
    this.#reported = new Map();
  }

  async open(): Promise<void> {
    await Promise.all(this.#links.map((link) => link.open()));
    if (this.#links.some((link) => link.families.length > 0)) return;
    const reason = this.#links.flatMap((link) => link.troubles)[0] ?? 'no network interface is up';
    throw new OperatorError(`Cannot look for brokers by mDNS: ${reason} - connect to a network and try again`);
  }

  /** ask sends the questions for all types, and again those about services that are known in part. */
  async ask(): Promise<void> {
    this.#cache.expire();
    this.#feedBrowsers([]);
    this.#asked.clear();
    const questions = SERVICE_TYPES.map((type) => ({ name: `_${type}._tcp.local`, type: 'PTR' }));
    await this.#send({ type: 'query', questions, answers: this.#cache.knownAnswers() });
    await this.#askForMissing();
  }

  /** report tells what is new, what changed and what is gone since the last time. */
  report(what: { readonly withoutAddress: boolean }): void {
    const found = new Map<string, DiscoveredBroker>();
    for (const service of this.#browsers.flatMap((browser) => browser.services)) {
      const broker = this.#brokerOf(service);
      if (broker === null) continue;
      const known = this.#reported.get(broker.id);
      if (broker.addresses.length > 0 || what.withoutAddress) found.set(broker.id, broker);
      else if (known !== undefined) found.set(broker.id, known); // its address is on its way from one responder to another
    }
    const before = this.#reported;
    this.#reported = found;
    for (const [id, broker] of before) if (!found.has(id)) this.#options.onLost?.(broker);
    for (const [id, broker] of found) if (JSON.stringify(before.get(id)) !== JSON.stringify(broker)) this.#options.onFound(broker);
  }

  async close(): Promise<void> {
    for (const browser of this.#browsers) browser.stop();
    await Promise.all(this.#links.map((link) => link.close()));
  }

  #interfaces(): NetworkInterfaces {
    return (this.#options.interfaces ?? networkInterfaces)();
  }

  #onResponse(packet: Packet, link: Link): void {
    const heard = [...(packet.answers ?? []), ...(packet.additionals ?? [])];
    this.#cache.add(link.plan.interfaceName, heard);
    this.#feedBrowsers(heard.filter((record) => record.type === 'PTR' && record.ttl === 0));
    this.report({ withoutAddress: false });
    void this.#askForMissing();
  }

  #feedBrowsers(goodbyes: readonly MdnsRecord[]): void {
    this.#feed.emit('response', { answers: [...goodbyes, ...this.#cache.expired(), ...this.#cache.records()], additionals: [] });
  }

  async #askForMissing(): Promise<void> {
    const questions = this.#missing().filter((question) => {
      const key = `${question.name} ${question.type}`;
      return !this.#asked.has(key) && this.#asked.add(key);
    });
    if (questions.length > 0) await this.#send({ type: 'query', questions });
  }

  #missing(): Question[] {
    const questions: Question[] = [];
    for (const instance of this.#cache.instances()) {
      if (!this.#cache.has(instance, 'SRV')) questions.push({ name: instance, type: 'SRV' });
      if (!this.#cache.has(instance, 'TXT')) questions.push({ name: instance, type: 'TXT' });
    }
    for (const service of this.#browsers.flatMap((browser) => browser.services)) {
      if (this.#cache.addressesOf(service.host).length > 0) continue;
      questions.push({ name: service.host, type: 'A' }, { name: service.host, type: 'AAAA' });
    }
    return questions;
  }

  #send(packet: Packet): Promise<unknown> {
    return Promise.all(this.#links.map((link) => link.send(packet)));
  }

  // The Browser ends an instance name at its first dot, and takes what follows for the type: both are read from the full name.
  #brokerOf(service: Service): DiscoveredBroker | null {
    const type = SERVICE_TYPES.find((each) => service.fqdn.toLowerCase().endsWith(`._${each}._tcp.local`));
    if (type === undefined) return null;
    const txt = Object.entries(service.txt ?? {}).map(([key, value]) => [printable(key.toLowerCase()), printable(String(value ?? ''))]);
    return {
      id: printable(service.fqdn),
      name: printable(service.fqdn.slice(0, -`._${type}._tcp.local`.length)),
      host: printable(service.host),
      addresses: this.#cache.addressesOf(service.host),
      port: service.port,
      kind: KINDS[type],
      txt: Object.fromEntries(txt),
    };
  }
}

function allAddresses(interfaces: NetworkInterfaces): string[] {
  return Object.values(interfaces).flatMap((entries = []) => entries.map((entry) => entry.address));
}

function printable(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\u2028\u2029]/gu, '\uFFFD');
}
