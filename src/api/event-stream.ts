// Server-Sent Events (HTML Living Standard 9.2). Who reads too slowly misses some, and is told how many.

/** What waits for one reader. */
const MOST_WAITING_BYTES = 1_048_576;

/** What is written at once: a write for each event would cost more than all else about it. */
const MOST_AT_ONCE_BYTES = 65_536;

/** Often enough for proxies that close what is silent for a minute; and so soon one ends whose right has ended. */
const PULSE_MS = 15_000;

export interface EventSource {
  /** open has events sent from now on; the function that it gives ends that. */
  open(send: (event: string, data: unknown) => void): () => void;
  /** mayGoOn is asked at each pulse. */
  mayGoOn(): boolean;
  /** closed is told when it is over. */
  closed(): void;
}

/** EventStream is one answer without an end. */
export interface EventStream {
  readonly body: ReadableStream<Uint8Array>;
  /** end ends it at once. */
  end(): void;
  /** finish ends it when what waits has been read. */
  finish(): void;
}

/** eventStream begins at once: what comes before it is read waits, up to a limit. */
export function eventStream(source: EventSource): EventStream {
  const encoder = new TextEncoder();
  const waiting: Uint8Array[] = [];
  let bytes = 0;
  let missed = 0;
  let controller: ReadableStreamDefaultController<Uint8Array> | null = null;
  let isOver = false;
  let isLast = false;
  const flush = (): void => {
    while (waiting.length > 0 && controller !== null && (controller.desiredSize ?? 0) > 0) {
      const next = takeFirst(waiting);
      bytes -= next.length;
      controller.enqueue(next);
    }
    if (missed > 0 && waiting.length === 0 && controller !== null && (controller.desiredSize ?? 0) > 0) {
      const count = missed;
      missed = 0;
      controller.enqueue(encoder.encode(`event: missed\ndata: ${JSON.stringify({ count })}\n\n`));
    }
    if (isLast && waiting.length === 0) end();
  };
  const put = (text: string): void => {
    const chunk = encoder.encode(text);
    if (isOver) return;
    if (missed > 0 || bytes + chunk.length > MOST_WAITING_BYTES) missed++;
    else {
      bytes += chunk.length;
      waiting.push(chunk);
    }
    flush();
  };
  const stop = source.open((event, data) => put(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`));
  const pulse = setInterval(() => {
    if (!source.mayGoOn()) end();
    else if (waiting.length === 0 && missed === 0) put(': \n\n');
  }, PULSE_MS).unref();
  const over = (): void => {
    if (isOver) return;
    isOver = true;
    clearInterval(pulse);
    stop();
    source.closed();
  };
  const end = (): void => {
    const wasOver = isOver;
    over();
    if (!wasOver) controller?.close();
  };
  const finish = (): void => {
    isLast = true;
    flush();
  };
  const body = new ReadableStream<Uint8Array>({
    start: (given) => {
      controller = given;
      put(': \n\n'); // so that the head goes out
    },
    pull: flush,
    cancel: over,
  });
  return { body, end, finish };
}

/** takeFirst takes one at least, and those behind it for which there is room. */
function takeFirst(waiting: Uint8Array[]): Uint8Array {
  let [count, bytes] = [0, 0];
  for (const { length } of waiting) {
    if (count > 0 && bytes + length > MOST_AT_ONCE_BYTES) break;
    bytes += length;
    count++;
  }
  return Buffer.concat(waiting.splice(0, count), bytes);
}
