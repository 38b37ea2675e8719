// Which wills of a broker that is not heard any more have been cared for, as all others must know: whoever does not would say them again. Each of
// them is told until it has answered, and one that comes back is told of all.

import type { Clock } from '../base/clock.ts';
import { AWAITED_MS, type Neighbours } from './neighbours.ts';
import type { SaidAnswer, SaidWord } from './session-words.ts';
import { inParts } from './words.ts';

/** Milliseconds that it is remembered: as long as a broker is expected back, and then until it has asked. */
const KEPT_MS = 7 * 86_400_000;
const ASKED_MS = 600_000;

/** Said is of one run of a broker. */
interface Said {
  readonly run: string;
  readonly clients: Set<string>;
  /** Monotonic milliseconds. */
  until: number;
}

export interface SaidWillsDeps {
  readonly clock: Clock;
  readonly neighbours: Neighbours;
}

/** SaidWills is what one broker knows. */
export class SaidWills {
  readonly #deps: SaidWillsDeps;
  /** By the broker whose wills they are. */
  readonly #said = new Map<string, Said>();
  /** By the broker that has not answered. */
  readonly #untold = new Map<string, Set<SaidWord>>();
  readonly #telling = new Set<string>();

  constructor(deps: SaidWillsDeps) {
    this.#deps = deps;
  }

  /** note remembers what we, or another broker, have cared for. */
  note({ of, run, clients }: Pick<SaidWord, 'of' | 'run' | 'clients'>): void {
    const until = this.#deps.clock.monotonic() + KEPT_MS;
    let said = this.#said.get(of);
    if (said?.run !== run) said = { run, clients: new Set(), until };
    this.#said.set(of, said);
    for (const clientId of clients) said.clients.add(clientId);
  }

  /** tell has the others know what we have cared for. */
  tell(of: string, run: string, clients: readonly string[]): void {
    const words = this.#words(of, run, clients);
    for (const peer of this.#deps.neighbours.heard()) if (peer !== of) this.#tellTo(peer, words);
  }

  /** of gives the clients of a broker whose wills were cared for while it was gone: one part of them. */
  of(id: string, run: string, part: number): SaidAnswer {
    const said = this.#said.get(id);
    const parts = said === undefined || said.run === run ? [] : inParts([...said.clients]);
    return { said: parts[part] ?? [], more: part + 1 < parts.length };
  }

  /** heard takes a sign of life. Of a run that was not dead but cut off, it forgets all, and gives the clients. */
  heard(id: string, run: string): readonly string[] {
    const said = this.#said.get(id);
    if (said === undefined) return [];
    if (said.run !== run) {
      said.until = Math.min(said.until, this.#deps.clock.monotonic() + ASKED_MS);
      return [];
    }
    this.#drop(id);
    return [...said.clients];
  }

  /** back tells a broker that has come, or come back. */
  back(peer: string): void {
    for (const [of, { run, clients }] of this.#said) if (of !== peer) this.#tellTo(peer, this.#words(of, run, [...clients]));
  }

  /** beat tells again, and forgets what is old. */
  beat(): void {
    const now = this.#deps.clock.monotonic();
    const heard = new Set(this.#deps.neighbours.heard());
    for (const [id, { until }] of this.#said) if (until <= now) this.#drop(id);
    for (const peer of this.#untold.keys()) {
      if (heard.has(peer)) void this.#tellNow(peer);
      else this.#untold.delete(peer); // it is told when it is back
    }
  }

  /** forget has nothing be left of a broker. */
  forget(id: string): void {
    this.#untold.delete(id);
    this.#drop(id);
  }

  #drop(id: string): void {
    this.#said.delete(id);
    for (const words of this.#untold.values()) for (const word of words) if (word.of === id) words.delete(word);
  }

  #words(of: string, run: string, clients: readonly string[]): SaidWord[] {
    const from = this.#deps.neighbours.id;
    return inParts(clients).map((part) => ({ ask: 'said', from, of, run, clients: part }));
  }

  #tellTo(peer: string, words: readonly SaidWord[]): void {
    const untold = this.#untold.get(peer) ?? new Set();
    this.#untold.set(peer, untold);
    for (const word of words) untold.add(word);
    void this.#tellNow(peer);
  }

  async #tellNow(peer: string): Promise<void> {
    const untold = this.#untold.get(peer);
    if (untold === undefined || this.#telling.has(peer)) return;
    this.#telling.add(peer);
    try {
      for (const word of untold) {
        await this.#deps.neighbours.ask(peer, word, AWAITED_MS); // an older one answers that it does not know the word
        untold.delete(word);
      }
      if (this.#untold.get(peer) === untold) this.#untold.delete(peer);
    } catch {
      // again at the next beat
    } finally {
      this.#telling.delete(peer);
    }
  }
}
