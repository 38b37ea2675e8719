// How the network of the machine fares, against what midge.txt asks for.

import { isSameAddress } from '../../boot/network-problems.ts';
import type { NetworkSettings, WifiSettings } from '../../boot/settings.ts';
import { linkOf } from '../../boot/system-files.ts';
import { readIwdObjects, wifiTrouble } from '../../boot/wifi-trouble.ts';
import { MachineFiles } from '../../host/machine-files.ts';
import type { BootWorld } from './world.ts';

const DEVICES = '/sys/class/net';
/** Of iwd's log: some connections' worth. */
const LINES = '200';

/** AskedNetwork is what midge.txt, or Imager, wishes. */
export interface AskedNetwork {
  readonly network: NetworkSettings;
  readonly wifi: WifiSettings;
}

/** networkTroubles says what of it is not in force, one sentence each. */
export async function networkTroubles(world: BootWorld, { network, wifi }: AskedNetwork): Promise<string[]> {
  if (network.address === null && wifi.name === null) return [];
  const addresses = await addressesOf(world);
  const wrong = wifi.name === null ? null : await troubleOfWifi(world, wifi, addresses);
  const missing = addressTrouble({ network, wifi }, [...addresses.values()].flat());
  return [wrong, missing].filter((text) => text !== null);
}

async function troubleOfWifi(world: BootWorld, wifi: WifiSettings, addresses: Addresses): Promise<string | null> {
  const files = new MachineFiles(world.root);
  const adapters = files.names(DEVICES).filter((name) => files.exists(`${DEVICES}/${name}/phy80211`));
  const hasAddress = adapters.some((name) => (addresses.get(name) ?? []).length > 0);
  const bus = ['--json=short', 'call', 'net.connman.iwd', '/', 'org.freedesktop.DBus.ObjectManager', 'GetManagedObjects'];
  const station = adapters.length === 0 ? null : readIwdObjects(await world.run('busctl', ...bus));
  const log = (await world.run('journalctl', '-b', '-u', 'iwd.service', '-n', LINES, '-o', 'cat', '--no-pager')) ?? '';
  return wifiTrouble(wifi, { hasAdapter: adapters.length > 0, station, hasAddress, log });
}

function addressTrouble({ network, wifi }: AskedNetwork, addresses: readonly string[]): string | null {
  const [own = ''] = (network.address ?? '').split('/');
  if (own === '' || addresses.some((address) => isSameAddress(address, own))) return null;
  const isNot = `The fixed address ${own} is not in force`;
  if (linkOf(network, wifi.name !== null) === 'cable')
    return `${isNot}. It is for the cable: is the cable plugged in? With address_for = wifi in midge.txt the Wi-Fi has it.`;
  const why = wifi.name === null ? ', but no Wi-Fi is named: wifi_name = ...' : ', which is not connected';
  return `${isNot}. It is for the Wi-Fi${why}. With address_for = cable in midge.txt the cable has it.`;
}

/** Addresses by the name of the device, without those that are made up by the machine itself. */
type Addresses = ReadonlyMap<string, readonly string[]>;

interface Device {
  readonly ifname: string;
  readonly addr_info: readonly { readonly local: string; readonly scope: string }[];
}

/** `ip -json address`: ip-address(8) */
async function addressesOf({ run }: BootWorld): Promise<Addresses> {
  try {
    const devices = JSON.parse((await run('ip', '-json', 'address')) ?? '') as Device[]; // what ip writes
    return new Map(devices.map(({ ifname, addr_info: found }) => [ifname, found.filter(isReachable).map(({ local }) => local)]));
  } catch {
    return new Map();
  }
}

function isReachable({ local, scope }: Device['addr_info'][number]): boolean {
  return scope === 'global' && !local.startsWith('169.254.');
}
