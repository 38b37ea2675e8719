// What a reload can't change while the broker runs, in the words of the configuration.

import type { Configuration } from './configuration.ts';

/** settingsNeedingRestart names what is different in the new configuration but needs a restart. */
export function settingsNeedingRestart(old: Configuration, next: Configuration): readonly string[] {
  const named: readonly (readonly [string, unknown, unknown])[] = [
    ['persistence', old.persistence, next.persistence],
    ['user', old.process.user, next.process.user],
    ['pid_file', old.process.pidFile, next.process.pidFile],
    ['certificate_names', old.certificateNames, next.certificateNames],
    ['advertise', old.discovery.advertise, next.discovery.advertise],
    ['mdns_name', old.discovery.name, next.discovery.name],
  ];
  return named.filter(([, before, after]) => !isSame(before, after)).map(([name]) => name);
}

function isSame(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
