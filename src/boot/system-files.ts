// Settings of the boot partition as the files that systemd, iwd, sshd and the broker read.

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

const RUN = '/run/midge-boot';
const IWD = '/var/lib/iwd';
const PORTS = { plain: 1883, secure: 8883, websocket: 8083, secureWebsocket: 8084 } as const;

/** systemFiles gives the files of the operating system that follow from settings. */
export function systemFiles(settings: BootSettings): readonly SystemFile[] {
  const { timeZone, sshKeys, persistentLog, wifi, network } = settings;
  return [
    { path: `${RUN}/environment`, text: timeZone === null ? null : `TZ=${timeZone}\n` },
    { path: '/run/systemd/journald.conf.d/20-midge.conf', text: persistentLog ? '[Journal]\nStorage=persistent\n' : null },
    { path: '/run/systemd/network/10-midge.network', text: network.address === null ? null : staticNetwork(network, wifi.name !== null) },
    { path: `${RUN}/iwd/main.conf`, text: wifi.country === null ? null : iwdConfiguration(wifi.country) },
    { path: '/var/lib/ssh/authorized_keys', text: sshKeys.length === 0 ? null : `${sshKeys.join('\n')}\n`, isSecret: true },
  ];
}

/** WifiFile is the file in which iwd keeps a network: null when no network is named. `text` null = the one that is there stays. */
export function wifiFile(wifi: WifiSettings): SystemFile | null {
  if (wifi.name === null) return null;
  const path = `${IWD}/${iwdName(wifi.name)}.psk`;
  if (wifi.password === null) return { path, text: null, isSecret: true };
  const key = /^[0-9a-f]{64}$/i.test(wifi.password)
    ? `PreSharedKey=${wifi.password.toLowerCase()}`
    : `Passphrase=${escapeIwd(wifi.password)}`;
  const settings = wifi.hidden ? '[Settings]\nHidden=true\n' : '';
  return { path, text: `[Security]\n${key}\n${settings}`, isSecret: true };
}

/** brokerConfiguration is the configuration of the broker, in the language of mosquitto.conf(5). */
export function brokerConfiguration(settings: BootSettings): string {
  const { certificateNames, persistenceFile } = settings;
  const lines = [
    '# Written at each boot from midge.txt on the boot partition. Settings of your own go into files of conf.d/ beside this one.',
    ...listenerLines(settings),
    'allow_anonymous false',
    'password_file /var/lib/midge/passwd',
    'persistence true',
    ...(persistenceFile === null ? [] : [`persistence_file ${persistenceFile}`]),
    ...certificateNames.map((name) => `certificate_names ${name}`),
    'include_dir /var/lib/midge/conf.d',
  ];
  return `${lines.join('\n')}\n`;
}

/** Both listeners unless `secure` chooses one; `port` is that of the chosen one, otherwise of the plain one. */
function listenerLines({ port, secure }: BootSettings): string[] {
  const plain = secure === true ? [] : [`listener ${port ?? PORTS.plain}`];
  const encrypted = secure === false ? [] : [`listener ${secure === true && port !== null ? port : PORTS.secure}`, 'secure true'];
  const websocket = secure === true ? [] : [`listener ${PORTS.websocket}`, 'protocol websockets'];
  const secureWebsocket = secure === false ? [] : [`listener ${PORTS.secureWebsocket}`, 'protocol websockets', 'secure true'];
  return [...plain, ...encrypted, ...websocket, ...secureWebsocket];
}

function staticNetwork({ address, gateway, dns }: NetworkSettings, isWifi: boolean): string {
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
