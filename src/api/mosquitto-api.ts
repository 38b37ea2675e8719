// mosquitto's `protocol http_api`, as its 2.1 has it: three answers about the broker, and the files of `http_dir`.
//
//   GET only -> who asks (Basic), may it read the path as a topic -> /api/... | a file below http_dir
//
// Nothing changes anything here. Answers have no Content-Type, like mosquitto's: browsers find out by themselves.

import { constants } from 'node:fs';
import { type FileHandle, open, readlink, realpath } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { join, posix, sep } from 'node:path';
import type { Duplex } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { type BasicLogin, basicLogin } from './basic-login.ts';
import { HttpStreams } from './http-streams.ts';

/** MosquittoApiGuest is what is known about a connection. */
export interface MosquittoApiGuest {
  /** Folder of the files, null = there are none. */
  readonly httpDir: string | null;
  /** allows tells whether a client with this name and password comes in, and may read a path as if it were a topic. */
  allows(login: BasicLogin, request: ForwardedRequest): Promise<boolean>;
}

/** ForwardedRequest is the path that is asked for, and X-Forwarded-For where it came. */
export interface ForwardedRequest {
  readonly path: string;
  readonly forwardedFor: string | undefined;
}

/** MosquittoApiSetup is what it tells of. */
export interface MosquittoApiSetup {
  /** As mosquitto's: digits and dots. */
  readonly version: string;
  /** In the order of the configuration. */
  readonly listeners: () => readonly ShownListener[];
  /** `$SYS/...` to number. */
  readonly systree: () => Readonly<Record<string, number>>;
}

/** ShownListener has a port, or a path where it is a Unix socket. */
export type ShownListener = ({ readonly port: number } | { readonly path: string }) & {
  readonly protocol: string;
  readonly tls: boolean;
  readonly mtls: boolean;
  readonly allow_anonymous: boolean;
};

/** MosquittoApi answers on streams until its stop. */
export interface MosquittoApi {
  serve(stream: Duplex, guest: MosquittoApiGuest): void;
  stop(): void;
}

/** createMosquittoApi makes it; nothing is opened. */
export function createMosquittoApi(setup: MosquittoApiSetup): MosquittoApi {
  const streams = new HttpStreams<MosquittoApiGuest>((request, response) => {
    answer(setup, streams.guestOf(request), request, response).catch(() => response.destroy()); // the client has gone, or the file
  });
  return streams;
}

const NOT_FOUND = 'Not found.\n';

async function answer(setup: MosquittoApiSetup, guest: MosquittoApiGuest, request: IncomingMessage, response: ServerResponse) {
  request.resume(); // a body means nothing
  if (request.method !== 'GET') return end(response, 405, 'Invalid HTTP Method\n');
  const path = pathOf(request.url ?? '');
  if (path === null) return end(response, 404, NOT_FOUND);
  const { authorization, 'x-forwarded-for': forwarded } = request.headers;
  const forwardedFor = Array.isArray(forwarded) ? forwarded.join() : forwarded;
  if (!(await guest.allows(basicLogin(authorization), { path, forwardedFor }))) {
    response.setHeader('WWW-Authenticate', 'Basic realm="Mosquitto API"');
    return end(response, 401, 'Not authorised\n');
  }
  if (/^\/api\//i.test(path)) return answerApi(setup, path, response);
  const file = guest.httpDir === null ? null : await openBelow(guest.httpDir, path);
  if (file === null) return end(response, 404, NOT_FOUND);
  await using _closing = file.handle;
  response.writeHead(200, { 'content-length': file.size });
  // No more than was said, should the file grow meanwhile.
  const content = file.size === 0 ? [] : file.handle.createReadStream({ autoClose: false, start: 0, end: file.size - 1 });
  await pipeline(content, response);
}

function answerApi({ version, listeners, systree }: MosquittoApiSetup, path: string, response: ServerResponse): void {
  const text = {
    '/api/v1/version': () => version,
    '/api/v1/listeners': () => jsonText({ listeners: listeners() }),
    '/api/v1/systree': () => jsonText(systree()),
  }[path];
  if (text === undefined) return end(response, 404, NOT_FOUND);
  response.setHeader('Access-Control-Allow-Origin', '*');
  end(response, 200, text());
}

function jsonText(value: object): string {
  return JSON.stringify(value, null, '\t');
}

function end(response: ServerResponse, status: number, text: string): void {
  response.statusCode = status;
  response.setHeader('Content-Length', Buffer.byteLength(text));
  response.end(text);
}

/** The path without its query, decoded; null where it could be read in two ways, so that rules about paths hold. */
function pathOf(url: string): string | null {
  let path: string;
  try {
    path = decodeURIComponent(url.split(/[?#]/, 1)[0]!); // a split text has a first part
  } catch {
    return null;
  }
  const isPlain = path.startsWith('/') && !/[\0\\]/.test(path) && posix.normalize(path) === path;
  return isPlain ? path : null;
}

/** openBelow opens a regular file in a folder or below it, by whatever links, that lead to nothing else; null = there is none. */
async function openBelow(folder: string, path: string): Promise<{ handle: FileHandle; size: number } | null> {
  const name = path.endsWith('/') ? `${path}index.html` : path;
  let handle: FileHandle | null = null;
  try {
    const root = await realpath(folder);
    const found = await realpath(join(root, name));
    if (!isWithin(root, found)) return null;
    handle = await open(found, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK); // a FIFO must keep nobody waiting
    const opened = await readlink(`/proc/self/fd/${handle.fd}`); // a link may have come in between
    const { size } = await requireFile(handle);
    if (isWithin(root, opened)) return { handle, size };
  } catch {
    // not there, not for us, or no file: nobody is told which
  }
  await handle?.close();
  return null;
}

async function requireFile(handle: FileHandle) {
  const found = await handle.stat();
  if (!found.isFile()) throw new Error('it is no file');
  return found;
}

function isWithin(root: string, path: string): boolean {
  return path.startsWith(root.endsWith(sep) ? root : root + sep);
}
