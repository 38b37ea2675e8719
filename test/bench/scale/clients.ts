// Many quiet clients for the scale measurements: raw sockets that say only what they must.

import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { OperatorError, reasonOf } from '../../../src/base/errors.ts';
import { BENCH_USER } from '../brokers/configuration.ts';
import { packet, text } from '../generator/client.ts';

const AT_ONCE = 200; // connections being opened at a time
const ANSWER_LIMIT_MS = 10_000;
const PORTS_OF_AN_ADDRESS = 20_000; // Linux gives about 28,000

/** IdleClients are the sockets of clients that have their CONNACK. */
export type IdleClients = Socket[];

/** Crowd says which clients come. */
export interface Crowd {
  readonly port: number;
  readonly tls: boolean;
  readonly count: number;
  /** Of their client ids. */
  readonly prefix: string;
}

/** openIdle connects clients that never speak again (keep alive 0), adds their sockets to `clients` and resolves with it when all have their CONNACK. */
export async function openIdle(crowd: Crowd, clients: IdleClients = []): Promise<IdleClients> {
  const goal = clients.length + crowd.count;
  while (clients.length < goal) {
    const batch = Array.from({ length: Math.min(AT_ONCE, goal - clients.length) }, (_, i) => {
      const number = clients.length + i;
      return openOne(crowd, `${crowd.prefix}${number}`, addressOf(crowd.port, Math.floor(number / PORTS_OF_AN_ADDRESS)));
    });
    clients.push(...(await Promise.all(batch)));
  }
  return clients;
}

/** closeAll closes sockets and waits for it. */
export async function closeAll(sockets: readonly Socket[]): Promise<void> {
  await Promise.all(sockets.map((socket) => (socket.closed ? null : once(socket.destroy(), 'close'))));
}

/** A broker's clients have addresses of their own: the ports of those before them wait for a minute until they are free again. */
function addressOf(port: number, index: number): string {
  return `127.${1 + (port >> 8)}.${port & 0xff}.${1 + index}`;
}

async function openOne({ port, tls }: Crowd, clientId: string, localAddress: string): Promise<Socket> {
  const plain = connect({ host: '127.0.0.1', port, localAddress, noDelay: true });
  const socket = tls ? connectTls({ socket: plain, rejectUnauthorized: false }) : plain;
  socket.on('error', () => {}); // seen by who waits for it
  await connected(socket, tls);
  const { username, password } = BENCH_USER;
  const parts = [text('MQTT'), Buffer.from([4, tls ? 0xc2 : 2, 0, 0]), text(clientId)];
  socket.write(packet(0x10, tls ? [...parts, text(username), text(password)] : parts));
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

async function connected(socket: Socket, tls: boolean): Promise<void> {
  try {
    await once(socket, tls ? 'secureConnect' : 'connect');
  } catch (cause) {
    const tooFew =
      (cause as NodeJS.ErrnoException).code === 'EMFILE' ? 'not measured: the system allows too few open files (ulimit -Hn)' : null;
    throw new OperatorError(tooFew ?? `Cannot connect a client: ${reasonOf(cause)}`, { cause });
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
