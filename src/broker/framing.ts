// What the engine knows of the transport below a stream: how each packet that is written must be wrapped.

/** Framing is what a transport of messages, as WebSocket is, puts before each packet. */
export interface Framing {
  /** Bytes before a packet of so many bytes. */
  headerSize(length: number): number;
  /** writeHeader writes them to `bytes` from `at` on. */
  writeHeader(bytes: Buffer, at: number, length: number): void;
}
