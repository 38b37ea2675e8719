// The other broker of a bridge as a script: a test reads what the bridge says packet by packet, and answers.

import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import type { TestContext } from 'node:test';
import { WirePeer } from '../support/clients/wire-peer.ts';
import type { Bindings, Version } from '../support/protocol/hex-template.ts';

/** FarPeer is a port that a bridge connects to. */
export interface FarPeer {
  readonly port: number;
  /** accept gives the next connection, before its CONNECT. */
  accept(): Promise<WirePeer>;
}

/** farPeer listens until the test ends. */
export async function farPeer(test: TestContext, version: Version): Promise<FarPeer> {
  const sockets: Socket[] = [];
  const peers: WirePeer[] = [];
  let wake = () => {};
  const server = createServer({ noDelay: true }, (socket) => {
    sockets.push(socket);
    peers.push(new WirePeer(socket, { version }));
    wake();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  test.after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return {
    port: (server.address() as AddressInfo).port,
    accept: async () => {
      while (peers.length === 0) await new Promise<void>((resolve) => (wake = resolve));
      return peers.shift()!; // there is one
    },
  };
}

/** greet reads a CONNECT whose session is kept, and accepts it without a session. */
export async function greet(peer: WirePeer, connect: string): Promise<void> {
  await peer.expect(connect);
  peer.send('20 [ 00 00 {} ]');
}

/** grant reads a SUBSCRIBE to one filter, with its options, and grants it. */
export async function grant(peer: WirePeer, topicFilter: string, options: string, qos: string): Promise<void> {
  const bound: Bindings = new Map();
  await peer.expect(`82 [ @id {} '${topicFilter}' ${options} ]`, bound);
  peer.send(`90 [ @id {} ${qos} ]`, bound);
}
