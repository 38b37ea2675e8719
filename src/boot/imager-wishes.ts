// The wishes that Imager's files have in common, whatever form they come in.

import { isIP } from 'node:net';
import { gatewayProblem, withNameServers } from './network-problems.ts';
import type { Draft, FindTimeZone, NetworkSettings, Secret } from './settings.ts';
import { addressProblem, hostNameProblem, isSshKey, plainAddress, wifiPasswordProblem } from './words.ts';

/** TAKEN stands in place of a secret that was taken from such a file. */
export const TAKEN = 'taken-and-removed-from-here';

/** HiddenValue is a secret, and where in the data of a file it stands. */
export interface HiddenValue extends Secret {
  readonly holder: Record<string | number, unknown>;
  readonly key: string | number;
}

/** Reading is one file being read: what it wishes, its secrets, and how to say what is wrong. */
export interface Reading {
  readonly draft: Draft;
  readonly hidden: HiddenValue[];
  readonly complain: (text: string) => void;
  readonly findTimeZone: FindTimeZone;
}

/** WifiWish is a network as a file has it; its password stands in `holder` at `key`. */
export interface WifiWish {
  readonly name: string;
  readonly holder: Record<string | number, unknown>;
  readonly key: string | number;
  readonly country: unknown;
  readonly hidden: boolean;
}

/** FixedAddress is one as a file has it, not looked at yet. */
export interface FixedAddress {
  readonly address: unknown;
  readonly gateway: unknown;
  readonly dns: readonly unknown[];
  readonly link: NetworkSettings['link'];
}

/** setHostName takes a host name, or says why it can't be one. */
export function setHostName(value: unknown, { draft, complain }: Reading): void {
  if (typeof value !== 'string' || value === '') return;
  const problem = hostNameProblem(value);
  if (problem === null) draft.hostName = value.toLowerCase().replace(/\.local$/, '');
  else complain(`the host name can't be ${quote(value)}: ${problem}`);
}

/** setTimeZone takes a time zone, or says that there is no interface of this name. */
export function setTimeZone(value: unknown, { draft, complain, findTimeZone }: Reading): void {
  if (typeof value !== 'string' || value === '') return;
  const zone = findTimeZone(value);
  if (zone === null) complain(`the time zone can't be ${quote(value)}: one looks like Europe/Berlin`);
  else draft.timeZone = zone;
}

/** addKeys takes public SSH keys: a list, or one a line. */
export function addKeys(value: unknown, { draft }: Reading): void {
  const lines = list(value).flatMap((each) => (typeof each === 'string' ? each.split('\n') : []));
  draft.sshKeys.push(...lines.filter(isSshKey));
}

/** setWifi takes a network; one without a password is open. */
export function setWifi(wish: WifiWish, reading: Reading): void {
  const { draft, complain } = reading;
  const password = wish.holder[wish.key];
  const isTaken = password === TAKEN;
  const isOpen = password === undefined || password === null || password === '';
  const { country } = wish;
  draft.wifi = {
    name: wish.name,
    password: null,
    isOpen,
    hidden: wish.hidden,
    country: typeof country === 'string' && /^[a-z]{2}$/i.test(country) ? country.toUpperCase() : draft.wifi.country,
  };
  if (isOpen || isTaken) return;
  const problem = typeof password === 'string' ? wifiPasswordProblem(password) : 'it is no text: put it in quotation marks';
  if (problem !== null) return complain(`the password of the Wi-Fi can't be used: ${problem}`);
  draft.wifi.password = String(password);
  hide(wish.holder, wish.key, 'wifi', reading);
}

/** setAddress takes a fixed address with its gateway and name servers, each looked at: a file of systemd is made of them. */
export function setAddress({ address, gateway, dns, link }: FixedAddress, { draft, complain }: Reading): void {
  const problem = addressProblem(String(address));
  if (problem !== null) return complain(`the address can't be ${quote(address)}: ${problem}`);
  if (draft.network.address !== null)
    return complain(`the address ${quote(address)} is not used: only one network can have a fixed address`);
  const isGood = (value: unknown) => typeof value === 'string' && isIP(value) !== 0 && !value.includes('%');
  for (const bad of [...(gateway === undefined ? [] : [gateway]), ...dns].filter((value) => !isGood(value))) {
    complain(`${quote(bad)} is no address`);
  }
  const network = {
    address: plainAddress(String(address)),
    gateway: isGood(gateway) ? String(gateway) : null,
    dns: dns.filter(isGood).map(String),
    link,
  };
  const wrong = gatewayProblem(network);
  if (wrong !== null) complain(`the gateway can't be ${quote(gateway)}: ${wrong}`);
  draft.network = withNameServers(wrong === null ? network : { ...network, gateway: null });
}

/** hide remembers a secret of a file. */
export function hide(holder: HiddenValue['holder'], key: string | number, use: Secret['use'], { hidden }: Reading): void {
  const value = holder[key];
  if (typeof value === 'string' && value !== '' && value !== TAKEN) hidden.push({ holder, key, use, value });
}

/** sayNoLogin says what becomes of a login. */
export function sayNoLogin(name: unknown, { complain }: Reading): void {
  if (typeof name !== 'string' || name === '' || name === 'root') return;
  complain(`there is no login ${quote(name)} here: sign in as root with an SSH key; accounts for MQTT are in midge.txt`);
}

/** record gives a value as an object: an empty one when it is something else. */
export function record(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : {}; // any object has such keys
}

/** list gives a value as a list: a text is one of one. */
export function list(value: unknown): readonly unknown[] {
  if (typeof value === 'string') return [value];
  return Array.isArray(value) ? value : [];
}

/** On one line, and not too long. */
function quote(value: unknown): string {
  return JSON.stringify(String(value).slice(0, 60));
}
