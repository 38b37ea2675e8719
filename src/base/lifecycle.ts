// What long-lived parts have in common: they are created (no I/O), then started, then stopped.

/** Part is anything with a life: `start` opens what it needs, `stop` gives it back. `stop` must be safe after a failed `start`. */
export interface Part {
  readonly name: string;
  start(): Promise<void>;
  stop(): Promise<void>;
}
