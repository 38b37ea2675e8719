// The time of day for what shows an age: nothing else has it rendered again.

import { useEffect, useState } from 'preact/hooks';

const EVERY_MS = 5000;

/** useTick has a component rendered again every few seconds. */
export function useTick(): void {
  const [, turn] = useState(0);
  useEffect(() => {
    const timer = setInterval(() => turn((count) => count + 1), EVERY_MS);
    return () => clearInterval(timer);
  }, []);
}
