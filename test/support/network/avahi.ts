// Debian's avahi in a namespace of its own, with a private D-Bus.

import { spawnSync } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { type WatchedProcess, watchProcess } from '../process/watched-process.ts';
import type { TestHost } from './network-namespaces.ts';

const DAEMON = '/usr/sbin/avahi-daemon';

/** Avahi is a running avahi-daemon. */
export interface Avahi {
  readonly daemon: WatchedProcess;
  /** client starts avahi-browse or avahi-resolve against this daemon. */
  client(...words: string[]): WatchedProcess;
}

/** avahiObstacle tells why avahi cannot be used here, or false. */
export function avahiObstacle(): string | false {
  if (!existsSync(DAEMON)) return 'avahi-daemon is not installed (Debian package avahi-daemon)';
  if (spawnSync('avahi-browse', ['--version']).error) return 'avahi-browse is not installed (Debian package avahi-utils)';
  if (spawnSync('dbus-daemon', ['--version']).error) return 'dbus-daemon is not installed (Debian package dbus)';
  return false;
}

/** startAvahi starts dbus-daemon and avahi-daemon in a namespace and waits until avahi has its host name. Files go to `folder`. */
export async function startAvahi(test: TestContext, host: TestHost, folder: string, hostName: string): Promise<Avahi> {
  const address = `unix:path=${join(folder, 'bus')}`;
  const busConfiguration = join(folder, 'bus.conf');
  writeFileSync(busConfiguration, busXml(address));
  const bus = watchProcess(test, ['dbus-daemon', [`--config-file=${busConfiguration}`, '--nofork', '--nopidfile', '--print-address=1']]);
  await bus.line(/^unix:/);
  const configuration = join(folder, 'avahi.conf');
  writeFileSync(configuration, `[server]\nhost-name=${hostName}\nuse-ipv4=yes\nuse-ipv6=yes\n[wide-area]\nenable-wide-area=no\n`);
  const env = { DBUS_SYSTEM_BUS_ADDRESS: address };
  // `ip netns exec` has given the shell a mount namespace of its own: the tmpfs is seen by nobody else.
  const script = `mount -t tmpfs tmpfs /run && exec ${DAEMON} -f ${configuration} --no-drop-root --no-chroot --no-rlimits`;
  const daemon = watchProcess(test, host.command('sh', '-c', script), env);
  await daemon.line(/Server startup complete/);
  return { daemon, client: (command = '', ...words) => watchProcess(test, host.command(command, ...words), env) };
}

function busXml(address: string): string {
  return `<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN" "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>system</type>
  <listen>${address}</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow user="*"/>
    <allow own="*"/>
    <allow send_type="method_call"/>
    <allow send_type="signal"/>
    <allow send_type="method_return"/>
    <allow send_type="error"/>
    <allow receive_type="method_call"/>
    <allow receive_type="signal"/>
    <allow receive_type="method_return"/>
    <allow receive_type="error"/>
  </policy>
</busconfig>
`;
}
