// What is kept of a place that a phone told: the shape in which the rooms for phones and for the database pass it on.

/** LOCATION_KINDS are what a record is of: a location, the way into a region or out of it, or a message that only the phone's friends can decrypt. */
export const LOCATION_KINDS = ['location', 'transition', 'encrypted'] as const;
export type LocationKind = (typeof LOCATION_KINDS)[number];

/** LocationRecord is known by topic, time and kind: another one of these takes its place. Units are those of OwnTracks' JSON. */
export interface LocationRecord {
  /** Of the phone, without what comes behind it for events: `owntracks/jane/phone`. */
  readonly topic: string;
  /** Milliseconds since 1970: when the phone was there, or, where its clock is wrong or encrypted, when its message came. */
  readonly at: number;
  readonly kind: LocationKind;
  /** Milliseconds since 1970. */
  readonly received: number;
  /** Degrees to seven places; null = encrypted. */
  readonly lat: number | null;
  readonly lon: number | null;
  /** Metres. */
  readonly acc: number | null;
  readonly alt: number | null;
  readonly vac: number | null;
  /** km/h. */
  readonly vel: number | null;
  /** Degrees. */
  readonly cog: number | null;
  /** Per cent. */
  readonly batt: number | null;
  /** 0 = unknown, 1 = unplugged, 2 = charging, 3 = full. */
  readonly bs: number | null;
  readonly tid: string | null;
  /** What made the phone tell it. */
  readonly t: string | null;
  /** w = Wi-Fi, o = offline, m = mobile data. */
  readonly conn: string | null;
  /** JSON of the other fields; null = none. */
  readonly details: string | null;
}
