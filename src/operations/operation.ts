// The shape of an operation: something that can be asked of the running broker, or changed in it.

import type { z } from 'zod';
import { OperatorError } from '../base/errors.ts';
import type { OperationNeeds } from './needs.ts';
import type { Right } from './right.ts';

/** Asker is who asks, as the door has found out. */
export interface Asker {
  /** For the log, such as `admin from 192.168.1.5 over REST`. */
  readonly name: string;
  readonly right: Right;
  /** Where it has come from over the network; '' = this machine. */
  readonly address?: string;
  /** It has a session of the page. */
  readonly isOfPage?: true;
  /** The account that it has signed in with; absent = none. */
  readonly username?: string;
  /** The account that made the token that it comes with; absent = it comes with none, or with one of the machine. */
  readonly tokenOf?: string;
  /** The listener that it has come by, by its name: whose rules it asks by; absent = the first one. */
  readonly listener?: string;
  /** A program that could as well read the files of the broker. */
  readonly isOfMachine?: true;
}

/** Answer is what fits a schema, and is only read: an operation may hand out what belongs to the broker. */
export type Answer<T> = { readonly [Key in keyof T]: Answer<T[Key]> };

/** Download is what an operation that delivers bytes gives instead of its output. */
export interface Download {
  readonly mediaType: string;
  readonly fileName: string;
  readonly chunks: AsyncIterable<Uint8Array>;
}

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
  /** Of the whole answer. */
  readonly output: Output;
  /** Present where the answer is a Download of these media types, whose `output` is `z.undefined()`. */
  readonly download?: readonly string[];
  /** Present where a body of these media types comes as the field `content` of the input. */
  readonly upload?: readonly string[];
  /** Present where `run` reports how far it is: what it reports. */
  readonly progress?: z.ZodType;
  /** Present where a command may only tell what it would do: whether an answer is of something done, which the log tells. */
  readonly isDone?: (output: z.infer<Output>) => boolean;
  /** Throws OperationFailure, or an OperatorError, which is shown to the asker. */
  readonly run: (
    needs: OperationNeeds,
    input: z.infer<Input>,
    asker: Asker,
    report: Report,
  ) => Answer<z.infer<Output>> | Promise<Answer<z.infer<Output>>>;
}

/** Report tells the asker how far it is, as the row's `progress` says. */
export type Report = (step: unknown) => void;

/** operation is a row whose `run` is checked against its schemas. */
export function operation<Input extends z.ZodType, Output extends z.ZodType>(row: Operation<Input, Output>): Operation {
  return row as unknown as Operation; // the table does not tell them apart; `run` gets what `input` has let through
}

/** DownloadOperation is a row whose answer is bytes. */
export type DownloadOperation<Input extends z.ZodType> = Omit<Operation<Input>, 'output' | 'run' | 'download'> & {
  readonly download: readonly string[];
  readonly run: (needs: OperationNeeds, input: z.infer<Input>, asker: Asker) => Download | Promise<Download>;
};

/** download is a row whose answer is bytes, for doors that can pass them on. */
export function download<Input extends z.ZodType>(row: DownloadOperation<Input>, output: z.ZodType): Operation {
  return { ...row, output } as unknown as Operation; // as in `operation`
}

/**
 * FAILURE_REASONS tell a program why nothing was done. Doors map them to codes of their own; HTTP's would be
 * 404, 422, 404, 409, 412, 403, 409 and 409.
 */
export const FAILURE_REASONS = [
  'unknown operation',
  'bad input',
  'not found',
  'conflict', // something else is in the way: it is there already, or waits
  'stale', // it is not as the asker has seen it: somebody else changed it meanwhile
  'not allowed',
  'not possible', // now, or on this machine
  'rules missing', // all else is well, and whoever may write the configuration can begin rules
] as const;
export type FailureReason = (typeof FAILURE_REASONS)[number];

/** Fault is what is wrong with one field of an input. */
export interface Fault {
  /** Names and indexes from the outside in; empty = the input as a whole. */
  readonly path: readonly (string | number)[];
  readonly message: string;
}

/** OperationFailure is an operation that was not carried out. */
export class OperationFailure extends OperatorError {
  readonly reason: FailureReason;
  /** Only for 'bad input'. */
  readonly faults: readonly Fault[];

  constructor(reason: FailureReason, message: string, options: ErrorOptions & { readonly faults?: readonly Fault[] } = {}) {
    super(message, { cause: options.cause });
    this.reason = reason;
    this.faults = options.faults ?? [];
  }
}

/** orFailure does what other rooms refuse by an OperatorError, and makes a failure of its message. */
export function orFailure<T>(act: () => T, failure: (message: string) => OperationFailure): T {
  try {
    return act();
  } catch (error) {
    if (error instanceof OperatorError) throw failure(error.message);
    throw error;
  }
}

/** badInput is the failure of one field whose value does not fit what is there. */
export function badInput(field: string, message: string): OperationFailure {
  return new OperationFailure('bad input', message, { faults: [{ path: [field], message }] });
}
