// A wire between a bridge and the other broker that breaks: after so many bytes, when it is told to, or all the time.

import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import type { TestContext } from 'node:test';

/** FrailWire is a port that leads to another. */
export interface FrailWire {
  readonly port: number;
  /** How many connections were made through it. */
  readonly connections: number;
  /** cut breaks all connections. */
  cut(): void;
  /** breakAfter breaks each connection after so many bytes, told anew for each; null = it holds. */
  breakAfter(bytes: (() => number) | null): void;
  /** isOpen false: nobody comes through, not even those who try. */
  isOpen: boolean;
}

/** frailWire leads to a port of this machine. */
export async function frailWire(test: TestContext, to: number): Promise<FrailWire> {
  const pairs = new Set<Socket>();
  let bytesOf: (() => number) | null = null;
  const wire = { port: 0, connections: 0, isOpen: true, cut, breakAfter };
  const server = createServer({ noDelay: true }, (near) => {
    if (!wire.isOpen) {
      near.destroy();
      return;
    }
    wire.connections++;
    const far = connect({ port: to, host: '127.0.0.1', noDelay: true });
    let left = bytesOf?.() ?? Number.POSITIVE_INFINITY;
    const end = () => {
      near.destroy();
      far.destroy();
    };
    for (const [one, other] of [
      [near, far],
      [far, near],
    ] as const) {
      pairs.add(one);
      one
        .on('error', () => {})
        .on('close', () => {
          pairs.delete(one);
          end();
        });
      one.on('data', (chunk: Buffer) => {
        other.write(chunk.subarray(0, left));
        left -= chunk.length;
        if (left <= 0) end();
      });
    }
  });
  function breakAfter(bytes: (() => number) | null): void {
    bytesOf = bytes;
  }
  function cut(): void {
    for (const socket of pairs) socket.destroy();
  }
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  wire.port = (server.address() as AddressInfo).port;
  test.after(() => {
    cut();
    server.close();
  });
  return wire;
}
