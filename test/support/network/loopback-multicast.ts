// Whether multicast goes round the loopback interface here; some containers have none.

import { createSocket } from 'node:dgram';

const GROUP = '224.0.0.251';
/** Milliseconds for a packet that never leaves the machine. */
const PATIENCE = 20_000;

/** multicastObstacle sends one packet to itself on loopback, on a port of its own; resolves to why it did not come, or to null. */
export async function multicastObstacle(): Promise<string | null> {
  const socket = createSocket({ type: 'udp4', reuseAddr: true });
  try {
    return await new Promise<string | null>((resolve) => {
      const timer = setTimeout(() => resolve('multicast does not work on the loopback interface here'), PATIENCE);
      socket.on('error', (error) => resolve(`multicast does not work here: ${error.message}`));
      socket.on('message', () => {
        clearTimeout(timer);
        resolve(null);
      });
      socket.bind(0, '0.0.0.0', () => {
        try {
          socket.addMembership(GROUP, '127.0.0.1');
          socket.setMulticastInterface('127.0.0.1');
          socket.send('x', socket.address().port, GROUP);
        } catch (error) {
          resolve(`multicast does not work here: ${String(error)}`);
        }
      });
    });
  } finally {
    socket.close();
  }
}
