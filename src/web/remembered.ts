// What this browser keeps between visits: choices, never secrets.

/** remember keeps a choice where the browser lets us. */
export function remember(name: string, value: string): void {
  try {
    localStorage.setItem(`midge.${name}`, value);
  } catch {
    // A private window may keep nothing: the choice holds until it is closed.
  }
}

/** recall gives what was kept; null = nothing. */
export function recall(name: string): string | null {
  try {
    return localStorage.getItem(`midge.${name}`);
  } catch {
    return null;
  }
}
