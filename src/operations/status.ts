// How the running broker fares, as one object.

import { X509Certificate } from 'node:crypto';
import { z } from 'zod';
import type { MemoryBudget } from '../broker/memory-budget.ts';
import { namesOf } from '../certificates/names.ts';
import { clockTrusted } from '../certificates/validity.ts';
import { machineNames, systemDate } from '../host/host.ts';
import type { MachineHealth } from '../host/machine-health.ts';
import type { Store } from '../store/store.ts';
import { cardWear } from '../telemetry/card-wear.ts';
import { BRIDGE, bridgeOf } from './bridges.ts';
import { CLUSTER_STATE, clusterOf } from './cluster.ts';
import { MACHINE_HEALTH } from './host.ts';
import { INTERNET_STATE, internetState } from './internet.ts';
import { LISTENER } from './listeners.ts';
import { type OperationNeeds, RELOAD_CAUSES } from './needs.ts';
import { type Answer, operation } from './operation.ts';
import { pageUrl } from './page-url.ts';
import { HOLD } from './throttle.ts';
import { iso, TIME } from './time.ts';
import { KNOWN_UPDATE, knownUpdate } from './updates.ts';

const RATE = z.number().nullable().describe('per second, averaged over the last minute; null = sys_interval 0');

const MESSAGES = z
  .object({
    receivedPerSecond: RATE,
    sentPerSecond: RATE,
    received: z.number(),
    sent: z.number(),
    dropped: z.number(),
    retained: z.number().describe('without those of the broker itself, such as the state of a bridge'),
    subscriptions: z.number(),
  })
  .describe("counts since the start, without the broker's test of itself and the $SYS tree");

const CERTIFICATES = z.object({
  authorityFingerprint: z.string().describe('SHA-256, hexadecimal with colons'),
  authorityExpires: TIME,
  serverNames: z.array(z.string()),
  serverExpires: TIME,
});

const STORE = z.object({
  state: z.enum(['ok', 'full', 'read-only', 'failed']),
  since: z.number().describe('milliseconds since 1970'),
  text: z.string(),
  damage: z.string().nullable(),
  bytesWritten: z.number(),
  bytesLastHour: z.number(),
  bytesLastDay: z.number(),
  bytesPerDay: z.number().nullable(),
  commits: z.number(),
  fsyncs: z.number(),
  wear: z.object({ years: z.number().nullable(), text: z.string() }),
});

const MACHINE = z.object({
  ...MACHINE_HEALTH,
  systemDate: z
    .string()
    .nullable()
    .describe("day on which the newest of Debian's packages in the card image was made; null = the system is not of the image"),
});

const KEPT = z
  .object({
    bytes: z.number(),
    limit: z.number().describe('memory_limit; 0 = none'),
    isFull: z.boolean(),
    refused: z.number().describe('what found no room since the start'),
    most: z.object({ user: z.string(), bytes: z.number() }).nullable().describe("the user who has most; '' = all without an account"),
  })
  .describe('what is kept for clients, in bytes');

const OUTPUT = z.object({
  program: z.string(),
  pid: z.number(),
  since: TIME.describe('start of the broker'),
  state: z.string().describe('state folder'),
  configuration: z.string().nullable(),
  reload: z
    .object({ at: TIME, by: z.enum(RELOAD_CAUSES), error: z.string().nullable(), later: z.array(z.string()) })
    .nullable()
    .describe('the latest since the start; error says why it changed nothing, and later which words wait for the next start'),
  changedFiles: z.array(z.string()).describe('files of the configuration that hold something else than what is in force'),
  access: z.array(z.string()).describe('one line per port: who may connect from where'),
  listeners: z.array(LISTENER),
  page: z.string().nullable().describe('address of the page for browsers; null = there is none'),
  bridges: z.array(BRIDGE),
  cluster: CLUSTER_STATE,
  clients: z.object({ connected: z.number(), away: z.number(), connections: z.number() }),
  messages: MESSAGES,
  kept: KEPT,
  refusals: z
    .number()
    .describe(
      'how often clients were refused that have not come in since; without browsers that refuse the certificate of the page, and clients that come and go',
    ),
  held: z.array(HOLD),
  certificates: CERTIFICATES.nullable().describe('null = no listener uses a certificate of our authority'),
  internet: INTERNET_STATE.nullable().describe('null = the configuration asks for nothing outside'),
  update: KNOWN_UPDATE,
  store: STORE.nullable().describe('null = nothing outlives the process'),
  clock: z.object({ now: TIME, trusted: z.boolean() }),
  machine: MACHINE,
});

/** Status is of one moment; the machine's part is 30 seconds old at most. */
export type Status = Answer<z.infer<typeof OUTPUT>>;

/** STATUS gathers it. */
export const STATUS = operation({
  name: 'status',
  kind: 'query',
  right: 'viewer',
  summary: 'The state of the running broker: who may connect, clients, rates, certificate, store, clock, machine.',
  input: z.strictObject({}),
  output: OUTPUT,
  run: readStatus,
});

function countRefusals({ refusals }: OperationNeeds): number {
  const open = refusals.list(null).filter(({ settled, cause, isBrowser }) => settled === null && cause !== 'flapping' && !isBrowser);
  return open.reduce((sum, { count }) => sum + count, 0);
}

function reloadOf({ reloads: { last } }: OperationNeeds) {
  return last === null ? null : { at: iso(last.at), by: last.by, error: last.error, later: [...last.later] };
}

async function readStatus(needs: OperationNeeds): Promise<Status> {
  const { program, configuration, reloads, broker, traffic, store, certificates, machine } = needs;
  const now = Date.now();
  const health = await machine.now();
  return {
    program: program.title,
    pid: process.pid,
    since: iso(program.since),
    state: needs.state.path,
    configuration: configuration.file,
    reload: reloadOf(needs),
    changedFiles: reloads.changedFiles(),
    access: configuration.access,
    listeners: needs.listeners,
    page: pageUrl(needs.listeners),
    bridges: needs.bridges.map(bridgeOf),
    cluster: clusterOf(needs.cluster),
    clients: { connected: traffic.connectedClients, away: traffic.clientsAway, connections: traffic.connections },
    messages: messagesOf(needs),
    kept: keptIn(broker.budget),
    refusals: countRefusals(needs),
    held: needs.throttle.held(),
    certificates: certificates === null ? null : certificatesOf(certificates),
    internet: needs.internet === null ? null : internetState(needs.internet),
    update: knownUpdate((await needs.updates()).state, program.buildDate),
    store: store === null ? null : storeOf(store, health),
    clock: { now: iso(now), trusted: clockTrusted(now, program.buildDate) },
    machine: { ...health, ...machineNames(), announced: needs.announcedHost, systemDate: systemDate() },
  };
}

function keptIn({ kept: bytes, limit, isFull, refused, largest }: MemoryBudget): Status['kept'] {
  return { bytes, limit, isFull, refused, most: largest === null ? null : { user: largest.name ?? '', bytes: largest.bytes } };
}

function storeOf(store: Store, { disk }: MachineHealth): Status['store'] {
  const counters = store.counters();
  return { ...store.health(), ...counters, wear: cardWear(counters.bytesPerDay, disk?.total ?? null) };
}

/** Nothing is sampled with `sys_interval 0`. */
function messagesOf({ broker, configuration, traffic }: OperationNeeds): Status['messages'] {
  const rounded = (perSecond: number) => (configuration.sysInterval === 0 ? null : Math.round(perSecond * 100) / 100);
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

function certificatesOf(certificates: NonNullable<OperationNeeds['certificates']>): Status['certificates'] {
  const [authority, server] = [certificates.authority(), certificates.server()];
  const { dns, ip } = namesOf(new X509Certificate(server.cert).subjectAltName);
  return {
    authorityFingerprint: authority.fingerprint,
    authorityExpires: iso(authority.expires),
    serverNames: [...dns, ...ip],
    serverExpires: iso(server.expires),
  };
}
