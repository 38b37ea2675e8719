// What the API needs of others. app/ hands it over.

import type { Logger } from '../base/logger.ts';
import type { Change } from '../operations/change.ts';
import type { MayRead } from '../operations/location-sight.ts';
import type { Asker, Operation } from '../operations/operation.ts';
import type { Operations } from '../operations/operations.ts';
import type { Post } from '../operations/owntracks-post.ts';
import type { PhoneState } from '../operations/phones.ts';
import type { Period, Place, Wanted } from '../operations/recorder.ts';
import type { Right } from '../operations/right.ts';
import type { SignIn } from '../phones/owntracks.ts';
import type { Phone, PhoneBook } from '../phones/phone-book.ts';
import type { Roles } from './roles.ts';

/** Login is a name and a password, and who brings them: the address ('' = a Unix socket), and the name of the listener. */
export interface Login {
  readonly username: string;
  readonly password: string;
  readonly address: string;
  readonly listener: string;
}

/** SignedIn is an account whose password was right. */
export interface SignedIn {
  /** isStillGood is false when the account has gone, or has another password. */
  isStillGood(): boolean;
}

/** MissingPasswordFile is what a listener lacks that can make no account. */
export interface MissingPasswordFile {
  /** The file to name it in. Absolute. */
  readonly configuration: string;
  /** Where it may be: the broker can write there. Absolute. */
  readonly passwordFile: string;
  /** Port or path of the listener below whose line it belongs; null = it is for all. */
  readonly listener: string | null;
  /** There are accounts that need no such file. */
  readonly hasAccounts: boolean;
}

/** Accounts are those of the listeners: their passwords, and the throttle for wrong ones. */
export interface Accounts {
  check(login: Login): Promise<SignedIn | 'refused' | 'unavailable'>;
  /** has tells whether there is such an account at a listener. */
  has(listener: string, username: string): boolean;
  /** canSignIn is false, too, for an account that is turned off or has no password. */
  canSignIn(listener: string, username: string): boolean;
  /** add makes the account of the owner at a listener, who may use all topics; it counts when it is done. Throws OperatorError when it can't be written. */
  add(login: Omit<Login, 'address'>): Promise<void>;
  /** missing tells why none can be added at a listener; null = it can. */
  missing(listener: string): MissingPasswordFile | null;
}

/** SignInLog remembers for people who was turned away at the page, and ends that when the same account comes in from there. */
export interface SignInLog {
  refused(login: Omit<Login, 'password'>, what: 'wrong password' | 'no role' | 'held'): void;
  signedIn(login: Omit<Login, 'password'>): void;
}

/** TokenGrant is what a Bearer token allows. */
export interface TokenGrant {
  readonly name: string;
  readonly right: Right;
  /** The account that made it, whose rights are its limit; null = it was made on the machine itself. */
  readonly account: string | null;
}

/** Tokens are the Bearer tokens, which are kept as hashes only. */
export interface Tokens {
  /** find gives what a token allows; null = there is none such, or it has ended. */
  find(token: string): TokenGrant | null;
}

/** Attempts slows the guessing of secrets down that belong to no account. */
export interface Attempts {
  isHeld(address: string, name: string): boolean;
  failed(address: string, name: string): void;
}

/** StreamedMessage is a message as subscribers get it. */
export interface StreamedMessage {
  readonly topic: string;
  readonly payload: Buffer;
  readonly qos: number;
  readonly retain: boolean;
}

/** WantedFeed is who asks for which messages, by topic filters that are valid. */
export interface WantedFeed {
  readonly filters: readonly string[];
  readonly asker: Asker;
}

/** Feed calls `deliver` for each thing that comes, until the function that it gives is called. */
export type Feed<T, Wanted> = (wanted: Wanted, deliver: (each: T) => void) => () => void;

/** PageFiles are the files of the page for browsers, each compressed with gzip. */
export interface PageFiles {
  /** Paths without a leading slash, with `/`: `index.html`, and below `assets/` those whose names change with what they hold. */
  readonly names: ReadonlySet<string>;
  /** read gives one of them, compressed. */
  read(name: string): Uint8Array<ArrayBuffer>;
}

/** PhoneDoor lets phones in that are being set up. */
export interface PhoneDoor {
  readonly book: Pick<PhoneBook, 'ofLink' | 'open' | 'passes' | 'note'>;
  /** visited is told where a page of a phone was asked for. */
  visited(phone: Phone, address: string): void;
  /** PEM of the authority that phones must trust; null = they trust the certificate of this box anyway. */
  authority(): string | null;
  /** signIn gives a phone a new password. Throws OperatorError when it can't be put in force. */
  signIn(phone: Phone): Promise<SignIn>;
  state(phone: Phone): PhoneState;
}

/** OwnTracksDoor lets phones in that speak HTTP, and clients of the Recorder. What it throws can be shown to the asker. */
export interface OwnTracksDoor {
  /** refused is told of a sign-in with a wrong name or password, for who asks why. */
  refused(login: Omit<Login, 'password'>): void;
  /** post publishes what a phone brings that has signed in, and gives what the phone is told. */
  post(post: Post, from: { readonly address: string; readonly hasTls: boolean }): Promise<readonly object[]>;
  /** sightOf gives what an account of MQTT may read, or whoever has signed in to the page. */
  sightOf(who: Asker | { readonly username: string; readonly listener: string }): MayRead;
  last(mayRead: MayRead, wanted: Wanted): readonly Readonly<Record<string, unknown>>[];
  names(mayRead: MayRead, wanted: Wanted): Promise<readonly string[]>;
  records(mayRead: MayRead, wanted: Wanted, period: Period): Promise<readonly Readonly<Record<string, unknown>>[]>;
  /** monitor tells of the last message; null = none has come. */
  monitor(mayRead: MayRead): string | null;
  /** address is that of a place; null = no phone has sent one. */
  address(mayRead: MayRead, place: Place): Readonly<Record<string, unknown>> | null;
  /** face is the picture of a person in base64; null = there is none. */
  face(mayRead: MayRead, user: string): string | null;
  /** follow calls `deliver` for each location that comes, until the function that it gives is called. */
  follow(mayRead: MayRead, deliver: (fields: object) => void): () => void;
}

/** ApiSetup is what the API is made of; functions are asked anew for each request. */
export interface ApiSetup {
  readonly operations: Pick<Operations, 'run'>;
  /** The table that `operations` carries out. */
  readonly table: readonly Operation[];
  /** As the program calls itself, for example "midge version 0.1.0". */
  readonly title: string;
  /** The OpenAPI document of `table`, compressed with gzip. */
  readonly openApi: () => Promise<Uint8Array<ArrayBuffer>>;
  readonly accounts: Accounts;
  readonly signIns: SignInLog;
  readonly roles: Roles;
  /** Null = there are none. */
  readonly tokens: Tokens | null;
  /** Null = it has not been built. */
  readonly page: PageFiles | null;
  /** The file of the map that the owner may have put there. Absolute. */
  readonly mapTiles: string;
  readonly attempts: Attempts;
  /** Null = no phone is set up here. */
  readonly phones: PhoneDoor | null;
  readonly ownTracks: OwnTracksDoor;
  /** The code by which a person who sees the console makes the first admin. */
  readonly setupCode: () => string;
  /** Messages that are published from now on, without those of phones that the asker may not see. */
  readonly messages: Feed<StreamedMessage, WantedFeed>;
  /** isRetained tells whether a message is retained at a topic now. */
  isRetained(topic: string): boolean;
  /** Phones as they move, as far as the asker may see them: each time all that "locations" tells about one, null = it is forgotten. */
  readonly locations: Feed<{ readonly topic: string; readonly phone: unknown }, Asker>;
  /** Lines of the log. */
  readonly log: Feed<{ readonly time: number; readonly type: string; readonly text: string }, null>;
  /** The text of the metrics as Prometheus reads it, and its type, which a header Accept chooses. */
  readonly metrics: (accept: string | undefined) => Promise<{ readonly text: string; readonly contentType: string }>;
  /** stopped is told when the API has stopped. */
  readonly stopped: () => void;
  readonly isReady: () => boolean;
  /** Names under which clients reach this machine, in lower case; every address is one as well. */
  readonly hosts: () => readonly string[];
  /** The port for HTTPS, where a listener without TLS sends people on to; null = none is open. */
  readonly httpsPort: () => number | null;
  /** Origins of web pages from elsewhere whose scripts may ask by a listener. */
  readonly originsAt: (listener: string) => readonly string[];
  /** What the authority of the Internet is shown by plain HTTP at a path (RFC 8555 8.3); null = nothing. */
  readonly challengeAnswer: (path: string) => string | null;
  /** Milliseconds since any moment. */
  readonly now: () => number;
  /** changed is told of what somebody has changed without an operation. */
  readonly changed: (change: Change) => void;
  readonly logger: Logger;
}
