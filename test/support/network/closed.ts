// Waits for the end of a stream, however it ends.

import type { Duplex } from 'node:stream';

/** closed resolves when the stream is closed; an error on the way is an end like any other. */
export function closed(stream: Duplex): Promise<void> {
  if (stream.closed) return Promise.resolve();
  stream.on('error', () => {});
  return new Promise((resolve) => stream.once('close', () => resolve()));
}
