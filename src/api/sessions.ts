// Who has signed in with a browser: a random id in a cookie, its hash here. They end with the process.

import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import type { SignedIn } from './ports.ts';

const IDLE_MS = 30 * 60_000;
const LONGEST_MS = 12 * 3_600_000;

/** Sessions at once, some 500 bytes each; who signs in more often loses his oldest. */
const MOST_OF_ACCOUNT = 16;
const MOST = 1024;

/** Session is one of them. */
export interface Session {
  readonly username: string;
  /** Name of the listener where it began: the account is one of those there. */
  readonly listener: string;
  /** What a change must bring along in X-CSRF-Token. */
  readonly csrfToken: string;
}

interface Entry extends Session {
  readonly signedIn: SignedIn;
  /** Milliseconds of `now`. */
  readonly began: number;
  used: number;
}

/** Sessions are found by the id that their cookie holds. */
export class Sessions {
  readonly #now: () => number;
  /** By the hash of the id, the longest unused first. */
  readonly #entries = new Map<string, Entry>();

  constructor(now: () => number) {
    this.#now = now;
  }

  /** begin gives the id of a new one: 256 random bits. */
  begin(account: Omit<Session, 'csrfToken'>, signedIn: SignedIn): { readonly id: string; readonly session: Session } {
    const id = randomBytes(32).toString('base64url');
    const now = this.#now();
    const session = { ...account, signedIn, csrfToken: randomBytes(32).toString('base64url'), began: now, used: now };
    const own = [...this.#entries].filter(([, entry]) => entry.username === account.username && entry.listener === account.listener);
    if (own.length >= MOST_OF_ACCOUNT) this.#entries.delete(own[0]![0]); // length > 0
    const [oldest] = this.#entries.keys();
    if (this.#entries.size >= MOST && oldest !== undefined) this.#entries.delete(oldest);
    this.#entries.set(hashOf(id), session);
    return { id, session };
  }

  /** find gives the session of an id, and counts as its use; null = there is none, or it has ended. */
  find(id: string): Session | null {
    const key = hashOf(id);
    const entry = this.#entries.get(key);
    if (entry === undefined) return null;
    const now = this.#now();
    this.#entries.delete(key);
    if (now - entry.used >= IDLE_MS || now - entry.began >= LONGEST_MS || !entry.signedIn.isStillGood()) return null;
    entry.used = now;
    this.#entries.set(key, entry);
    return entry;
  }

  end(id: string): void {
    this.#entries.delete(hashOf(id));
  }
}

/** isSameSecret compares in a time that tells nothing. */
export function isSameSecret(one: string, other: string): boolean {
  return timingSafeEqual(digest(one), digest(other));
}

function hashOf(id: string): string {
  return digest(id).toString('base64');
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
