// Two of our own brokers that work as one, as the other side of a conversation: who subscribes is at one, who only publishes at the other.

import type { TestContext } from 'node:test';
import { exempting } from '../../src/broker/authorizers.ts';
import { sessionTo } from '../../src/cluster/options.ts';
import { eventually } from '../bridges/scene.ts';
import { type Member, type Nats, startMember } from '../cluster/scene.ts';
import { WirePeer } from '../support/clients/wire-peer.ts';
import { TestClock } from '../support/ports/test-clock.ts';
import { connectTemplate } from '../support/protocol/connect-template.ts';
import type { Bindings } from '../support/protocol/hex-template.ts';
import type { Conversation } from './conversation.ts';
import { brokerOptions, openPair, passSeconds, quiet } from './midge-target.ts';
import type { Target } from './player.ts';

/** How the client ids of those begin that find out whether all has arrived: they may do everything. */
const LOOKOUT = 'lookout';

/** subscribersOf gives the clients of a conversation that are at the second broker: those that subscribe, and those that follow them under the same letter. */
export function subscribersOf({ steps }: Conversation): ReadonlySet<string> {
  const lines = steps.flat().map((step) => /^(\w+) > (.*)$/s.exec(step));
  return new Set(lines.flatMap((line) => (line !== null && /(^|\] )82 \[/.test(line[2]!) ? [letterOf(line[1]!)] : []))); // both are groups of the pattern
}

/** isBetween tells whether a conversation has clients at both brokers. */
export function isBetween(conversation: Conversation): boolean {
  const there = subscribersOf(conversation);
  const speakers = conversation.steps.flat().flatMap((step) => /^([a-z]\d?) (>|connects|returns)/.exec(step)?.[1] ?? []);
  return there.size > 0 && speakers.some((name) => !there.has(letterOf(name)));
}

/** letterOf: `a2` is client `a` once more. */
function letterOf(client: string): string {
  return client.replace(/\d+$/, '');
}

/** startPair starts the two brokers, in memory but for NATS. Their clients' time passes only when a step says so. */
export async function startPair(test: TestContext, nats: Nats, name: string, conversation: Conversation): Promise<Target> {
  const settings = conversation.settings ?? {};
  const clock = new TestClock();
  const [near, far] = await startTwo(test, nats, name, conversation, clock);
  const there = subscribersOf(conversation);
  const lookouts = [await lookout(near, far), await lookout(far, near)];
  return {
    open: async (client) => openPair((there.has(letterOf(client)) ? far : near).broker, settings),
    settled: async () => {
      await quiet();
      for (const look of lookouts) await look();
    },
    stop: async () => {
      for (const { broker } of [near, far]) await broker.stop();
    },
    pass: (seconds) =>
      passSeconds(
        seconds,
        clock,
        [near, far].map(({ broker }) => broker),
      ),
  };
}

async function startTwo(
  test: TestContext,
  nats: Nats,
  name: string,
  { settings = {} }: Conversation,
  clock: TestClock,
): Promise<[Member, Member]> {
  const options = brokerOptions(settings);
  const isLookout = ({ clientId }: { clientId: string }) => clientId.startsWith(LOOKOUT);
  const more = {
    ...options,
    name,
    clock,
    authenticator: {
      authenticate: (credentials) =>
        isLookout(credentials) ? 'accepted' : (options.authenticator?.authenticate(credentials) ?? 'accepted'),
    },
    ...(options.authorizer === undefined ? {} : { authorizer: exempting(options.authorizer, isLookout)! }), // there is one
  } satisfies Parameters<typeof startMember>[3];
  const pair: [Member, Member] = [await startMember(test, nats, 'near', more), await startMember(test, nats, 'far', more)];
  await pair[0].knows('far', 0);
  await pair[1].knows('near', 0);
  return pair;
}

/** lookout gives what waits until one broker knows all that clients of the other want now, and what it has for them has come there. */
async function lookout(from: Member, to: Member): Promise<() => Promise<void>> {
  const peer = connected(to);
  let number = 0;
  return async () => {
    const topic = `$lookout/${to.id}/${++number}`;
    const client = await peer;
    client.send(`82 [ 0001 {} '${topic}' 01 ]`);
    await client.expect('90 [ 0001 {} 01 ]');
    await eventually(
      () => from.broker.sessions.get(sessionTo(to.id))?.subscriptions.has(topic) === true,
      () => `${from.id} knows that ${to.id} wants ${topic}: ${JSON.stringify(from.cluster.state)}`,
    );
    from.broker.publish({ cmd: 'publish', topic, payload: Buffer.alloc(0), qos: 1, retain: false, dup: false }, () => {});
    const bindings: Bindings = new Map();
    await client.expect(`32 [ '${topic}' @id {} ]`, bindings);
    client.send('40 [ @id ]', bindings);
    client.send(`A2 [ 0001 {} '${topic}' ]`);
    await client.expect('B0 [ 0001 {} 00 ]');
    await eventually(
      () => from.peer(to.id)?.queued === 0,
      () => `${to.id} has all of ${from.id}: ${JSON.stringify(from.cluster.state)}`,
    );
  };
}

async function connected({ broker, id }: Member): Promise<WirePeer> {
  const peer = new WirePeer(openPair(broker, {}));
  peer.send(connectTemplate({ clientId: `${LOOKOUT}-${id}` }));
  await peer.expect('20 [ 00 00 { ... } ]');
  return peer;
}
