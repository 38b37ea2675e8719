// Many connections at once from addresses of the loopback network: what somebody without an account can do.

import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import type { TestContext } from 'node:test';

/** Connections that are opened before the first of them is waited for. */
const WAVE = 500;

export interface FloodOptions {
  readonly port: number;
  /** Where they come from; each test has networks of its own within 127.0.0.0/8. */
  readonly from: string;
  readonly count: number;
  /** What each says. */
  readonly bytes?: Buffer;
}

/** flood opens connections, which are closed when the test ends; it resolves when all have been open. Those that the broker has closed are destroyed. */
export async function flood(test: TestContext, { port, from, count, bytes }: FloodOptions): Promise<readonly Socket[]> {
  const sockets: Socket[] = [];
  test.after(() => {
    for (const socket of sockets) socket.destroy();
  });
  while (sockets.length < count) {
    const wave = Array.from({ length: Math.min(WAVE, count - sockets.length) }, () => {
      const socket = connect({ port, host: '127.0.0.1', localAddress: from });
      socket.on('error', () => {});
      socket.resume(); // an end is only seen by who reads
      if (bytes !== undefined) socket.write(bytes);
      return socket;
    });
    sockets.push(...wave);
    await Promise.all(wave.map((socket) => once(socket, 'connect').catch(() => {})));
  }
  return sockets;
}

/** open counts those that are not closed. */
export function open(sockets: readonly Socket[]): number {
  return sockets.filter((socket) => !socket.destroyed).length;
}

/** until waits for a condition, with patience for a busy machine. */
export async function until(what: string, condition: () => boolean, patience = 60_000): Promise<void> {
  const deadline = Date.now() + patience;
  while (!condition()) {
    if (Date.now() > deadline) throw new Error(`Waited in vain: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
