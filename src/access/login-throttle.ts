// Slows the guessing of passwords down, without locking a household out because one of its devices has a wrong one.
//
//   counted together         which wrong logins count              held after    a login counts with
//   a user at an address     all                                   3             always
//   an address               the first 3 of each user there        10            unless the user has logged in from there before
//   a user                   the first 3 of each address           10            the same
//
// So one device with an old password, which tries for ever, holds only itself; neither a neighbour behind the same address nor the
// same user elsewhere. A hold lasts 1 s, then twice as long after each further wrong login, up to 5 minutes. While it lasts logins are
// refused unseen and do not count. All is forgotten after an hour without a wrong login, and at a restart.

import { isIPv6 } from 'node:net';
import type { Clock } from '../base/clock.ts';
import type { Logger } from '../base/logger.ts';
import { Networks } from '../base/networks.ts';
import type { LoginThrottleOptions } from './options.ts';

/** Wrong logins that are free: people mistype. */
const FREE_PER_PAIR = 3;
const FREE_PER_ADDRESS = 10;
const FREE_PER_USER = 10;

const FIRST_HOLD_MS = 1000;
const LONGEST_HOLD_MS = 300_000;
const FORGET_MS = 3_600_000;

/** Entries of each table, some 300 bytes each; the one that failed longest ago makes room. */
const MAX_ENTRIES = 10_000;

/** LoginHold is one entry of the list of who is held. */
export interface LoginHold {
  /** Address, or network of an IPv6 address; null = from anywhere. */
  readonly address: string | null;
  /** null = any user. */
  readonly username: string | null;
  /** Wrong logins so far. */
  readonly failures: number;
  /** Milliseconds since 1970. */
  readonly until: number;
}

/** LoginThrottle is pure but for its clock: the authenticator tells it what happened. It outlives a reload. */
export class LoginThrottle {
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #pairs: Ledger;
  readonly #addresses: Ledger;
  readonly #users: Ledger;
  /** Pairs that have logged in, oldest first. */
  readonly #welcome = new Set<string>();
  #isEnabled: boolean;
  #exempt: Networks;

  constructor(options: LoginThrottleOptions, { clock, log }: { readonly clock: Clock; readonly log: Logger }) {
    this.#clock = clock;
    this.#log = log;
    this.#pairs = new Ledger(FREE_PER_PAIR);
    this.#addresses = new Ledger(FREE_PER_ADDRESS);
    this.#users = new Ledger(FREE_PER_USER);
    this.#isEnabled = options.enabled;
    this.#exempt = new Networks(options.exempt);
  }

  /** setOptions takes the settings of a reload; what was counted stays. */
  setOptions({ enabled, exempt }: LoginThrottleOptions): void {
    this.#isEnabled = enabled;
    this.#exempt = new Networks(exempt);
  }

  /** isHeld tells whether a login is to be refused unseen. */
  isHeld(address: string, username: string): boolean {
    if (!this.#isWatched(address)) return false;
    const now = this.#clock.monotonic();
    const network = networkOf(address);
    const pair = pairOf(network, username);
    if (this.#pairs.isHeld(pair, now)) return true;
    if (this.#welcome.has(pair)) return false;
    return this.#addresses.isHeld(network, now) || this.#users.isHeld(username, now);
  }

  /** failed counts a wrong login, and logs a hold that begins with it. */
  failed(address: string, username: string): void {
    if (!this.#isWatched(address)) return;
    const now = this.#clock.monotonic();
    const network = networkOf(address);
    const ofPair = this.#pairs.add(pairOf(network, username), now);
    this.#logHold(ofPair, now, `of user ${JSON.stringify(username)} from ${network}`);
    if (ofPair.failures > FREE_PER_PAIR) return;
    this.#logHold(this.#addresses.add(network, now), now, `from ${network}`);
    this.#logHold(this.#users.add(username, now), now, `of user ${JSON.stringify(username)} from new addresses`);
  }

  /** succeeded forgets the wrong logins of the user at this address, and lets both pass holds of the user or the address alone. */
  succeeded(address: string, username: string): void {
    if (!this.#isWatched(address)) return;
    const pair = pairOf(networkOf(address), username);
    this.#pairs.forget(pair);
    this.#welcome.delete(pair);
    this.#welcome.add(pair);
    const [oldest] = this.#welcome;
    if (this.#welcome.size > MAX_ENTRIES && oldest !== undefined) this.#welcome.delete(oldest);
  }

  /** held gives who is held now, and until when. */
  held(): readonly LoginHold[] {
    const now = this.#clock.monotonic();
    const wall = this.#clock.now() - now;
    const holds = (ledger: Ledger, name: (key: string) => Pick<LoginHold, 'address' | 'username'>) =>
      ledger.held(now).map(([key, { failures, heldUntil }]) => ({ ...name(key), failures, until: Math.round(wall + heldUntil) }));
    return [
      ...holds(this.#addresses, (address) => ({ address, username: null })),
      ...holds(this.#users, (username) => ({ address: null, username })),
      ...holds(this.#pairs, (pair) => {
        const end = pair.indexOf('\u0000');
        return { address: pair.slice(0, end), username: pair.slice(end + 1) };
      }),
    ];
  }

  /** A Unix socket has no address: who may open it is the file system's to say. */
  #isWatched(address: string): boolean {
    if (!this.#isEnabled || address === '') return false;
    return !this.#exempt.has(address);
  }

  #logHold({ failures, heldUntil }: Entry, now: number, whose: string): void {
    if (heldUntil <= now || !this.#log.enabled.warning) return;
    this.#log.log(
      'warning',
      `Warning: ${failures} wrong logins: those ${whose} are refused for ${Math.round((heldUntil - now) / 1000)} s.`,
    );
  }
}

interface Entry {
  failures: number;
  /** Monotonic milliseconds. */
  last: number;
  heldUntil: number;
}

/** Counts of one table, the latest failure last. */
class Ledger {
  readonly #free: number;
  readonly #entries = new Map<string, Entry>();

  constructor(free: number) {
    this.#free = free;
  }

  isHeld(key: string, now: number): boolean {
    return (this.#entries.get(key)?.heldUntil ?? 0) > now;
  }

  /** add counts one more, and holds when it is one too many. */
  add(key: string, now: number): Entry {
    const old = this.#entries.get(key);
    const failures = (old === undefined || now - old.last > FORGET_MS ? 0 : old.failures) + 1;
    const excess = failures - this.#free;
    const hold = excess > 0 ? Math.min(FIRST_HOLD_MS * 2 ** (excess - 1), LONGEST_HOLD_MS) : 0;
    const entry = { failures, last: now, heldUntil: hold > 0 ? now + hold : 0 };
    this.#entries.delete(key);
    this.#entries.set(key, entry);
    const [oldest] = this.#entries.keys();
    if (this.#entries.size > MAX_ENTRIES && oldest !== undefined) this.#entries.delete(oldest);
    return entry;
  }

  forget(key: string): void {
    this.#entries.delete(key);
  }

  held(now: number): [string, Entry][] {
    return [...this.#entries].filter(([, entry]) => entry.heldUntil > now);
  }
}

function pairOf(network: string, username: string): string {
  return `${network}\u0000${username}`;
}

/** networkOf gives what stands for an address: itself, or the /64 of an IPv6 address, all of which one machine may use. Link-local ones stay apart. */
function networkOf(address: string): string {
  const plain = withoutZone(address).toLowerCase();
  if (plain.startsWith('::ffff:') && plain.includes('.')) return plain.slice('::ffff:'.length);
  if (!isIPv6(plain) || plain.startsWith('fe80:')) return plain;
  const [head = '', tail] = plain.split('::');
  const first = head === '' ? [] : head.split(':');
  const last = tail === undefined || tail === '' ? [] : tail.split(':');
  const zeros = tail === undefined ? 0 : 8 - first.length - last.length;
  const groups = [...first, ...Array.from({ length: zeros }, () => '0'), ...last].slice(0, 4);
  return `${groups.map((group) => group.replace(/^0+(?=.)/, '')).join(':')}::/64`;
}

function withoutZone(address: string): string {
  return address.replace(/%.*$/, '');
}
