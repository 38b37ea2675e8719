// Reading without garbage: the bytes of every socket land in one buffer that all share, and are lent to who listens.
//
// Node gives each read 64 KiB of its own. At full speed that is gigabytes per second, and the collector stops everybody several times
// a second to free them. `net.connect` has an option against it (`onread`), for the sockets of a server there is none: what the option
// sets is set here by hand. Where a future Node has it no more, a socket simply reads as usual.

import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';

/** Bytes of a read: four times Node's own, for large packets come in fewer parts then. */
const READ_SIZE = 262_144;

/** What `onread` leaves at a socket: the buffer, who is called with it, and who gives the next buffer (nobody). */
interface Slots {
  readonly buffer: symbol;
  readonly callback: symbol;
  readonly next: symbol;
}

interface ReadableHandle {
  useUserBuffer?(buffer: Buffer): void;
}

type Insides = Socket & { _handle?: ReadableHandle | null } & Record<symbol, unknown>;

let shared: { readonly slots: Slots; readonly buffer: Buffer } | null | undefined;

/**
 * shareReads makes a socket (TLS or not, or one that has become a WebSocket) read into the buffer that all share. A chunk of its 'data'
 * events is then only valid until the listener returns. False when this socket has to read as usual.
 */
export function shareReads(socket: Duplex): boolean {
  shared ??= prepare();
  const insides = socket as Insides; // what it has inside is checked before it is used
  const handle = insides._handle;
  if (shared === null || socket.readableLength > 0 || typeof handle?.useUserBuffer !== 'function') return false;
  const { slots, buffer } = shared;
  insides[slots.buffer] = buffer;
  insides[slots.callback] = (length: number) => socket.emit('data', buffer.subarray(0, length));
  insides[slots.next] = null;
  handle.useUserBuffer(buffer);
  return true;
}

/** Finds the slots at a socket that was made with the option. */
function prepare(): { slots: Slots; buffer: Buffer } | null {
  const buffer = Buffer.allocUnsafeSlow(READ_SIZE);
  const sample = new Socket({ onread: { buffer, callback: () => true } });
  const symbols = Object.getOwnPropertySymbols(sample);
  const named = (name: string) => symbols.find(({ description }) => description === name);
  const slots = { buffer: named('kBuffer'), callback: named('kBufferCb'), next: named('kBufferGen') };
  if (slots.buffer === undefined || slots.callback === undefined || slots.next === undefined) return null;
  return { slots: { buffer: slots.buffer, callback: slots.callback, next: slots.next }, buffer };
}
