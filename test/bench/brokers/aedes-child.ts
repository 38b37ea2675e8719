// The process of stock Aedes: node aedes-child.ts tcp|tls|websocket [KEY CERTIFICATE]. Prints its port, ends with stdin.

import { readFileSync } from 'node:fs';
import { createServer as createHttpServer } from 'node:http';
import { createServer, type Server, Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { Aedes } from 'aedes';
import { createWebSocketStream, WebSocketServer } from 'ws';

main(process.argv.slice(2)).catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
});

async function main(args: readonly string[]): Promise<void> {
  const broker = await Aedes.createBroker();
  const server = listener(args, (stream) => {
    if (stream instanceof Socket) stream.setNoDelay(true);
    broker.handle(stream);
  });
  server.listen(0, '127.0.0.1', () => {
    const address = server.address();
    console.log(typeof address === 'object' && address !== null ? address.port : '');
  });
  process.stdin.resume().once('end', () => process.exit());
}

function listener(
  [transport, key, certificate]: readonly string[],
  handle: (stream: Socket | ReturnType<typeof createWebSocketStream>) => void,
): Server {
  if (transport === 'tls') return createTlsServer({ key: readFileSync(key ?? ''), cert: readFileSync(certificate ?? '') }, handle);
  if (transport !== 'websocket') return createServer(handle);
  const server = createHttpServer();
  new WebSocketServer({ server }).on('connection', (socket) => handle(createWebSocketStream(socket)));
  return server;
}
