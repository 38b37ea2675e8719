// What is wrong with a server certificate that OpenSSL reads without complaint: what phones refuse, often without a word to their owner.

import type { X509Certificate } from 'node:crypto';

/** extKeyUsage serverAuth, RFC 5280 4.2.1.12. */
const SERVER_AUTH = '1.3.6.1.5.5.7.3.1';

/** Apple takes no longer time from authorities that people add themselves (support.apple.com/103769). */
const MOST_DAYS = 825;

const DAY = 86_400_000;

/** certificateProblems gives words for each reason why clients refuse a certificate; `now` in milliseconds since 1970. */
export function certificateProblems(certificate: X509Certificate, now: number): readonly string[] {
  const { subjectAltName, keyUsage, validFromDate, validToDate } = certificate;
  const days = (validToDate.getTime() - validFromDate.getTime()) / DAY;
  const day = (date: Date) => date.toISOString().slice(0, 10);
  return [
    ...(validToDate.getTime() < now ? [`it ended on ${day(validToDate)}`] : []),
    ...(validFromDate.getTime() > now ? [`it begins on ${day(validFromDate)}, and the clock says ${day(new Date(now))}`] : []),
    ...(subjectAltName === undefined ? ['it names no host (subjectAltName), and phones do not look at the common name'] : []),
    ...(keyUsage?.includes(SERVER_AUTH)
      ? []
      : ['it is not marked as one for servers (extendedKeyUsage serverAuth), which iPhones ask for']),
    ...(days > MOST_DAYS + 1 ? [`it is valid for ${Math.round(days)} days and iPhones take at most ${MOST_DAYS}`] : []),
  ];
}
