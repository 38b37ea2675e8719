// The machine stands still for longer than clients may be silent: who has spoken meanwhile stays, and has no will.

import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { WirePeer } from '../support/clients/wire-peer.ts';
import { hex } from '../support/protocol/hex-template.ts';
import { attackObstacle, startAttacked } from './attacked-broker.ts';

/** Milliseconds; longer than one and a half times the keep alive of two seconds. */
const STANDSTILL = 4000;
const CLIENTS = 50;
const PINGREQ = Buffer.from('c000', 'hex');

test('clients whose PINGREQ waits in the socket stay connected when the broker was stopped for longer than their keep alive', {
  skip: attackObstacle({ limited: false }),
}, async (t) => {
  const { port, process: broker } = await startAttacked(t, { configuration: 'listener {port} 127.0.0.1\nallow_anonymous true\n' });
  const witness = await join(port, 'witness', '003C');
  witness.peer.send(`82 [ 0001 'gone' 00 ]`);
  await witness.peer.expect('90 [ 0001 00 ]');
  const lamps = await Promise.all(Array.from({ length: CLIENTS }, (_, at) => join(port, `lamp${at}`, '0002')));
  t.after(() => {
    for (const { socket } of [witness, ...lamps]) socket.destroy();
  });
  process.kill(broker.pid, 'SIGSTOP');
  for (const { socket } of lamps) socket.write(PINGREQ);
  await pause(STANDSTILL);
  process.kill(broker.pid, 'SIGCONT');
  for (const { peer } of lamps) await peer.expect('D0 00'); // and no will of theirs comes before this answer:
  await witness.peer.expectSilence();
});

interface Joined {
  readonly socket: Socket;
  readonly peer: WirePeer;
}

async function join(port: number, clientId: string, keepAlive: string): Promise<Joined> {
  const socket = connect({ port, host: '127.0.0.1' });
  await once(socket, 'connect');
  const peer = new WirePeer(socket, { version: 4 });
  peer.send(hex(`10 [ PROTOCOL 06 ${keepAlive} '${clientId}' 'gone' '${clientId}' ]`, 4));
  await peer.expect('20 [ 00 00 ]');
  return { socket, peer };
}
