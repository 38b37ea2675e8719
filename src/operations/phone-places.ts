// Places that a phone has names for: what is known of them, a file for the app, and sending places to a phone.

import { z } from 'zod';
import { reasonOf } from '../base/errors.ts';
import { MOST_MESSAGE_BYTES, MOST_WAYPOINTS, type Waypoint } from '../phones/owntracks-message.ts';
import { accountOf, topicOf } from '../phones/phone.ts';
import { otrwText, type Place, readOtrw, setWaypointsText, waypointsFor } from '../phones/places-file.ts';
import { PHONE_NAME } from './location-shapes.ts';
import { mayReadOf } from './location-sight.ts';
import type { OperationNeeds } from './needs.ts';
import { badInput, OperationFailure, operation } from './operation.ts';
import { checkOwn, publishAsPhone } from './phone-own.ts';

const PLACE = z.strictObject({
  name: z.string().min(1).max(200),
  lat: z.number().min(-90).max(90),
  lon: z.number().min(-180).max(180),
  radius: z.number().min(0).max(1e7).default(0).describe('metres; 0 = it is no region, and the phone tells no arrival'),
});

const FILE = z.object({ name: z.string(), content: z.string().describe('text of an .otrw file, which the app opens') });

const ANSWER = { places: z.array(PLACE), file: FILE };

/** PHONE_PLACES are those that the phone has told since the start of the broker. */
export const PHONE_PLACES = operation({
  name: 'phone places',
  kind: 'query',
  right: 'viewer',
  summary: 'The places that a phone has names for and has told, if the rules for MQTT let the asker read them, with a file for OwnTracks.',
  input: z.strictObject(PHONE_NAME),
  output: z.object(ANSWER),
  run: (needs, name, asker) => {
    const topic = topicOf(name);
    if (!mayReadOf(needs, asker)(`${topic}/waypoint`))
      throw new OperationFailure(
        'not allowed',
        `Cannot tell the places of ${accountOf(name)}: the rules for MQTT do not let you read them`,
      );
    return answerOf(name, knownOf(needs, topic));
  },
});

/** SEND_PHONE_PLACES makes places on a phone, or only the file for it. */
export const SEND_PHONE_PLACES = operation({
  name: 'send phone places',
  kind: 'command',
  right: 'viewer',
  summary: 'Send places to a phone with OwnTracks, of a list or an .otrw file; phones of others with the right admin.',
  input: z.strictObject({
    ...PHONE_NAME,
    places: z.array(PLACE).max(MOST_WAYPOINTS).default([]).describe('one of a name that the phone has told is moved'),
    otrw: z.string().max(MOST_MESSAGE_BYTES).nullish().describe('text of an .otrw file with more of them'),
    send: z.boolean().default(true).describe('false = only make the file'),
  }),
  output: z.object({ ...ANSWER, sent: z.boolean() }),
  run: async (needs, { person, device, places, otrw, send }, asker) => {
    const phone = checkOwn(needs, { person, device }, asker);
    const brought = otrw == null ? [] : broughtIn(otrw);
    const wanted = places.map(({ name, lat, lon, radius }): Place => ({ desc: name, lat, lon, rad: radius }));
    const now = Math.floor(needs.broker.clock.now() / 1000);
    const waypoints = [...brought, ...waypointsFor(wanted, [...knownOf(needs, topicOf(phone)), ...brought], now)];
    if (waypoints.length === 0) throw badInput('places', 'Cannot send places: there are none');
    if (waypoints.length > MOST_WAYPOINTS)
      throw badInput('places', `Cannot send ${waypoints.length} places: ${MOST_WAYPOINTS} are allowed`);
    if (send && phone.use === 'owntracks-http')
      throw new OperationFailure('not possible', 'Cannot send places: the app takes no commands in HTTP mode - open the file in the app');
    if (send) await publishAsPhone(needs, phone, { end: '/cmd', payload: setWaypointsText(waypoints), retain: false });
    return { ...answerOf(phone, waypoints), sent: send };
  },
});

function broughtIn(otrw: string): readonly Waypoint[] {
  let places: readonly Waypoint[] | null;
  try {
    places = readOtrw(otrw);
  } catch (error) {
    throw badInput('otrw', `Cannot send the places of the file: ${reasonOf(error)}`);
  }
  if (places === null) throw badInput('otrw', 'Cannot read the file: it is no .otrw file of OwnTracks');
  return places;
}

function knownOf({ locations }: OperationNeeds, topic: string): readonly Waypoint[] {
  return locations?.live.find(topic)?.waypoints ?? [];
}

function answerOf({ person, device }: { readonly person: string; readonly device: string }, waypoints: readonly Waypoint[]) {
  return {
    places: waypoints.map(({ desc, lat, lon, rad }) => ({ name: desc, lat, lon, radius: rad })),
    file: { name: `${person}-${device}.otrw`, content: otrwText(waypoints) },
  };
}
