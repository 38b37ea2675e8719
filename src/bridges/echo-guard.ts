// Stops messages from going round before MQTT 5, which has no mark for them: by topic and payload.
//
//   the other broker was not told that this is a bridge    It sends everything back. What went out and comes in is an echo, once for each
//                                                          time that it went out: equal messages of others pass in the right number.
//   it was told, and took the bridge bit                   It sends nothing back. Where it does all the same, it does not know the bit,
//                                                          or bridges make a ring: then the same, in both directions, and what goes
//                                                          round and round in one direction ends.

import type { Clock } from '../base/clock.ts';
import type { FlowGuard, Way } from '../broker/client/flow.ts';
import { hashOf } from '../broker/topic.ts';
import type { PublishPacket } from '../mqtt/publish-packet.ts';

/** Messages that are remembered per direction: some 100 bytes each. */
const REMEMBERED_MAX = 10_000;
/** Milliseconds for which they are. */
const REMEMBERED_MS = 30_000;

/** Milliseconds for which a broker is watched that has taken the bridge bit; and so many echoes in so many milliseconds prove that it is no use. */
const WATCHED_MS = 1000;
const EVIDENCE = 3;
const EVIDENCE_MS = 10_000;

/** In a ring of bridges what comes from one side only goes round and round: so often in so many milliseconds, and it ends. */
const ROUNDS = 10;
const ROUNDS_MS = 10_000;

/** EchoGuard belongs to one bridge: what comes back may come on its next connection. */
export class EchoGuard implements FlowGuard {
  readonly #clock: Clock;
  readonly #outgoing = new Passages();
  readonly #incoming = new Passages();
  /** The other broker was not told that this is a bridge. */
  sendsBack = false;
  #goesRound = false;
  #echoes: number[] = [];

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** lets tells whether a message may pass: false when it has just come from where it is going. */
  lets(direction: 'in' | 'out', way: Way, packet: PublishPacket): boolean {
    const isOut = direction === 'out';
    const name = (isOut ? way.bytes! : way.topic.bytes).toString('latin1'); // mapped; as it is called over there
    const { buffer, payloadStart, end, dup } = packet;
    return this.#pass(isOut, `${hashOf(buffer, payloadStart, end)} ${end - payloadStart} ${name}`, dup);
  }

  #pass(isOut: boolean, key: string, isRepeated: boolean): boolean {
    const now = this.#clock.monotonic();
    const [own, other] = isOut ? [this.#outgoing, this.#incoming] : [this.#incoming, this.#outgoing];
    if ((!isOut || this.#goesRound) && other.take(key, now, this.sendsBack || this.#goesRound ? REMEMBERED_MS : WATCHED_MS)) {
      if (!this.sendsBack) this.#prove(now);
      return false;
    }
    if (this.#goesRound && own.since(key, now - ROUNDS_MS) >= ROUNDS) return false;
    if (!isRepeated) own.add(key, now);
    return true;
  }

  #prove(now: number): void {
    this.#echoes = [...this.#echoes.filter((time) => now - time < EVIDENCE_MS), now];
    this.#goesRound ||= this.#echoes.length >= EVIDENCE;
  }
}

/** Passages are messages that went over in one direction, each as often as it did; the oldest are forgotten first. */
class Passages {
  /** When each of those went that are not taken yet, in order. */
  readonly #times = new Map<string, number[]>();
  #count = 0;

  add(key: string, now: number): void {
    const times = this.#times.get(key) ?? [];
    this.#times.delete(key); // it moves to the end
    times.push(now);
    this.#times.set(key, times);
    this.#count++;
    this.#forget(now);
  }

  /** since counts how often it went since a time. */
  since(key: string, time: number): number {
    const times = this.#times.get(key) ?? [];
    let count = 0;
    for (let at = times.length - 1; at >= 0 && times[at]! >= time; at--) count++; // at < length
    return count;
  }

  take(key: string, now: number, within: number): boolean {
    const times = this.#times.get(key);
    if (times === undefined) return false;
    const at = times.shift()!; // never empty
    this.#count--;
    if (times.length === 0) this.#times.delete(key);
    return now - at <= within || this.take(key, now, within);
  }

  #forget(now: number): void {
    for (const [key, times] of this.#times) {
      const latest = times.at(-1)!; // never empty
      if (this.#count <= REMEMBERED_MAX && now - latest <= REMEMBERED_MS) return;
      this.#times.delete(key);
      this.#count -= times.length;
    }
  }
}
