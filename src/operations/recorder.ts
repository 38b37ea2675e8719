// What OwnTracks' Recorder answers to its clients, from our own history: the shapes of its HTTP interface.
// https://github.com/owntracks/recorder, doc and API.md

import type { LocationRecord } from '../base/location-record.ts';
import type { Whereabout } from '../phones/whereabouts.ts';
import { detailsIn } from './location-shapes.ts';
import type { MayRead } from './location-sight.ts';
import type { OperationNeeds } from './needs.ts';
import { badInput, OperationFailure } from './operation.ts';
import type { Fields } from './recorder-formats.ts';

/** RECORDER_VERSION is that of the Recorder whose interface this is. */
export const RECORDER_VERSION = '0.9.9';

const HOUR_MS = 3_600_000;

/** Without a time the Recorder tells the last hours. */
const DEFAULT_HOURS = 6;

/** Records of one answer: 90 days of a phone that tells one each minute would be more. */
const MOST = 100_000;
const PER_READ = 2000;

/** Wanted picks phones as the Recorder's parameters do; null = all. Names are compared without regard to capitals. */
export interface Wanted {
  readonly user: string | null;
  readonly device: string | null;
}

/** Period is what `from`, `to` and `limit` say; null = nothing. */
export interface Period {
  readonly from: string | null;
  readonly to: string | null;
  readonly limit: number | null;
}

/** Place is a point in degrees. */
export interface Place {
  readonly lat: number;
  readonly lon: number;
}

const METRES_PER_DEGREE = 111_320;
const NEAR_METRES = 75;

/** ownTracksFields writes a record as the phone has sent it. */
export function ownTracksFields(record: LocationRecord): Fields {
  const { at, received: _received, topic: _topic, kind, details: _details, ...numbers } = record;
  const known = Object.entries(numbers).filter(([, value]) => value !== null);
  return { _type: kind, ...detailsIn(record), ...Object.fromEntries(known), tst: Math.floor(at / 1000) };
}

/** lastOf gives the last location of each phone that may be read, as /api/0/last does. */
export function lastOf({ locations }: OperationNeeds, mayRead: MayRead, wanted: Wanted): readonly Fields[] {
  const seen = locations?.live.list().filter((phone) => isWanted(phone, wanted) && mayRead(phone.topic)) ?? [];
  return seen.map((phone) => recorded(phone, mayRead)).filter((fields) => fields !== null);
}

/** recorded is the last location of a phone as the Recorder keeps it; null = none has come. */
export function recorded({ topic, person, device, last, card }: Whereabout, mayRead: MayRead): Fields | null {
  if (last === null) return null;
  const shown = card !== null && mayRead(`${topic}/info`) ? { name: card.name, face: card.face } : {};
  return { ...withTimes(last), topic, username: person, device, ...shown };
}

/** monitorOf gives what /api/0/monitor does: when the last message came of all phones that may be read, and its topic; null = none has come. */
export function monitorOf({ locations }: OperationNeeds, mayRead: MayRead): string | null {
  const seen = locations?.live.list().filter(({ topic, last }) => last !== null && mayRead(topic)) ?? [];
  const latest = seen.reduce<Whereabout | null>((one, each) => (receivedOf(each) > receivedOf(one) ? each : one), null);
  return latest === null ? null : `${Math.floor(receivedOf(latest) / 1000)} ${latest.topic}`;
}

function receivedOf(phone: Whereabout | null): number {
  return phone?.last?.received ?? 0;
}

/** addressOf gives what /api/0/q does: the address of a place, if a phone that may be read was last there and has sent one; null = none has. */
export function addressOf({ locations }: OperationNeeds, mayRead: MayRead, place: Place): Fields | null {
  for (const { topic, last } of locations?.live.list() ?? []) {
    if (last === null || last.lat === null || last.lon === null || !isNear(place, { lat: last.lat, lon: last.lon }) || !mayRead(topic))
      continue;
    const { addr, cc } = detailsIn(last);
    if (typeof addr === 'string') return { ...(typeof cc === 'string' ? { cc } : {}), addr, tst: Math.floor(last.at / 1000) };
  }
  return null;
}

/** As in the Recorder's cache of addresses: both lie in one square of some 150 metres. */
function isNear(one: Place, other: Place): boolean {
  const metres = METRES_PER_DEGREE * Math.hypot(one.lat - other.lat, (one.lon - other.lon) * Math.cos((one.lat * Math.PI) / 180));
  return metres <= NEAR_METRES;
}

/** faceOf gives what /api/0/photo does: the picture of a person's card, in base64; null = there is none that may be seen. */
export function faceOf({ locations }: OperationNeeds, mayRead: MayRead, user: string): string | null {
  const seen = locations?.live.list().filter(({ person, topic }) => isSame(person, user) && mayRead(`${topic}/info`)) ?? [];
  return seen.map(({ card }) => card?.face ?? null).find((face) => face !== null) ?? null;
}

/** namesOf gives what /api/0/list does: users, the devices of a user, or the months of a device in which something is kept. */
export async function namesOf({ locations }: OperationNeeds, mayRead: MayRead, { user, device }: Wanted): Promise<readonly string[]> {
  const kept = (await locations?.log?.phones()) ?? [];
  const spans = new Map(kept.map(({ topic, ...span }) => [topic, span]));
  const topics = [...new Set([...spans.keys(), ...(locations?.live.list().map(({ topic }) => topic) ?? [])])].filter(mayRead);
  const names = topics.map((topic) => ({ topic, person: topic.split('/')[1] ?? '', on: topic.split('/')[2] ?? '' }));
  if (user === null) return [...new Set(names.map(({ person }) => person))].sort();
  const own = names.filter(({ person }) => isSame(person, user));
  if (device === null) return own.map(({ on }) => on).sort();
  return own
    .filter(({ on }) => isSame(on, device))
    .flatMap(({ topic, person, on }) => {
      const { first = null, last = null } = spans.get(topic) ?? {};
      return first === null || last === null ? [] : monthsOf(first, last).map((month) => `${person}/${on}/${month}.rec`);
    });
}

/** recordsOf gives the locations of one phone, the oldest first, or of a limit the latest. Throws OperationFailure. */
export async function recordsOf(
  needs: OperationNeeds,
  mayRead: MayRead,
  { user, device }: Wanted,
  period: Period,
): Promise<readonly Fields[]> {
  const { locations, broker } = needs;
  if (user === null || device === null) throw badInput(user === null ? 'user' : 'device', 'user and device are required');
  const log = locations?.log ?? null;
  if (locations === null || log === null)
    throw new OperationFailure('not possible', 'Cannot tell where phones were: nothing is kept without "persistence true"');
  const phones = (await log.phones()).map(({ topic }) => topic).filter((topic) => mayRead(topic));
  const topic = phones.find((each) => isSame(each, `owntracks/${user}/${device}`));
  if (topic === undefined) return [];
  const now = broker.clock.now();
  const limit = Math.min(period.limit ?? MOST, MOST);
  const usual = period.limit === null ? now - DEFAULT_HOURS * HOUR_MS : 0;
  const from = period.from === null ? usual : timeIn('from', period.from);
  const to = period.to === null ? 8.64e15 : timeIn('to', period.to);
  if (from > to) throw badInput('to', 'impossible date/time ranges');
  const oldest = now - locations.days * 24 * HOUR_MS;
  const records: LocationRecord[] = [];
  for (let before: LocationRecord | null = null; records.length < limit; ) {
    const page: readonly LocationRecord[] = await log.read({ topic, from: Math.max(from, oldest), to }, before, PER_READ);
    records.push(...page.filter(({ kind }) => kind === 'location').slice(0, limit - records.length));
    before = page.at(-1) ?? null;
    if (page.length < PER_READ) break;
  }
  return records.reverse().map(withTimes);
}

function withTimes(record: LocationRecord): Fields {
  const isotst = isoTime(record.at);
  return { ...ownTracksFields(record), isotst, disptst: isotst.slice(0, 19).replace('T', ' '), isorcv: isoTime(record.received) };
}

function isoTime(milliseconds: number): string {
  return `${new Date(milliseconds).toISOString().slice(0, 19)}Z`;
}

function isWanted({ person, device }: Whereabout, wanted: Wanted): boolean {
  return (wanted.user === null || isSame(person, wanted.user)) && (wanted.device === null || isSame(device, wanted.device));
}

function isSame(one: string, other: string): boolean {
  return one.toLowerCase() === other.toLowerCase();
}

/** YYYY-MM, and on to seconds; in UTC. */
function timeIn(field: string, text: string): number {
  const [, date, time = ''] = /^(\d{4}-\d\d(?:-\d\d)?)(?:T(\d\d(?::\d\d(?::\d\d)?)?)Z?)?$/i.exec(text) ?? [];
  const whole = `${date}${date?.length === 7 ? '-01' : ''}T${time === '' ? '00:00:00' : time.padEnd(8, ':00')}Z`;
  const at = date === undefined ? Number.NaN : Date.parse(time.length === 2 ? whole.replace(/T(\d\d).*/, 'T$1:00:00Z') : whole);
  if (Number.isNaN(at)) throw badInput(field, 'impossible date/time ranges');
  return at;
}

function monthsOf(first: number, last: number): readonly string[] {
  const months: string[] = [];
  const day = new Date(first);
  for (let at = Date.UTC(day.getUTCFullYear(), day.getUTCMonth()); at <= last && months.length < 1200; ) {
    months.push(new Date(at).toISOString().slice(0, 7));
    const month = new Date(at);
    at = Date.UTC(month.getUTCFullYear(), month.getUTCMonth() + 1);
  }
  return months;
}
