// Tells systemd how far we are: sd_notify(3) by systemd-notify(1), because Node has no datagram Unix sockets. The unit needs NotifyAccess=all. A child costs 5 ms of a
// core, three times in a watchdog's time; it waits until systemd has seen whose it is.

import { execFile } from 'node:child_process';

/** watchdogInterval gives the milliseconds after which systemd ends a service that says nothing, or null where it does not watch this process. sd_watchdog_enabled(3) */
export function watchdogInterval({ NOTIFY_SOCKET, WATCHDOG_USEC, WATCHDOG_PID }: NodeJS.ProcessEnv, pid: number): number | null {
  const milliseconds = Number(WATCHDOG_USEC) / 1000;
  if (NOTIFY_SOCKET === undefined || !(milliseconds > 0)) return null;
  return WATCHDOG_PID === undefined || Number(WATCHDOG_PID) === pid ? milliseconds : null;
}

/** notifyServiceManager sends states such as `READY=1` when systemd waits for them; elsewhere it does nothing. Never fails. */
export function notifyServiceManager(...states: readonly string[]): void {
  if (process.env['NOTIFY_SOCKET'] === undefined) return;
  execFile('systemd-notify', [...states], () => {}).unref();
}
