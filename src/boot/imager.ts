// What Raspberry Pi Imager writes on the boot partition, as far as it makes sense on a machine without logins.
//
//   user-data, network-config    cloud-init, for Raspberry Pi OS of 2025 and newer
//   custom.toml                  for those of 2023 to 2025
//   firstrun.sh                  a shell script before that; it is read, never run

import { parse as parseToml } from 'smol-toml';
import { parse as parseYaml } from 'yaml';
import { type BootSettings, type Draft, emptyDraft, type Mistake } from './settings.ts';
import { hostNameProblem, isSshKey, isTimeZone, wifiPasswordProblem } from './words.ts';

/** IMAGER_FILES are read in this order: what a later one says counts. */
export const IMAGER_FILES = ['firstrun.sh', 'custom.toml', 'network-config', 'user-data'] as const;

export type ImagerFile = (typeof IMAGER_FILES)[number];

/** TAKEN stands in place of a secret that was taken from such a file. */
export const TAKEN = 'taken-and-removed-from-here';

export interface ImagerReading {
  readonly settings: BootSettings;
  readonly mistakes: readonly Mistake[];
  /** Texts that have changed, without the Wi-Fi password and the login's password. */
  readonly withoutSecrets: ReadonlyMap<ImagerFile, string>;
}

interface Reading {
  readonly draft: Draft;
  readonly secrets: string[];
  readonly complain: (text: string) => void;
}

/** readImagerFiles reads the texts that are there. Never throws: a file that can't be read is a mistake. */
export function readImagerFiles(files: ReadonlyMap<ImagerFile, string>): ImagerReading {
  const draft = emptyDraft();
  const mistakes: Mistake[] = [];
  const withoutSecrets = new Map<ImagerFile, string>();
  for (const file of IMAGER_FILES) {
    const text = files.get(file);
    if (text === undefined) continue;
    const secrets: string[] = [];
    const complain = (what: string) => mistakes.push({ file, line: null, text: what });
    try {
      READERS[file](text, { draft, secrets, complain });
    } catch {
      complain('it has another form than Raspberry Pi Imager gives it'); // the parser's own words quote what may be a secret
    }
    const without = secrets
      .filter((secret) => secret.length >= 8 && secret !== TAKEN)
      .reduce((rest, secret) => rest.replaceAll(secret, TAKEN), text);
    if (without !== text) withoutSecrets.set(file, without);
  }
  return { settings: draft, mistakes, withoutSecrets };
}

const READERS: Readonly<Record<ImagerFile, (text: string, reading: Reading) => void>> = {
  'user-data': readUserData,
  'network-config': readNetworkConfig,
  'custom.toml': readCustomToml,
  'firstrun.sh': readFirstRun,
};

/** https://cloudinit.readthedocs.io/en/latest/reference/modules.html: hostname, timezone, users, ssh_authorized_keys. */
function readUserData(text: string, reading: Reading): void {
  const data = record(parseYaml(text));
  setHostName(data['hostname'], reading);
  setTimeZone(data['timezone'], reading);
  addKeys(data['ssh_authorized_keys'], reading);
  for (const user of [...list(data['users']), data['user']].map(record)) {
    addKeys(user['ssh_authorized_keys'], reading);
    sayNoLogin(user['name'], reading);
    hide(user['passwd'], reading);
    hide(user['plain_text_passwd'], reading);
  }
}

/** Netplan, version 2: one Wi-Fi, and a static address. */
function readNetworkConfig(text: string, reading: Reading): void {
  const data = record(parseYaml(text));
  const network = 'network' in data ? record(data['network']) : data;
  for (const link of Object.values(record(network['wifis'])).map(record)) {
    const [[name, point] = ['', null]] = Object.entries(record(link['access-points']));
    if (name === '') continue;
    setWifi(
      { name, password: record(point)['password'] ?? record(record(point)['auth'])['password'], country: link['regulatory-domain'] },
      reading,
    );
    reading.draft.wifi.hidden = record(point)['hidden'] === true;
    setStaticAddress(link, reading);
  }
  for (const link of Object.values(record(network['ethernets'])).map(record)) setStaticAddress(link, reading);
}

function setStaticAddress(link: Record<string, unknown>, { draft }: Reading): void {
  const [address] = list(link['addresses']);
  if (typeof address !== 'string' || !/^[0-9a-f.:]+\/\d+$/i.test(address)) return;
  const dns = list(record(link['nameservers'])['addresses']).filter((each) => typeof each === 'string');
  const gateway = link['gateway4'] ?? record(list(link['routes'])[0])['via'];
  draft.network = { address, gateway: typeof gateway === 'string' ? gateway : null, dns };
}

/** https://github.com/RPi-Distro/raspberrypi-sys-mods: init_config reads config_version 1. */
function readCustomToml(text: string, reading: Reading): void {
  const data: Record<string, unknown> = parseToml(text);
  const [user, ssh, wlan] = [record(data['user']), record(data['ssh']), record(data['wlan'])];
  setHostName(record(data['system'])['hostname'], reading);
  setTimeZone(record(data['locale'])['timezone'], reading);
  addKeys(ssh['authorized_keys'], reading);
  sayNoLogin(user['name'], reading);
  hide(user['password'], reading);
  if (typeof wlan['ssid'] !== 'string') return;
  setWifi({ name: wlan['ssid'], password: wlan['password'], country: wlan['country'] }, reading);
  reading.draft.wifi.hidden = wlan['hidden'] === true;
}

/** Imager writes each wish twice, for old and new systems: `imager_custom set_wlan 'SSID' 'PSK' 'CC'` is the one that is read. */
function readFirstRun(text: string, reading: Reading): void {
  const words = (command: string) =>
    shellWords(new RegExp(`imager_custom ${command}((?: +(?:-\\w|'(?:[^']|'"'"')*'|[^\\s']+))+)`).exec(text)?.[1] ?? '');
  setHostName(words('set_hostname')[0], reading);
  setTimeZone(words('set_timezone')[0], reading);
  addKeys(
    words('enable_ssh').filter((word) => word !== '-k'),
    reading,
  );
  sayNoLogin(/userconf '?([\w-]+)'? /.exec(text)?.[1], reading);
  hide(/userconf \S+ '([^']+)'/.exec(text)?.[1], reading);
  const [name, password, country] = words('set_wlan').filter((word) => word !== '-h');
  if (name !== undefined) setWifi({ name, password, country }, reading);
}

function shellWords(text: string): string[] {
  const found = text.match(/'(?:[^']|'"'"')*'|[^\s']+/g) ?? [];
  return found.map((word) => (word.startsWith("'") ? word.slice(1, -1).replaceAll(`'"'"'`, "'") : word));
}

function setHostName(value: unknown, { draft, complain }: Reading): void {
  if (typeof value !== 'string' || value === '') return;
  const problem = hostNameProblem(value);
  if (problem === null) draft.hostName = value.toLowerCase();
  else complain(`the host name can't be "${value}": ${problem}`);
}

function setTimeZone(value: unknown, { draft }: Reading): void {
  if (typeof value === 'string' && isTimeZone(value)) draft.timeZone = value;
}

function addKeys(value: unknown, { draft }: Reading): void {
  draft.sshKeys.push(...list(value).filter((each): each is string => typeof each === 'string' && isSshKey(each)));
}

function setWifi(wifi: { name: string; password: unknown; country: unknown }, reading: Reading): void {
  const { draft, complain } = reading;
  hide(wifi.password, reading);
  draft.wifi.name = wifi.name;
  if (typeof wifi.country === 'string' && /^[a-z]{2}$/i.test(wifi.country)) draft.wifi.country = wifi.country.toUpperCase();
  if (typeof wifi.password !== 'string' || wifi.password === TAKEN || wifi.password === '') return;
  const problem = wifiPasswordProblem(wifi.password);
  if (problem === null) draft.wifi.password = wifi.password;
  else complain(`the password of the Wi-Fi can't be used: ${problem}`);
}

function hide(value: unknown, { secrets }: Reading): void {
  if (typeof value === 'string') secrets.push(value);
}

function sayNoLogin(name: unknown, { complain }: Reading): void {
  if (typeof name !== 'string' || name === 'root') return;
  complain(`there is no login "${name}" here: with an SSH key one signs in as root, and accounts for MQTT stand in midge.txt`);
}

function record(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : {}; // any object has such keys
}

function list(value: unknown): readonly unknown[] {
  if (typeof value === 'string') return value.split('\n');
  return Array.isArray(value) ? value : [];
}
