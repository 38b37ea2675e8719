// What a reload can't change while the broker runs, in the words of the configuration.

import type { Configuration } from '../config/configuration.ts';
import type { ListenerOptions } from '../listeners/options.ts';

/** settingsThatStay names what is different in the new configuration but needs a restart. */
export function settingsThatStay(old: Configuration, next: Configuration): readonly string[] {
  const named: readonly (readonly [string, unknown, unknown])[] = [
    ['persistence', old.persistence, next.persistence],
    ['user', old.process.user, next.process.user],
    ['pid_file', old.process.pidFile, next.process.pidFile],
    ['certificate_names', old.certificateNames, next.certificateNames],
    ['advertise and mdns_name', old.discovery, next.discovery],
    ...listenerRows(old.listeners, next.listeners),
  ];
  return named.filter(([, before, after]) => !isSame(before, after)).map(([name]) => name);
}

/** sameSocket finds the listener of the new configuration that stands for an open one. */
export function sameSocket(listeners: readonly ListenerOptions[], open: ListenerOptions): ListenerOptions | undefined {
  return listeners.find((listener) => socketOf(listener) === socketOf(open));
}

function listenerRows(old: readonly ListenerOptions[], next: readonly ListenerOptions[]): readonly (readonly [string, unknown, unknown])[] {
  const sockets = new Map([...old, ...next].map((listener) => [socketOf(listener), listener]));
  return [...sockets.values()].map((listener) => {
    const [before, after] = [sameSocket(old, listener), sameSocket(next, listener)];
    return [`listener ${listener.unixPath ?? listener.port}`, withoutPolicy(before), withoutPolicy(after)];
  });
}

function socketOf({ unixPath, port, address, bindInterface }: ListenerOptions): string {
  return unixPath ?? `${port} ${address} ${bindInterface}`;
}

function withoutPolicy(listener: ListenerOptions | undefined): unknown {
  return listener && { ...listener, policy: null };
}

function isSame(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
