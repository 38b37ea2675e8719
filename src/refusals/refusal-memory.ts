// Remembers who was turned away and why, for `midge why`: the last 200 refusals, and clients that push each other out.
//
//   engine, listeners --refused--> the same again? count it : explain it --> [ oldest ... newest ]  200 at most

import type { Clock } from '../base/clock.ts';
import type { Logger } from '../base/logger.ts';
import type { RefusalCause } from '../base/refusal-reason.ts';
import { refusalSentence } from '../base/refusal-sentences.ts';
import type { ConnectedClient, LetInClient, Refusal, RefusalLog, RemoteEnd } from '../broker/ports.ts';
import { type Advice, type AdviceCode, adviceSentence, advise, isOfLock } from './advice.ts';
import { ConnectionRhythm } from './connection-rhythm.ts';
import type { Explanation } from './explain-refusal.ts';
import { LastConnections, type LetIn } from './last-connections.ts';
import { type Values, valuesOf, whatOf } from './reason-values.ts';

/** Each is some 500 bytes. */
const MAX_REFUSALS = 200;

/** What a client calls itself, or publishes to, is kept up to this many characters. */
const MAX_NAME = 120;

/** Characters of a reason, for it may name what the client has sent. */
const MAX_REASON = 500;

/** Who comes again after so long may have another reason: there was no account, and now its password is wrong. A flood is explained once. */
const EXPLAINED_MS = 1000;

/** RememberedRefusal is one kind of refusal of one client; times are in milliseconds since 1970. */
export interface RememberedRefusal {
  readonly cause: RefusalCause | 'duel' | 'flapping';
  /** Tells those of one cause apart, such as 'server name' of a TLS handshake; '' = there is only one. */
  readonly what: string;
  /** Remote address; '' for a Unix socket. */
  readonly address: string;
  /** Port of the listener; 0 for a Unix socket. */
  readonly listenerPort: number;
  /** '' = it did not say. */
  readonly clientId: string;
  readonly username: string | null;
  readonly topicName: string | null;
  /** A sentence about the client, without its subject. */
  readonly reason: string;
  /** What stands in that sentence, by name; its code is `cause` and `what`. */
  readonly values: Values;
  /** What to do about it, or null. */
  readonly advice: string | null;
  readonly adviceCode: AdviceCode | null;
  readonly adviceValues: Values;
  /** A browser refused the certificate of the page, at a port where the page was then. */
  readonly isBrowser: boolean;
  readonly first: number;
  readonly last: number;
  readonly count: number;
  /** When the same client came in after it, or the same account signed in to the page; for a topic, when the rules were first seen to allow it; for a locked account, when it was seen to let in again. Null = none of these. */
  readonly settled: number | null;
}

export interface RefusalMemorySetup {
  readonly clock: Clock;
  readonly log: Logger;
  /** explain is asked once for each kind of refusal of a client. */
  readonly explain: (refusal: Refusal) => Explanation;
  /** isPage tells whether browsers find the page at a port: each of them refuses our certificate before its person goes on. */
  readonly isPage: (port: number) => boolean;
  /** mayPublish asks the rules of now; the listener is told by its name. */
  readonly mayPublish: (listener: string, client: ConnectedClient, topicName: string) => boolean;
  /** letsIn tells whether an account is neither locked nor disabled now. */
  readonly letsIn: (listener: string, username: string) => boolean;
  /** hasAccount tells whether there is an account now. */
  readonly hasAccount: (listener: string, username: string) => boolean;
}

/** Its last time, its count and its end change. */
type Counted = RememberedRefusal & { readonly listener: string; last: number; count: number; settled: number | null };

/** RefusalMemory is the refusal log of engine and listeners. */
export class RefusalMemory implements RefusalLog {
  readonly #setup: RefusalMemorySetup;
  readonly #rhythm = new ConnectionRhythm();
  readonly #letIn = new LastConnections();
  /** By what makes them the same; the latest last. */
  readonly #refusals = new Map<string, Counted>();

  constructor(setup: RefusalMemorySetup) {
    this.#setup = setup;
  }

  refused(refusal: Refusal): void {
    const {
      from,
      reason: { cause },
    } = refusal;
    const clientId = shortened(refusal.clientId);
    const username = refusal.username === null ? null : shortened(refusal.username);
    const topicName = refusal.topicName === null ? null : shortened(refusal.topicName);
    const key = [
      cause,
      shortened(refusalSentence(refusal.reason), MAX_REASON),
      from.address,
      from.policy.port,
      clientId,
      username,
      topicName,
    ].join('\u0000');
    this.#refusals.delete(keyOf('flapping', refusal.clientId)); // it is not let in each time
    this.#remember(key, () => {
      const { reason, advice } = this.#setup.explain(refusal);
      const { address, policy } = from;
      return {
        cause,
        what: whatOf(reason),
        ...{ address, listener: policy.name, listenerPort: policy.port, clientId, username, topicName },
        reason: shortened(refusalSentence(reason), MAX_REASON),
        values: shortValues(valuesOf(reason)),
        ...told(advice),
        isBrowser: cause === 'tls' && this.#setup.isPage(policy.port),
      };
    });
  }

  connected(client: LetInClient, from: RemoteEnd, takenFrom: RemoteEnd | null): void {
    const { clock, log } = this.#setup;
    const { clientId, username, isProven } = client;
    this.#settle((refusal) => isOver(refusal, client, from));
    if (username !== null && isProven) this.#noteLetIn(username, clientId, from);
    const trouble = this.#rhythm.connected(clientId, from.address, takenFrom?.address ?? null, clock.monotonic());
    if (trouble === null) return;
    const { cause, what, values, reason } = trouble;
    log.log('warning', `Warning: Client ${clientId} ${reason} - ${adviceSentence(trouble.advice)}.`);
    const { address } = from;
    const where = { address, listener: from.policy.name, listenerPort: from.policy.port };
    const known = { cause, what, ...where, clientId: shortened(clientId), username: null, topicName: null, isBrowser: false };
    this.#remember(keyOf(cause, clientId), () => ({ ...known, reason, values, ...told(trouble.advice) }));
  }

  /** posted is told of each message that an account brings by HTTP. */
  posted(username: string, from: RemoteEnd): void {
    this.#settle((refusal) => isOver(refusal, { clientId: '', username }, from));
    this.#noteLetIn(username, '', from);
  }

  /** signedIn is told of everybody who signs in to the page. */
  signedIn(username: string, address: string): void {
    const name = shortened(username);
    this.#settle((refusal) => refusal.cause === 'page' && refusal.address === address && refusal.username === name);
  }

  /** lastLetIn tells when a client of a user came in last; null = none has since the start. */
  lastLetIn(username: string): LetIn | null {
    return this.#letIn.of(username);
  }

  /** list gives what is remembered, the latest first; with `about` only of that address, client id or user. */
  list(about: string | null): readonly RememberedRefusal[] {
    this.#askAnew();
    const isMeant = ({ address, clientId, username }: Counted) => about === null || [address, clientId, username].includes(about);
    const meant = [...this.#refusals.values()].filter(isMeant).reverse();
    return meant.map(({ listener, ...refusal }) => refusal);
  }

  #settle(isOver: (refusal: Counted) => boolean): void {
    const now = this.#setup.clock.now();
    for (const refusal of this.#refusals.values()) if (refusal.settled === null && isOver(refusal)) refusal.settled = now;
  }

  #noteLetIn(username: string, clientId: string, { address }: RemoteEnd): void {
    this.#letIn.add(username, { time: this.#setup.clock.now(), clientId: shortened(clientId), address });
  }

  /** What was denied may be allowed by now: rules and accounts change without a word to who was turned away. */
  #askAnew(): void {
    const { clock, hasAccount } = this.#setup;
    for (const refusal of this.#refusals.values()) {
      const { settled, adviceCode, adviceValues, listener, username } = refusal;
      if (settled === null && this.#isAllowed(refusal)) refusal.settled = clock.now();
      if (adviceCode === 'new account' && username !== null && hasAccount(listener, username))
        Object.assign(refusal, told(advise('new password', adviceValues)));
    }
  }

  /** Names that were cut are not judged. */
  #isAllowed({ cause, adviceCode, listener, clientId, username, topicName }: Counted): boolean {
    const { mayPublish, letsIn } = this.#setup;
    if ([clientId, username ?? '', topicName ?? ''].some((name) => name.length > MAX_NAME)) return false;
    if (cause === 'topic' && topicName !== null) return mayPublish(listener, { clientId, username }, topicName);
    return isOfLock(adviceCode) && username !== null && letsIn(listener, username);
  }

  #remember(key: string, make: () => Omit<Counted, 'first' | 'last' | 'count' | 'settled'>): void {
    const now = this.#setup.clock.now();
    const known = this.#refusals.get(key);
    this.#refusals.delete(key);
    const anew = known === undefined || now - known.last >= EXPLAINED_MS ? make() : null;
    const isSame = known !== undefined && (anew === null || anew.what === known.what);
    const next = isSame
      ? Object.assign(known, anew, { last: now, count: known.count + 1, settled: null })
      : { ...(anew ?? make()), first: now, last: now, count: 1, settled: null };
    this.#refusals.set(key, next);
    const [oldest] = this.#refusals.keys();
    if (this.#refusals.size > MAX_REFUSALS && oldest !== undefined) this.#refusals.delete(oldest);
  }
}

/** Of what a client does that is let in. */
function keyOf(cause: 'duel' | 'flapping', clientId: string): string {
  return [cause, clientId].join('\u0000');
}

/** What only the same account from the same address ends: nobody else can make tries look harmless. Before CONNECT there is no account. */
function isOver(refusal: RememberedRefusal, { clientId, username }: ConnectedClient, { address, policy }: RemoteEnd): boolean {
  if (refusal.address !== address || refusal.topicName !== null) return false;
  if (refusal.cause === 'tls') return refusal.listenerPort === policy.port;
  if (refusal.cause === 'duel' || refusal.cause === 'flapping' || refusal.cause === 'page') return false;
  if (refusal.username !== null) return username !== null && refusal.username === shortened(username);
  return refusal.clientId !== '' && refusal.clientId === shortened(clientId);
}

function told(advice: Advice | null): Pick<RememberedRefusal, 'advice' | 'adviceCode' | 'adviceValues'> {
  if (advice === null) return { advice: null, adviceCode: null, adviceValues: {} };
  const { code } = advice;
  const values = shortValues(advice.values);
  return { advice: adviceSentence({ code, values }), adviceCode: code, adviceValues: values };
}

function shortValues(values: Values): Values {
  const short = Object.entries(values).map(([name, value]) => [name, typeof value === 'string' ? shortened(value, MAX_REASON) : value]);
  return Object.fromEntries(short);
}

/** A copy: as a part of the text it would keep the whole alive. */
function shortened(text: string, most = MAX_NAME): string {
  return text.length > most ? Buffer.from(`${text.slice(0, most)}...`).toString() : text;
}
