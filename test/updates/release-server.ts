// A server of releases on this machine.

import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import type { TestContext } from 'node:test';

/** ReleaseServer serves the files of a folder; `asked` are the paths that it was asked for. */
export interface ReleaseServer {
  readonly url: string;
  readonly asked: readonly string[];
}

/** serveFolder serves until the test ends. */
export async function serveFolder(context: TestContext, folder: string): Promise<ReleaseServer> {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    const name = (request.url ?? '').slice(1);
    asked.push(name);
    try {
      response.end(readFileSync(join(folder, decodeURIComponent(name))));
    } catch {
      response.writeHead(404).end();
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  context.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo; // it listens on TCP
  return { url: `http://127.0.0.1:${port}/`, asked };
}
