// Writing without a stream's bookkeeping: bytes go to the system through the handle of their socket, in one call.
//
// A stream makes an object, a closure and a tick for each write, to tell when it is done. Nearly always the system takes all bytes
// during the call, and there is nothing to tell. `net` has no way to write like this, so what it does inside is done here by hand.
// Where a future Node has it no more, a socket simply writes as usual.

import { Socket } from 'node:net';
import { getSystemErrorName } from 'node:util';
import { type DirectWriter, NOT_WRITTEN, TAKEN, WAITS, type Writer, type Written } from '../broker/transport.ts';

/** What Node's handles want to know a write by. One that was done during the call may be used again. */
interface WriteRequest {
  /** Called when a write is done that was not during the call. */
  oncomplete?: (status: number) => void;
  /** Keeps the bytes from the collector meanwhile. */
  buffer?: Buffer;
}

interface WritableHandle {
  writeBuffer?(request: WriteRequest, bytes: Buffer): number;
  /** Bytes that it has to write still. */
  readonly writeQueueSize?: number;
}

type Insides = Socket & { readonly _handle?: WritableHandle | null };

let Request: (new () => WriteRequest) | null | undefined;
let spare: WriteRequest | null = null;

/** directWriter gives the short way of a plain socket; null when it has to write as usual. */
export function directWriter(socket: Socket): DirectWriter | null {
  Request ??= findRequest();
  const handle = (socket as Insides)._handle; // what it has inside is checked before it is used
  if (Request === null || typeof handle?.writeBuffer !== 'function' || typeof handle.writeQueueSize !== 'number') return null;
  return new HandleWriter(socket, Request);
}

class HandleWriter implements DirectWriter {
  readonly #socket: Insides;
  readonly #Request: new () => WriteRequest;
  waiting = 0;

  constructor(socket: Insides, request: new () => WriteRequest) {
    this.#socket = socket;
    this.#Request = request;
  }

  write(bytes: Buffer, writer: Writer): Written {
    const handle = this.#socket._handle;
    if (handle == null) return NOT_WRITTEN; // it is closed
    const request = spare ?? new this.#Request();
    spare = null;
    if (handle.writeBuffer!(request, bytes) !== 0) return NOT_WRITTEN; // seen by `directWriter`. Written as usual, it fails as usual.
    this.waiting = handle.writeQueueSize!;
    if (this.waiting === 0) {
      spare = request;
      return TAKEN;
    }
    request.buffer = bytes;
    request.oncomplete = (status) => this.#complete(status, writer);
    return WAITS;
  }

  #complete(status: number, writer: Writer): void {
    this.waiting = 0;
    if (status === 0) return writer.directlyWritten();
    const code = getSystemErrorName(status);
    this.#socket.destroy(Object.assign(new Error(`write ${code}`), { code }));
  }
}

/** Finds the class of a request: a socket on a handle of our own shows it. */
function findRequest(): (new () => WriteRequest) | null {
  let seen: WriteRequest | null = null;
  const handle = {
    writeBuffer(request: WriteRequest) {
      seen = request;
      return 0;
    },
    readStart: () => 0,
    close: (done: () => void) => done(),
  };
  try {
    const options: { handle: unknown } = { handle }; // not in Node's types
    const sample = new Socket(options as object);
    sample.on('error', () => {});
    sample.write(Buffer.from([0]));
    sample.destroy();
  } catch {
    return null; // a Node with other insides
  }
  return seen === null ? null : ((seen as WriteRequest).constructor as new () => WriteRequest);
}
