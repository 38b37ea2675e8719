// A TCP listener without any policy in front of a test broker, for what only a real socket shows: its kernel buffers.

import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { type TestBroker, testOrigin } from '../broker/test-broker.ts';

/** TcpFront takes connections on a port of its own. `await using` closes it with all of them. */
export interface TcpFront extends AsyncDisposable {
  /** dial gives a connected socket. It reads nothing until it is told to. */
  dial(): Promise<Socket>;
}

/** openTcpFront listens on 127.0.0.1. */
export async function openTcpFront({ broker }: TestBroker): Promise<TcpFront> {
  const server = createServer({ noDelay: true }, (socket) => void broker.handle(socket as never, testOrigin() as never)); // Aedes types its own Client's
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo; // it listens on TCP
  const sockets: Socket[] = [];
  return {
    dial: async () => {
      const socket = connect(port, '127.0.0.1');
      sockets.push(socket);
      socket.on('error', () => {});
      await once(socket, 'connect');
      return socket;
    },
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}
