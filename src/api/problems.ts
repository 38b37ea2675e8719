// What a request gets that was not carried out: a problem by RFC 9457, with the field that is wrong.

import { STATUS_CODES } from 'node:http';
import { OperatorError } from '../base/errors.ts';
import { type FailureReason, OperationFailure } from '../operations/operation.ts';

/** FieldProblem names a field, for example `about` or `settings.0.name`; '' = the whole input. */
export interface FieldProblem {
  readonly field: string;
  readonly detail: string;
}

/** Problem ends a request with a status. Its message is for the asker. */
export class Problem extends Error {
  override readonly name = 'Problem';
  readonly status: number;
  readonly fields: readonly FieldProblem[];
  readonly headers: Readonly<Record<string, string>>;

  constructor(status: number, detail: string, more: { fields?: readonly FieldProblem[]; headers?: Record<string, string> } = {}) {
    super(detail);
    this.status = status;
    this.fields = more.fields ?? [];
    this.headers = more.headers ?? {};
  }

  /** toJSON is its form on the wire. */
  toJSON(): object {
    const { status, message: detail, fields } = this;
    return { type: 'about:blank', title: STATUS_CODES[status], status, detail, ...(fields.length > 0 ? { errors: fields } : {}) };
  }

  toResponse(): Response {
    const headers = { 'content-type': 'application/problem+json', ...this.headers };
    return new Response(`${JSON.stringify(this)}\n`, { status: this.status, headers });
  }
}

const STATUS_OF: Readonly<Record<FailureReason, number>> = {
  'unknown operation': 404,
  'bad input': 422,
  'not found': 404,
  conflict: 409,
  stale: 409,
  'not allowed': 403,
  'not possible': 409,
  'rules missing': 409,
};

/** problemOf gives what the asker is told of something thrown; null = it is a mistake of ours, and nothing of it is told. */
export function problemOf(error: unknown): Problem | null {
  if (error instanceof Problem) return error;
  if (error instanceof OperationFailure) {
    const fields = error.faults.map(({ path, message }) => ({ field: path.join('.'), detail: message }));
    return new Problem(STATUS_OF[error.reason], error.message, { fields });
  }
  if (error instanceof OperatorError) return new Problem(409, error.message);
  return null;
}
