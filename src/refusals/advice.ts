// The catalogue of advice: what to do about a refusal. Programs get a code and its values, people in a terminal the English sentence.

import type { Values } from './reason-values.ts';

const TRUST =
  "install this broker's ca.crt on the device (certificates/ca.crt in the state folder), and connect to a name that is in the certificate";

/** Sentences without a capital and a full stop; `{name}` stands for the value of that name. */
const SENTENCES = {
  trust: TRUST,
  'name in certificate': 'connect to a name or an address that is in the certificate; certificate_names adds some',
  'port with TLS': 'use the port with TLS ({ports}), or turn TLS off in the client',
  'no port with TLS': 'turn TLS off in the client: this broker has no port with TLS',
  'port without TLS': 'use the port without TLS ({ports}), or turn TLS on in the client',
  'turn TLS on': 'turn TLS on in the client',
  'port for WebSocket': 'use the port for WebSocket ({ports}), or use MQTT over TCP in the client',
  'no port for WebSocket': 'use MQTT over TCP in the client: this broker has no port for WebSocket',
  https: 'this port wants TLS: use https or wss',
  dates: 'look at the date of the device, and of this machine',
  'client certificate': 'give it one: this listener has require_certificate true',
  revoked: 'if it may come back, give it another one (midge cert client NAME)',
  'other authority':
    "give it one of the authority that this listener trusts: that of cafile or capath, or this broker's own (midge cert client NAME)",
  'new certificate': 'give it a new one, if the clock of this machine is right',
  held: 'correct the password there and wait until the hold ends, or give this user another password, which ends a hold of this user; if many come by this address, add it to login_throttle_exempt',
  'smaller packets': 'let it send less, or set max_packet_size higher',
  unlock: 'to let this user in: {command}',
  'enable client': 'to let this user in: {command}',
  'new client': 'to let this user in: {command}',
  'client password': 'a new password: {command}',
  'password in configuration': 'the password stands in {file} (password)',
  'no password file': 'name a file of accounts by password_file, and add the user with midge passwd',
  'new account': 'to let this user in: {command}',
  'new password': 'a new password: {command}',
  'page password':
    'if it was you, use the right password, or have an admin give you a new one; if not, somebody is trying passwords from this address',
  'page user': 'if it was you, look at the user name; if not, somebody is trying names and passwords from this address',
  'page role': 'if this user is to use the page, an admin gives the account a role there, under People',
  'missing rule': '{rule}',
  'role of the client': 'to allow it by one of its roles: {command}',
  'deny rule': 'a deny line is stronger than all others: take it away, or name less by it',
  'client id twice': 'two devices use the same client id: give each its own',
  'comes and goes':
    'it is let in each time, and this is normal for a device that sleeps between its messages: otherwise give each device its own client id, and look at its Wi-Fi',
  'client id twice there': 'two programs there use the same client id, or one connects anew before it has closed its old connection',
} as const;

export type AdviceCode = keyof typeof SENTENCES;

/** Advice is one of the catalogue. */
export interface Advice {
  readonly code: AdviceCode;
  readonly values: Values;
}

/** ADVICE_CODES are all of them. */
export const ADVICE_CODES = Object.keys(SENTENCES) as readonly AdviceCode[]; // its keys

/** advise makes one. */
export function advise(code: AdviceCode, values: Values = {}): Advice {
  return { code, values };
}

/** adviceSentence gives it in English, without a capital and a full stop. */
export function adviceSentence({ code, values }: Advice): string {
  return SENTENCES[code].replaceAll(/\{(\w+)\}/g, (whole, name: string) => String(values[name] ?? whole));
}

/** isOfLock tells whether an account that lets nobody in was the reason. */
export function isOfLock(code: AdviceCode | null): boolean {
  return code === 'unlock' || code === 'enable client';
}
