// Places on the earth, and how they lie on a sheet: metres between two, and a plane with the same scale in both directions.

/** Place is one in degrees: latitude to the north, longitude to the east (WGS 84). */
export interface Place {
  readonly lat: number;
  readonly lon: number;
}

/** Flat is a place on the plane: metres to the east and to the north of its middle. */
export interface Flat {
  readonly x: number;
  readonly y: number;
}

/** Metres: the mean radius of the earth. */
const RADIUS = 6_371_009;

/** distance is the shortest way over a globe, in metres; wrong by half a percent at most. */
export function distance(one: Place, other: Place): number {
  const [a, b] = [radians(one.lat), radians(other.lat)];
  const half = (angle: number) => Math.sin(angle / 2) ** 2;
  const chord = half(b - a) + Math.cos(a) * Math.cos(b) * half(radians(other.lon - one.lon));
  return 2 * RADIUS * Math.asin(Math.min(1, Math.sqrt(chord)));
}

/** flattened lays places onto the plane that touches the earth in their middle. A track across the date line stays in one piece. */
export function flattened(places: readonly Place[]): readonly Flat[] {
  const first = places[0];
  if (first === undefined) return [];
  const near = places.map(({ lat, lon }) => ({ lat, lon: first.lon + turn(lon - first.lon) }));
  const middle = { lat: mean(near.map(({ lat }) => lat)), lon: mean(near.map(({ lon }) => lon)) };
  const narrower = Math.cos(radians(middle.lat));
  return near.map(({ lat, lon }) => ({ x: RADIUS * radians(lon - middle.lon) * narrower, y: RADIUS * radians(lat - middle.lat) }));
}

/** roundLength is the longest of 1, 2 or 5 times a power of ten that is not longer than `most`. */
export function roundLength(most: number): number {
  const power = 10 ** Math.floor(Math.log10(most));
  return (most / power >= 5 ? 5 : most / power >= 2 ? 2 : 1) * power;
}

/** Half of what they span: a crowd of points at one end does not pull it there. */
function mean(values: readonly number[]): number {
  return (least(values) + greatest(values)) / 2;
}

/** least of many: Math.min takes no more arguments than fit onto the stack. */
export function least(values: readonly number[]): number {
  return values.reduce((one, other) => Math.min(one, other), Number.POSITIVE_INFINITY);
}

/** greatest of many. */
export function greatest(values: readonly number[]): number {
  return values.reduce((one, other) => Math.max(one, other), Number.NEGATIVE_INFINITY);
}

/** Degrees between -180 and 180. */
function turn(degrees: number): number {
  return ((((degrees + 180) % 360) + 360) % 360) - 180;
}

function radians(degrees: number): number {
  return (degrees * Math.PI) / 180;
}
