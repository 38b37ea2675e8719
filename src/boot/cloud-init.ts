// user-data and network-config: the wishes for cloud-init that Raspberry Pi Imager writes since 2025.

import { addKeys, hide, list, type Reading, record, sayNoLogin, setAddress, setHostName, setTimeZone, setWifi } from './imager-wishes.ts';
import type { NetworkSettings } from './settings.ts';

type Data = Record<string, unknown>;

const PASSWORDS_OF_USER = ['passwd', 'plain_text_passwd', 'hashed_passwd', 'password'] as const;

/** readUserData takes host name, time zone and SSH keys. https://cloudinit.readthedocs.io/en/latest/reference/modules.html */
export function readUserData(data: Data, reading: Reading): void {
  setHostName(data['hostname'], reading);
  setTimeZone(data['timezone'], reading);
  addKeys(data['ssh_authorized_keys'], reading);
  hide(data, 'password', 'login', reading);
  const chpasswd = record(data['chpasswd']);
  hide(chpasswd, 'list', 'login', reading);
  for (const user of [...list(data['users']), data['user'], ...list(chpasswd['users'])].map(record)) {
    addKeys(user['ssh_authorized_keys'], reading);
    sayNoLogin(user['name'], reading);
    for (const key of PASSWORDS_OF_USER) hide(user, key, 'login', reading);
  }
}

/** readNetworkConfig takes one Wi-Fi and one fixed address of netplan's version 2. https://netplan.readthedocs.io/en/stable/netplan-yaml/ */
export function readNetworkConfig(data: Data, reading: Reading): void {
  const network = 'network' in data ? record(data['network']) : data;
  for (const link of Object.values(record(network['wifis'])).map(record)) {
    const [[name, settings] = ['', null]] = Object.entries(record(link['access-points']));
    if (name === '') continue;
    readAccessPoint(name, { point: record(settings), country: link['regulatory-domain'] }, reading);
    readAddress(link, 'wifi', reading);
  }
  for (const link of Object.values(record(network['ethernets'])).map(record)) readAddress(link, 'cable', reading);
}

function readAccessPoint(name: string, { point, country }: { point: Data; country: unknown }, reading: Reading): void {
  const auth = record(point['auth']);
  const kind = auth['key-management'] ?? 'psk';
  if (kind !== 'psk' && kind !== 'sae' && kind !== 'none')
    return reading.complain('its Wi-Fi wants more than a password, which is not done here');
  const holder = 'password' in auth ? auth : point;
  setWifi({ name, holder, key: 'password', country, hidden: point['hidden'] === true }, reading);
}

function readAddress(link: Data, kind: NetworkSettings['link'], reading: Reading): void {
  const [address] = list(link['addresses']);
  if (address === undefined) {
    if (link['dhcp4'] === false) reading.complain('dhcp4 is false and there is no address: the router is asked for one');
    return;
  }
  const routes = list(link['routes']).map(record);
  const route = routes.find(({ to }) => to === 'default' || to === '0.0.0.0/0' || to === '::/0') ?? {};
  setAddress(
    {
      address,
      gateway: link['gateway4'] ?? route['via'] ?? link['gateway6'],
      dns: list(record(link['nameservers'])['addresses']),
      link: kind,
    },
    reading,
  );
}
