// Places that a phone has names for as a file of OwnTracks (.otrw), and as the command by which the app takes them over MQTT.
// https://owntracks.org/booklet/tech/json (_type: waypoints; _type: cmd, action setWaypoints)

import { jsonObject, MOST_WAYPOINTS, readOwnTracks, type Waypoint } from './owntracks-message.ts';

/** Place is one to be made. */
export type Place = Omit<Waypoint, 'tst'>;

/** waypointsFor gives places the times by which OwnTracks knows them: a place whose name is known keeps its own, so that it is moved. `now` is in seconds since 1970. */
export function waypointsFor(places: readonly Place[], known: readonly Waypoint[], now: number): readonly Waypoint[] {
  const taken = new Set(known.map(({ tst }) => tst));
  let next = now;
  return places.map((place) => {
    const former = known.find(({ desc }) => desc === place.desc);
    if (former !== undefined) return { ...place, tst: former.tst };
    while (taken.has(next)) next++;
    taken.add(next);
    return { ...place, tst: next };
  });
}

/** otrwText is the text of an .otrw file. */
export function otrwText(waypoints: readonly Waypoint[]): string {
  return `${JSON.stringify(waypointsMessage(waypoints), null, 2)}\n`;
}

/** readOtrw gives the places of an .otrw file; null = it is none. Of a place that is none, nothing is taken. Throws RangeError when there are more than MOST_WAYPOINTS. */
export function readOtrw(text: string): readonly Waypoint[] | null {
  const fields = jsonObject(Buffer.from(text));
  if (fields === null) return null;
  const { waypoints } = fields;
  if (Array.isArray(waypoints) && waypoints.length > MOST_WAYPOINTS)
    throw new RangeError(`it has ${waypoints.length} places, and ${MOST_WAYPOINTS} are allowed`);
  const message = readOwnTracks(fields, { now: 0, isTrusted: false });
  return message?.type === 'waypoints' ? message.waypoints : null;
}

/** setWaypointsText is the command to an app that it makes them. */
export function setWaypointsText(waypoints: readonly Waypoint[]): string {
  return JSON.stringify({ _type: 'cmd', action: 'setWaypoints', waypoints: waypointsMessage(waypoints) });
}

function waypointsMessage(waypoints: readonly Waypoint[]): object {
  return { _type: 'waypoints', waypoints: waypoints.map((each) => ({ _type: 'waypoint', ...each })) };
}
