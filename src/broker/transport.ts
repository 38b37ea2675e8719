// What the engine knows of the transport below a stream: how each packet that is written must be wrapped, and a shorter way for its bytes.

/** Framing is what a transport of messages, as WebSocket is, puts before each packet. */
export interface Framing {
  /** Bytes before a packet of so many bytes. */
  headerSize(length: number): number;
  /** writeHeader writes them to `bytes` from `at` on. */
  writeHeader(bytes: Buffer, at: number, length: number): void;
}

/** What became of a direct write: the system has all bytes, and they may change; it has some, and the others must stay; or none was written. */
export const TAKEN = 0;
export const WAITS = 1;
export const NOT_WRITTEN = 2;
export type Written = typeof TAKEN | typeof WAITS | typeof NOT_WRITTEN;

/** Writer hears when bytes that waited are written. */
export interface Writer {
  directlyWritten(): void;
}

/** DirectWriter hands bytes to the system past the stream, which makes objects and ticks of each write. Only for when nothing waits in the stream. */
export interface DirectWriter {
  /** Bytes that the system has not taken yet. */
  readonly waiting: number;
  /** write tells `writer` later if the bytes wait; not when the socket fails meanwhile. */
  write(bytes: Buffer, writer: Writer): Written;
}
