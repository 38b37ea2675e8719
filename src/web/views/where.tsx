// Where everybody is: the phones whose topics the reader may read, live, and where one of them was.

import { place } from '../router.ts';
import { PhonePast } from './where/phone-past.tsx';
import { PhonesNow } from './where/phones-now.tsx';
import '../styles/where.css';

/** View is the list, or one phone by the address of the page. */
export function View() {
  const [person, device] = place.value.rest;
  if (person === undefined || device === undefined) return <PhonesNow />;
  return <PhonePast key={`${person}/${device}`} person={person} device={device} />;
}
