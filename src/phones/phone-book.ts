// The phones that were set up here, how far each has come, and the links by which they are: a file of the state folder.
//
//   {"person": "jane", "device": "phone", "use": "owntracks", "groups": ["family"], "host": "pi.local", "webSocket": false,
//    "added": 1700000000000, "link": {"id": "...", "token": "HASH", "ends": 1700000600000, "pass": null}, "steps": {"certificate": 1700000060000}}     one line each
//
// A link has an id, which anybody on the network may read, and a token, which is sent by HTTPS only. The token opens it once; the phone that
// has done so gets a pass, and goes on with that. Of both the file has hashes: they are random, 128 bits and 256, and need no salt.

import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { replaceSecret } from '../base/durable-file.ts';
import { OperatorError, reasonOf } from '../base/errors.ts';
import { readNamedTextIfThere } from '../base/named-file.ts';
import { accountOf, PHONE_USES, type PhoneName, type PhoneUse, usesOwnTracks } from './phone.ts';

/** How long a link can be opened. */
export const LINK_MS = 10 * 60_000;

/** How long the phone that has opened a link can go on. */
export const PASS_MS = 60 * 60_000;

const ID_BYTES = 9;
const TOKEN_BYTES = 16;
const PASS_BYTES = 32;

/** Phones at once. */
const MOST = 1000;

/** PHONE_STEPS are what a phone does until it is set up, in their order. */
export const PHONE_STEPS = ['certificate', 'tls', 'signedIn', 'location'] as const;
export type PhoneStep = (typeof PHONE_STEPS)[number];

/** Phone is one of them. Times are in milliseconds since 1970. */
export interface Phone extends PhoneName {
  readonly use: PhoneUse;
  /** Those in which its person shares locations. */
  readonly groups: readonly string[];
  /** What it connects to, and how. */
  readonly host: string;
  readonly webSocket: boolean;
  readonly added: number;
  /** Null = none that can be opened, or gone on with. */
  readonly link: PhoneLink | null;
  /** When it did each for the first time. */
  readonly steps: Readonly<Partial<Record<PhoneStep, number>>>;
}

/** PhoneLink: the first phone that brings the token has it. */
export interface PhoneLink {
  readonly id: string;
  /** Hash. */
  readonly token: string;
  /** When it can't be opened any more, or once it is, gone on with. */
  readonly ends: number;
  /** Hash; null = nobody has opened it. */
  readonly pass: string | null;
}

/** NewPhone is one to be set up. */
export type NewPhone = Omit<Phone, 'added' | 'link' | 'steps'>;

/** Opening is what became of an attempt to open a link: the pass of the phone that did, or why not. */
export type Opening = { readonly phone: Phone; readonly pass: string } | 'unknown' | 'used';

/** PhoneBook reads the file when it is made, and writes it whole whenever something changes. */
export class PhoneBook {
  readonly #path: string | null;
  readonly #now: () => number;
  /** By account. */
  #phones: ReadonlyMap<string, Phone>;
  readonly #listeners = new Set<() => void>();

  /** `path` null = it lives as long as the process; `now` is in milliseconds since 1970. Throws OperatorError when the file can't be read or is damaged. */
  constructor(path: string | null, now: () => number) {
    this.#path = path;
    this.#now = now;
    this.#phones = byAccount(path === null ? [] : readPhones(path));
  }

  /** list gives them by person and device. */
  list(): readonly Phone[] {
    const all = [...this.#phones.values()].map((phone) => this.#withoutOldLink(phone));
    return all.sort((one, other) => (accountOf(one) < accountOf(other) ? -1 : 1));
  }

  /** find gives the phone of an account; null = there is none. */
  find(account: string): Phone | null {
    const phone = this.#phones.get(account);
    return phone === undefined ? null : this.#withoutOldLink(phone);
  }

  /** ofLink gives the phone whose link has an id, as long as that can be used; null = there is none. */
  ofLink(id: string): Phone | null {
    for (const phone of this.#phones.values()) if (phone.link?.id === id) return phone.link.ends > this.#now() ? phone : null;
    return null;
  }

  /** add sets a phone up anew, and gives its link with the token. Throws OperatorError when there are too many, or the file can't be written. */
  add(wanted: NewPhone): { readonly phone: Phone; readonly token: string } {
    const account = accountOf(wanted);
    if (!this.#phones.has(account) && this.#phones.size >= MOST)
      throw new OperatorError(`Cannot add phone "${account}": there are ${MOST} - remove some`);
    const token = randomBytes(TOKEN_BYTES).toString('base64url');
    const now = this.#now();
    const link = { id: randomBytes(ID_BYTES).toString('base64url'), token: hashOf(token), ends: now + LINK_MS, pass: null };
    const phone = { ...wanted, added: now, link, steps: {} };
    this.#write(new Map(this.#phones).set(account, phone));
    return { phone, token };
  }

  /** setGroups changes those of all phones of a person. */
  setGroups(person: string, groups: readonly string[]): void {
    const changed = Array.from(
      this.#phones,
      ([account, phone]) => [account, phone.person === person ? { ...phone, groups } : phone] as const,
    );
    this.#write(new Map(changed));
  }

  /** remove forgets a phone; false = there was none. */
  remove(account: string): boolean {
    const left = new Map(this.#phones);
    if (!left.delete(account)) return false;
    this.#write(left);
    return true;
  }

  /** open has the bearer of the token go on with the link, and nobody after it. */
  open(id: string, token: string): Opening {
    const phone = this.ofLink(id);
    const link = phone?.link;
    if (phone === null || link == null || !isSame(hashOf(token), link.token)) return 'unknown';
    if (link.pass !== null) return 'used';
    const pass = randomBytes(PASS_BYTES).toString('base64url');
    const opened = { ...phone, link: { ...link, pass: hashOf(pass), ends: this.#now() + PASS_MS } };
    this.#write(new Map(this.#phones).set(accountOf(phone), opened));
    return { phone: opened, pass };
  }

  /** passes gives the phone that has a pass for a link; null = this is another. */
  passes(id: string, pass: string): Phone | null {
    const phone = this.ofLink(id);
    return phone?.link?.pass != null && isSame(hashOf(pass), phone.link.pass) ? phone : null;
  }

  /** note keeps that a phone did something for the first time; until the next start, where the file can't be written. Never throws. */
  note(account: string, step: PhoneStep): void {
    const phone = this.#phones.get(account);
    if (phone === undefined || phone.steps[step] !== undefined) return;
    const phones = new Map(this.#phones).set(account, { ...phone, steps: { ...phone.steps, [step]: this.#now() } });
    try {
      this.#write(phones);
    } catch {
      this.#use(phones);
    }
  }

  /** onChange calls the listener after each change; the function it gives ends that. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #withoutOldLink(phone: Phone): Phone {
    return phone.link !== null && phone.link.ends <= this.#now() ? { ...phone, link: null } : phone;
  }

  #write(phones: ReadonlyMap<string, Phone>): void {
    const lines = [...phones.values()].map((phone) => `${JSON.stringify(this.#withoutOldLink(phone))}\n`);
    try {
      if (this.#path !== null) replaceSecret(this.#path, lines.join(''));
    } catch (error) {
      throw new OperatorError(`Cannot write phones "${this.#path}": ${reasonOf(error)}`, { cause: error });
    }
    this.#use(phones);
  }

  #use(phones: ReadonlyMap<string, Phone>): void {
    this.#phones = phones;
    for (const listener of this.#listeners) listener();
  }
}

/** isSetUp tells whether a phone has done all that its use asks for. */
export function isSetUp({ use, steps }: Pick<Phone, 'use' | 'steps'>): boolean {
  return steps.signedIn !== undefined && (!usesOwnTracks({ use }) || steps.location !== undefined);
}

function byAccount(phones: readonly Phone[]): ReadonlyMap<string, Phone> {
  return new Map(phones.map((phone) => [accountOf(phone), phone]));
}

function readPhones(path: string): readonly Phone[] {
  let text: string | null;
  try {
    text = readNamedTextIfThere(path);
  } catch (error) {
    throw new OperatorError(`Cannot read phones "${path}": ${reasonOf(error)}`, { cause: error });
  }
  const lines = (text ?? '').split('\n');
  return lines.flatMap((line, index) => {
    if (line === '') return [];
    const phone = phoneIn(line);
    if (phone === null) throw new OperatorError(`Cannot read phones "${path}": line ${index + 1} is damaged - mend or remove it`);
    return [phone];
  });
}

function phoneIn(line: string): Phone | null {
  try {
    const value: Phone = JSON.parse(line); // if it is one: that is looked at next
    const { person, device, use, groups, host, webSocket, added, link, steps } = value;
    const isPhone =
      [person, device, host].every((each) => typeof each === 'string') &&
      PHONE_USES.includes(use) &&
      groups.every((each) => typeof each === 'string') &&
      typeof webSocket === 'boolean' &&
      [added, ...Object.values(steps)].every(Number.isFinite) &&
      (link === null || isLink(link));
    return isPhone ? { person, device, use, groups, host, webSocket, added, link, steps } : null;
  } catch {
    return null;
  }
}

function isLink({ id, token, ends, pass }: PhoneLink): boolean {
  return [id, token, pass ?? ''].every((each) => typeof each === 'string') && Number.isFinite(ends);
}

function hashOf(secret: string): string {
  return createHash('sha256').update(secret).digest('base64url');
}

/** Of two hashes, in a time that tells nothing. */
function isSame(one: string, other: string): boolean {
  const [a, b] = [Buffer.from(one), Buffer.from(other)];
  return a.length === b.length && timingSafeEqual(a, b);
}
