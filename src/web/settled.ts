// What somebody types, once they pause: each letter would be a search of its own.

import { useEffect, useState } from 'preact/hooks';

const PAUSE_MS = 150;

/** useSettled gives a value when it has not changed for a moment; the first one at once. */
export function useSettled<T>(value: T): T {
  const [settled, settle] = useState(value);
  useEffect(() => {
    const timer = setTimeout(() => settle(() => value), PAUSE_MS);
    return () => clearTimeout(timer);
  }, [value]);
  return settled;
}
