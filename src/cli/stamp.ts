// What this build is: the bundler replaces MIDGE_STAMP; run from the sources it is absent.

import packageFile from '../../package.json' with { type: 'json' };
import { MOSQUITTO_VERSION } from '../app/mosquitto-version.ts';

/** Stamp of a build. */
export interface Stamp {
  readonly version: string;
  /** Abbreviated commit, or 'development' when the sources run. */
  readonly commit: string;
  /** ISO 8601 in UTC; '' when the sources run. */
  readonly date: string;
}

declare const MIDGE_STAMP: Stamp | undefined;

/** stamp tells version, commit and date of this build. */
export function stamp(): Stamp {
  if (typeof MIDGE_STAMP !== 'undefined') return MIDGE_STAMP;
  return { version: packageFile.version, commit: 'development', date: '' };
}

/** No build is older than the sources' first release; run from the sources nobody has stamped a date. */
const EARLIEST_BUILD = '2026-01-01T00:00:00Z';

/** buildDate is when this was built, in milliseconds since 1970: no right clock is earlier. */
export function buildDate(): number {
  return Date.parse(stamp().date || EARLIEST_BUILD);
}

/** versionLine is the stamp as one line: `0.1.0 (abc1234567, 2026-01-31)`. */
export function versionLine({ version, commit, date }: Stamp = stamp()): string {
  return `${version} (${[commit, date.slice(0, 10)].filter((part) => part !== '').join(', ')})`;
}

/** titleOf is what a program calls itself: under mosquitto's names with mosquitto's version, which scripts look for, and ours behind it. */
export function titleOf(program: string, ours = `midge ${versionLine()}`): string {
  return program.startsWith('mosquitto') ? `${program} version ${MOSQUITTO_VERSION} (${ours})` : `${program} version ${versionLine()}`;
}
