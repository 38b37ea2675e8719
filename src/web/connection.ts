// Whether the box answers. When it does not, we knock until it does: a restart takes seconds, and nobody should have to reload the page.

import { effect, signal } from '@preact/signals';

/** connected is false while the box does not answer. */
export const connected = signal(true);

/** isRestarting is true while somebody waits for a restart that was asked for here. */
export const isRestarting = signal(false);

const KNOCK_MS = 1000;
let isKnocking = false;

/** isUp is told with each answer. */
export function isUp(): void {
  if (!connected.peek()) isRestarting.value = false;
  connected.value = true;
}

/** lost is told with each request that got no answer. */
export function lost(): void {
  connected.value = false;
  if (isKnocking) return;
  isKnocking = true;
  setTimeout(() => void knock(), KNOCK_MS);
}

/** onReconnect calls `act` whenever the box is back. */
export function onReconnect(act: () => void): () => void {
  let was = connected.peek();
  return effect(() => {
    const is = connected.value;
    if (is && !was) queueMicrotask(act);
    was = is;
  });
}

async function knock(): Promise<void> {
  const answer = await fetch('/ready', { cache: 'no-store' }).catch(() => null);
  isKnocking = false;
  if (answer?.ok === true) isUp();
  else lost();
}
