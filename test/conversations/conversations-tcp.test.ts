// Every conversation, played against our broker over TCP. MQTT_TARGET=HOST:PORT plays those that need no settings of their own against
// a broker that runs already (the packed binary, for instance).

import { once } from 'node:events';
import { connect } from 'node:net';
import { describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { WirePeer } from '../support/clients/wire-peer.ts';
import { type Conversation, readConversations, versionsOf } from './conversation.ts';
import { startOnTcp } from './midge-target.ts';
import { play, type Target } from './player.ts';

const RUNNING = process.env['MQTT_TARGET'];

for (const { theme, conversations } of readConversations()) {
  describe(`${RUNNING ?? 'TCP'}, ${theme}`, { concurrency: RUNNING === undefined ? 4 : 1 }, () => {
    for (const conversation of conversations.filter(isPlayable)) {
      for (const version of versionsOf(conversation)) {
        it(`${conversation.name}, version ${version}`, () => playOnTcp(conversation, version));
      }
    }
  });
}

/** What takes long without a clock that can be turned is played over memory only; a running broker can't be given settings or stopped. */
function isPlayable(conversation: Conversation): boolean {
  const seconds = conversation.steps.map((step) => Number(/^([\d.]+) seconds? pass$/.exec(String(step))?.[1] ?? 0));
  if (seconds.some((number) => number > 10)) return false;
  return RUNNING === undefined || (conversation.settings === undefined && !conversation.steps.includes('broker stops'));
}

async function playOnTcp(conversation: Conversation, version: 3 | 4 | 5): Promise<void> {
  const target = RUNNING === undefined ? await startOnTcp(conversation.settings ?? {}) : runningTarget(RUNNING);
  try {
    await play(conversation, target, version);
  } finally {
    await target.stop();
  }
}

/** runningTarget is a broker that many conversations share: each leaves it as it was. */
function runningTarget(address: string): Target {
  const [, host, port] = /^(.*):(\d+)$/.exec(address) ?? [];
  if (host === undefined) throw new Error(`Cannot read MQTT_TARGET "${address}": it is not HOST:PORT`);
  const open = async (_client: string) => {
    const socket = connect(Number(port), host);
    await once(socket, 'connect');
    return socket;
  };
  return { open, pass: (seconds) => sleep(seconds * 1000), stop: async () => cleanUp(new WirePeer(await open('cleaner')), open) };
}

/** cleanUp ends the sessions of the names that conversations use and clears what is retained. */
async function cleanUp(peer: WirePeer, open: Target['open']): Promise<void> {
  for (const name of ['a', 'a2', 'a3', 'b', 'c', 'd']) {
    const one = new WirePeer(await open(name));
    one.send(`10 [ PROTOCOL 02 0000 {} '${name}' ] E0 00`);
    await one.expect('20 *');
    await one.expectClosed();
  }
  peer.send("10 [ PROTOCOL 02 0000 {} 'cleaner' ] 82 [ 0001 {} '#' 00 '$home/#' 00 ]");
  await peer.expect('20 *');
  await peer.expect('90 *');
  await peer.settle();
  for (const packet of peer.waiting) {
    const topicAt = packet[1]! < 128 ? 2 : 3; // no test retains 16 KiB
    const topicName = packet.subarray(topicAt, topicAt + 2 + packet.readUInt16BE(topicAt));
    peer.send(Buffer.concat([Buffer.of(0x31, topicName.length + 1), topicName, Buffer.of(0)]));
  }
  await peer.settle();
  peer.abort();
}
