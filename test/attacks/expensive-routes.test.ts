// One client with an account makes its own messages expensive: the broker goes on serving others, and the bill stays small.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { type TestContext, test } from 'node:test';
import { WirePeer } from '../support/clients/wire-peer.ts';
import { hex } from '../support/protocol/hex-template.ts';
import { type AttackedBroker, attackObstacle, startAttacked } from './attacked-broker.ts';

/** What a client writes at once: the size of the broker's reads. */
const WRITE = 65_536;

for (const [what, filters, message] of [
  ['50,000 shared groups', Array.from({ length: 50_000 }, (_, at) => `$share/g${at}/#`), '30 [ "a" {} |0| ]'],
  [
    '40,000 overlapping filters',
    Array.from({ length: 40_000 }, (_, at) => overlapping(at)),
    `82 [ 0002 {} "z" 00 ] 30 [ "${'a/'.repeat(15)}a" {} |0| ]`,
  ],
] as const) {
  test(`one client with ${what} keeps nobody waiting, and a write of 64 KiB costs less than subscribing did`, {
    skip: attackObstacle({ limited: false }),
  }, async (t) => {
    const broker = await startAttacked(t, { configuration: 'listener {port} 127.0.0.1\nallow_anonymous true\n' });
    const { socket } = await join(t, broker, 'attacker');
    const { peer: other } = await join(t, broker, 'other');
    const started = broker.processorSeconds();
    const ping = hex('C0 00', 5);
    for (let at = 0; at < filters.length; at += 1000) {
      socket.write(
        hex(
          `82 [ 0001 {} ${filters
            .slice(at, at + 1000)
            .map((filter) => `'${filter}' 00`)
            .join(' ')} ]`,
          5,
        ),
      );
    }
    await answered(socket, ping);
    const subscribed = broker.processorSeconds() - started;
    const one = hex(message.replaceAll('"', "'"), 5);
    socket.write(Buffer.concat(Array.from({ length: Math.floor(WRITE / one.length) }, () => one)));
    const isOver = answered(socket, ping).then(() => true);
    let rounds = 0;
    do {
      other.send(ping);
      await other.expect('D0 00');
      rounds++;
    } while (!(await Promise.race([isOver, false])));
    const spent = broker.processorSeconds() - started - subscribed;
    t.diagnostic(
      `subscribing took ${subscribed.toFixed(2)} s of the processor, the write ${spent.toFixed(2)} s, with ${rounds} pings of another`,
    );
    assert.ok(rounds > 10, `only ${rounds} PINGREQs of another client were answered`);
    assert.ok(spent < 3 * Math.max(subscribed, 0.3), `${spent} s of the processor for one write`);
  });
}

/** Sixteen levels, each `a` or `+`. */
function overlapping(bits: number): string {
  return Array.from({ length: 16 }, (_, level) => ((bits >> level) & 1 ? '+' : 'a')).join('/');
}

/** answered resolves when the answer to a PINGREQ has come, behind all that came before it. */
function answered(socket: Socket, ping: Buffer): Promise<void> {
  socket.write(ping);
  return new Promise((resolve) => {
    let last = 0;
    const look = (chunk: Buffer) => {
      const tail = chunk.length > 1 ? chunk.readUInt16BE(chunk.length - 2) : (last << 8) | chunk[0]!; // a chunk is never empty
      last = tail & 0xff;
      if (tail !== 0xd000) return;
      socket.off('data', look);
      resolve();
    };
    socket.on('data', look);
  });
}

async function join(t: TestContext, { port }: AttackedBroker, clientId: string): Promise<{ socket: Socket; peer: WirePeer }> {
  const socket = connect({ port, host: '127.0.0.1' });
  t.after(() => socket.destroy());
  await once(socket, 'connect');
  const peer = new WirePeer(socket, { version: 5 });
  peer.send(hex(`10 [ PROTOCOL 02 0000 {} '${clientId}' ]`, 5));
  await peer.expect('20 [ 00 00 { ... } ]');
  if (clientId === 'attacker') socket.removeAllListeners('data');
  return { socket, peer };
}
