// What OwnTracks' Recorder answers to its clients, from our own history: the shapes of its HTTP interface.
// https://github.com/owntracks/recorder, doc and API.md

import type { LocationRecord } from '../base/location-record.ts';
import type { Whereabout } from '../phones/whereabouts.ts';
import { detailsIn } from './location-shapes.ts';
import type { MayRead } from './location-sight.ts';
import type { OperationNeeds } from './needs.ts';
import { badInput, OperationFailure } from './operation.ts';

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

type Fields = Readonly<Record<string, unknown>>;

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

/** asGeoJson makes a FeatureCollection of points. RFC 7946 */
export function asGeoJson(records: readonly Fields[]): object {
  const features = records.map(({ lat, lon, ...properties }) => ({
    type: 'Feature',
    geometry: { type: 'Point', coordinates: [lon, lat] },
    properties,
  }));
  return { type: 'FeatureCollection', features };
}

/** asLineString makes a Feature of the way. RFC 7946 */
export function asLineString(records: readonly Fields[]): object {
  return { type: 'Feature', geometry: { type: 'LineString', coordinates: records.map(({ lat, lon }) => [lon, lat]) }, properties: {} };
}

/** asCsv writes a line for each, below one with the names of all fields. RFC 4180 */
export function asCsv(records: readonly Fields[]): string {
  const names = [...new Set(records.flatMap((each) => Object.keys(each)))];
  const lines = [names, ...records.map((each) => names.map((name) => each[name] ?? ''))];
  return lines.map((line) => `${line.map(csvField).join()}\r\n`).join('');
}

/** asGpx writes a track. https://www.topografix.com/GPX/1/1/ */
export function asGpx(records: readonly Fields[]): string {
  const points = records.map(({ lat, lon, alt, isotst }) => {
    const height = typeof alt === 'number' ? `<ele>${alt}</ele>` : '';
    return `<trkpt lat="${lat}" lon="${lon}">${height}<time>${isotst}</time></trkpt>`;
  });
  const head = '<?xml version="1.0" encoding="UTF-8"?>\n<gpx version="1.1" creator="midge" xmlns="http://www.topografix.com/GPX/1/1">';
  return `${head}\n<trk><trkseg>\n${points.map((each) => `${each}\n`).join('')}</trkseg></trk>\n</gpx>\n`;
}

/** withFields leaves only some; null = all. */
export function withFields(records: readonly Fields[], names: readonly string[] | null): readonly Fields[] {
  if (names === null) return records;
  return records.map((each) => Object.fromEntries(names.filter((name) => name in each).map((name) => [name, each[name]])));
}

/** What begins with one of these is a formula to a spreadsheet. */
const FORMULA = /^[=+\-@\t\r]/;

function csvField(value: unknown): string {
  const text = typeof value === 'string' ? value : typeof value === 'number' ? String(value) : JSON.stringify(value);
  const safe = typeof value === 'string' && FORMULA.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
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
