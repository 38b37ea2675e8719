// The control socket: the programs of this machine ask the running broker, root and its own user only.
//
//   midge status --connect--> control.sock --one line of JSON: {"request": "status", ...}-->  operations/
//                                          <--one line: {"ok": true, "result": ...} or {"ok": false, "error": "...", "reason": "not found"}--

import { chmodSync, rmSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { OperatorError, reasonOf } from '../base/errors.ts';
import type { Part } from '../base/lifecycle.ts';
import type { Logger } from '../base/logger.ts';
import { type Asker, OperationFailure } from '../operations/operation.ts';
import type { Operations } from '../operations/operations.ts';

/** A request is a few words, or a picture or a file in JSON. As REST takes a body; whoever can ask could as well fill the disk. */
const MAX_REQUEST_CHARACTERS = 1_048_576;

/** Whoever can open the socket could as well change every file of the broker. */
const ASKER: Asker = { name: 'a program of this machine', right: 'admin', isOfMachine: true };

/** A caller that does not finish its request is dropped. */
const PATIENCE_MS = 10_000;

export interface ControlSetup {
  /** Of the socket. */
  readonly path: string;
  readonly operations: Pick<Operations, 'run'>;
  readonly log: Logger;
}

/** createControl makes the part. `start` throws OperatorError when another program listens there or the socket can't be made. */
export function createControl(setup: ControlSetup): Part {
  return new ControlSocket(setup);
}

class ControlSocket implements Part {
  readonly name = 'control socket';
  readonly #setup: ControlSetup;
  readonly #sockets = new Set<Socket>();
  #server: Server | null = null;

  constructor(setup: ControlSetup) {
    this.#setup = setup;
  }

  async start(): Promise<void> {
    const { path } = this.#setup;
    if (await isAnswered(path)) throw new OperatorError(`Cannot open control socket "${path}": another broker listens there`);
    const server = createServer({ allowHalfOpen: true }, (socket) => this.#serve(socket));
    try {
      rmSync(path, { force: true }); // nobody listens: it was left by a broker that was cut short
      await listen(server, path);
    } catch (error) {
      throw new OperatorError(`Cannot open control socket "${path}": ${reasonOf(error)}`, { cause: error });
    }
    this.#server = server;
  }

  async stop(): Promise<void> {
    if (this.#server === null) return;
    const closed = new Promise((resolve) => this.#server?.close(resolve)); // removes the file
    this.#server = null;
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  #serve(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on('error', () => {});
    socket.once('close', () => this.#sockets.delete(socket));
    socket.setTimeout(PATIENCE_MS, () => socket.destroy());
    socket.setEncoding('utf8');
    let text = '';
    const leave = () => socket.end(); // without having asked
    const read = (chunk: string) => {
      text += chunk;
      const end = text.indexOf('\n');
      if (end === -1 && text.length <= MAX_REQUEST_CHARACTERS) return;
      socket.off('data', read);
      socket.off('end', leave);
      socket.resume();
      socket.setTimeout(0);
      void this.#answer(end === -1 ? '' : text.slice(0, end)).then((answer) => socket.end(`${JSON.stringify(answer)}\n`));
    };
    socket.on('data', read);
    socket.once('end', leave);
  }

  async #answer(line: string): Promise<object> {
    const words = parseRequest(line);
    if (typeof words?.['request'] !== 'string') return { ok: false, error: 'Cannot read the request: it must be one line of JSON' };
    const { request: name, ...input } = words;
    const { operations, log } = this.#setup;
    try {
      return { ok: true, result: (await operations.run(String(name), input, ASKER)) ?? null };
    } catch (error) {
      if (!(error instanceof OperatorError)) log.log('error', `Error: Cannot answer request "${name}": ${reasonOf(error)}`);
      return { ok: false, error: reasonOf(error), ...(error instanceof OperationFailure ? { reason: error.reason } : {}) };
    }
  }
}

/** From its first moment nobody else may open it: the folder is its owner's only, and so is the socket. */
function listen(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const umask = process.umask(0o177);
    server.once('error', reject);
    server.listen(path, () => {
      chmodSync(path, 0o600);
      resolve();
    });
    process.umask(umask);
  });
}

/** isAnswered tells whether a broker listens on a control socket. */
export function isAnswered(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}

function parseRequest(line: string): Readonly<Record<string, unknown>> | null {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : null; // just seen
  } catch {
    return null;
  }
}
