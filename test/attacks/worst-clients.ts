// The worst clients that one account can be, all at once, as a process of its own: node worst-clients.ts PORT SECONDS
//
// Deep topics, shared groups, overlapping filters, user properties, readers that never read, kept sessions with wills, endless queues.

import { connect, type Socket } from 'node:net';
import { publishBytes } from '../support/clients/raw-client.ts';
import { hex } from '../support/protocol/hex-template.ts';

const [port, seconds] = process.argv.slice(2).map(Number) as [number, number];
const deadline = Date.now() + seconds * 1000;

function join(clientId: string, { flags = '02', version = 5 as 4 | 5, properties = '{}', will = '' } = {}): Socket {
  const socket = connect({ port, host: '127.0.0.1' }).on('error', () => {});
  socket.write(hex(`10 [ PROTOCOL ${flags} 0000 ${version === 5 ? properties : ''} '${clientId}' ${will} ]`, version));
  return socket;
}

/** Repeats a step as fast as its socket takes it, until the time is over; a socket that the broker closes is opened again. */
async function flood(open: () => Socket, step: (socket: Socket, round: number) => void): Promise<void> {
  let socket = open();
  for (let round = 0; Date.now() < deadline; round++) {
    if (socket.destroyed || socket.readableEnded) {
      await pause(50);
      socket = open();
    }
    step(socket, round);
    while (socket.writableLength > 262_144 && !socket.destroyed && Date.now() < deadline) await pause(5);
    if (round % 16 === 0) await pause(0);
  }
  socket.destroy();
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

const publish = (topicName: string, payload: Buffer, { qos = 0, retain = false } = {}) =>
  publishBytes(4, { topicName, payload, qos, packetId: 7, retain });

const subscribeAll = (socket: Socket, filters: readonly string[], version: 4 | 5 = 5) => {
  for (let at = 0; at < filters.length; at += 500)
    socket.write(
      hex(
        `82 [ 0001 ${version === 5 ? '{}' : ''} ${filters
          .slice(at, at + 500)
          .map((one) => `'${one}' 00`)
          .join(' ')} ]`,
        version,
      ),
    );
};
const overlapping = (bits: number) => Array.from({ length: 12 }, (_, level) => ((bits >> level) & 1 ? '+' : 'a')).join('/');

const deepTopics = () =>
  flood(
    () => join('deep', { version: 4 }).resume(),
    (socket, round) => void socket.write(publish(`${round % 200_000}/${'d/'.repeat(198)}e`, Buffer.from('x'), { retain: true })),
  );

const groups = () =>
  flood(
    () => {
      const socket = join('groups').resume();
      subscribeAll(
        socket,
        Array.from({ length: 2000 }, (_, at) => `$share/g${at}/#`),
      );
      return socket;
    },
    (socket) => void socket.write(Buffer.concat(Array.from({ length: 200 }, () => hex("30 [ 'g' {} |0| ]", 5)))),
  );

const overlaps = () =>
  flood(
    () => {
      const socket = join('overlaps').resume();
      subscribeAll(
        socket,
        Array.from({ length: 4096 }, (_, bits) => overlapping(bits)),
      );
      return socket;
    },
    (socket, round) => void socket.write(hex(`82 [ 0002 {} 'z${round % 7}' 00 ] 30 [ '${'a/'.repeat(11)}a' {} |0| ]`, 5)),
  );

const properties = () =>
  flood(
    () => join('properties').resume(),
    (socket) => void socket.write(hex(`32 [ 'p' 0001 { ${"26 'a' 'b' ".repeat(900)} } |0| ]`, 5)),
  );

const frozenReaders = () =>
  flood(
    () => {
      for (let at = 0; at < 200; at++) join(`frozen${at}`, { version: 4 }).pause().write(hex("82 [ 0001 'frozen' 00 ]", 4));
      return join('feeder', { version: 4 }).resume();
    },
    (socket) => void socket.write(publish('frozen', Buffer.alloc(30_000))),
  );

const endlessQueue = () =>
  flood(
    () => {
      const away = join('away', { flags: '00', version: 4 });
      away.end(hex("82 [ 0001 'queue' 01 ] E0 00", 4));
      return join('filler', { version: 4 }).resume();
    },
    (socket) => void socket.write(publish('queue', Buffer.alloc(2000), { qos: 1 })),
  );

async function keptSessions(): Promise<void> {
  for (let round = 0; Date.now() < deadline; round++) {
    const will = `{ 18 00000E10 } 'w' EA60 00*60000`;
    const socket = join(`kept${round % 20_000}`, { flags: '06', properties: '{ 11 00000E10 }', will });
    socket.once('data', () => socket.destroy());
    await pause(10);
  }
}

await Promise.all([deepTopics(), groups(), overlaps(), properties(), frozenReaders(), endlessQueue(), keptSessions()]);
process.exit(0);
