// Requests to mosquitto's http_api: whatever comes, nothing outside the folder is served, and the next one is answered.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import fc from 'fast-check';
import { createMosquittoApi } from '../../../src/api/mosquitto-api.ts';
import { damaged, hexOf } from '../mutations.ts';
import type { Target } from '../target.ts';

const SECRET = 'nobody may read this';

const part = fc.constantFrom(
  '..',
  '%2e%2e',
  '.',
  '',
  '/',
  '\\',
  '%5c',
  '%00',
  '%ff',
  '%2f',
  'open',
  'index.html',
  'out',
  'in',
  'secret',
  'é',
  '?',
  '#',
);
const path = fc.oneof(
  fc.array(part, { maxLength: 8 }).map((parts) => `/${parts.join('/')}`),
  fc.constantFrom('/api/v1/version', '/api/v1/systree', '/api/v1/listeners', '/API/x', '*', 'http://x/../secret', ''),
);
const header = fc.oneof(
  fc.constantFrom(
    'Host: x',
    'Authorization: Basic',
    'Authorization: Basic ////',
    'Authorization: Bearer x',
    'Transfer-Encoding: chunked',
    'Content-Length: 5',
  ),
  fc.string({ maxLength: 20 }).map((login) => `Authorization: Basic ${Buffer.from(login).toString('base64')}`),
);
const request = fc
  .tuple(
    fc.constantFrom('GET', 'HEAD', 'POST', 'get', 'OPTIONS'),
    path,
    fc.constantFrom('HTTP/1.1', 'HTTP/1.0', 'HTTP/9'),
    fc.array(header, { maxLength: 3 }),
  )
  .map(([method, target, version, headers]) => {
    return Buffer.from(`${method} ${target} ${version}\r\n${[...headers, 'Connection: close'].join('\r\n')}\r\n\r\n`);
  });

export const HTTP_API: Target<Buffer> = {
  name: 'http-api',
  what: "requests to mosquitto's http_api",
  input: hexOf(damaged(request)),
  async open() {
    const folder = mkdtempSync(join(tmpdir(), 'midge-fuzz-'));
    const www = join(folder, 'www');
    mkdirSync(join(www, 'open'), { recursive: true });
    writeFileSync(join(folder, 'secret'), SECRET);
    for (const each of ['index.html', 'open/index.html']) writeFileSync(join(www, each), 'open to all');
    symlinkSync('../secret', join(www, 'out'));
    symlinkSync('index.html', join(www, 'in'));
    const api = createMosquittoApi({ version: '2.1.2', listeners: () => [], systree: () => ({}) });
    const server = createServer({ allowHalfOpen: true }, (socket) => api.serve(socket, { httpDir: www, allows: async () => true }));
    const socketPath = join(folder, 'socket');
    server.listen(socketPath);
    await once(server, 'listening');
    const ask = async (bytes: Buffer): Promise<string> => {
      const socket = connect({ path: socketPath, allowHalfOpen: true });
      socket.on('error', () => {});
      socket.end(bytes);
      return (await buffer(socket).catch(() => Buffer.alloc(0))).toString();
    };
    const sound = Buffer.from('GET /api/v1/version HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n');
    return {
      async feed(bytes) {
        assert.ok(!(await ask(bytes)).includes(SECRET), 'a file outside the folder is served');
        assert.match(await ask(sound), /^HTTP\/1\.1 200 OK\r\n/);
        return 1;
      },
      close: () => {
        api.stop();
        server.close();
        rmSync(folder, { recursive: true });
      },
    };
  },
};
