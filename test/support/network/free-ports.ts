// Ports for programs that cannot be told to choose one.

import { createServer } from 'node:net';

/** freePorts gives ports that nobody uses now. Another program could take one before it is used; none here does. */
export async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(
    Array.from(
      { length: count },
      () =>
        new Promise<ReturnType<typeof createServer>>((settle) => {
          const server = createServer().listen(0, '127.0.0.1', () => settle(server));
        }),
    ),
  );
  const ports = servers.map((server) => (server.address() as { port: number }).port); // listens on TCP
  await Promise.all(servers.map((server) => new Promise((settle) => server.close(settle))));
  return ports;
}
