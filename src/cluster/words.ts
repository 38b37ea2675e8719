// What brokers of one cluster tell each other outside of links: JSON on the subjects midge.CLUSTER.*
//
//   midge.CLUSTER.alive          every second: who I am, and which state of my interest is the newest
//   midge.CLUSTER.interest       what my clients want now and did not, or do not any more
//   midge.CLUSTER.ID.interest    asked: all that they want, in parts, then an empty answer
//   midge.CLUSTER.ID.link        asked: a link is wanted; the answer names the subject to speak to
//   midge.CLUSTER.retained       values, as they are published (retained-records.ts)
//   midge.CLUSTER.ID.retained    asked: what may be newer there, in pieces, then an empty answer (retained-sync.ts)
//   midge.CLUSTER.ID.figures     asked: what it counts (figures.ts)
//   midge.CLUSTER.forget         a broker that is away never comes back: nothing is kept for it any more
//   midge.CLUSTER.stream.*       the two ends of a link (nats-stream.ts)

import { isSharedFilter, isTopicFilter, parseSharedFilter } from '../mqtt/topics.ts';
import { staysHere, type Wish } from './interest.ts';
import { CLUSTER_ID } from './options.ts';

/** PROTOCOL changes when brokers of two versions do not understand each other any more. */
export const PROTOCOL = 1;

/** Alive is a sign of life. `run` tells one run of the program from another, `revision` counts the changes of its interest. */
export interface Alive {
  readonly protocol: number;
  readonly id: string;
  readonly run: string;
  readonly version: string;
  readonly revision: number;
  /** Digest of its retained values. */
  readonly retained: string;
  /** Counts its connections to NATS: streams to it over an earlier one have ended. Absent = 0. */
  readonly connection?: number;
  /** False = it has nothing of its earlier runs, not even the wills of their clients; absent = true. */
  readonly remembers?: boolean;
  /** It stops: do not wait for the next sign. */
  readonly leaves?: boolean;
  /** It answers another broker of its name, of this run: it is there, and this word has not been on its way since before that run. */
  readonly twin?: string;
}

/** Change makes revision - 1 into revision. */
export interface Change {
  readonly id: string;
  readonly run: string;
  readonly revision: number;
  readonly wishes: readonly Wish[];
}

/** Part is some of all that a broker wants. */
export interface Part {
  readonly revision: number;
  readonly wishes: readonly Wish[];
}

/** LinkRequest wants a link to the run of a broker that is asked. */
export interface LinkRequest {
  readonly from: string;
  readonly to: string;
  /** Where the asker hears. */
  readonly subject: string;
}

export interface LinkAnswer {
  readonly subject: string | null;
}

/** Forget names a broker that never comes back. */
export interface Forget {
  readonly id: string;
}

/** encode makes the bytes. */
export function encode(word: Alive | Change | Part | LinkRequest | LinkAnswer | Forget): Buffer {
  return Buffer.from(JSON.stringify(word));
}

/** readAlive gives null for what is none: others may speak on these subjects, of another version too. */
export function readAlive(bytes: Buffer): Alive | null {
  const word = read<Alive>(bytes);
  const isWhole =
    word !== null &&
    isId(word.id) &&
    typeof word.run === 'string' &&
    Number.isSafeInteger(word.revision) &&
    typeof word.retained === 'string' &&
    (word.connection === undefined || Number.isSafeInteger(word.connection)) &&
    Number.isInteger(word.protocol);
  return isWhole ? word : null;
}

export function readChange(bytes: Buffer): Change | null {
  const word = read<Change>(bytes);
  return word !== null && isId(word.id) && Number.isSafeInteger(word.revision) && areWishes(word.wishes) ? word : null;
}

export function readPart(bytes: Buffer): Part | null {
  const word = read<Part>(bytes);
  return word !== null && Number.isSafeInteger(word.revision) && areWishes(word.wishes) ? word : null;
}

export function readLinkRequest(bytes: Buffer): LinkRequest | null {
  const word = read<LinkRequest>(bytes);
  return word !== null && isId(word.from) && typeof word.to === 'string' && isSubject(word.subject) ? word : null;
}

export function readForget(bytes: Buffer): Forget | null {
  const word = read<Forget>(bytes);
  return word !== null && isId(word.id) ? word : null;
}

export function readLinkAnswer(bytes: Buffer): LinkAnswer {
  const word = read<LinkAnswer>(bytes);
  return { subject: word !== null && isSubject(word.subject) ? word.subject : null };
}

/** inParts cuts a list into lists that fit into one NATS message each, as JSON. What does not by itself is left out. There is one at least. */
export function inParts<T>(items: readonly T[]): T[][] {
  let part: T[] = [];
  let room = PART_BYTES;
  const parts = [part];
  for (const item of items) {
    const bytes = Buffer.byteLength(JSON.stringify(item)) + 1;
    if (bytes > ITEM_MAX) continue;
    if (bytes > room && part.length > 0) {
      part = [];
      parts.push(part);
      room = PART_BYTES;
    }
    part.push(item);
    room -= bytes;
  }
  return parts;
}

/** PART_BYTES are those of one NATS message, of which a server takes four times as many. A topic name or client id may have more as JSON. */
export const PART_BYTES = 262_144;
const ITEM_MAX = 524_288;

function read<T>(bytes: Buffer): T | null {
  try {
    const word: unknown = JSON.parse(bytes.toString('utf8'));
    return (typeof word === 'object' ? word : null) as T | null; // each reader looks at what it needs
  } catch {
    return null;
  }
}

function isId(id: unknown): boolean {
  return typeof id === 'string' && CLUSTER_ID.test(id);
}

function isSubject(subject: unknown): subject is string {
  return typeof subject === 'string' && /^midge\.[A-Za-z0-9_.-]+$/.test(subject);
}

/** areWishes looks at what another broker says. */
export function areWishes(wishes: unknown): boolean {
  return (
    Array.isArray(wishes) &&
    wishes.every(
      (wish) =>
        Array.isArray(wish) &&
        isCarried(wish[0]) &&
        [-1, 0, 1, 2].includes(wish[1] as number) &&
        (wish[2] === undefined || Number.isSafeInteger(wish[2])),
    )
  );
}

/** A topic filter, plain or shared. */
function isCarried(filter: unknown): boolean {
  if (typeof filter !== 'string') return false;
  const topicFilter = isSharedFilter(filter) ? (parseSharedFilter(filter)?.topicFilter ?? '') : filter;
  return isTopicFilter(topicFilter) && !staysHere(topicFilter);
}
