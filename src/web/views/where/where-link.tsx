// Where a phone is, as a link to a map of the Internet: the page asks nothing there, and the browser goes there only when it is tapped.

import { t } from '../../i18n.ts';
import type { Place } from '../../where/geo.ts';
import { type Location, placeOf, whereWords } from './phone-place.ts';

/** WhereLink has the words for a place; without coordinates there is no link. */
export function WhereLink({ location }: { readonly location: Location }) {
  const place = placeOf(location);
  if (place === null) return <span>{whereWords(location)}</span>;
  return (
    <a href={mapAt(place)} target="_blank" rel="noopener noreferrer">
      {whereWords(location)}
    </a>
  );
}

/** WhereHint says what the links do, where there is one. */
export function WhereHint({ locations }: { readonly locations: readonly (Location | null)[] }) {
  return locations.some((each) => placeOf(each) !== null) ? <p class="hint">{t('where.openMap')}</p> : null;
}

function mapAt({ lat, lon }: Place): string {
  return `https://www.openstreetmap.org/?mlat=${lat}&mlon=${lon}#map=17/${lat}/${lon}`;
}
