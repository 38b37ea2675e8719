// Two brokers of a cluster that ask each other by calls, in the place of NATS: the test decides what is lost on the way, and what is late.

import type { TestContext } from 'node:test';
import { systemClock } from '../../src/base/clock.ts';
import { silentLogger } from '../../src/base/logger.ts';
import { ClientIds } from '../../src/cluster/client-ids.ts';
import type { ClientsWord } from '../../src/cluster/session-words.ts';
import { Wills } from '../../src/cluster/wills.ts';
import { startTestBroker, type TestBroker, type TestBrokerOptions } from '../support/broker/test-broker.ts';

export const WANDERER = { clientId: 'wanderer', cleanStart: false };
export const PRESENT = '20 [ 01 00 { ... } ]';

export interface End {
  readonly id: string;
  readonly midge: TestBroker;
  readonly ids: ClientIds;
  /** back has it compare with the other, as after a loss. */
  back(): void;
}

/** Lost is what gets lost of a word on the way. */
export type Lost = 'question' | 'answer' | null;

/** Third is a broker beside the two. Its answer may be none: then it throws, as when time is over. */
export interface Third {
  readonly id: string;
  answer(word: ClientsWord): object;
}

/** Network is between them, in both directions. */
export interface Network {
  now: (word: ClientsWord) => Lost | Promise<Lost>;
  /** Neither hears signs of life of the other. */
  isApart?: boolean;
  readonly third?: Third;
}

/** twoEnds are the brokers "a" and "b". */
export async function twoEnds(
  t: TestContext,
  network: Network,
  options: (id: string) => TestBrokerOptions = () => ({}),
): Promise<[End, End]> {
  const all = new Map<string, End>();
  const { third } = network;
  const start = async (id: string, other: string): Promise<End> => {
    const midge = await startTestBroker(options(id));
    const ask = async (peer: string, word: ClientsWord): Promise<Buffer> => {
      const lost = await network.now(word);
      if (peer === third?.id) return Buffer.from(JSON.stringify(third.answer(word)));
      if (lost === 'question') throw new Error('no answer');
      const answer = await all.get(peer)!.ids.answer(Buffer.from(JSON.stringify({ v: 1, ...word }))); // both are there
      if (lost === 'answer') throw new Error('no answer');
      return answer;
    };
    const known = () => [other, ...(third === undefined ? [] : [third.id])];
    const heard = () => known().filter((peer) => peer !== other || network.isApart !== true);
    const neighbours = { id, known, heard, mayBeThere: heard, ask, carry: async () => true };
    const deps = { broker: midge.broker, clock: systemClock, log: silentLogger, neighbours };
    const ids = new ClientIds({ ...deps, wills: new Wills({ ...deps, run: '1', tell: () => {} }) });
    ids.start();
    t.after(async () => {
      ids.stop();
      await midge.stop();
    });
    const end = { id, midge, ids, back: () => ids.peerBack(other, systemClock.now()) };
    all.set(id, end);
    return end;
  };
  return [await start('a', 'b'), await start('b', 'a')];
}
