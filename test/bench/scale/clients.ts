// Many quiet clients for the scale measurements: raw sockets that say only what they must.

import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { OperatorError, reasonOf } from '../../../src/base/errors.ts';
import { packet, text } from '../generator/client.ts';

const AT_ONCE = 200; // connections being opened at a time
const ANSWER_LIMIT_MS = 10_000;

/** openIdle connects `count` clients that never speak again (keep alive 0); resolves with their sockets when all have their CONNACK. */
export async function openIdle(port: number, count: number, prefix: string): Promise<Socket[]> {
  const sockets: Socket[] = [];
  for (let from = 0; from < count; from += AT_ONCE) {
    const batch = Array.from({ length: Math.min(AT_ONCE, count - from) }, (_, i) => openOne(port, `${prefix}${from + i}`));
    sockets.push(...(await Promise.all(batch)));
  }
  return sockets;
}

/** closeAll closes sockets and waits for it. */
export async function closeAll(sockets: readonly Socket[]): Promise<void> {
  await Promise.all(sockets.map((socket) => (socket.closed ? null : once(socket.destroy(), 'close'))));
}

async function openOne(port: number, clientId: string): Promise<Socket> {
  const socket = connect({ host: '127.0.0.1', port, noDelay: true }).on('error', () => {}); // seen by who waits for it
  await once(socket, 'connect');
  socket.write(packet(0x10, [text('MQTT'), Buffer.from([4, 2, 0, 0]), text(clientId)]));
  const answer = await chunkOf(socket);
  if (answer[0] !== 0x20 || answer[3] !== 0) throw new OperatorError('a connection was refused');
  return socket.pause();
}

/** subscribePacket makes a SUBSCRIBE with many filters at QoS 0. */
export function subscribePacket(packetId: number, filters: readonly string[]): Buffer {
  return packet(0x82, [uint16(packetId), ...filters.map((filter) => Buffer.concat([text(filter), Buffer.from([0])]))]);
}

/** unsubscribePacket makes an UNSUBSCRIBE with many filters. */
export function unsubscribePacket(packetId: number, filters: readonly string[]): Buffer {
  return packet(0xa2, [uint16(packetId), ...filters.map(text)]);
}

/** uint16 makes a Two Byte Integer. */
export function uint16(value: number): Buffer {
  return Buffer.from([value >> 8, value & 0xff]);
}

/** ask writes a packet and waits for an answer of that type; other packets in between are skipped over. Frames must be short. */
export async function ask(socket: Socket, bytes: Buffer, type: number): Promise<void> {
  socket.write(bytes);
  socket.resume();
  for (;;) {
    const chunk = await chunkOf(socket);
    if (((chunk[0] ?? 0) & 0xf0) === type) return;
  }
}

async function chunkOf(socket: Socket): Promise<Buffer> {
  try {
    const [chunk] = (await once(socket, 'data', { signal: AbortSignal.timeout(ANSWER_LIMIT_MS) })) as [Buffer]; // 'data' has one argument
    return chunk;
  } catch (cause) {
    throw new OperatorError(`Cannot go on: the broker does not answer a client (${reasonOf(cause)})`, { cause });
  }
}
