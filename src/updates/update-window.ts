// When in the window of an update something is done: at a moment of its own, so that not all boxes ask a server at once.

import type { UpdateWindow } from './options.ts';

/** momentInWindow gives a moment in the next window that has not ended at `after`, in milliseconds since 1970. `share` is from 0 to 1: where in the window. */
export function momentInWindow({ from, to }: UpdateWindow, after: number, share: number): number {
  for (let day = -1; ; day += 1) {
    const begin = Math.max(onDay(after, day, from), after);
    const end = onDay(after, to < from ? day + 1 : day, to);
    if (begin < end) return begin + Math.floor((end - begin) * share);
  }
}

/** isInWindow tells whether a moment is in it. */
export function isInWindow(window: UpdateWindow, at: number): boolean {
  return momentInWindow(window, at, 0) === at;
}

/** By the wall clock: a day may have 23 or 25 hours. */
function onDay(at: number, days: number, minutes: number): number {
  const date = new Date(at);
  date.setHours(0, 0, 0, 0);
  date.setDate(date.getDate() + days);
  date.setHours(0, minutes, 0, 0);
  return date.getTime();
}
