// What the app OwnTracks publishes, read as data from outside: JSON with a `_type`, whose fields may be anything.
// https://owntracks.org/booklet/tech/json

import type { LocationKind, LocationRecord } from '../base/location-record.ts';

/** MOST_MESSAGE_BYTES of one that is read: a card with a picture, or an export of waypoints. */
export const MOST_MESSAGE_BYTES = 262_144;

/** Characters of what is kept beside the known fields, and of one of these fields: a picture of a place is not kept. */
const MOST_DETAILS = 2000;
const MOST_DETAIL = 500;
const MOST_ENCRYPTED = 8192;
/** MOST_WAYPOINTS of a phone that are known. */
export const MOST_WAYPOINTS = 100;
/** MOST_FACE characters of a picture in base64. */
export const MOST_FACE = 65_536;

/** A phone that has never known the time begins before; OwnTracks is younger. */
const FIRST_TIME = Date.UTC(2010, 0, 1);

/** A phone's clock may be ahead by so much. */
const MOST_AHEAD_MS = 600_000;

/** Fields that have a place of their own in a record, or say nothing about where the phone was. */
const NO_DETAILS: ReadonlySet<string> = new Set(
  '_type _id lat lon tst acc alt vac vel cog batt bs tid t conn topic username device image imagename'.split(' '),
);

/** Card is how a person wants to be shown. */
export interface Card {
  readonly name: string | null;
  /** A picture in base64, of a kind that the phone has chosen; null = none. */
  readonly face: string | null;
}

/** Waypoint is a place that a phone has a name for. */
export interface Waypoint {
  /** Seconds since 1970; OwnTracks knows it by this. */
  readonly tst: number;
  readonly desc: string;
  readonly lat: number;
  readonly lon: number;
  /** Metres; 0 = it is no region. */
  readonly rad: number;
}

/** OwnTracksMessage is one that means something here. */
export type OwnTracksMessage =
  | { readonly type: 'record'; readonly record: Omit<LocationRecord, 'topic'> }
  | { readonly type: 'card'; readonly card: Card }
  | { readonly type: 'waypoints'; readonly waypoints: readonly Waypoint[] }
  /** Of a type that tells no place: lwt, cmd, status, steps and whatever comes. */
  | { readonly type: 'other'; readonly name: string };

/** Clock tells the time of this machine, and whether it is to be believed. */
export interface MessageClock {
  /** Milliseconds since 1970. */
  readonly now: number;
  readonly isTrusted: boolean;
}

type Fields = Readonly<Record<string, unknown>>;

/** jsonObject reads bytes as an object of JSON; null = they are none. */
export function jsonObject(payload: Uint8Array): Fields | null {
  if (payload.length > MOST_MESSAGE_BYTES) return null;
  try {
    const value: unknown = JSON.parse(Buffer.from(payload.buffer, payload.byteOffset, payload.length).toString('utf8'));
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : null; // its fields are looked at one by one
  } catch {
    return null;
  }
}

/** readOwnTracks reads a message; null = it is none of OwnTracks, or says nothing that could be true. */
export function readOwnTracks(fields: Fields, clock: MessageClock): OwnTracksMessage | null {
  const type = fields['_type'];
  if (typeof type !== 'string') return null;
  switch (type) {
    case 'location':
    case 'transition':
      return place(fields, type, clock);
    case 'encrypted':
      return encrypted(fields, clock);
    case 'card':
      return { type: 'card', card: { name: textIn(fields, 'name', 100), face: faceIn(fields) } };
    case 'waypoint':
      return { type: 'waypoints', waypoints: waypointsIn([fields]) };
    case 'waypoints':
      return { type: 'waypoints', waypoints: waypointsIn(Array.isArray(fields['waypoints']) ? fields['waypoints'] : []) };
    default:
      return { type: 'other', name: type };
  }
}

function place(fields: Fields, kind: LocationKind, clock: MessageClock): OwnTracksMessage | null {
  const [lat, lon] = [numberIn(fields, 'lat', -90, 90), numberIn(fields, 'lon', -180, 180)];
  if (kind === 'location' && (lat === null || lon === null)) return null;
  if (kind === 'transition' && textIn(fields, 'event', 20) === null) return null;
  const number = (name: string, least: number, most: number) => numberIn(fields, name, least, most);
  const record = {
    ...{ kind, at: timeOf(fields['tst'], clock), received: clock.now, lat, lon: lat === null ? null : lon },
    ...{ acc: number('acc', 0, 1e7), alt: number('alt', -12_000, 1e7), vac: number('vac', 0, 1e7) },
    ...{ vel: number('vel', 0, 1e5), cog: number('cog', 0, 360), batt: number('batt', 0, 100), bs: number('bs', 0, 3) },
    ...{ tid: textIn(fields, 'tid', 8), t: textIn(fields, 't', 8), conn: textIn(fields, 'conn', 8), details: detailsOf(fields) },
  };
  return { type: 'record', record };
}

/** Nobody but the phone's friends knows what is in it, not even when it was made. */
function encrypted(fields: Fields, { now }: MessageClock): OwnTracksMessage | null {
  const data = textIn(fields, 'data', MOST_ENCRYPTED);
  if (data === null || !/^[A-Za-z0-9+/_=-]+$/.test(data)) return null;
  const none = { lat: null, lon: null, acc: null, alt: null, vac: null, vel: null, cog: null, batt: null, bs: null, tid: null, t: null };
  return { type: 'record', record: { kind: 'encrypted', at: now, received: now, ...none, conn: null, details: JSON.stringify({ data }) } };
}

/** A wrong clock must not put a place where it hides all that come after it, or where it is deleted at once: then the time counts at which it came. */
function timeOf(tst: unknown, { now, isTrusted }: MessageClock): number {
  const time = typeof tst === 'number' || (typeof tst === 'string' && /^\d+$/.test(tst)) ? Math.round(Number(tst) * 1000) : Number.NaN;
  const isPossible = time >= FIRST_TIME && time < 8.64e15 && (time <= now + MOST_AHEAD_MS || !isTrusted);
  return isPossible ? time : now;
}

function detailsOf(fields: Fields): string | null {
  const kept: Record<string, unknown> = {};
  let length = 2;
  for (const [name, value] of Object.entries(fields)) {
    if (NO_DETAILS.has(name) || name === '__proto__' || value === null) continue;
    const text = JSON.stringify(value);
    length += name.length + text.length + 4;
    if (text.length > MOST_DETAIL || length > MOST_DETAILS) continue;
    kept[name] = value;
  }
  return Object.keys(kept).length === 0 ? null : JSON.stringify(kept);
}

function waypointsIn(list: readonly unknown[]): readonly Waypoint[] {
  return list.slice(0, MOST_WAYPOINTS).flatMap((each) => {
    if (typeof each !== 'object' || each === null) return [];
    const fields = each as Fields; // looked at one by one
    const [lat, lon, tst] = [numberIn(fields, 'lat', -90, 90), numberIn(fields, 'lon', -180, 180), numberIn(fields, 'tst', 0, 1e12)];
    const desc = textIn(fields, 'desc', 200);
    return lat === null || lon === null || tst === null || desc === null
      ? []
      : [{ tst, desc, lat, lon, rad: numberIn(fields, 'rad', 0, 1e7) ?? 0 }];
  });
}

function faceIn(fields: Fields): string | null {
  const face = textIn(fields, 'face', MOST_FACE);
  return face !== null && /^[A-Za-z0-9+/]+={0,2}$/.test(face) ? face : null;
}

/** Android writes some numbers as text. */
function numberIn(fields: Fields, name: string, least: number, most: number): number | null {
  const value = fields[name];
  const number = typeof value === 'string' && /^-?\d+(\.\d+)?$/.test(value) ? Number(value) : value;
  return typeof number === 'number' && number >= least && number <= most ? number : null;
}

function textIn(fields: Fields, name: string, most: number): string | null {
  const value = fields[name];
  return typeof value === 'string' && value !== '' && value.length <= most ? value : null;
}
