// What a view shows and keeps up to date: asked again every few seconds while the page is seen and the box answers.

import { batch, type ReadonlySignal, type Signal, signal } from '@preact/signals';
import { useEffect, useMemo, useRef } from 'preact/hooks';
import { Unreachable } from './api/client.ts';
import { connected, onReconnect } from './connection.ts';

/** Live is the latest answer. */
export interface Live<T> {
  /** Null = none has come yet. */
  readonly data: ReadonlySignal<T | null>;
  /** Why the latest request failed; null = it did not, or the box is away. */
  readonly problem: ReadonlySignal<Error | null>;
  /** What is shown answers what was wanted before. */
  readonly isOld: ReadonlySignal<boolean>;
  /** refresh asks at once. */
  refresh(): Promise<void>;
}

/** useLive asks with `load` when the view appears, when `wanted` changes, and every `everyMs`. What is shown stays until the answer to what is wanted now has come. */
export function useLive<T>(load: () => Promise<T>, everyMs: number, wanted: readonly unknown[] = []): Live<T> {
  const last = useRef<Poll<T> | null>(null);
  const poll = useMemo(() => new Poll(load, everyMs, last.current?.data.peek() ?? null), wanted);
  last.current = poll;
  useEffect(() => poll.run(), [poll]);
  return poll;
}

class Poll<T> implements Live<T> {
  readonly data: Signal<T | null>;
  readonly problem: Signal<Error | null> = signal(null);
  readonly isOld: Signal<boolean>;
  readonly #load: () => Promise<T>;
  readonly #everyMs: number;
  #timer: ReturnType<typeof setTimeout> | null = null;
  #isOver = false;
  /** Answers may overtake each other: the latest request counts. */
  #latest = 0;

  constructor(load: () => Promise<T>, everyMs: number, shown: T | null) {
    this.data = signal(shown);
    this.isOld = signal(shown !== null);
    this.#load = load;
    this.#everyMs = everyMs;
  }

  run(): () => void {
    this.#isOver = false;
    const again = () => void this.refresh();
    const ends = onReconnect(again);
    document.addEventListener('visibilitychange', again);
    again();
    return () => {
      this.#isOver = true;
      ends();
      document.removeEventListener('visibilitychange', again);
      if (this.#timer !== null) clearTimeout(this.#timer);
    };
  }

  async refresh(): Promise<void> {
    if (this.#timer !== null) clearTimeout(this.#timer);
    const turn = ++this.#latest;
    if (document.hidden) return;
    try {
      const data = await this.#load();
      if (this.#isOver || turn !== this.#latest) return;
      batch(() => {
        this.data.value = data;
        this.isOld.value = false;
        this.problem.value = null;
      });
    } catch (error) {
      if (this.#isOver || turn !== this.#latest) return;
      this.#failed(error instanceof Unreachable ? null : (error as Error)); // ask throws nothing else
    }
    if (connected.peek()) this.#timer = setTimeout(() => void this.refresh(), this.#everyMs);
  }

  #failed(problem: Error | null): void {
    batch(() => {
      this.problem.value = problem;
      if (problem === null || !this.isOld.peek()) return;
      this.data.value = null;
      this.isOld.value = false;
    });
  }
}
