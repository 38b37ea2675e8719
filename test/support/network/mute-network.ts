// A network without a network: UDP sockets that are made while it stands hear only what the test says, and what they send is counted.

import type { Socket } from 'node:dgram';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { createRequire } from 'node:module';

/** DnsPacket is the package that multicast-dns reads and writes packets with; it has no types. */
interface DnsPacket {
  encode(packet: object): Buffer;
}

export interface MuteNetwork {
  /** hear gives a packet to every socket. */
  hear(bytes: Buffer, from: { readonly address: string; readonly port: number }): void;
  /** sent are the packets that were sent since `forget`. */
  readonly sent: readonly Buffer[];
  forget(): void;
  /** end lets sockets that are made from now on be real ones. */
  end(): void;
}

/** muteNetwork replaces the network of this process until its `end`. */
export function muteNetwork(): MuteNetwork {
  const sockets: Socket[] = [];
  let sent: Buffer[] = [];
  const catchSocket = (message: unknown) => sockets.push(muted((message as { socket: Socket }).socket, (bytes) => sent.push(bytes))); // what the channel gives
  subscribe('udp.socket', catchSocket);
  return {
    hear: (bytes, from) => {
      for (const socket of sockets) socket.emit('message', Buffer.from(bytes), { family: 'IPv4', size: bytes.length, ...from });
    },
    get sent() {
      return sent;
    },
    forget: () => {
      sent = [];
    },
    end: () => unsubscribe('udp.socket', catchSocket),
  };
}

function muted(socket: Socket, onSend: (bytes: Buffer) => void): Socket {
  socket.send = (...words: unknown[]) => {
    if (Buffer.isBuffer(words[0])) onSend(words[0]);
    const done = words.at(-1);
    if (typeof done === 'function') setImmediate(() => done(null, 0));
  };
  socket.bind = ((...words: unknown[]) => {
    setImmediate(() => {
      socket.emit('listening');
      const done = words.at(-1);
      if (typeof done === 'function') done();
    });
    return socket;
  }) as Socket['bind'];
  Object.assign(socket, {
    setMulticastTTL: () => 0,
    setMulticastLoopback: () => 0,
    setMulticastInterface: () => 0,
    addMembership: () => 0,
    dropMembership: () => 0,
    address: () => ({ address: '127.0.0.1', port: 5353, family: 'IPv4' }),
  });
  return socket;
}

/** dnsPacket gives the package in the version that is in use. */
export function dnsPacket(): DnsPacket {
  const ofBonjour = createRequire(createRequire(import.meta.url).resolve('bonjour-service'));
  return createRequire(ofBonjour.resolve('multicast-dns'))('dns-packet') as DnsPacket; // the package has no types
}
