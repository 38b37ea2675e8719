// A place as somebody types it: a name, where it is, and how far around that it reaches.

/** NamedPlace is a place of a phone; the radius is in metres, 0 = it is a point. */
export interface NamedPlace {
  readonly name: string;
  readonly lat: number;
  readonly lon: number;
  readonly radius: number;
}

/** Typed is what stands in the fields. */
export interface Typed {
  readonly name: string;
  readonly lat: string;
  readonly lon: string;
  readonly radius: string;
}

/** What the box takes: degrees, and metres. */
const MOST_LATITUDE = 90;
const MOST_LONGITUDE = 180;
const MOST_RADIUS = 1e7;

/** isTyped tells whether somebody has begun a place: the radius is there from the start. */
export function isTyped({ name, lat, lon }: Typed): boolean {
  return [name, lat, lon].some((each) => each.trim() !== '');
}

/** typedPlace reads one; null = it has no name, or is nowhere on the earth. Without a radius it is a point. */
export function typedPlace(typed: Typed): NamedPlace | null {
  const name = typed.name.trim();
  const lat = numberIn(typed.lat, -MOST_LATITUDE, MOST_LATITUDE);
  const lon = numberIn(typed.lon, -MOST_LONGITUDE, MOST_LONGITUDE);
  const radius = typed.radius.trim() === '' ? 0 : numberIn(typed.radius, 0, MOST_RADIUS);
  return name === '' || lat === null || lon === null || radius === null ? null : { name, lat, lon, radius };
}

/** People write a comma, too. */
function numberIn(text: string, least: number, most: number): number | null {
  const written = text.trim().replace(',', '.');
  const value = /^[+-]?\d+(\.\d+)?$/.test(written) ? Number(written) : Number.NaN;
  return value >= least && value <= most ? value : null;
}
