// The words of midge.txt: what each takes, and what is wrong with a value that can't be taken.

import { isIP, isIPv4 } from 'node:net';
import { CERTIFICATE_NAME_ADVICE, certificateName } from '../base/certificate-name.ts';
import { isStateName } from '../base/state-names.ts';
import { takeAccount, takeReadTopics, takeRemovedAccount, takeTopics } from './account-words.ts';
import type { Draft, FindTimeZone, Secret } from './settings.ts';

/** Word is one row of the table. `take` puts a value into the draft, or gives what is wrong with it, without quoting secrets. */
export interface Word {
  readonly name: string;
  /** Other spellings that people know. */
  readonly also?: readonly string[];
  /** What its value is for that must not stay there. */
  readonly secret?: Secret['use'];
  /** What may stand there twice. */
  readonly repeats?: boolean;
  readonly take: (value: string, draft: Draft, findTimeZone: FindTimeZone) => string | null;
}

/** Longest label of a host name, RFC 1035 2.3.4. */
const LABEL = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;
const YES = /^(yes|true|on|1)$/i;
const NO = /^(no|false|off|0)$/i;
const SSH_KEY = /^(ssh-(ed25519|rsa|dss)|ecdsa-sha2-nistp\d+|sk-(ssh-ed25519|ecdsa-sha2-nistp256)@openssh\.com) [A-Za-z0-9+/=]{40,}( .*)?$/;
/** A name of DNS whose last label is no number, RFC 1123 2.1. */
const SERVER_NAME = /^(?=.{1,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)*(?!\d+$)[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/i;
const WIFI_NAME_BYTES = 32;
/** What else lies beside the database: our configuration, what SQLite and a restore make. */
const NAMES_OF_IMAGE = /^(before|restore)-|\.new$|-(wal|shm|journal)$/;

/** WORDS in the order in which midge.txt shows them. */
export const WORDS: readonly Word[] = [
  { name: 'hostname', also: ['host_name', 'name'], take: takeHostName },
  { name: 'wifi_country', take: takeCountry },
  { name: 'wifi_name', also: ['wifi_ssid', 'ssid'], take: takeWifiName },
  { name: 'wifi_password', also: ['wifi_psk', 'psk'], secret: 'wifi', take: takeWifiPassword },
  {
    name: 'wifi_open',
    take: yesOrNo((draft, value) => {
      draft.wifi.isOpen = value;
    }),
  },
  {
    name: 'wifi_hidden',
    take: yesOrNo((draft, value) => {
      draft.wifi.hidden = value;
    }),
  },
  {
    name: 'wifi_forget',
    take: yesOrNo((draft, value) => {
      draft.isWifiForgotten = value;
    }),
  },
  { name: 'address', also: ['ip_address', 'static_address'], take: takeAddress },
  { name: 'address_for', take: takeAddressFor },
  {
    name: 'gateway',
    take: address((draft, value) => {
      draft.network.gateway = value;
    }),
  },
  {
    name: 'dns',
    repeats: true,
    take: address((draft, value) => {
      draft.network.dns = [...draft.network.dns, value];
    }),
  },
  { name: 'time_zone', also: ['timezone'], take: takeTimeZone },
  { name: 'time_server', also: ['time_servers', 'ntp', 'ntp_server', 'ntp_servers'], repeats: true, take: takeTimeServers },
  { name: 'ssh_key', repeats: true, take: takeSshKey },
  { name: 'account', secret: 'accounts', repeats: true, take: takeAccount },
  { name: 'remove_account', also: ['delete_account'], repeats: true, take: takeRemovedAccount },
  { name: 'topics', repeats: true, take: takeTopics },
  { name: 'read_topics', repeats: true, take: takeReadTopics },
  { name: 'certificate_names', also: ['certificate_name'], repeats: true, take: takeCertificateNames },
  {
    name: 'persistent_log',
    take: yesOrNo((draft, value) => {
      draft.persistentLog = value;
    }),
  },
  { name: 'port', take: takePort },
  {
    name: 'secure',
    take: yesOrNo((draft, value) => {
      draft.secure = value;
    }),
  },
  { name: 'persistence_file', take: takePersistenceFile },
];

/** hostNameProblem says why a machine can't be called so, or null. */
export function hostNameProblem(name: string): string | null {
  if (LABEL.test(name.toLowerCase().replace(/\.local$/, ''))) return null;
  return 'a host name has letters, digits and hyphens, 63 at most, and no hyphen at its ends';
}

/** wifiPasswordProblem says why no WPA network can have this password, or null (IEEE 802.11: 8 to 63 ASCII characters, or 64 hexadecimal digits). */
export function wifiPasswordProblem(password: string): string | null {
  if (/^[0-9a-f]{64}$/i.test(password)) return null;
  return /^[\x20-\x7e]{8,63}$/.test(password) ? null : 'a Wi-Fi password has 8 to 63 characters, without accents';
}

/** addressProblem says why a machine can't have such an address, for example without the size of its network, or null. */
export function addressProblem(text: string): string | null {
  const [address = '', prefix = '', ...rest] = text.split('/');
  const longest = isIPv4(address) ? 32 : 128;
  if (isIP(address) === 0 || address.includes('%') || rest.length > 0) return 'an address looks like 192.168.1.5/24';
  if (/^\d+$/.test(prefix) && Number(prefix) >= 1 && Number(prefix) <= longest) return null;
  return `the network size is missing: ${address}/24`;
}

/** plainAddress writes an address without problem as systemd reads it: its size without zeros in front. */
export function plainAddress(text: string): string {
  const [address, prefix] = text.split('/');
  return `${address}/${Number(prefix)}`;
}

/** isSshKey tells a line of authorized_keys without options. */
export function isSshKey(line: string): boolean {
  return SSH_KEY.test(line);
}

function takeHostName(value: string, draft: Draft): string | null {
  const problem = hostNameProblem(value);
  if (problem === null) draft.hostName = value.toLowerCase().replace(/\.local$/, '');
  return problem;
}

function takeCountry(value: string, draft: Draft): string | null {
  if (!/^[a-z]{2}$/i.test(value)) return 'a country is two letters, for example DE';
  draft.wifi.country = value.toUpperCase();
  return null;
}

function takeWifiName(value: string, draft: Draft): string | null {
  if (Buffer.byteLength(value) > WIFI_NAME_BYTES) return `a Wi-Fi name has ${WIFI_NAME_BYTES} bytes at most`;
  draft.wifi.name = value;
  return null;
}

function takeWifiPassword(value: string, draft: Draft): string | null {
  const problem = wifiPasswordProblem(value);
  if (problem === null) draft.wifi.password = value;
  return problem;
}

function takeAddress(value: string, draft: Draft): string | null {
  const problem = addressProblem(value);
  if (problem === null) draft.network.address = plainAddress(value);
  return problem;
}

function takeAddressFor(value: string, draft: Draft): string | null {
  if (/^(cable|ethernet|lan)$/i.test(value)) draft.network.link = 'cable';
  else if (/^(wi-?fi|wlan)$/i.test(value)) draft.network.link = 'wifi';
  else return 'it is cable or wifi';
  return null;
}

function takeTimeServers(value: string, draft: Draft): string | null {
  const servers = value.split(/[\s,]+/).filter((server) => server !== '');
  const bad = servers.find((server) => isIP(server) === 0 && !SERVER_NAME.test(server));
  if (bad !== undefined) return 'a time server is a name or an address, such as ptbtime1.ptb.de or 192.168.1.1';
  draft.timeServers.push(...servers);
  return null;
}

function takeTimeZone(value: string, draft: Draft, findTimeZone: FindTimeZone): string | null {
  const zone = findTimeZone(value);
  if (zone === null) return 'a time zone looks like Europe/Berlin';
  draft.timeZone = zone;
  return null;
}

function takeSshKey(value: string, draft: Draft): string | null {
  if (!isSshKey(value)) return 'it is no public SSH key: one line of a file like id_ed25519.pub';
  draft.sshKeys.push(value);
  return null;
}

function takeCertificateNames(value: string, draft: Draft): string | null {
  const names = value.split(/[\s,]+/).filter((name) => name !== '');
  const bad = names.find((name) => certificateName(name) === null);
  if (bad !== undefined) return `"${bad}" can't stand in a certificate: ${CERTIFICATE_NAME_ADVICE}`;
  draft.certificateNames.push(...names);
  return null;
}

function takePort(value: string, draft: Draft): string | null {
  const port = Number(value);
  if (!/^\d+$/.test(value) || port < 1 || port > 65_535) return 'a port is a number from 1 to 65535';
  draft.port = port;
  return null;
}

function takePersistenceFile(value: string, draft: Draft): string | null {
  if (!/^[\w.-]+$/.test(value) || value.startsWith('.')) return 'it is the name of a file, without folders';
  if (isStateName(value) || NAMES_OF_IMAGE.test(value)) return 'something else has this name: choose another, for example midge.db';
  draft.persistenceFile = value;
  return null;
}

function address(set: (draft: Draft, value: string) => void): Word['take'] {
  return (value, draft) => {
    if (isIP(value) === 0) return 'it is no address';
    set(draft, value);
    return null;
  };
}

function yesOrNo(set: (draft: Draft, value: boolean) => void): Word['take'] {
  return (value, draft) => {
    if (!YES.test(value) && !NO.test(value)) return 'it is yes or no';
    set(draft, YES.test(value));
    return null;
  };
}
