// Long-lived parts are created (no I/O), started in order and stopped in reverse.

/** Part is anything with a life: `start` opens what it needs, `stop` gives it back. `stop` must be safe after a failed `start`. */
export interface Part {
  readonly name: string;
  start(): Promise<void>;
  stop(): Promise<void>;
}

/** startAll starts parts in list order; when one fails, those already started are stopped in reverse and the failure is thrown. */
export async function startAll(parts: readonly Part[]): Promise<void> {
  const started: Part[] = [];
  try {
    for (const part of parts) {
      started.push(part);
      await part.start();
    }
  } catch (error) {
    await stopAll(started).catch(() => {}); // the first failure is the one to report
    throw error;
  }
}

/** stopAll stops parts in reverse order; all are stopped even when one fails, then the first failure is thrown. */
export async function stopAll(parts: readonly Part[]): Promise<void> {
  const failures: unknown[] = [];
  for (const part of [...parts].reverse()) {
    try {
      await part.stop();
    } catch (error) {
      failures.push(error);
    }
  }
  if (failures.length > 0) throw failures[0];
}
