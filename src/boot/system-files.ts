// Settings of the boot partition as the files that systemd, iwd, sshd and the broker read.

import { listenerLines } from './listeners.ts';
import type { BootSettings, NetworkSettings, WifiSettings } from './settings.ts';

/** SystemFile is a file as it must be; `text` null = it must not be there. Modes are 0644, of secrets 0600. */
export interface SystemFile {
  readonly path: string;
  readonly text: string | null;
  readonly isSecret?: boolean;
}

/** DEFAULT_HOST_NAME is the name of a machine that nobody has named. */
export const DEFAULT_HOST_NAME = 'midge';

/** CONFIGURATION is what the broker of the image reads. */
export const CONFIGURATION = '/var/lib/midge/appliance.conf';

/** ACL_FILE says what accounts may do, once midge.txt has named topics. */
export const ACL_FILE = '/var/lib/midge/acl';

/** JOURNAL_SETTINGS is what journald reads when it starts. */
export const JOURNAL_SETTINGS = '/run/systemd/journald.conf.d/20-midge.conf';

/** TIME_SETTINGS is what timesyncd reads when it starts, which is after midge-boot.service. timesyncd.conf(5) */
const TIME_SETTINGS = '/run/systemd/timesyncd.conf.d/20-midge.conf';

const RUN = '/run/midge-boot';
const IWD = '/var/lib/iwd';

/** systemFiles gives the files of the operating system that follow from settings. */
export function systemFiles(settings: BootSettings): readonly SystemFile[] {
  const { timeZone, timeServers, sshKeys, persistentLog, wifi, network } = settings;
  return [
    { path: `${RUN}/environment`, text: timeZone === null ? null : `TZ=${timeZone}\n` },
    { path: JOURNAL_SETTINGS, text: persistentLog ? '[Journal]\nStorage=persistent\n' : null },
    { path: '/run/systemd/network/10-midge.network', text: network.address === null ? null : staticNetwork(network, wifi.name !== null) },
    { path: TIME_SETTINGS, text: timeServers.length === 0 ? null : `[Time]\nNTP=${timeServers.join(' ')}\n` },
    { path: `${RUN}/iwd/main.conf`, text: wifi.country === null ? null : iwdConfiguration(wifi.country) },
    { path: '/var/lib/ssh/authorized_keys', text: sshKeys.length === 0 ? null : `${sshKeys.join('\n')}\n`, isSecret: true },
  ];
}

/** WifiFile is the file in which iwd keeps a network: null when no network is named. `text` null = the one that is there stays. */
export function wifiFile(wifi: WifiSettings): SystemFile | null {
  if (wifi.name === null) return null;
  const hidden = wifi.hidden ? 'Hidden=true\n' : '';
  if (wifi.password === null && wifi.isOpen)
    return { path: `${IWD}/${iwdName(wifi.name)}.open`, text: `[Settings]\nAutoConnect=true\n${hidden}` };
  const path = `${IWD}/${iwdName(wifi.name)}.psk`;
  if (wifi.password === null) return { path, text: null, isSecret: true };
  const key = /^[0-9a-f]{64}$/i.test(wifi.password)
    ? `PreSharedKey=${wifi.password.toLowerCase()}`
    : `Passphrase=${escapeIwd(wifi.password)}`;
  return { path, text: `[Security]\n${key}\n${hidden === '' ? '' : `[Settings]\n${hidden}`}`, isSecret: true };
}

/** brokerConfiguration is the configuration of the broker, in the language of mosquitto.conf(5); `hasRules` = there is an ACL file. */
export function brokerConfiguration(settings: BootSettings, hasRules: boolean): string {
  const { certificateNames, persistenceFile } = settings;
  const lines = [
    '# Made from midge.txt on the boot partition. Changes of your own stay here, until midge.txt asks for something else.',
    'reload_on_change true',
    ...listenerLines(settings),
    'allow_anonymous false',
    'password_file /var/lib/midge/passwd',
    ...(hasRules ? [`acl_file ${ACL_FILE}`] : []),
    'persistence true',
    ...(persistenceFile === null ? [] : [`persistence_file ${persistenceFile}`]),
    ...certificateNames.map((name) => `certificate_names ${name}`),
    'include_dir /var/lib/midge/conf.d',
  ];
  return `${lines.join('\n')}\n`;
}

function staticNetwork({ address, gateway, dns, link }: NetworkSettings, hasWifi: boolean): string {
  const isWifi = linkOf({ link }, hasWifi) === 'wifi';
  return [
    '[Match]',
    ...(isWifi ? ['Type=wlan'] : ['Type=ether', 'Name=en* eth* usb*']),
    '[Network]',
    `Address=${address}`,
    ...(gateway === null ? [] : [`Gateway=${gateway}`]),
    ...dns.map((each) => `DNS=${each}`),
    'IPv6AcceptRA=yes',
    'LinkLocalAddressing=ipv6',
    'MulticastDNS=no',
    'LLMNR=no',
    '',
  ].join('\n');
}

/** linkOf says which connection has the fixed address: the Wi-Fi where one is named, unless somebody has said it. */
export function linkOf({ link }: Pick<NetworkSettings, 'link'>, hasWifi: boolean): 'cable' | 'wifi' {
  return link ?? (hasWifi ? 'wifi' : 'cable');
}

function iwdConfiguration(country: string): string {
  return `[General]\nEnableNetworkConfiguration=false\nCountry=${country}\n[Network]\nEnableIPv6=true\n`;
}

/** iwd.network(5): a name with other characters than these is written in hexadecimal after a `=`. */
function iwdName(name: string): string {
  return /^[A-Za-z0-9 _-]+$/.test(name) ? name : `=${Buffer.from(name).toString('hex')}`;
}

/** iwd.network(5), Settings files: a leading space is `\s`, a backslash is `\\`. */
function escapeIwd(value: string): string {
  return value.replaceAll('\\', '\\\\').replace(/^ /, '\\s');
}
