// A server of WebSockets for connections that another server took, to be imported on demand: most boxes never need it.

import { WebSocketServer } from 'ws';

/** Bytes of a message: whoever listens here says a word at most. */
const MOST_BYTES = 1024;

/** webSocketServer makes a server without a port of its own; whoever comes with something else than a WebSocket loses the connection. */
export function webSocketServer(): WebSocketServer {
  const server = new WebSocketServer({ noServer: true, clientTracking: false, maxPayload: MOST_BYTES });
  server.on('wsClientError', (_error, socket) => socket.destroy());
  return server;
}
