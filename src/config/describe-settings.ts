// The five settings of a small broker, as openHAB has them, with what is in force.

import type { Configuration } from './configuration.ts';

/** describeSettings gives a row for each of the five: name, value, default; none where the file opens listeners of its own. `database` is the full path, null = nothing is stored. */
export function describeSettings(
  { listeners, localOnly, access, places }: Configuration,
  database: string | null,
): readonly (readonly string[])[] {
  const [listener] = listeners;
  if (listener === undefined || places.has('listener')) return [];
  const account = access.account;
  return [
    ['SETTING', 'VALUE', 'DEFAULT'],
    [
      'port',
      localOnly ? [...new Set(listeners.map(({ port }) => port))].join(', ') : String(listener.port),
      '1883, or 8883 with secure true',
    ],
    ['username', account?.username ?? 'none', 'none'],
    ['password', account === null ? 'none' : 'set', 'none'],
    ['secure', String(!localOnly && listener.tls !== null), 'false'],
    ['persistence_file', database ?? 'nothing is stored', 'midge.db in the state folder, with persistence true'],
  ];
}
