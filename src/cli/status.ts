// `midge status`: how the running broker and its machine fare.

import { OperatorError } from '../base/errors.ts';
import { visibleJson, visibleText } from '../logging/line.ts';
import type { ReloadCause } from '../operations/needs.ts';
import type { Status } from '../operations/status.ts';
import { isWearing } from '../telemetry/card-wear.ts';
import type { Invocation, Terminal } from '../terminal/command.ts';
import { writeTable } from '../terminal/table.ts';
import { bridgeRows, bridgeTroubles } from './bridge-status.ts';
import { clusterRows, clusterTroubles } from './cluster-status.ts';
import { askBroker, tell } from './control-client.ts';
import { isoTime } from './iso-time.ts';

const CAUSES: Readonly<Record<ReloadCause, string>> = {
  signal: 'after a signal',
  change: 'after a file had changed',
  command: 'for a command',
};

/** run prints the state. The exit status is 0, or 1 when something needs a person: store, clock, power, a certificate that ends; with `--broker` the broker itself. */
export async function run(invocation: Invocation): Promise<number> {
  const { flags, terminal } = invocation;
  const status = (await askBroker(invocation, 'status')) as Status; // the other end is controlRequests
  const code = await setupCodeOf(invocation);
  return tell(() => {
    const troubles = troublesOf(status);
    if (flags.has('json')) terminal.stdout.write(`${visibleJson({ ...status, troubles })}\n`);
    else print(status, troubles, terminal);
    if (code !== null && !flags.has('json'))
      terminal.stdout.write(
        `\nNobody has claimed the REST interface and its page yet${status.page ? `. Open ${visibleText(status.page)} in a browser, and type the set-up code` : ''}. The set-up code is ${visibleText(code)}\n`,
      );
    return (flags.has('broker') ? brokerTroubles(status) : troubles).length === 0 ? 0 : 1;
  });
}

/** A broker that was started by an earlier version knows none. */
async function setupCodeOf(invocation: Invocation): Promise<string | null> {
  try {
    const answer = (await askBroker(invocation, 'setup code')) as { readonly code: string | null }; // the other end is the same table
    return tell(() => (typeof answer.code === 'string' ? answer.code : null));
  } catch (error) {
    if (error instanceof OperatorError) return null;
    throw error;
  }
}

/** troublesOf gives what a person should look at, one sentence each. */
export function troublesOf(status: Status): string[] {
  const { store, clock, certificates, machine, kept, bridges, cluster, internet, update } = status;
  const troubles = brokerTroubles(status);
  if (kept.isFull) {
    const most =
      kept.most === null ? '' : `; most is for ${kept.most.user === '' ? 'clients without an account' : `user "${kept.most.user}"`}`;
    troubles.push(
      `${bytes(kept.bytes)} are kept for clients: new sessions, queued and retained messages are refused until there is room (memory_limit)${most}.`,
    );
  }
  if (store && isWearing(store.wear)) troubles.push(store.wear.text);
  if (!clock.trusted) troubles.push(`The clock says ${clock.now}, which is before this program was built.`);
  else if (isClockUnset(machine))
    troubles.push(`No time server has set the clock since the machine was switched on. It says ${clock.now}.`);
  if (clock.trusted && certificates !== null && certificates.serverExpires < clock.now)
    troubles.push(`The server certificate expired on ${certificates.serverExpires.slice(0, 10)}.`);
  troubles.push(...bridges.flatMap(bridgeTroubles), ...clusterTroubles(cluster), ...internetTroubles(internet), ...updateTroubles(update));
  const { power, disk } = machine;
  const age = systemAge(machine, clock.now);
  if (age !== null && age.days > OLD_SYSTEM_DAYS)
    troubles.push(
      `The newest of Debian's packages on this card is ${age.days} days old: install an update of the card, which has newer ones.`,
    );
  if (power !== null && power.now.length > 0) troubles.push(`The machine says: ${power.now.join(', ')}.`);
  if (disk !== null && disk.free < disk.total * 0.02) troubles.push(`The disk is nearly full: ${bytes(disk.free)} are free.`);
  return troubles;
}

/** brokerTroubles are those of the broker and its database: another machine, network or user would have them as well. A system on trial is judged by them. */
export function brokerTroubles({ store, reload }: Pick<Status, 'store' | 'reload'>): string[] {
  const troubles: string[] = [];
  if (reload !== null && reload.error !== null) troubles.push(`The last reload failed: ${reload.error}`);
  if (store !== null && store.state !== 'ok') troubles.push(store.text);
  if (store?.damage) troubles.push(store.damage);
  return troubles;
}

/** Debian mends its stable release some times a month. */
const OLD_SYSTEM_DAYS = 180;

/** A broker that was started by an earlier version does not tell. */
function systemAge(
  { systemDate = null }: Partial<Status['machine']>,
  now: string,
): { readonly date: string; readonly days: number } | null {
  return systemDate === null ? null : { date: systemDate, days: daysBetween(systemDate, now) };
}

function daysBetween(from: string, to: string): number {
  return Math.floor((Date.parse(to) - Date.parse(from)) / 86_400_000);
}

/** A machine that has just been switched on may still be asking. */
const ASKING_SECONDS = 600;

function isClockUnset({ clockSet, uptime }: Status['machine']): boolean {
  return clockSet === false && uptime > ASKING_SECONDS;
}

function internetRow(internet: Status['internet'] | undefined): string | null {
  const { certificate = null, dynamicDns = null } = internet ?? {};
  const parts = [
    certificate &&
      `certificate for ${certificate.names.join(', ')} ${certificate.expires === null ? 'not there yet' : `until ${certificate.expires.slice(0, 10)}`}`,
    dynamicDns && `${dynamicDns.names.join(', ')} leads to ${dynamicDns.address ?? 'an address that only the service knows'}`,
  ].filter((part) => part !== null);
  return parts.length === 0 ? null : parts.join('; ');
}

/** A broker that was started by an earlier version has no such part. */
function internetTroubles(internet: Status['internet'] | undefined): string[] {
  const { certificate = null, dynamicDns = null } = internet ?? {};
  return [
    certificate?.fault ? `No certificate for ${certificate.names.join(', ')} (acme_names): ${certificate.fault}` : '',
    dynamicDns?.fault ? `The address of ${dynamicDns.names.join(', ')} is not told (dynamic_dns_names): ${dynamicDns.fault}` : '',
  ].filter((text) => text !== '');
}

/** A broker that was started by an earlier version tells nothing. */
function updateTroubles(update: Status['update'] | undefined): string[] {
  const { last = null, automatic = 'off', fault = null } = update ?? {};
  const hasFailed = last !== null && last.outcome === 'failed';
  return [
    hasFailed ? `The update${last.to === null ? '' : ` to ${last.to}`} on ${last.at.slice(0, 10)} was not done: ${last.reason}` : '',
    automatic !== 'off' && fault !== null ? fault : '',
  ].filter((text) => text !== '');
}

function updateRow(update: Status['update'] | undefined, now: string): string | null {
  if (update === undefined) return null;
  const age = `from ${update.built.slice(0, 10)}${inDays(daysBetween(update.built, now))}`;
  if (update.last?.outcome === 'on trial')
    return `${age}; ${update.last.to} is on trial, and stays when it has been healthy for five minutes`;
  if (update.newer !== null) return `${age}; ${update.newer} is newer (sudo midge upgrade)`;
  return `${age}; ${update.checked === null ? 'nobody has looked for a newer one' : `none newer was known on ${update.checked.slice(0, 10)}`}`;
}

function systemRow(machine: Status['machine'], now: string): string | null {
  const age = systemAge(machine, now);
  return age && `Debian's packages up to ${age.date}${inDays(age.days)}`;
}

function inDays(days: number): string {
  return days > 0 ? `, ${days} ${days === 1 ? 'day' : 'days'} old` : '';
}

function print(status: Status, troubles: readonly string[], terminal: Terminal): void {
  writeTable(
    terminal,
    rowsOf(status).flatMap(([name, text]) => (text === null ? [] : [[name, visibleText(text)]])),
  );
  for (const trouble of troubles) terminal.stdout.write(`\n! ${visibleText(trouble)}\n`);
}

function rowsOf({
  program,
  pid,
  since,
  configuration,
  access,
  clients,
  messages,
  certificates,
  ...rest
}: Status): [string, string | null][] {
  const { refusals, held, store, clock, machine, reload, changedFiles } = rest;
  const perSecond = (rate: number | null) => (rate === null ? '' : ` (${rate}/s)`);
  return [
    ['Program', `${program}, pid ${pid}, since ${isoTime(Date.parse(since))}`],
    ['Version', updateRow(rest.update, clock.now)],
    ['System', systemRow(machine, clock.now)],
    ['State', rest.state],
    ['Configuration', configuration ?? 'none'],
    ['Reloaded', reload && `${isoTime(Date.parse(reload.at))}, ${CAUSES[reload.by]}${reload.error === null ? '' : ': failed'}`],
    ['Changed', changedFiles.length === 0 ? null : `${changedFiles.join(', ')}: not in force yet (kill -HUP ${pid})`],
    ...access.map((line, at): [string, string] => [at === 0 ? 'Listening on' : '', line]),
    ['Page', (rest.page ?? null) && `The page for browsers: ${rest.page}`], // an earlier version does not tell
    ...rest.bridges.flatMap(bridgeRows),
    ...clusterRows(rest.cluster),
    ['Clients', `${clients.connected} connected, ${clients.away} kept while away`],
    [
      'Messages',
      `${messages.received} received${perSecond(messages.receivedPerSecond)}, ${messages.sent} sent${perSecond(messages.sentPerSecond)}, ${messages.dropped} dropped`,
    ],
    ['', `${messages.retained} retained, ${messages.subscriptions} subscriptions`],
    ['Kept', `${bytes(rest.kept.bytes)} for clients${rest.kept.limit === 0 ? '' : `, at most ${bytes(rest.kept.limit)} (memory_limit)`}`],
    ['Refused', refusals === 0 ? 'nobody' : `${refusals} ${refusals === 1 ? 'time' : 'times'}: see midge why`],
    ['Held', held.length === 0 ? null : `${held.length} after wrong logins: see midge why`],
    ['Certificate', certificates && `until ${certificates.serverExpires.slice(0, 10)}, for ${certificates.serverNames.join(', ')}`],
    ['Internet', internetRow(rest.internet)],
    ['Authority', certificates && `until ${certificates.authorityExpires.slice(0, 10)}, SHA-256 ${certificates.authorityFingerprint}`],
    [
      'Store',
      store === null
        ? 'none: nothing outlives the broker'
        : store.state === 'ok'
          ? 'ok: all acknowledged messages are on disk'
          : store.state,
    ],
    ['Written', store && `${bytes(store.bytesLastHour)} in the last hour, ${bytes(store.bytesLastDay)} in the last day`],
    ['', store && !isWearing(store.wear) ? store.wear.text : null],
    ['Clock', `${isoTime(Date.parse(clock.now))}${clock.trusted ? '' : ', not trusted'}${describeClock(machine)}`],
    ...machineRows(machine),
  ];
}

function describeClock({ clockSet }: Status['machine']): string {
  return clockSet === false ? ', not set by a time server' : '';
}

function machineRows({
  hostName,
  addresses,
  announced,
  cpuTemperature,
  power,
  load,
  memory,
  disk,
  wifi,
}: Status['machine']): [string, string | null][] {
  return [
    ['Machine', [hostName, ...addresses].join(', ')],
    ['Announced', announced && describeAnnounced(announced, hostName)],
    ['Temperature', cpuTemperature === null ? null : `${cpuTemperature.toFixed(1)} °C`],
    ['Power', power && `${power.now.join(', ') || 'ok'}${power.sinceBoot?.length ? `; since boot ${power.sinceBoot.join(', ')}` : ''}`],
    ['Load', load.map((each) => each.toFixed(2)).join(' ')],
    ['Memory', `${bytes(memory.available)} of ${bytes(memory.total)} available`],
    ['Disk', disk && `${bytes(disk.free)} of ${bytes(disk.total)} free at ${disk.path}`],
    ...wifi.map(({ name, signal }): [string, string] => ['Wi-Fi', `${name} ${signal} dBm`]),
  ];
}

function describeAnnounced(announced: string, hostName: string): string {
  const own = `${hostName.split('.')[0]}.local`;
  return announced === own ? own : `${announced}: another machine is ${own}`;
}

function bytes(count: number): string {
  const units = ['B', 'KB', 'MB', 'GB', 'TB'];
  const power = Math.min(units.length - 1, Math.floor(Math.log10(Math.max(count, 1)) / 3));
  return `${(count / 1000 ** power).toFixed(power === 0 ? 0 : 1)} ${units[power]}`;
}
