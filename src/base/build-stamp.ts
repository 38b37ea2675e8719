// What this program is: version, commit and date, put in by the build.

/** BuildStamp says what was built. */
export interface BuildStamp {
  readonly version: string;
  /** Abbreviated commit, or 'sources' when the sources run as they are. */
  readonly commit: string;
  /** ISO 8601 in UTC. No right clock is earlier. */
  readonly date: string;
}

/** The bundler puts an object here (build/bundle.ts); in the sources there is no such global. */
declare const MIDGE_STAMP: BuildStamp;

/** What the sources say of themselves; the version is that of package.json. */
const SOURCES: BuildStamp = { version: '0.1.0', commit: 'sources', date: '2026-01-01T00:00:00.000Z' };

/** buildStamp tells what is running. */
export function buildStamp(): BuildStamp {
  return typeof MIDGE_STAMP === 'undefined' ? SOURCES : MIDGE_STAMP;
}
