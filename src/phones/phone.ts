// A phone of a person: its names, the account that it has of its own, and where it finds the broker.
//
// Each phone has an account of its own, PERSON/DEVICE: one that is lost is shut out alone. Such a name is no single level of a topic, so that
// a rule with %u never gives it more than the rules that were written for it.

import { createHash } from 'node:crypto';

/** One level of a topic, part of a user name, and shown to people. */
const PERSON = /^[\p{L}\p{N}_][\p{L}\p{N}_.-]{0,63}$/u;
const DEVICE = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,31}$/;

/** MQTT 3.1 allows so many characters in a client id. */
const CLIENT_ID_NAME = 15;
const CLIENT_ID_HASH = 8;

/** PHONE_USES are what a phone can be set up for: the app OwnTracks, by MQTT or in its HTTP mode, or any other app that speaks MQTT. */
export const PHONE_USES = ['owntracks', 'owntracks-http', 'mqtt'] as const;
export type PhoneUse = (typeof PHONE_USES)[number];

/** PhoneProtocol is that of the listener that a phone comes to. */
export type PhoneProtocol = 'mqtt' | 'websockets' | 'http';

/** PhoneName names one phone. */
export interface PhoneName {
  readonly person: string;
  readonly device: string;
}

/** BrokerAddress is where a phone connects to: always with TLS. */
export interface BrokerAddress {
  /** Name or address that stands in the certificate. */
  readonly host: string;
  readonly port: number;
  readonly protocol: PhoneProtocol;
}

/** nameFault says why a phone can't have a name, or gives null. */
export function nameFault({ person, device }: PhoneName): { readonly field: keyof PhoneName; readonly message: string } | null {
  if (!PERSON.test(person))
    return { field: 'person', message: 'The name of a person has letters, digits, and after the first of them . _ or -, 64 at most' };
  if (!DEVICE.test(device))
    return { field: 'device', message: 'The name of a device has letters from A to Z, digits, . _ or -, 32 at most' };
  return null;
}

/** usesOwnTracks tells whether it is that app. */
export function usesOwnTracks({ use }: { readonly use: PhoneUse }): boolean {
  return use !== 'mqtt';
}

/** protocolOf is what a phone speaks. */
export function protocolOf({ use, webSocket }: { readonly use: PhoneUse; readonly webSocket: boolean }): PhoneProtocol {
  if (use === 'owntracks-http') return 'http';
  return webSocket ? 'websockets' : 'mqtt';
}

/** accountOf is the user name of a phone. */
export function accountOf({ person, device }: PhoneName): string {
  return `${person}/${device}`;
}

/** topicOf is where OwnTracks on a phone publishes its location; other messages go below it. */
export function topicOf({ person, device }: PhoneName): string {
  return `owntracks/${person}/${device}`;
}

/** clientIdOf has letters and digits only, for MQTT 3.1 and for apps that take nothing else, and is another one for each phone. */
export function clientIdOf(phone: PhoneName): string {
  const account = accountOf(phone);
  const readable = account.toLowerCase().replaceAll(/[^a-z0-9]/g, '');
  const mark = createHash('sha256').update(account).digest('hex').slice(0, CLIENT_ID_HASH);
  return readable.slice(0, CLIENT_ID_NAME) + mark;
}
