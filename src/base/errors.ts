// Errors an operator reads. One grammar: Cannot VERB OBJECT "value": reason - what to do.

/** OperatorError is a failure that a person can mend: its message is shown as it is, without a stack. */
export class OperatorError extends Error {
  override readonly name = 'OperatorError';
  /** Exit status of the program when nothing catches it. */
  readonly exitCode: number;

  constructor(message: string, options: { exitCode?: number; cause?: unknown } = {}) {
    super(message, { cause: options.cause });
    this.exitCode = options.exitCode ?? 1;
  }
}

/** reasonOf gives the text of an unknown thrown value, without a stack. */
export function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
