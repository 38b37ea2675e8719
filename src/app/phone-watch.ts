// Follows what phones do on their way in: their first sign-in by TLS, and the first location that they publish.

import type { Clock } from '../base/clock.ts';
import type { Broker } from '../broker/broker.ts';
import type { Connection } from '../broker/connection/connection.ts';
import type { Phones } from '../operations/needs.ts';
import { accountOf, topicOf, usesOwnTracks } from '../phones/phone.ts';
import type { Phone, PhoneBook } from '../phones/phone-book.ts';

/** Bytes of a message that is looked at. */
const MOST_BYTES = 65_536;

/** Messages by which a phone tells where it is; an encrypted one may be anything, and is taken for it. */
const LOCATIONS: readonly unknown[] = ['location', 'encrypted'];

type Listener = Parameters<Broker['subscribe']>[1];

interface Seen {
  address: string | null;
  signedIn: number | null;
}

const UNSEEN: Seen = { address: null, signedIn: null };

/** PhoneWatch costs a look at a table for each client that comes, and nothing for messages but those of phones that have not sent a location yet. */
export class PhoneWatch implements Phones {
  readonly book: PhoneBook;
  readonly #broker: Broker;
  readonly #clock: Clock;
  /** By account. */
  readonly #seen = new Map<string, Seen>();
  readonly #awaited = new Map<string, () => void>();
  #end: (() => void) | null = null;

  constructor(book: PhoneBook, broker: Broker, clock: Clock) {
    this.book = book;
    this.#broker = broker;
    this.#clock = clock;
  }

  start(): void {
    const ready = (connection: unknown) => this.#signedIn(connection as Connection); // ours, in the place of Aedes' Client
    this.#broker.on('clientReady', ready);
    const ignore = this.book.onChange(() => this.#await());
    this.#end = () => {
      this.#broker.off('clientReady', ready);
      ignore();
      for (const end of this.#awaited.values()) end();
      this.#awaited.clear();
    };
    this.#await();
  }

  stop(): void {
    this.#end?.();
    this.#end = null;
  }

  seen(account: string): Readonly<Seen> {
    return this.#seen.get(account) ?? UNSEEN;
  }

  /** visited is told where a page of a phone was asked for. */
  visited(phone: Phone, address: string): void {
    const account = accountOf(phone);
    this.#seen.set(account, { ...this.seen(account), address });
  }

  /** noteSignIn is told of each connection of an account, and of each post of one in HTTP mode. */
  noteSignIn(account: string, hasTls: boolean): void {
    if (this.book.find(account) === null) return;
    this.#seen.set(account, { ...this.seen(account), signedIn: this.#clock.now() });
    if (hasTls) this.book.note(account, 'tls');
    this.book.note(account, 'signedIn');
  }

  #signedIn({ session, origin }: Connection): void {
    const account = session?.username ?? null;
    if (account !== null) this.noteSignIn(account, origin.tls !== null);
  }

  /** Listens for those phones whose first location has not come. */
  #await(): void {
    const wanted = this.book.list().filter((phone) => usesOwnTracks(phone) && phone.steps.location === undefined);
    const accounts = new Set(wanted.map(accountOf));
    for (const [account, end] of this.#awaited) {
      if (accounts.has(account)) continue;
      end();
      this.#awaited.delete(account);
    }
    for (const phone of wanted) {
      const account = accountOf(phone);
      if (!this.#awaited.has(account)) this.#awaited.set(account, this.#listen(phone));
    }
  }

  #listen(phone: Phone): () => void {
    const listener: Listener = (packet, done) => {
      if (isLocation(packet.payload)) this.book.note(accountOf(phone), 'location');
      done();
    };
    this.#broker.subscribe(topicOf(phone), listener, () => {});
    return () => this.#broker.unsubscribe(topicOf(phone), listener, () => {});
  }
}

function isLocation(payload: string | Buffer): boolean {
  if (payload.length > MOST_BYTES) return false;
  try {
    const message: unknown = JSON.parse(payload.toString());
    return typeof message === 'object' && message !== null && '_type' in message && LOCATIONS.includes(message._type);
  } catch {
    return false;
  }
}
