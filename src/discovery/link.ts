// One network interface as mDNS sees it: an IPv4 and an IPv6 transport of the package, packets of other links left out.
//
// The package is bent by its own options, one instance per interface and family:
// - by itself it sends on one interface only: `interface` names the one to send on, and `bind` takes all, because a socket bound to the
//   interface's address hears no multicast on Linux (RFC 6762 11 wants 224.0.0.251 and ff02::fb, port 5353);
// - IPv6 wants `ip` and a zone (`::%eth0`), and a socket of its own that leaves IPv4 to the other;
// - SO_REUSEADDR lets avahi, systemd-resolved or a second broker listen on 5353 too (RFC 6762 15.1);
// - its sockets hear the groups of all interfaces (Linux IP_MULTICAST_ALL), so a packet is taken by its sender's address (RFC 6762 11);
// - it throws socket errors as uncaught 'error' events: here they are a reason in words, and the link is tried again later.
// Its record registry stays empty: what it answers and announces has no cache-flush bit, no known answers and no legacy answers.

import { createSocket, type RemoteInfo } from 'node:dgram';
import { Server } from 'bonjour-service/dist/lib/mdns-server.js';
import { reasonOf } from '../base/errors.ts';
import type { Packet } from './answer.ts';
import { type LinkPlan, LinkScope } from './link-plan.ts';

/** MDNS_PORT is 5353; who asks from another port knows nothing of multicast (RFC 6762 6.7). */
export const MDNS_PORT = 5353;
const IPV6_GROUP = 'ff02::fb';
/** The AA bit, set in every response (RFC 6762 18.4). */
const AUTHORITATIVE = 1 << 10;

/** Sender is where a packet came from. */
export interface Sender {
  readonly address: string;
  readonly port: number;
}

/** LinkEvents are called for packets of the link only. What they throw is dropped with the packet. */
export interface LinkEvents {
  query(packet: Packet, sender: Sender, link: Link): void;
  response(packet: Packet, sender: Sender, link: Link): void;
}

/** Transport is what multicast-dns gives; the package types it as `any`. */
interface Transport {
  on(event: 'ready' | 'error' | 'warning', listener: (error?: Error) => void): void;
  on(event: 'query' | 'response', listener: (packet: Packet, sender: RemoteInfo) => void): void;
  send(packet: object, to: Sender | null, done: (error?: Error | null) => void): void;
  destroy(done: () => void): void;
}

interface OpenTransport {
  readonly family: 4 | 6;
  readonly transport: Transport;
}

/** Link is one interface, opened. */
export class Link {
  readonly plan: LinkPlan;
  readonly #events: LinkEvents;
  readonly #scope: LinkScope;
  #transports: OpenTransport[];
  #troubles: string[];

  constructor(plan: LinkPlan, events: LinkEvents) {
    this.plan = plan;
    this.#events = events;
    this.#scope = new LinkScope(plan);
    this.#transports = [];
    this.#troubles = [];
  }

  /** troubles are the reasons why a family could not be opened. */
  get troubles(): readonly string[] {
    return this.#troubles;
  }

  /** families are what is open: 4, 6, both or nothing. */
  get families(): readonly (4 | 6)[] {
    return this.#transports.map((open) => open.family).sort();
  }

  /** open binds what the interface has, IPv4 and IPv6; called again, what could not be opened before. Never throws, see `families` and `troubles`. */
  async open(): Promise<void> {
    const { ipv4, ipv6, interfaceName } = this.plan;
    const has = this.families;
    this.#troubles = [];
    if (ipv4 !== null && !has.includes(4)) await this.#openTransport(4, { interface: ipv4, bind: '0.0.0.0' });
    if (ipv6 && !has.includes(6)) await this.#openTransport(6, { interface: `::%${interfaceName}`, bind: '::', ip: IPV6_GROUP });
  }

  /** send multicasts on both families, or answers one sender. Resolves to whether the system took at least one packet; never throws. */
  async send(packet: Packet, to: Sender | null = null): Promise<boolean> {
    const sent = await Promise.all(this.#transportsFor(to).map(({ transport }) => sendOn(transport, packet, to)));
    return sent.includes(true);
  }

  async close(): Promise<void> {
    const transports = this.#transports;
    this.#transports = [];
    await Promise.all(transports.map(({ transport }) => new Promise<void>((resolve) => transport.destroy(resolve))));
  }

  async #openTransport(family: 4 | 6, where: object): Promise<void> {
    const type = family === 4 ? 'udp4' : 'udp6';
    const socket = createSocket({ type, reuseAddr: true, ipv6Only: type === 'udp6' });
    const options = { type, socket, ...where };
    const transport: Transport = new Server(options, ignore).mdns;
    const reason = await new Promise<string | null>((resolve) => {
      transport.on('ready', () => resolve(null));
      transport.on('error', (error) => resolve(reasonOf(error)));
    });
    if (reason !== null) {
      this.#troubles.push(`${this.plan.interfaceName}: ${reason}`);
      await new Promise<void>((resolve) => transport.destroy(resolve));
      return;
    }
    transport.on('warning', ignore); // a packet that does not decode, a group that cannot be joined right now: it is tried again every 5 s
    transport.on('query', (packet, sender) => this.#deliver('query', packet, sender));
    transport.on('response', (packet, sender) => this.#deliver('response', packet, sender));
    this.#transports.push({ family, transport });
  }

  #deliver(kind: 'query' | 'response', packet: Packet, sender: Sender): void {
    if (!this.#scope.includes(sender.address)) return;
    if (kind === 'response' && sender.port !== MDNS_PORT) return; // RFC 6762 6: such a response MUST be ignored
    try {
      this.#events[kind](packet, sender, this);
    } catch {
      // A packet that nobody could foresee must not end the broker; there is nobody to tell.
    }
  }

  #transportsFor(to: Sender | null): readonly OpenTransport[] {
    if (to === null) return this.#transports;
    const family = to.address.includes(':') ? 6 : 4;
    return this.#transports.filter((open) => open.family === family);
  }
}

function sendOn(transport: Transport, packet: Packet, to: Sender | null): Promise<boolean> {
  const message = packet.type === 'response' ? { ...packet, flags: AUTHORITATIVE } : { ...packet }; // a copy: multicast-dns adds to it
  return new Promise((resolve) => transport.send(message, to === null ? null : { ...to }, (error) => resolve(!error)));
}

function ignore(): void {}
