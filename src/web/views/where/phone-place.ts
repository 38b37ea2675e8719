// Phones as the box tells of them, and in words.

import type { Answer } from '../../api/answer.ts';
import { length, percent, t } from '../../i18n.ts';
import { distance, type Place } from '../../where/geo.ts';

export type PhonePlace = Answer<'/api/v1/locations'>['phones'][number];
export type Location = NonNullable<PhonePlace['last']>;
export type Transition = NonNullable<PhonePlace['transition']>;

/** PhoneEvent is an event of the stream: a phone as it is now, or null when it was forgotten. */
export interface PhoneEvent {
  readonly topic: string;
  readonly phone: PhonePlace | null;
}

/** placeOf gives where a phone was; null = it did not say, or said it to those only who have its key. */
export function placeOf(location: Pick<Location, 'lat' | 'lon'> | null): Place | null {
  return location === null || location.lat === null || location.lon === null ? null : { lat: location.lat, lon: location.lon };
}

/** nameOf is that of its card, or of the person. */
export function nameOf({ name, person }: Pick<PhonePlace, 'name' | 'person'>): string {
  return name ?? person;
}

/** whereWords say where a phone is: the address that it sent, the places that it has names for, or its coordinates. */
export function whereWords(location: Location): string {
  if (location.kind === 'encrypted') return t('where.encrypted');
  if (location.address !== null) return location.address;
  if (location.regions.length > 0) return location.regions.join(', ');
  const place = placeOf(location);
  return place === null ? t('where.unknown') : `${place.lat.toFixed(5)}, ${place.lon.toFixed(5)}`;
}

/** transitionWords say it as people do: "Jane arrived at home". */
export function transitionWords(name: string, { event, place }: Transition): string {
  const values = { name, place: place ?? t('where.aPlace') };
  return event === 'leave' ? t('where.left', values) : t('where.arrived', values);
}

/** batteryWords give the charge; null = the phone did not tell. */
export function batteryWords({ battery, batteryState }: Location): string | null {
  if (battery === null) return null;
  const charge = percent(battery / 100);
  return batteryState === 'charging' ? t('where.charging', { charge }) : charge;
}

/** distanceWords give how far a phone is from a place; null = one of them is not known. */
export function distanceWords(location: Location | null, from: Place | null): string | null {
  const to = placeOf(location);
  return to === null || from === null ? null : length(distance(from, to));
}
