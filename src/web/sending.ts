// What forms and buttons have in common that send something: busy until the answer is there, and then why it was refused.

import { useState } from 'preact/hooks';

/** Sending is one of them. */
export interface Sending {
  readonly isBusy: boolean;
  /** Why the latest was refused; it goes with the next one, or when it is cleared. */
  readonly problem: Error | null;
  clear(): void;
  /** send carries out what is asked of the box. */
  send(work: () => Promise<unknown>): Promise<void>;
}

/** useSending belongs to one form or button. */
export function useSending(): Sending {
  const [isBusy, setBusy] = useState(false);
  const [problem, setProblem] = useState<Error | null>(null);
  return {
    isBusy,
    problem,
    clear: () => setProblem(null),
    async send(work) {
      setBusy(true);
      setProblem(null);
      try {
        await work();
      } catch (error) {
        setProblem(error as Error); // ask throws nothing else
      }
      setBusy(false);
    },
  };
}
