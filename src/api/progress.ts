// Long work over Server-Sent Events, for who asks with `Accept: text/event-stream`: one way for every operation that tells how far it is.
//
//   event: progress   what its row says, as often as it is told
//   event: done       the answer that a plain request would get
//   event: problem    or why nothing was done (RFC 9457)

import { type EventStream, eventStream } from './event-stream.ts';
import { type Problem, problemOf } from './problems.ts';

export interface LongWork {
  /** work is begun when somebody reads, and goes on to its end also when nobody does any more. */
  work(report: (step: unknown) => void): Promise<unknown>;
  /** mistake is told about something thrown that is a mistake of ours, and gives what the asker is told. */
  mistake(error: unknown): Problem;
  closed(): void;
}

/** progressStream begins the work. */
export function progressStream({ work, mistake, closed }: LongWork): EventStream {
  const stream = eventStream({
    open: (send) => {
      work((step) => send('progress', step))
        .then(
          (output) => send('done', output ?? null),
          (error: unknown) => send('problem', (problemOf(error) ?? mistake(error)).toJSON()),
        )
        .finally(() => stream.finish());
      return () => {};
    },
    mayGoOn: () => true,
    closed,
  });
  return stream;
}

/** wantsEvents tells whether a header Accept prefers events to a plain answer. */
export function wantsEvents(accept: string | undefined): boolean {
  return accept !== undefined && /^\s*text\/event-stream\b/i.test(accept);
}
