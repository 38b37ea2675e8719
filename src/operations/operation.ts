// The shape of an operation: something that can be asked of the running broker, or changed in it.

import type { z } from 'zod';
import { OperatorError } from '../base/errors.ts';
import type { OperationNeeds } from './needs.ts';

/** Right is what the asker must be allowed: to look at the broker, or to change it and read what it keeps secret. */
export type Right = 'look' | 'manage';

/** Answer is what fits a schema, and is only read: an operation may hand out what belongs to the broker. */
export type Answer<T> = { readonly [Key in keyof T]: Answer<T[Key]> };

/** Operation is one row of the table. Every door offers it by its name, and none adds to it. */
export interface Operation<Input extends z.ZodType = z.ZodType, Output extends z.ZodType = z.ZodType> {
  /** In lower case, as it is asked for. */
  readonly name: string;
  /** A query changes nothing. */
  readonly kind: 'query' | 'command';
  readonly right: Right;
  /** One sentence. */
  readonly summary: string;
  readonly input: Input;
  readonly output: Output;
  /** Throws OperationFailure, or an OperatorError, which is shown to the asker. */
  readonly run: (needs: OperationNeeds, input: z.infer<Input>) => Answer<z.infer<Output>> | Promise<Answer<z.infer<Output>>>;
}

/** operation is a row whose `run` is checked against its schemas. */
export function operation<Input extends z.ZodType, Output extends z.ZodType>(row: Operation<Input, Output>): Operation {
  return row as unknown as Operation; // the table does not tell them apart; `run` gets what `input` has let through
}

/** FailureReason tells a program why nothing was done. */
export type FailureReason = 'unknown operation' | 'bad input' | 'not possible';

/** OperationFailure is an operation that was not carried out. */
export class OperationFailure extends OperatorError {
  readonly reason: FailureReason;

  constructor(reason: FailureReason, message: string, options: ErrorOptions = {}) {
    super(message, options);
    this.reason = reason;
  }
}
