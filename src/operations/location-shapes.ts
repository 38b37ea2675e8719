// How operations tell where a phone was.

import { z } from 'zod';
import type { LocationRecord } from '../base/location-record.ts';
import type { Whereabout } from '../phones/whereabouts.ts';
import type { OperationNeeds } from './needs.ts';
import { iso, TIME } from './time.ts';

/** PHONE_NAME is by what a phone is known. */
export const PHONE_NAME = {
  person: z.string().describe('the level behind owntracks/ of its topic'),
  device: z.string().describe('the level behind that'),
};

const BATTERY_STATES = [null, 'unplugged', 'charging', 'full'] as const;
const CONNECTIONS = { w: 'wifi', o: 'offline', m: 'mobile' } as const;

/** LOCATION is where a phone was. */
export const LOCATION = z.object({
  kind: z.enum(['location', 'encrypted']).describe('encrypted: only apps that have the key know where it was'),
  at: TIME.describe('when it was there; where its clock is wrong, or encrypted, when the message came'),
  received: TIME,
  lat: z.number().nullable().describe('degrees; null = encrypted'),
  lon: z.number().nullable(),
  accuracy: z.number().nullable().describe('metres'),
  altitude: z.number().nullable().describe('metres'),
  velocity: z.number().nullable().describe('km/h'),
  course: z.number().nullable().describe('degrees'),
  battery: z.number().nullable().describe('per cent'),
  batteryState: z.enum(['unplugged', 'charging', 'full']).nullable(),
  connection: z.enum(['wifi', 'offline', 'mobile']).nullable(),
  trigger: z.string().nullable().describe('what made the app tell it, as OwnTracks writes it'),
  tid: z.string().nullable().describe('two characters that the app shows on its map'),
  address: z.string().nullable().describe('if the phone sent it'),
  regions: z.array(z.string()).describe('names of the places that the phone was in'),
  data: z.string().nullable().describe('encrypted message in base64; null = it is not encrypted'),
});

/** TRANSITION is the way into a place that the phone has a name for, or out of it. */
export const TRANSITION = z.object({
  at: TIME,
  received: TIME,
  event: z.string().describe('enter or leave'),
  place: z.string().nullable().describe('its name'),
  lat: z.number().nullable(),
  lon: z.number().nullable(),
  accuracy: z.number().nullable(),
});

/** PHONE_LOCATION is what is known about one phone now. */
export const PHONE_LOCATION = z.object({
  ...PHONE_NAME,
  topic: z.string(),
  name: z.string().nullable().describe('by its card'),
  picture: z.string().nullable().describe('by its card, in base64 as the phone has sent it'),
  last: LOCATION.nullable().describe('null = none has come'),
  transition: TRANSITION.nullable().describe('the last one'),
  waypoints: z
    .array(z.object({ name: z.string(), lat: z.number(), lon: z.number(), radius: z.number().describe('metres; 0 = it is no region') }))
    .describe('places that the phone has names for, where the rules let the asker read them'),
  isKept: z.boolean().describe('its locations go into the history'),
});

/** describeLocation tells of a record of kind location or encrypted. */
export function describeLocation(record: LocationRecord): z.infer<typeof LOCATION> {
  const details = detailsIn(record);
  const regions = details['inregions'];
  return {
    ...{ kind: record.kind === 'encrypted' ? 'encrypted' : 'location', at: iso(record.at), received: iso(record.received) },
    ...{ lat: record.lat, lon: record.lon, accuracy: record.acc, altitude: record.alt, velocity: record.vel, course: record.cog },
    ...{ battery: record.batt, batteryState: BATTERY_STATES[record.bs ?? 0] ?? null },
    connection: CONNECTIONS[record.conn as keyof typeof CONNECTIONS] ?? null, // of a phone: any text
    ...{ trigger: record.t, tid: record.tid, address: textOf(details['addr']) ?? textOf(details['poi']) },
    regions: Array.isArray(regions) ? regions.filter((each) => typeof each === 'string') : [],
    data: record.kind === 'encrypted' ? textOf(details['data']) : null,
  };
}

/** describeTransition tells of a record of kind transition. */
export function describeTransition(record: LocationRecord): z.infer<typeof TRANSITION> {
  const details = detailsIn(record);
  const { lat, lon, acc } = record;
  const [event, place] = [textOf(details['event']) ?? '', textOf(details['desc'])];
  return { at: iso(record.at), received: iso(record.received), event, place, lat, lon, accuracy: acc };
}

/** describePhone tells what is known about a phone, with its waypoints only for who may read them. */
export function describePhone(
  { locations }: Pick<OperationNeeds, 'locations'>,
  phone: Whereabout,
  mayRead: (topicName: string) => boolean,
): z.infer<typeof PHONE_LOCATION> {
  const { person, device, topic, card, last, transition, waypoints } = phone;
  const hasWaypoints = waypoints.length > 0 && mayRead(`${topic}/waypoint`);
  const hasCard = card !== null && mayRead(`${topic}/info`);
  return {
    ...{ person, device, topic, name: hasCard ? card.name : null, picture: hasCard ? card.face : null },
    last: last === null ? null : describeLocation(last),
    transition: transition === null || !mayRead(`${topic}/event`) ? null : describeTransition(transition),
    waypoints: hasWaypoints ? waypoints.map(({ desc, lat, lon, rad }) => ({ name: desc, lat, lon, radius: rad })) : [],
    isKept: locations?.isKept(topic) ?? false,
  };
}

/** detailsIn gives the fields of a message that have no column of their own. */
export function detailsIn({ details }: LocationRecord): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = details === null ? {} : JSON.parse(details);
    return typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>) : {}; // its fields are looked at one by one
  } catch {
    return {};
  }
}

function textOf(value: unknown): string | null {
  return typeof value === 'string' ? value : null;
}
