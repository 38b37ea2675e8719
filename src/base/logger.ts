// Log lines by mosquitto's types. Who writes them where is decided in app/; the rooms only know this port.

/** LOG_TYPES are the words of `log_type` in mosquitto.conf(5). */
export const LOG_TYPES = [
  'error',
  'warning',
  'notice',
  'information',
  'debug',
  'subscribe',
  'unsubscribe',
  'websockets',
  'internal',
] as const;

export type LogType = (typeof LOG_TYPES)[number];

/** DEFAULT_LOG_TYPES are what mosquitto logs without `-v` or `log_type`. */
export const DEFAULT_LOG_TYPES: readonly LogType[] = ['error', 'warning', 'notice', 'information'];

/** Logger takes one line of text at a time. Callers on the message path ask `enabled` before they build a line. */
export interface Logger {
  /** enabled tells, per type, whether a line would be written at all. Read it each time: a reload may replace its values. */
  readonly enabled: Readonly<Record<LogType, boolean>>;
  /** log writes a line; `source` is the client that it is about, for who comes by the thousand is summed up. */
  log(type: LogType, line: string, source?: LineSource): void;
}

/** LineSource is the client that a line is about. */
export interface LineSource {
  /** Remote address; '' for a Unix socket. */
  readonly address: string;
  /** What it calls itself: a client id or user name; '' = it has not said. */
  readonly name: string;
  /** It has been let in. */
  readonly isSignedIn: boolean;
}

/** LogLine is one line on its way to the destinations. */
export interface LogLine {
  readonly type: LogType;
  /** Milliseconds since 1970-01-01 UTC. */
  readonly time: number;
  readonly text: string;
}

/** silentLogger writes nothing. */
export const silentLogger: Logger = {
  enabled: logTypeSet([]),
  log: () => {},
};

/** logTypeSet makes the `enabled` record of a list of types. */
export function logTypeSet(types: Iterable<LogType>): Record<LogType, boolean> {
  const wanted = new Set(types);
  return Object.fromEntries(LOG_TYPES.map((type) => [type, wanted.has(type)])) as Record<LogType, boolean>; // keys are LOG_TYPES
}
