// From when to when certificates are valid on a machine whose clock may be wrong. Pure; all times in milliseconds since 1970.
//
//   believed time = the later of clock and build date: a program cannot run before it was built
//
//   server:   |<--- at most half --->|believed|<--- the rest of 820 days --->|
//             a day before the earlier
//             of clock and build date

const DAY = 86_400_000;

/** SERVER_LIFETIME is the whole of not-before to not-after: below the 825 days that Apple allows (support.apple.com/103769). */
export const SERVER_LIFETIME = 820 * DAY;

/** AUTHORITY_LIFETIME counts from the believed time on. */
export const AUTHORITY_LIFETIME = 3652 * DAY;

/** BACKDATING keeps half of a server certificate's life for the future, so that one from an old build is not born dying. */
const BACKDATING = SERVER_LIFETIME / 2;

/** RENEWAL is the part of the life that is left when a server certificate is replaced. */
const RENEWAL = 1 / 4;

/** AUTHORITY_WARNING is how long before its end the authority is talked about. */
const AUTHORITY_WARNING = 365 * DAY;

/** Validity is the life of a certificate, both ends included. */
export interface Validity {
  readonly notBefore: number;
  readonly notAfter: number;
}

/** clockTrusted tells whether the clock may be right: before the build date it is certainly wrong. */
export function clockTrusted(now: number, buildDate: number): boolean {
  return now >= buildDate;
}

/** authorityValidity begins early enough for any clock that was ever plausible and ends ten years from the believed time. */
export function authorityValidity(now: number, buildDate: number): Validity {
  return wholeSeconds(earliest(now, buildDate), Math.max(now, buildDate) + AUTHORITY_LIFETIME);
}

/** serverValidity is exactly SERVER_LIFETIME long and leaves at least half of it after the believed time (less the distance of a clock that is behind). */
export function serverValidity(now: number, buildDate: number): Validity {
  const notBefore = Math.max(earliest(now, buildDate), now - BACKDATING);
  return wholeSeconds(notBefore, notBefore + SERVER_LIFETIME);
}

/** clientValidity begins like that of an authority and ends with it: devices at home are not visited every year, and what is lost is revoked. */
export function clientValidity(now: number, buildDate: number, authorityEnd: number): Validity {
  return wholeSeconds(earliest(now, buildDate), authorityEnd);
}

/**
 * serverDateProblem says why a server certificate must be replaced because of its dates, or null.
 * A clock before the build date gives no reason: other machines, with the right time, can still use the certificate,
 * and one made for 1970 would shut them all out.
 */
export function serverDateProblem(validity: Validity, now: number, buildDate: number): string | null {
  if (!clockTrusted(now, buildDate)) return null;
  if (now < validity.notBefore) return `by the clock it is valid only from ${day(validity.notBefore)}`;
  if (now > validity.notAfter) return `it expired on ${day(validity.notAfter)}`;
  if (validity.notAfter - now <= (validity.notAfter - validity.notBefore) * RENEWAL) return `it expires on ${day(validity.notAfter)}`;
  return null;
}

/** authorityDateProblem says in plain words that the authority ends within a year or has ended, or null. */
export function authorityDateProblem(validity: Validity, now: number, buildDate: number): string | null {
  if (!clockTrusted(now, buildDate)) return null;
  if (now > validity.notAfter) return `expired on ${day(validity.notAfter)}: devices refuse to connect by TLS`;
  if (validity.notAfter - now > AUTHORITY_WARNING) return null;
  return `expires on ${day(validity.notAfter)}: from then on devices refuse to connect by TLS`;
}

/** day writes a time as its date in UTC: 2026-07-31. */
export function day(time: number): string {
  return new Date(time).toISOString().slice(0, 10);
}

/** A clock so far behind the build that it was plainly never set (1970) cannot be served together with the right time, so it is left out. */
function earliest(now: number, buildDate: number): number {
  const neverSet = now < buildDate - BACKDATING;
  return (neverSet ? buildDate : Math.min(now, buildDate)) - DAY;
}

function wholeSeconds(notBefore: number, notAfter: number): Validity {
  return { notBefore: Math.floor(notBefore / 1000) * 1000, notAfter: Math.floor(notAfter / 1000) * 1000 };
}
