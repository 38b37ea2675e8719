// Opens one listening socket, and says what to do when that fails.

import { existsSync, unlinkSync } from 'node:fs';
import { lstat } from 'node:fs/promises';
import { connect, createServer, type ListenOptions, type Server, type Socket } from 'node:net';
import { dirname } from 'node:path';
import { OperatorError, reasonOf } from '../base/errors.ts';
import type { BindTarget } from './bind-targets.ts';

/** Connections the kernel holds until we accept them: a whole home that comes back after a power cut. */
const BACKLOG = 1024;

/** A peer that vanished is noticed after this quiet time plus the kernel's probes. */
const KEEP_ALIVE_MS = 60_000;

/** sockaddr_un(7): 108 bytes with the final zero. */
const MAX_UNIX_PATH_BYTES = 107;

/** Door is who stands behind an open port. */
export interface Door {
  /** accept takes over a new connection. */
  accept(socket: Socket): void;
  /** acceptFailed is told that the system could not make a connection of one that waits; the next may succeed. */
  acceptFailed(error: Error): void;
}

/** openPort listens on one address; the promise is kept when the port is open, with an OperatorError when it can't be. */
export async function openPort(target: BindTarget, port: number, door: Door): Promise<Server> {
  const server = createServer({ keepAlive: true, keepAliveInitialDelay: KEEP_ALIVE_MS }, (socket) => door.accept(socket));
  try {
    await listen(server, { host: target.host, port, ipv6Only: target.family === 'ipv6', backlog: BACKLOG }, door);
  } catch (error) {
    throw new OperatorError(`Cannot open port "${port}" on ${target.host}: ${portReason(error, port)}`, { cause: error });
  }
  return server;
}

/** openUnixSocket listens on a path. A socket file that nobody listens on any more is replaced; anything else in its place is an OperatorError. */
export async function openUnixSocket(path: string, door: Door): Promise<Server> {
  if (Buffer.byteLength(path) > MAX_UNIX_PATH_BYTES) {
    throw new OperatorError(
      `Cannot open unix socket "${path}": its path is longer than ${MAX_UNIX_PATH_BYTES} bytes - choose a shorter one`,
    );
  }
  await removeStaleSocket(path);
  const server = createServer((socket) => door.accept(socket));
  try {
    await listen(server, { path, backlog: BACKLOG }, door);
  } catch (error) {
    throw new OperatorError(`Cannot open unix socket "${path}": ${unixReason(error, path)}`, { cause: error });
  }
  return server;
}

/** isAddressMissing tells whether an open failed because this machine does not have the address at all. */
export function isAddressMissing(error: unknown): boolean {
  const code = error instanceof OperatorError ? codeOf(error.cause) : codeOf(error);
  return code === 'EADDRNOTAVAIL' || code === 'EAFNOSUPPORT';
}

/** isPortTaken tells whether an open failed because another program has the port or the path. */
export function isPortTaken(error: unknown): boolean {
  return error instanceof OperatorError && codeOf(error.cause) === 'EADDRINUSE';
}

/** isDenied tells whether an open failed because this user may not open the port or the path. */
export function isDenied(error: unknown): boolean {
  return error instanceof OperatorError && codeOf(error.cause) === 'EACCES';
}

function listen(server: Server, options: ListenOptions, door: Door): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(options, () => {
      server.off('error', reject);
      server.on('error', (error) => door.acceptFailed(error)); // of accept(2)
      resolve();
    });
  });
}

async function removeStaleSocket(path: string): Promise<void> {
  const found = await lstat(path).catch(() => null);
  if (found === null) return;
  if (!found.isSocket()) throw new OperatorError(`Cannot open unix socket "${path}": a file of that name exists and is not a socket`);
  if (await isAnswered(path)) {
    throw new OperatorError(`Cannot open unix socket "${path}": another program listens on it - stop that program or choose another path`, {
      cause: Object.assign(new Error('somebody answers'), { code: 'EADDRINUSE' }), // as bind(2) says it
    });
  }
  try {
    unlinkSync(path);
  } catch (error) {
    throw new OperatorError(`Cannot open unix socket "${path}": the old socket can't be removed (${reasonOf(error)})`, { cause: error });
  }
}

function isAnswered(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = connect(path);
    probe.once('connect', () => {
      probe.destroy();
      resolve(true);
    });
    probe.once('error', (error) => resolve(codeOf(error) !== 'ECONNREFUSED' && codeOf(error) !== 'ENOENT'));
  });
}

function portReason(error: unknown, port: number): string {
  switch (codeOf(error)) {
    case 'EADDRINUSE':
      return `address already in use - stop the program that has it ("ss -ltnp sport = :${port}" names it) or choose another port`;
    case 'EACCES':
      return 'permission denied - a port below 1024 needs root or "setcap cap_net_bind_service=+ep" on this program; or choose a port above 1023';
    case 'EADDRNOTAVAIL':
      return 'this machine does not have that address - "ip address" lists those it has';
    default:
      return reasonOf(error);
  }
}

function unixReason(error: unknown, path: string): string {
  if (codeOf(error) !== 'EACCES') return reasonOf(error);
  if (!existsSync(dirname(path))) return 'its folder does not exist'; // libuv says EACCES for that too
  return 'permission denied - its folder must be writable for the user that starts the broker';
}

function codeOf(error: unknown): string | undefined {
  return error instanceof Error ? (error as NodeJS.ErrnoException).code : undefined; // Node's errors carry the code of errno(3)
}
