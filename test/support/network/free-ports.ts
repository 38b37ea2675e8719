// Ports for programs that cannot be told to choose one.

import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type Server } from 'node:net';

/** Below ip_local_port_range of Linux: no outgoing connection takes one of these, nor connects to itself while nobody listens yet. */
const LISTENING_PORTS = { from: 10_240, to: 32_768 };

/** freePorts gives different ports of 127.0.0.1 that nobody listens at; by chance, so that two test files that run at once hardly get the same. */
export async function freePorts(count: number): Promise<number[]> {
  const servers = new Map<number, Server>();
  while (servers.size < count) {
    const port = randomInt(LISTENING_PORTS.from, LISTENING_PORTS.to);
    const server = createServer().listen(port, '127.0.0.1');
    try {
      await once(server, 'listening');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EADDRINUSE') continue;
      throw error;
    }
    servers.set(port, server);
  }
  for (const server of servers.values()) {
    server.close();
    await once(server, 'close');
  }
  return [...servers.keys()];
}

/** freePort gives one port that nobody listens at. */
export async function freePort(): Promise<number> {
  const [port] = await freePorts(1);
  return port!; // one was asked for
}
