// Slows the guessing of passwords down, without locking a household out because one of its devices has a wrong one, or a stranger guesses.
//
//   counted together         which wrong logins count              held after    whom it holds
//   a user at an address     all                                   3             that user there
//   an address               the first 3 of each user there        10            all but known users
//   an IPv6 /64, a link      the same                              10            addresses there that were wrong; after 100 all but known ones
//   a user                   the first 3 of each address           10            addresses that were wrong with it; after 100 all but known ones
//
// Known = this user has signed in from this very address before. So one device with an old password, which tries for ever, holds only itself;
// neither a neighbour behind the same network nor the same user elsewhere; and to lock a user out of new addresses needs an attacker with
// many addresses. A hold lasts 1 s, then twice as long after each further wrong login, up to 5 minutes. While it lasts logins are
// refused unseen and do not count. Wrong logins are forgotten after an hour without another, and at a restart; those of a user when its
// password is another one, and those of a hold when an administrator ends it.

import type { Clock } from '../base/clock.ts';
import type { LineSource, Logger } from '../base/logger.ts';
import { addressOf, laneOf, Networks } from '../base/networks.ts';
import type { KnownLogins } from './known-logins.ts';
import type { LoginThrottleOptions } from './options.ts';

/** So many wrong logins begin a hold: people mistype. */
const MOST_PER_PAIR = 3;
const MOST_PER_ADDRESS = 10;
const MOST_PER_NETWORK = 10;
const MOST_PER_USER = 10;

/** So many wrong logins of a network or a user are an attack from many addresses: then each new one is under suspicion. */
const CROWD = 100;

const FIRST_HOLD_MS = 1000;
const LONGEST_HOLD_MS = 300_000;
const FORGET_MS = 3_600_000;

/** Entries of each table, some 300 bytes each; the one that failed longest ago makes room. */
const MAX_ENTRIES = 10_000;

/** LoginHold is one entry of the list of who is held. */
export interface LoginHold {
  /** Address, or network; null = from anywhere. */
  readonly address: string | null;
  /** null = any user. */
  readonly username: string | null;
  /** Wrong logins so far. */
  readonly failures: number;
  /** Milliseconds since 1970. */
  readonly until: number;
}

export interface ThrottleSetup {
  readonly clock: Clock;
  readonly log: Logger;
  readonly known: KnownLogins;
}

/** LoginThrottle is pure but for its clock: the authenticator tells it what happened. It outlives a reload. */
export class LoginThrottle {
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #pairs: Ledger;
  readonly #addresses: Ledger;
  readonly #networks: Ledger;
  readonly #users: Ledger;
  readonly #known: KnownLogins;
  #isEnabled: boolean;
  #exempt: Networks;

  constructor(options: LoginThrottleOptions, { clock, log, known }: ThrottleSetup) {
    this.#clock = clock;
    this.#log = log;
    this.#pairs = new Ledger(MOST_PER_PAIR);
    this.#addresses = new Ledger(MOST_PER_ADDRESS);
    this.#networks = new Ledger(MOST_PER_NETWORK);
    this.#users = new Ledger(MOST_PER_USER);
    this.#known = known;
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
    const own = addressOf(address);
    const pair = pairOf(own, username);
    if (this.#pairs.isHeld(pair, now)) return true;
    if (this.#known.has(own, username)) return false;
    if (this.#addresses.isHeld(own, now)) return true;
    return (
      this.#networks.holds(laneOf(own), now, this.#addresses.failures(own, now) > 0) ||
      this.#users.holds(username, now, this.#pairs.failures(pair, now) > 0)
    );
  }

  /** failed counts a wrong login, and logs a hold that begins with it. */
  failed(address: string, username: string): void {
    if (!this.#isWatched(address)) return;
    const now = this.#clock.monotonic();
    const own = addressOf(address);
    const network = laneOf(own);
    const user = JSON.stringify(username);
    const ofPair = this.#pairs.add(pairOf(own, username), now);
    const source = { address: own, name: username, isSignedIn: false };
    this.#logHold(ofPair, now, `of user ${user} from ${own}`, source);
    if (ofPair.failures > MOST_PER_PAIR) return;
    this.#logHold(this.#addresses.add(own, now), now, `from ${own}`, source);
    if (network !== own) {
      const ofNetwork = this.#networks.add(network, now);
      this.#logHold(ofNetwork, now, `from ${whoOf(ofNetwork)} of ${network}`, source);
    }
    const ofUser = this.#users.add(username, now);
    this.#logHold(ofUser, now, `of user ${user} from ${whoOf(ofUser)}`, source);
  }

  /** succeeded forgets the wrong logins of the user at this address, and remembers that it is known there. */
  succeeded(address: string, username: string): void {
    if (!this.#isWatched(address)) return;
    const own = addressOf(address);
    this.#pairs.forget(pairOf(own, username));
    this.#known.add(own, username);
  }

  /** knows tells whether a user has signed in from an address before. */
  knows(address: string, username: string): boolean {
    return this.#known.has(addressOf(address), username);
  }

  /** passwordsChanged forgets the wrong logins of users who have another password now: they were wrong with the one before. */
  passwordsChanged(isChanged: (username: string) => boolean): void {
    const answers = new Map<string, boolean>(); // a user may be tried from thousands of addresses
    const isOther = (username: string) => {
      const answer = answers.get(username) ?? isChanged(username);
      answers.set(username, answer);
      return answer;
    };
    this.#users.forgetAll(isOther);
    this.#pairs.forgetAll((pair) => isOther(partsOf(pair).username));
  }

  /** end ends one hold of the list and forgets its wrong logins; false = there is none such. */
  end({ address, username }: Pick<LoginHold, 'address' | 'username'>): boolean {
    if (address === null) return username !== null && this.#users.end(username);
    if (username !== null) return this.#pairs.end(pairOf(address, username));
    return this.#addresses.end(address) || this.#networks.end(address);
  }

  /** held gives who is held now, and until when. */
  held(): readonly LoginHold[] {
    const now = this.#clock.monotonic();
    const wall = this.#clock.now() - now;
    const holds = (ledger: Ledger, name: (key: string) => Pick<LoginHold, 'address' | 'username'>) =>
      ledger.held(now).map(([key, { failures, heldUntil }]) => ({ ...name(key), failures, until: Math.round(wall + heldUntil) }));
    return [
      ...holds(this.#addresses, (address) => ({ address, username: null })),
      ...holds(this.#networks, (address) => ({ address, username: null })),
      ...holds(this.#users, (username) => ({ address: null, username })),
      ...holds(this.#pairs, partsOf),
    ];
  }

  /** A Unix socket has no address: who may open it is the file system's to say. */
  #isWatched(address: string): boolean {
    if (!this.#isEnabled || address === '') return false;
    return !this.#exempt.has(address);
  }

  #logHold({ failures, heldUntil }: Entry, now: number, whose: string, source: LineSource): void {
    if (heldUntil <= now || !this.#log.enabled.warning) return;
    this.#log.log(
      'warning',
      `Warning: ${failures} wrong logins: those ${whose} are refused for ${Math.round((heldUntil - now) / 1000)} s.`,
      source,
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
  readonly #most: number;
  readonly #entries = new Map<string, Entry>();

  constructor(most: number) {
    this.#most = most;
  }

  isHeld(key: string, now: number): boolean {
    return (this.#entries.get(key)?.heldUntil ?? 0) > now;
  }

  /** holds tells whether a hold of many is one for a newcomer too; `wasWrong` for one that has a part in it. */
  holds(key: string, now: number, wasWrong: boolean): boolean {
    const entry = this.#entries.get(key);
    return entry !== undefined && entry.heldUntil > now && (wasWrong || entry.failures >= CROWD);
  }

  failures(key: string, now: number): number {
    const entry = this.#entries.get(key);
    return entry === undefined || now - entry.last > FORGET_MS ? 0 : entry.failures;
  }

  /** add counts one more, and holds when there are too many. */
  add(key: string, now: number): Entry {
    const failures = this.failures(key, now) + 1;
    const excess = failures - this.#most;
    const hold = excess >= 0 ? Math.min(FIRST_HOLD_MS * 2 ** excess, LONGEST_HOLD_MS) : 0;
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

  forgetAll(isMeant: (key: string) => boolean): void {
    for (const key of this.#entries.keys()) if (isMeant(key)) this.#entries.delete(key);
  }

  /** A hold may have ended while somebody looked at it: its wrong logins go all the same. */
  end(key: string): boolean {
    return (this.#entries.get(key)?.heldUntil ?? 0) > 0 && this.#entries.delete(key);
  }

  held(now: number): [string, Entry][] {
    return [...this.#entries].filter(([, entry]) => entry.heldUntil > now);
  }
}

function pairOf(address: string, username: string): string {
  return `${address}\u0000${username}`;
}

function partsOf(pair: string): { readonly address: string; readonly username: string } {
  const end = pair.indexOf('\u0000');
  return { address: pair.slice(0, end), username: pair.slice(end + 1) };
}

/** Whom a hold of many concerns, for the log. */
function whoOf({ failures }: Entry): string {
  return failures >= CROWD ? 'addresses where it is not known' : 'addresses that were wrong';
}
