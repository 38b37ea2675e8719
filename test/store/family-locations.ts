// A family and its friends under way for months: locations as OwnTracks sends them, in the order in which they come.

import type { LocationRecord } from '../../src/base/location-record.ts';

export interface Family {
  readonly phones: number;
  /** Locations of a phone in a day. */
  readonly perDay: number;
  /** Milliseconds since 1970. */
  readonly from: number;
}

const DAY_MS = 86_400_000;

/** topicOfPhone names one of them. */
export function topicOfPhone(phone: number): string {
  return `owntracks/person-${phone % 10}/phone-${phone}`;
}

/** familyLocations gives those of each minute, of so many minutes; the same each time. */
export function* familyLocations({ phones, perDay, from }: Family, minutes: number): Generator<readonly LocationRecord[]> {
  const interval = DAY_MS / perDay;
  const next = Array.from({ length: phones }, (_, phone) => (phone * interval) / phones);
  for (let minute = 0; minute < minutes; minute++) {
    const records: LocationRecord[] = [];
    for (let phone = 0; phone < phones; phone++)
      for (; next[phone]! < (minute + 1) * 60_000; next[phone]! += interval)
        records.push(locationOf(phone, from + Math.round(next[phone]!)));
    yield records;
  }
}

function locationOf(phone: number, at: number): LocationRecord {
  const step = Math.floor(at / 1000);
  const wave = (period: number) => Math.sin((step + phone * 997) / period);
  return {
    ...{ topic: topicOfPhone(phone), at: step * 1000, kind: 'location', received: step * 1000 + 1500 },
    ...{ lat: 52.5 + wave(40_000) / 10, lon: 13.4 + wave(30_000) / 10, acc: 5 + (step % 60), alt: 30 + (step % 90), vac: 3 + (step % 5) },
    ...{ vel: step % 120, cog: step % 360, batt: 100 - (step % 80), bs: 1 + (step % 3), tid: `P${phone % 10}`, t: 'u', conn: 'm' },
    details: JSON.stringify({
      m: 1,
      SSID: 'Home of the family',
      BSSID: 'b0:f2:08:45:94:33',
      inregions: ['Home'],
      inrids: ['6da9cf'],
      p: 101.2,
    }),
  };
}
