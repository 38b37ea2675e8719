// What many subscriptions, and their coming and going, do to a single pair, and what memory they take.

import type { Socket } from 'node:net';
import type { RunningBroker } from '../brokers/broker.ts';
import { residentBytes } from '../machine.ts';
import type { Conditions } from '../rounds.ts';
import { spreadOf } from '../statistics.ts';
import { ask, closeAll, type IdleClients, openIdle, subscribePacket, unsubscribePacket } from './clients.ts';
import { type Probe, sized } from './probe.ts';

const SIZES = [10_000, 100_000, 1_000_000];
const CLIENTS = 100;
const PER_PACKET = 100;
const CHURN_PER_PACKET = 10;
const SUBACK = 0x90;
const UNSUBACK = 0xb0;
const WINDOW = 100;

/** subscriptions measures a pair without and with the subscriptions of others, a third of them with wildcards. */
export const subscriptions: Probe = {
  name: 'subscriptions',
  titles: sized(SIZES, 'subscriptions of others (a third with wildcards): bytes each; seconds to subscribe; what a pair keeps of its rate'),
  run: async function* (broker, conditions) {
    const { child, port } = broker;
    const alone = spreadOf(await pairRates(broker, conditions)).median;
    const clients: IdleClients = [];
    try {
      await openIdle({ port, tls: false, count: CLIENTS, prefix: 'many' }, clients);
      const empty = residentBytes(child.pid);
      let [from, subscribing] = [0, 0];
      for (const size of SIZES) {
        const began = performance.now();
        for (const [client, socket] of clients.entries()) await subscribeMany(socket, client, from / CLIENTS, size / CLIENTS);
        subscribing += (performance.now() - began) / 1000;
        from = size;
        const each = (residentBytes(child.pid) - empty) / size;
        const beside = spreadOf(await pairRates(broker, conditions)).median;
        yield `${each.toFixed(0)}; ${subscribing.toFixed(1)}; ${((100 * beside) / alone).toFixed(0)} %`;
      }
    } finally {
      await closeAll(clients);
    }
  },
};

/** churn measures a pair, one message at a time, before and while another client subscribes and unsubscribes without a pause. */
export const churn: Probe = {
  name: 'churn',
  titles: [
    '1 pair, one message at a time, p99 in microseconds: alone -> while another client subscribes and unsubscribes without a pause; its filters a second',
  ],
  run: async function* (broker, conditions) {
    const alone = await conditions.generator.run(pair(broker, conditions, 1));
    const [socket] = await openIdle({ port: broker.port, tls: false, count: 1, prefix: 'churn' });
    if (socket === undefined) return;
    const stop = new AbortController();
    const began = performance.now();
    const churning = churnUntil(socket, stop.signal);
    try {
      const beside = await conditions.generator.run(pair(broker, conditions, 1));
      stop.abort();
      const perSecond = (1000 * (await churning)) / (performance.now() - began);
      yield `${alone.p99.toFixed(0)} -> ${beside.p99.toFixed(0)}; ${Math.round(perSecond).toLocaleString('en-US')}`;
    } finally {
      stop.abort();
      await closeAll([socket]);
    }
  },
};

/** The filters of one client, [from, to), both multiples of PER_PACKET. */
async function subscribeMany(socket: Socket, client: number, from: number, to: number): Promise<void> {
  for (let at = from; at < to; at += PER_PACKET) {
    const filters = Array.from({ length: PER_PACKET }, (_, i) => filterOf(client, at + i));
    await ask(socket, subscribePacket(1 + at / PER_PACKET, filters), SUBACK);
  }
}

function filterOf(client: number, number: number): string {
  if (number % 6 === 0) return `house/${client}/room/${number}/#`;
  if (number % 6 === 3) return `house/${client}/+/${number}/state`;
  return `house/${client}/room/${number}/temperature`;
}

async function churnUntil(socket: Socket, signal: AbortSignal): Promise<number> {
  let filters = 0;
  for (let turn = 0; !signal.aborted; turn++) {
    const batch = Array.from({ length: CHURN_PER_PACKET }, (_, i) => `bench/${turn % 100}/+/${i}`);
    await ask(socket, subscribePacket(1, batch), SUBACK);
    await ask(socket, unsubscribePacket(2, batch), UNSUBACK);
    filters += 2 * CHURN_PER_PACKET;
  }
  return filters;
}

async function pairRates(broker: RunningBroker, conditions: Conditions): Promise<number[]> {
  const rates: number[] = [];
  for (let round = 0; round < conditions.rounds; round++)
    rates.push((await conditions.generator.run(pair(broker, conditions, WINDOW))).rate);
  return rates;
}

/** pair makes the generator's arguments for one pair. */
export function pair(broker: RunningBroker, conditions: Conditions, window: number): Record<string, number> {
  const core: Record<string, number> = conditions.generatorCore === null ? {} : { core: conditions.generatorCore };
  return { port: broker.port, broker: broker.child.pid, window, seconds: conditions.seconds, warmup: conditions.warmup, ...core };
}
