// Why the Wi-Fi does not work, in words, from what iwd says of itself (iwd's doc/station-api.txt, network-api.txt) and what it wrote.

import type { WifiSettings } from './settings.ts';

/** WifiFacts are of one moment. */
export interface WifiFacts {
  readonly hasAdapter: boolean;
  /** Null = iwd does not answer. */
  readonly station: WifiStation | null;
  /** Whether the adapter has an address that others can reach. */
  readonly hasAddress: boolean;
  /** What iwd wrote since it started, oldest first. */
  readonly log: string;
}

export interface WifiStation {
  /** `connected`, `connecting`, `disconnected`, ... or null when the adapter is switched off. */
  readonly state: string | null;
  /** Kinds of the networks in reach by name: `psk`, `open`, `8021x`, ... */
  readonly inReach: ReadonlyMap<string, string>;
}

/** A wrong password ends the 4-way handshake (IEEE 802.11 9.4.1.7: reason 2, 14, 15, 23), with WPA3 the authentication (9.4.1.9: status 1, 15). */
const WRONG_PASSWORD = /4-Way handshake failed|connect-(?:failed|timeout), reason: (?:2|14|15|23)\b|connect-failed, status: (?:1|15)\b/;
const CONNECTED = /event: state, old: \w+, new: connected\b/;

/** wifiTrouble says what is wrong with the network that is wished for, or null when it works, or none is. */
export function wifiTrouble({ name, country, hidden }: WifiSettings, facts: WifiFacts): string | null {
  if (name === null) return null;
  const { hasAdapter, station, hasAddress, log } = facts;
  const wifi = `The Wi-Fi "${name}"`;
  if (!hasAdapter) return `${wifi} is not in use: this machine has no Wi-Fi adapter, or the image has no firmware for it.`;
  if (station === null) return `${wifi} is not in use: the service for it (iwd) does not run.`;
  if (station.state === null) return `${wifi} is not in use: the adapter is switched off.`;
  if (station.state === 'connected' || station.state === 'roaming')
    return hasAddress ? null : `${wifi} is connected, but its router gives the machine no address.`;
  const kind = station.inReach.get(name);
  if (kind === '8021x') return `${wifi} wants a user name and a certificate, as in companies: this image can't sign in there.`;
  if (isPasswordWrong(log)) return `${wifi} refuses the password: write wifi_name and wifi_password anew into midge.txt.`;
  if (kind !== undefined) return `${wifi} is in reach, but the machine is not connected to it.`;
  const advice = country === null ? ' Without wifi_country in midge.txt some channels are not used.' : '';
  return hidden
    ? `${wifi} is hidden, and the machine does not find it: is the name right, capitals too?${advice}`
    : `${wifi} is not found: is the name right, capitals too, and the router near enough? A network that hides its name needs wifi_hidden = yes.${advice}`;
}

/** Later words of iwd count: somebody may have changed the password of the router. */
function isPasswordWrong(log: string): boolean {
  const lines = log.split('\n');
  return lines.findLastIndex((line) => WRONG_PASSWORD.test(line)) > lines.findLastIndex((line) => CONNECTED.test(line));
}

/** readIwdObjects reads the answer of `busctl --json=short call ... GetManagedObjects`; null when it is none. */
export function readIwdObjects(text: string | null): WifiStation | null {
  try {
    const { data } = JSON.parse(text ?? '') as { data: [Record<string, Record<string, Record<string, { data: unknown }>>>] }; // a{oa{sa{sv}}}
    const interfaces = Object.values(data[0]).flatMap((each) => Object.entries(each));
    const named = (kind: string) => interfaces.filter(([name]) => name === `net.connman.iwd.${kind}`).map(([, properties]) => properties);
    const networks = named('Network').map(({ Name, Type }) => [String(Name?.data), String(Type?.data)] as const);
    const [station] = named('Station');
    return { state: station === undefined ? null : String(station['State']?.data), inReach: new Map(networks) };
  } catch {
    return null;
  }
}
