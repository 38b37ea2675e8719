// Waiting for what a broker does of itself, in turns of the event loop instead of in time.

/** Turns without a change after which nothing more is expected. Streams need a handful to hand a chunk on. */
const QUIET_TURNS = 50;
/** Turns after which a change that must come is given up. */
const MOST_TURNS = 50_000;

/** nextTurn resolves in the next turn of the event loop. */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** until waits, turn by turn, until the condition holds; throws when it never does. */
export async function until(condition: () => boolean): Promise<void> {
  for (let turn = 0; turn < MOST_TURNS; turn++) {
    if (condition()) return;
    await nextTurn();
  }
  throw new Error(`it never came true: ${condition}`);
}

/** quiet waits until a number has stopped to change. */
export async function quiet(read: () => number): Promise<number> {
  let last = read();
  for (let turns = 0; turns < QUIET_TURNS; turns++) {
    await nextTurn();
    if (read() !== last) turns = 0;
    last = read();
  }
  return last;
}
