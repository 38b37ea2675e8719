// What a hundred thousand subscriptions, and their coming and going, do to a single pair.

import type { Socket } from 'node:net';
import type { RunningBroker } from '../brokers/broker.ts';
import type { Conditions } from '../rounds.ts';
import { spreadOf } from '../statistics.ts';
import { ask, closeAll, openIdle, subscribePacket, unsubscribePacket } from './clients.ts';
import type { Probe } from './probe.ts';

const CLIENTS = 100;
const PER_CLIENT = 1_000;
const PER_PACKET = 100;
const CHURN_PER_PACKET = 10;
const SUBACK = 0x90;
const UNSUBACK = 0xb0;
const WINDOW = 100;

/** subscriptions measures a pair before and with 100,000 subscriptions of others, a third of them with wildcards. */
export const subscriptions: Probe = {
  name: 'subscriptions',
  title: `1 pair beside ${(CLIENTS * PER_CLIENT).toLocaleString('en-US')} subscriptions (a third with wildcards): rate without -> with them`,
  run: async (broker, conditions) => {
    const without = await pairRates(broker, conditions);
    const sockets = await openIdle(broker.port, CLIENTS, 'many');
    try {
      for (const [client, socket] of sockets.entries()) await subscribeMany(socket, client);
      const beside = await pairRates(broker, conditions);
      await closeAll(sockets);
      without.push(...(await pairRates(broker, conditions))); // before and after, so that a machine that slows down is no broker that slows down
      return comparison(spreadOf(without).median, spreadOf(beside).median);
    } finally {
      await closeAll(sockets);
    }
  },
};

/** churn measures a pair, one message at a time, before and while another client subscribes and unsubscribes without a pause. */
export const churn: Probe = {
  name: 'churn',
  title:
    '1 pair, one message at a time, p99 in microseconds: alone -> while another client subscribes and unsubscribes without a pause; its filters a second',
  run: async (broker, conditions) => {
    const alone = await conditions.generator.run(pair(broker, conditions, 1));
    const [socket] = await openIdle(broker.port, 1, 'churn');
    if (socket === undefined) return '-';
    const stop = new AbortController();
    const began = performance.now();
    const churning = churnUntil(socket, stop.signal);
    try {
      const beside = await conditions.generator.run(pair(broker, conditions, 1));
      stop.abort();
      const perSecond = (1000 * (await churning)) / (performance.now() - began);
      return `${alone.p99.toFixed(0)} -> ${beside.p99.toFixed(0)}; ${Math.round(perSecond).toLocaleString('en-US')}`;
    } finally {
      stop.abort();
      await closeAll([socket]);
    }
  },
};

async function subscribeMany(socket: Socket, client: number): Promise<void> {
  for (let from = 0; from < PER_CLIENT; from += PER_PACKET) {
    const filters = Array.from({ length: PER_PACKET }, (_, i) => filterOf(client, from + i));
    await ask(socket, subscribePacket(1 + from / PER_PACKET, filters), SUBACK);
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

function comparison(without: number, beside: number): string {
  const k = (rate: number) => Math.round(rate / 1000).toLocaleString('en-US');
  return `${k(without)} -> ${k(beside)} k/s (${((100 * beside) / without).toFixed(0)} %)`;
}
