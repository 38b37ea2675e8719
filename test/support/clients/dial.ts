// A raw client that comes to a broker by TCP.

import { connect } from 'node:net';
import { type ConnectOptions, connectTemplate } from '../protocol/connect-template.ts';
import type { Version } from '../protocol/hex-template.ts';
import { WirePeer } from './wire-peer.ts';

export interface DialOptions {
  /** Default 5. */
  readonly version?: Version;
  /** The address that the client comes from, one of this machine. */
  readonly localAddress?: string;
}

/** dial opens a connection to a broker on this machine and says nothing yet. One that cannot be opened is a closed peer. */
export function dial(port: number, { version = 5, localAddress = '127.0.0.1' }: DialOptions = {}): WirePeer {
  return new WirePeer(connect({ port, host: '127.0.0.1', localAddress }), { version });
}

/** dialAs opens a connection and sends CONNECT; the answer is still to come. */
export function dialAs(port: number, client: ConnectOptions, options: DialOptions = {}): WirePeer {
  const peer = dial(port, options);
  peer.send(connectTemplate(client));
  return peer;
}
