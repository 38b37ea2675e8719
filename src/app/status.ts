// The state of the running broker as one JSON object: what `midge status` shows.

import { X509Certificate } from 'node:crypto';
import type { LoginHold } from '../access/login-throttle.ts';
import type { MemoryBudget } from '../broker/memory-budget.ts';
import { namesOf } from '../certificates/names.ts';
import { clockTrusted } from '../certificates/validity.ts';
import { describeAccess } from '../config/config.ts';
import { machineNames } from '../host/host.ts';
import type { MachineHealth } from '../host/machine-health.ts';
import type { Store, StoreCounters, StoreHealth } from '../store/store.ts';
import type { Appliance } from './app.ts';
import { type CardWear, cardWear } from './card-wear.ts';
import type { ReloadCause, Reloads } from './reloads.ts';

/** Status is of one moment. Times are ISO 8601 in UTC. */
export interface Status {
  readonly program: string;
  readonly pid: number;
  /** Start of the broker. */
  readonly since: string;
  /** State folder. */
  readonly state: string;
  /** Null = there is none. */
  readonly configuration: string | null;
  /** The latest since the start, or null; `error` says why it changed nothing. */
  readonly reload: { readonly at: string; readonly by: ReloadCause; readonly error: string | null } | null;
  /** Files of the configuration that hold something else than what is in force. */
  readonly changedFiles: readonly string[];
  /** One line per port: who may connect from where. */
  readonly access: readonly string[];
  readonly listeners: readonly ListenerStatus[];
  readonly clients: { readonly connected: number; readonly away: number; readonly connections: number };
  readonly messages: MessageRates;
  /** What is kept for clients, in bytes, and the limit for it (memory_limit; 0 = none); `refused` counts what found no room since the start; `most` is the user who has most, '' = all without an account together. */
  readonly kept: {
    readonly bytes: number;
    readonly limit: number;
    readonly isFull: boolean;
    readonly refused: number;
    readonly most: { readonly user: string; readonly bytes: number } | null;
  };
  readonly refusals: number;
  readonly held: readonly LoginHold[];
  /** Null = no listener uses a certificate of our authority. */
  readonly certificates: CertificateStatus | null;
  /** Null = nothing outlives the process. */
  readonly store: (StoreHealth & StoreCounters & { readonly wear: CardWear }) | null;
  readonly clock: { readonly now: string; readonly trusted: boolean };
  readonly machine: MachineHealth & MachineIdentity;
}

export interface MachineIdentity {
  readonly hostName: string;
  readonly addresses: readonly string[];
  /** The name that mDNS gives to it, for example `midge-2.local` where `midge.local` is another machine; null = it is not announced. */
  readonly announced: string | null;
}

export interface ListenerStatus {
  readonly protocol: 'mqtt' | 'websockets';
  readonly tls: boolean;
  /** 0 for a Unix socket. */
  readonly port: number;
  readonly addresses: readonly string[];
  readonly connections: number;
}

/** MessageRates leave the broker's test of itself and the $SYS tree out. They are per second, averaged over the last minute; null = `sys_interval 0`. Counts are since the start. */
export interface MessageRates {
  readonly receivedPerSecond: number | null;
  readonly sentPerSecond: number | null;
  readonly received: number;
  readonly sent: number;
  readonly dropped: number;
  readonly retained: number;
  readonly subscriptions: number;
}

export interface CertificateStatus {
  /** SHA-256, hexadecimal with colons. */
  readonly authorityFingerprint: string;
  readonly authorityExpires: string;
  readonly serverNames: readonly string[];
  readonly serverExpires: string;
}

export interface StatusSetup {
  readonly appliance: Appliance;
  readonly reloads: Pick<Reloads, 'last' | 'changedFiles' | 'reload'>;
  readonly title: string;
  readonly buildDate: number;
  /** Milliseconds since 1970. */
  readonly since: number;
}

/** readStatus gathers it; the machine's part is 30 seconds old at most. */
export async function readStatus({ appliance, reloads, title, buildDate, since }: StatusSetup): Promise<Status> {
  const { broker, configuration, refusals, throttle, store, certificates, machine, traffic } = appliance;
  const opened = appliance.listeners.map(({ options, port }) => ({ ...options, port, policy: { ...options.policy, port } }));
  const now = Date.now();
  const health = await machine.now();
  return {
    program: title,
    pid: process.pid,
    since: iso(since),
    state: appliance.state.path,
    configuration: configuration.file,
    reload: reloads.last === null ? null : { at: iso(reloads.last.at), by: reloads.last.by, error: reloads.last.error },
    changedFiles: reloads.changedFiles(),
    access: describeAccess({ ...configuration, listeners: opened }),
    listeners: appliance.listeners.map((listener) => {
      const { options, port, addresses } = listener;
      return { protocol: options.protocol, tls: options.tls !== null, port, addresses, connections: traffic.connectionsOf(listener) };
    }),
    clients: { connected: traffic.connectedClients, away: traffic.clientsAway, connections: traffic.connections },
    messages: ratesOf(appliance),
    kept: keptStatus(broker.budget),
    refusals: refusals.list(null).length,
    held: throttle.held(),
    certificates: certificates === null ? null : certificateStatus(certificates),
    store: store === null ? null : storeStatus(store, health),
    clock: { now: iso(now), trusted: clockTrusted(now, buildDate) },
    machine: { ...health, ...machineNames(), announced: appliance.announcedHost },
  };
}

function keptStatus({ kept: bytes, limit, isFull, refused, largest }: MemoryBudget): Status['kept'] {
  return { bytes, limit, isFull, refused, most: largest === null ? null : { user: largest.name ?? '', bytes: largest.bytes } };
}

function storeStatus(store: Store, { disk }: MachineHealth): Status['store'] {
  const counters = store.counters();
  return { ...store.health(), ...counters, wear: cardWear(counters.bytesPerDay, disk?.total ?? null) };
}

/** Nothing is sampled with `sys_interval 0`. */
function ratesOf({ broker, configuration, traffic }: Appliance): MessageRates {
  const rounded = (perSecond: number) => (configuration.broker.sysInterval === 0 ? null : Math.round(perSecond * 100) / 100);
  const { received, sent, retained, subscriptions } = traffic;
  return {
    receivedPerSecond: rounded(traffic.receivedPerSecond),
    sentPerSecond: rounded(traffic.sentPerSecond),
    received,
    sent,
    dropped: broker.counters.publishDropped,
    retained,
    subscriptions,
  };
}

function certificateStatus(certificates: NonNullable<Appliance['certificates']>): CertificateStatus {
  const [authority, server] = [certificates.authority(), certificates.server()];
  const { dns, ip } = namesOf(new X509Certificate(server.cert).subjectAltName);
  return {
    authorityFingerprint: authority.fingerprint,
    authorityExpires: iso(authority.expires),
    serverNames: [...dns, ...ip],
    serverExpires: iso(server.expires),
  };
}

function iso(milliseconds: number): string {
  return `${new Date(milliseconds).toISOString().slice(0, 19)}Z`;
}
