// A house that reloads while a thousand clients are at every point of connecting: by TCP, TLS, WebSocket and through a proxy.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { test } from 'node:test';
import { connect as connectTls } from 'node:tls';
import type { Appliance } from '../../src/app/app.ts';
import type { Listener } from '../../src/listeners/listeners.ts';
import { until } from '../support/broker/turns.ts';
import { temporaryFolder } from '../support/disk/temporary-folder.ts';
import { connectTemplate } from '../support/protocol/connect-template.ts';
import { hex } from '../support/protocol/hex-template.ts';
import { openAppliance } from './test-appliance.ts';
import { configurationOf } from './test-configuration.ts';

const ROUNDS = 10;
const RELOADS_OF_ROUND = 5;

/** Of each reload, by listener: 1,000 in all. */
const CLIENTS = { tcp: 11, tls: 3, ws: 3, proxy: 3 };

/** Addresses of their own tell the listeners apart where the system chooses the ports. */
const ADDRESSES = { tcp: '127.0.0.1', tls: '127.0.0.2', ws: '127.0.0.3', proxy: '127.0.0.4' };

const TEXT = `
allow_anonymous true
listener 1883 ${ADDRESSES.tcp}
listener 8883 ${ADDRESSES.tls}
secure true
listener 9001 ${ADDRESSES.ws}
protocol websockets
listener 1884 ${ADDRESSES.proxy}
enable_proxy_protocol 2
`;

const PROXY_HEADER = Buffer.from('0d0a0d0a000d0a515549540a 2111 000c c0000207 c6336401 c822 075b'.replaceAll(' ', ''), 'hex');

const UPGRADE =
  'GET / HTTP/1.1\r\nHost: broker\r\nConnection: upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n' +
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: mqtt\r\n\r\n';

/** A client gets as far as it can by itself, and goes on after the next reload. Gives the CONNACK. */
type Way = (socket: Socket, packet: Buffer, reloaded: () => Promise<void>) => Promise<Buffer>;

const WAYS: Readonly<Record<keyof typeof CLIENTS, Way>> = {
  tcp: async (socket, packet, reloaded) => {
    socket.write(packet.subarray(0, 7));
    await reloaded();
    return answer(socket, packet.subarray(7));
  },
  tls: async (socket, packet, reloaded) => {
    await reloaded();
    const secure = connectTls({ socket, rejectUnauthorized: false });
    await once(secure, 'secureConnect');
    secure.write(packet.subarray(0, 7));
    await reloaded();
    return answer(secure, packet.subarray(7));
  },
  ws: async (socket, packet, reloaded) => {
    socket.write(UPGRADE.slice(0, 50));
    await reloaded();
    assert.match(String(await answer(socket, Buffer.from(UPGRADE.slice(50)))), /^HTTP\/1\.1 101 /);
    const frame = Buffer.concat([Buffer.from([0x82, 0x80 | packet.length, 0, 0, 0, 0]), packet]); // masked with zeros
    socket.write(frame.subarray(0, 9));
    await reloaded();
    return (await answer(socket, frame.subarray(9))).subarray(2);
  },
  proxy: async (socket, packet, reloaded) => {
    socket.write(PROXY_HEADER.subarray(0, 20));
    await reloaded();
    socket.write(Buffer.concat([PROXY_HEADER.subarray(20), packet.subarray(0, 7)]));
    await reloaded();
    return answer(socket, packet.subarray(7));
  },
};

const KINDS = Object.keys(CLIENTS) as (keyof typeof CLIENTS)[];

test('reload, 50 times, refuses none of 1,000 clients that connect meanwhile by TCP, TLS, WebSocket and PROXY protocol', async (context) => {
  const folder = temporaryFolder(context);
  const configuration = () => configurationOf(folder, TEXT);
  const { appliance } = await openAppliance(context, folder, { configuration: configuration() });
  let served = 0;
  for (let round = 0; round < ROUNDS; round++) served += await playRound(appliance, () => appliance.reload(configuration()));
  assert.equal(served, 1000);
});

/** Before each reload more clients dial, and those of before are in the middle of something. */
async function playRound(appliance: Appliance, reload: () => Promise<unknown>): Promise<number> {
  const sockets: Socket[] = [];
  const outcomes: Promise<void>[] = [];
  let next = Promise.withResolvers<void>();
  for (let count = 0; count < RELOADS_OF_ROUND; count++) {
    for (const kind of KINDS) {
      const listener = listenerOf(appliance, kind);
      const before = listener.connections;
      for (let each = 0; each < CLIENTS[kind]; each++) {
        const socket = connect(listener.port, ADDRESSES[kind]);
        sockets.push(socket);
        const packet = hex(connectTemplate({ clientId: `client ${sockets.length}` }), 5);
        outcomes.push(
          admitted(
            kind,
            WAYS[kind](socket, packet, () => next.promise),
          ),
        );
      }
      await until(() => listenerOf(appliance, kind).connections >= before + CLIENTS[kind]);
    }
    await reload();
    next.resolve();
    next = Promise.withResolvers();
  }
  next.resolve();
  next.promise = Promise.resolve();
  await Promise.all(outcomes);
  for (const socket of sockets) socket.destroy();
  await until(() => appliance.listeners.every(({ connections }) => connections === 0));
  return outcomes.length;
}

/** The order of those that are open is not that of the file. */
function listenerOf({ listeners }: Appliance, kind: keyof typeof CLIENTS): Listener {
  return listeners.find(({ options }) => options.address === ADDRESSES[kind])!; // all four are in the file
}

async function admitted(kind: string, connack: Promise<Buffer>): Promise<void> {
  const [type, , , reasonCode] = await connack;
  assert.deepEqual([kind, type, reasonCode], [kind, 0x20, 0]);
}

/** Gives what comes first after a write; throws when the connection ends instead. */
async function answer(socket: Socket, last: Buffer): Promise<Buffer> {
  socket.write(last);
  return new Promise((resolve, reject) => {
    socket.once('data', resolve);
    socket.once('error', reject);
    socket.once('close', () => reject(new Error('closed without an answer')));
  });
}
