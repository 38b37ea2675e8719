// What brokers of one cluster ask each other about clients and their sessions: JSON on the subject midge.CLUSTER.ID.clients, each answered.
//
//   claim     a client has connected here: whose is its id, and what of it is there?
//   cut       from now on, messages of these filters go to the taker and not to the giver any more
//   take      the session as it is now: how many bytes is it?
//   onward    the move goes on, though nothing is asked at the moment: wait for it
//   part      some of those bytes
//   done      they are on the taker's disk: forget it
//   keep      the taker has no room for it
//   compare   which of these client ids are there too, by an earlier CONNECT?
//   kick      disconnect this client
//   wills     of which clients of mine have you said the will while I was gone?
//   said      wills of clients of a broker that is gone have been cared for
//
// An older broker that does not know the subject has NATS say so at once; one that does not know a word answers with an error.

import { KEY_MAX } from '../broker/message-keys.ts';
import type { StoredSession, StoredSubscription } from '../broker/ports.ts';
import type { Wish } from './interest.ts';
import { CLUSTER_ID } from './options.ts';
import { areWishes } from './words.ts';

/** CLIENTS_VERSION stands in each question; who answers knows it, or answers with an error. */
export const CLIENTS_VERSION = 1;

/** ClaimWord: `time` is the CONNECT's by the hybrid clock. */
export interface ClaimWord {
  readonly ask: 'claim';
  readonly from: string;
  readonly clientId: string;
  readonly time: number;
  /** Names the move of the session, if there is one. */
  readonly move: string;
  readonly username: string | null;
  readonly isProven: boolean;
  readonly cleanStart: boolean;
  /** The client is connected there for a while, and the brokers could not speak with each other. */
  readonly isLate: boolean;
}

export interface CutWord {
  readonly ask: 'cut';
  readonly move: string;
  readonly giver: string;
  readonly taker: string;
  readonly wishes: readonly Wish[];
  /** More of them come: no marker yet. */
  readonly hasMore: boolean;
}

/** CutAnswer: false = there is no link from that broker to the taker. */
export interface CutAnswer {
  readonly isCut: boolean;
}

/** TakeWord: `sources` are the brokers that have cut. `waits` has the giver tell whose markers are missing, in the place of the session. */
export interface TakeWord {
  readonly ask: 'take';
  readonly move: string;
  readonly sources: readonly string[];
  readonly waits?: boolean;
}

/** Taken is the session as it is: its bytes can be asked for. */
export interface Taken {
  readonly size: number;
  readonly lastOrder: number;
}

export type TakeAnswer = Taken | { readonly missing: readonly string[] };

export interface OnwardWord {
  readonly ask: 'onward';
  readonly move: string;
}

export interface PartWord {
  readonly ask: 'part';
  readonly move: string;
  readonly at: number;
}

export interface DoneWord {
  readonly ask: 'done';
  readonly move: string;
}

export interface KeepWord {
  readonly ask: 'keep';
  readonly move: string;
}

export interface CompareWord {
  readonly ask: 'compare';
  readonly from: string;
  readonly held: readonly (readonly [clientId: string, time: number])[];
}

export interface KickWord {
  readonly ask: 'kick';
  readonly clientId: string;
}

export interface WillsWord {
  readonly ask: 'wills';
  readonly from: string;
  /** The run that asks; what is known of earlier ones is of no use from now on. */
  readonly run: string;
  readonly part: number;
}

/** SaidAnswer is a part of what a WillsWord asks for. */
export interface SaidAnswer {
  readonly said: readonly string[];
  readonly more: boolean;
}

/** SaidWord is of a run of a broker. */
export interface SaidWord {
  readonly ask: 'said';
  readonly from: string;
  readonly of: string;
  readonly run: string;
  readonly clients: readonly string[];
}

/** MoveWord is of a move that has begun. */
export type MoveWord = CutWord | TakeWord | OnwardWord | PartWord | DoneWord | KeepWord;

export type ClientsWord = ClaimWord | MoveWord | CompareWord | KickWord | WillsWord | SaidWord;

/** Moving is a session as its giver announces it: all but its messages. */
export interface Moving {
  readonly session: StoredSession;
  readonly subscriptions: readonly StoredSubscription[];
  readonly incoming: readonly (readonly [packetId: number, digest: number])[];
  /** Greatest order of its deliveries so far. */
  readonly lastOrder: number;
  /** As memory_limit counts it, with its messages. Absent = an older broker does not tell. */
  readonly bytes?: number;
}

/** Announced is one that is too large for the answer: so many bytes, to be asked for like those of the session. */
export interface Announced {
  readonly size: number;
}

/** ClaimAnswer: 'none' = nothing of this client is there any more; 'later' = it has connected there since. */
export type ClaimAnswer =
  | { readonly is: 'none' }
  | { readonly is: 'later'; readonly time: number }
  | { readonly is: 'another' }
  | { readonly is: 'session'; readonly moving: Moving | Announced };

/** readWord gives null for what is none of this version. */
export function readWord(bytes: Buffer): ClientsWord | null {
  try {
    const word = JSON.parse(bytes.toString('utf8')) as ClientsWord & { v: number }; // another broker's: looked at below
    if (word === null || typeof word !== 'object' || word.v !== CLIENTS_VERSION) return null;
    return isWhole(word) ? word : null;
  } catch {
    return null;
  }
}

/** Looks at what is remembered, or counted on; false for a word of another version. */
function isWhole(word: ClientsWord): boolean {
  switch (word.ask) {
    case 'claim':
      return isTime(word.time);
    case 'cut':
      return areWishes(word.wishes);
    case 'said':
      return CLUSTER_ID.test(word.of) && typeof word.run === 'string' && word.clients.every((clientId) => typeof clientId === 'string');
    case 'take':
    case 'onward':
    case 'part':
    case 'done':
    case 'keep':
    case 'compare':
    case 'kick':
    case 'wills':
      return true;
    default:
      return false;
  }
}

/** isTime tells whether a time of the hybrid clock is one from which that can go on. */
export function isTime(time: unknown): time is number {
  return Number.isSafeInteger(time) && (time as number) <= KEY_MAX;
}

/** readAnswer throws with the other broker's reason when it is an error. */
export function readAnswer<T>(bytes: Buffer): T {
  const answer = JSON.parse(bytes.toString('utf8')) as T & { error?: string }; // as above
  if (typeof answer.error === 'string') throw new Error(answer.error);
  return answer;
}
