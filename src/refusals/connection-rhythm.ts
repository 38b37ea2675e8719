// Recognises clients that push each other out (two devices with one client id) and clients that come and go all the time.

import { type Advice, advise } from './advice.ts';
import type { Values } from './reason-values.ts';

/** Milliseconds that are looked at together, and between two words about the same client. */
const WINDOW = 60_000;

/** Take-overs in a window that make a duel: a phone that changes its network takes over from itself now and then. */
const DUEL = 4;

/** Connections in a window that make a client restless. */
const RESTLESS = 10;

/** Clients watched at once, some 150 bytes each and their ids; the one that connected longest ago is forgotten. */
const MAX_CLIENTS = 2000;

/** Characters of a client id: no device has a longer one, and who invents them needs no advice. */
const LONG_ID = 256;

/** Trouble is said once a minute while it lasts. */
export interface Trouble {
  readonly cause: 'duel' | 'flapping';
  /** Tells duels apart. */
  readonly what: '' | 'one place' | 'two places';
  /** What stands in the reason. */
  readonly values: Values;
  /** A sentence about the client, without its subject. */
  readonly reason: string;
  readonly advice: Advice;
}

interface Entry {
  since: number;
  connections: number;
  takeOvers: number;
  /** Who took over, and from whom, last. */
  addresses: readonly [string, string] | null;
  toldAt: number;
}

/** ConnectionRhythm is pure; times are monotonic milliseconds. */
export class ConnectionRhythm {
  /** By client id, the latest connection last. */
  readonly #clients = new Map<string, Entry>();

  /** connected counts one accepted connection, and gives what should be said about it now, or null. */
  connected(clientId: string, address: string, takenFrom: string | null, now: number): Trouble | null {
    if (clientId.length > LONG_ID) return null;
    const entry = this.#entryOf(clientId, now);
    entry.connections++;
    if (takenFrom !== null) {
      entry.takeOvers++;
      if (entry.addresses === null || takenFrom !== address) entry.addresses = [address, takenFrom];
    }
    const isDuel = entry.takeOvers >= DUEL;
    if ((!isDuel && entry.connections < RESTLESS) || now - entry.toldAt < WINDOW) return null;
    entry.toldAt = now;
    const seconds = Math.max(1, Math.round((now - entry.since) / 1000));
    return isDuel ? duel(entry, seconds) : flapping(entry, address, seconds);
  }

  #entryOf(clientId: string, now: number): Entry {
    const known = this.#clients.get(clientId);
    this.#clients.delete(clientId);
    const entry = known ?? { since: now, connections: 0, takeOvers: 0, addresses: null, toldAt: Number.NEGATIVE_INFINITY };
    this.#clients.set(clientId, entry);
    if (now - entry.since > WINDOW) {
      Object.assign(entry, { since: now, connections: 0, takeOvers: 0, addresses: null });
    }
    const [oldest] = this.#clients.keys();
    if (this.#clients.size > MAX_CLIENTS && oldest !== undefined) this.#clients.delete(oldest);
    return entry;
  }
}

function duel({ takeOvers, addresses }: Entry, seconds: number): Trouble {
  const [one, other] = addresses ?? ['', ''];
  const taken = `was taken over ${takeOvers} times in ${seconds} s`;
  if (one === other) {
    return {
      cause: 'duel',
      what: 'one place',
      values: { count: takeOvers, seconds, address: one },
      reason: `${taken}, always from ${placeOf(one)}`,
      advice: advise('client id twice there'),
    };
  }
  return {
    cause: 'duel',
    what: 'two places',
    values: { count: takeOvers, seconds, one, other },
    reason: `${taken}, by ${placeOf(one)} and ${placeOf(other)} in turn`,
    advice: advise('client id twice'),
  };
}

function flapping({ connections }: Entry, address: string, seconds: number): Trouble {
  const reason = `connected ${connections} times in ${seconds} s from ${placeOf(address)}`;
  return { cause: 'flapping', what: '', values: { count: connections, seconds, address }, reason, advice: advise('comes and goes') };
}

function placeOf(address: string): string {
  return address === '' ? 'this machine' : address;
}
