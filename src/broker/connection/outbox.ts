// What one connection has to say, gathered during a turn of the event loop and written at once at its end.
//
//   pieces   | own bytes 0..120 | payload, shared with others | own bytes 120..130 |
//   block    | 0 ............. 120 ............. 130 | room |
//
// Mostly there is no piece, only own bytes, and one write. An idle connection holds no block.

import type { Duplex } from 'node:stream';
import { type Block, type Piece, takeBlock } from '../../mqtt/block.ts';
import type { Counters } from '../counters.ts';
import { type DirectWriter, type Framing, NOT_WRITTEN, TAKEN, type Writer } from '../transport.ts';
import { type BlocksOwner, WaitingBlocks } from './waiting-blocks.ts';

/** Bytes that are gathered within a turn before they are handed to the socket. */
const GATHERED_MAX = 262_144;
/** Room that is taken at once for what a turn may say. */
const USUAL_MAX = 16_384;
/** Shared bytes from which on they are a piece of their own; below, a copy is cheaper than a piece more for the system. */
const PIECE_MIN = 4096;
/** A write up to this size has no callback while the socket takes all at once: that costs more than it saves. The first that it does not take costs the pool a block. */
const UNTOLD_MAX = 65_536;
/** A copy up to this size is cheaper byte by byte than by a call into the runtime. */
const SHORT_COPY = 24;

/** OutboxOwner hears of what its transport does not say. */
export interface OutboxOwner extends BlocksOwner {
  /** So much was gathered in one turn that some was written before its end. */
  overflowed(): void;
  /** The system has taken what waited for it beside the stream. */
  drained(): void;
}

/** OutboxTransport is what lies below the stream. */
export interface OutboxTransport {
  readonly framing: Framing | null;
  readonly direct: DirectWriter | null;
}

const STREAM_ALONE: OutboxTransport = { framing: null, direct: null };

/** Outbox belongs to one connection. */
export class Outbox implements Writer {
  readonly #owner: OutboxOwner;
  readonly #stream: Duplex;
  readonly #counters: Pick<Counters, 'bytesSent'>;
  readonly #framing: Framing | null;
  readonly #direct: DirectWriter | null;
  /** The last write was not finished at once: a slow client, or a transport that always takes its time. */
  #waits = false;
  #block: Block | null = null;
  /** Own bytes before this belong to pieces. */
  #start = 0;
  #end = 0;
  /** Own bytes of the turn before: what the next one is likely to need at once. */
  #usual = 0;
  #pieces: Piece[] = [];
  #piecesLength = 0;
  /** Blocks that the stream, or the short way past it, will tell of when they are written; null = there was none so far. */
  #waiting: WaitingBlocks | null = null;

  constructor(owner: OutboxOwner, stream: Duplex, counters: Pick<Counters, 'bytesSent'>, transport = STREAM_ALONE) {
    this.#owner = owner;
    this.#stream = stream;
    this.#counters = counters;
    this.#framing = transport.framing;
    this.#direct = transport.direct;
  }

  /** Bytes that are gathered. */
  get length(): number {
    return this.#piecesLength + this.#end - this.#start;
  }

  /** Bytes that wait: here, in the stream and beside it. */
  get pending(): number {
    return this.#waits ? this.length + this.#written : this.length;
  }

  /** Those of them that `blocksHeld` was told of. */
  get held(): number {
    return this.#waiting?.length ?? 0;
  }

  /** Bytes that were written and the system has not taken. */
  get #written(): number {
    return this.#stream.writableLength + (this.#direct === null ? 0 : this.#direct.waiting);
  }

  /** append copies one whole packet, bytes[start, end); several where the transport does not wrap them. */
  append(bytes: Buffer, start: number, end: number): void {
    const at = this.#roomForPacket(end - start, 0);
    copy(bytes, start, end, this.#block!.bytes, at); // there is room
    this.#end = at + end - start;
  }

  /** appendRun takes whole packets, framed already: by reference where they are many bytes that lie in a block, else by copying. */
  appendRun(bytes: Buffer, start: number, end: number, block: Block | null): void {
    if (block !== null && end - start >= PIECE_MIN) {
      block.retain();
      this.#appendPiece({ bytes, start, end, block });
      return;
    }
    const at = this.#room(end - start);
    copy(bytes, start, end, this.#block!.bytes, at); // there is room
    this.#end = at + end - start;
  }

  /** appendPublish copies a PUBLISH frame and patches its first byte and packet identifier (packetIdAt < 0 = none); `rest` bytes follow as a payload. */
  appendPublish(bytes: Buffer, start: number, end: number, first: number, packetIdAt: number, packetId: number, rest = 0): void {
    const at = this.#roomForPacket(end - start, rest);
    const to = this.#block!.bytes; // there is room
    copy(bytes, start, end, to, at);
    to[at] = first;
    if (packetIdAt >= 0) {
      const patchAt = at + packetIdAt - start;
      to[patchAt] = packetId >> 8;
      to[patchAt + 1] = packetId & 0xff;
    }
    this.#end = at + end - start;
  }

  /** appendPayload takes the payload of the PUBLISH before it by reference. */
  appendPayload(payload: Piece): void {
    payload.block?.retain();
    this.#appendPiece(payload);
  }

  /** appendAck writes the four bytes of PUBACK, PUBREC, PUBREL or PUBCOMP with success. */
  appendAck(first: number, packetId: number): void {
    const at = this.#roomForPacket(4, 0);
    const bytes = this.#block!.bytes; // there is room
    bytes[at] = first;
    bytes[at + 1] = 2;
    bytes[at + 2] = packetId >> 8;
    bytes[at + 3] = packetId & 0xff;
    this.#end = at + 4;
  }

  /** flush writes what is gathered. */
  flush(): void {
    const block = this.#block;
    if (this.#piecesLength > 0) return this.#flushPieces();
    if (block === null) return;
    const length = this.#end;
    this.#block = null;
    this.#end = 0;
    this.#usual = Math.min(length, USUAL_MAX);
    this.#counters.bytesSent += length;
    this.#write(block, 0, length);
  }

  /** drop forgets what is gathered. */
  drop(): void {
    this.#block?.release();
    this.#block = null;
    for (const { block } of this.#pieces) block?.release();
    this.#pieces = [];
    this.#piecesLength = 0;
    this.#start = 0;
    this.#end = 0;
    this.#waiting ??= new WaitingBlocks(this.#owner); // what is still written is not counted either
    this.#waiting.drop();
  }

  #write(block: Block, start: number, end: number): void {
    const length = end - start;
    if (this.#waits) {
      if (2 * length >= block.bytes.length) return this.#writeTold(block, start, end);
      this.#stream.write(Buffer.from(block.bytes.subarray(start, end))); // it may wait for long: not in so much memory
      block.release();
      this.#waits = this.#written > 0;
      return;
    }
    if (length > UNTOLD_MAX) return this.#writeTold(block, start, end);
    if (this.#direct !== null && this.#writeDirectly(block, start, end, this.#direct)) return;
    this.#stream.write(block.bytes.subarray(start, end));
    // A plain socket mostly takes all at once; only then may the block be used again.
    this.#waits = this.#stream.writableLength > 0;
    if (!this.#waits) block.release();
  }

  /** Past the stream, in which nothing waits. */
  #writeDirectly(block: Block, start: number, end: number, direct: DirectWriter): boolean {
    const outcome = direct.write(block.bytes.subarray(start, end), this);
    if (outcome === NOT_WRITTEN) return false;
    if (outcome === TAKEN) {
      block.release();
    } else {
      this.#waits = true;
      this.#wait(block, end - start);
    }
    return true;
  }

  /** directlyWritten is told by the short way. */
  directlyWritten(): void {
    this.#waiting?.take()?.release();
    this.#owner.drained();
  }

  #writeTold(block: Block, start: number, end: number): void {
    this.#wait(block, end - start);
    this.#stream.write(block.bytes.subarray(start, end), this.#streamDone);
    this.#waits = this.#written > 0;
  }

  readonly #streamDone = (error?: Error | null): void => {
    const block = this.#waiting?.take();
    if (!error) block?.release(); // after an error nobody says who reads it still
  };

  #wait(block: Block, length: number): void {
    this.#waiting ??= new WaitingBlocks(this.#owner);
    this.#waiting.add(block, length);
  }

  #flushPieces(): void {
    this.#endOwnPiece();
    this.#block?.release(); // its pieces have it
    this.#block = null;
    this.#start = 0;
    this.#end = 0;
    const pieces = this.#pieces;
    this.#pieces = [];
    this.#counters.bytesSent += this.#piecesLength;
    this.#piecesLength = 0;
    const first = pieces[0]!; // there is one
    if (pieces.length === 1 && first.block !== null) return this.#write(first.block, first.start, first.end);
    const stream = this.#stream;
    stream.cork();
    for (let index = 0; index < pieces.length; index++) {
      const { bytes, start, end, block } = pieces[index]!; // index < length
      if (block === null) stream.write(bytes.subarray(start, end));
      else this.#writeTold(block, start, end);
    }
    stream.uncork();
    this.#waits = this.#written > 0;
  }

  #appendPiece(piece: Piece): void {
    this.#endOwnPiece();
    this.#pieces.push(piece);
    this.#piecesLength += piece.end - piece.start;
    if (this.#piecesLength > GATHERED_MAX) this.#overflow();
  }

  #endOwnPiece(): void {
    if (this.#start === this.#end) return;
    const block = this.#block!; // it has bytes
    block.retain();
    this.#pieces.push({ bytes: block.bytes, start: this.#start, end: this.#end, block });
    this.#piecesLength += this.#end - this.#start;
    this.#start = this.#end;
  }

  #overflow(): void {
    this.flush();
    this.#owner.overflowed();
  }

  /** Room for `length` bytes of a packet, behind what its transport puts before one that goes on for `rest` bytes. */
  #roomForPacket(length: number, rest: number): number {
    const framing = this.#framing;
    if (framing === null) return this.#room(length);
    const size = framing.headerSize(length + rest);
    const at = this.#room(size + length);
    framing.writeHeader(this.#block!.bytes, at, length + rest); // there is room
    return at + size;
  }

  /** Makes room and gives the offset in #block to write at. */
  #room(length: number): number {
    const block = this.#block;
    if (block !== null && this.#end + length <= block.bytes.length) return this.#end;
    return this.#grow(length);
  }

  #grow(length: number): number {
    if (this.length > 0 && this.length + length > GATHERED_MAX) this.#overflow();
    const old = this.#block;
    const own = this.#end - this.#start;
    const block = takeBlock(old === null ? Math.max(length, this.#usual) : Math.max(own + length, 2 * own));
    if (old !== null) {
      old.bytes.copy(block.bytes, 0, this.#start, this.#end);
      old.release();
    }
    this.#block = block;
    this.#start = 0;
    this.#end = own;
    return own;
  }
}

function copy(source: Buffer, start: number, end: number, target: Buffer, at: number): void {
  if (end - start > SHORT_COPY) {
    source.copy(target, at, start, end);
    return;
  }
  let to = at;
  for (let from = start; from < end; from++) target[to++] = source[from]!;
}
