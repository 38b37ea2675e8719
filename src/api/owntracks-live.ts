// Locations as they come, by WebSocket, as the Recorder sends them: whoever says LAST gets the last of each phone, then each as it is told.

import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { WebSocket, WebSocketServer } from 'ws';
import type { Reader } from './owntracks.ts';
import type { OwnTracksDoor } from './ports.ts';

/** Sockets at once. */
const MOST = 32;

/** A client is asked so often whether it is there. */
const PING_MS = 30_000;

/** Bytes that may wait for a slow one. */
const MOST_WAITING = 1_048_576;

const ANY = { user: null, device: null } as const;

/** OwnTracksLive follows what readers may read. */
export class OwnTracksLive {
  readonly #door: OwnTracksDoor;
  readonly #sockets = new Set<WebSocket>();
  #server: Promise<WebSocketServer> | null = null;

  constructor(door: OwnTracksDoor) {
    this.#door = door;
  }

  get isFull(): boolean {
    return this.#sockets.size >= MOST;
  }

  /** open makes an upgraded stream a socket of a reader. */
  open(request: IncomingMessage, stream: Duplex, head: Buffer, reader: Reader): void {
    stream.on('error', () => stream.destroy()); // it may be gone before the library is there
    this.#server ??= import('./web-socket-server.ts').then(({ webSocketServer }) => webSocketServer());
    void this.#server.then((server) => server.handleUpgrade(request, stream, head, (socket) => this.#serve(socket, reader)));
  }

  stop(): void {
    for (const socket of this.#sockets) socket.terminate();
  }

  #serve(socket: WebSocket, reader: Reader): void {
    const send = (fields: object) => {
      if (!reader.isStillGood()) socket.close(1008);
      else if (socket.bufferedAmount > MOST_WAITING) socket.terminate();
      else socket.send(JSON.stringify(fields));
    };
    let isThere = true;
    const ping = setInterval(() => {
      if (!isThere || !reader.isStillGood()) return socket.terminate();
      isThere = false;
      socket.ping();
    }, PING_MS).unref();
    const unfollow = this.#door.follow(reader.mayRead, send);
    this.#sockets.add(socket);
    socket.on('pong', () => {
      isThere = true;
    });
    socket.on('message', (data, isBinary) => {
      if (!isBinary && String(data) === 'LAST') for (const fields of this.#door.last(reader.mayRead, ANY)) send(fields);
    });
    socket.on('error', () => socket.terminate());
    socket.once('close', () => {
      clearInterval(ping);
      unfollow();
      this.#sockets.delete(socket);
    });
  }
}
