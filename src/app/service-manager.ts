// Tells systemd how far we are: sd_notify(3) by systemd-notify(1), because Node has no datagram Unix sockets. The unit needs NotifyAccess=all.

import { execFile } from 'node:child_process';

/** notifyServiceManager sends states such as `READY=1` when systemd waits for them; elsewhere it does nothing. Never fails. */
export function notifyServiceManager(...states: readonly string[]): void {
  if (process.env['NOTIFY_SOCKET'] === undefined) return;
  execFile('systemd-notify', [...states], () => {}).unref();
}
