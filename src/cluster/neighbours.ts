// The other brokers, as those who care for clients know them.

import type { Wish } from './interest.ts';
import type { ClientsWord } from './session-words.ts';

/** AWAITED_MS are milliseconds for an answer that a client waits for, or that is asked for again soon. */
export const AWAITED_MS = 2000;

/** UNHURRIED_MS are milliseconds for an answer that nobody waits for. */
export const UNHURRIED_MS = 5000;

/** Neighbours are asked for what they have of our clients. */
export interface Neighbours {
  /** Of this broker. */
  readonly id: string;
  /** known gives all that there were, those that are away too. */
  known(): readonly string[];
  /** heard gives the brokers that are there; none without NATS. */
  heard(): readonly string[];
  /** mayBeThere gives those too that could not have said so yet, for NATS has been reached just now. */
  mayBeThere(): readonly string[];
  /** ask throws when no answer comes in so many milliseconds, or none can come. */
  ask(peer: string, word: ClientsWord, milliseconds: number): Promise<Buffer>;
  /** carry has messages of filters go to a broker. False = they do not, for there is no link to it. */
  carry(peer: string, wishes: readonly Wish[]): Promise<boolean>;
}
