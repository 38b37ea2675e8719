// The REST interface of this box, typed by its OpenAPI document. The page asks nobody else.

import createClient from 'openapi-fetch';
import { isUp, lost } from '../connection.ts';
import type { components, paths } from './schema.ts';

type Problem = components['schemas']['Problem'];

/** FieldProblem says what is wrong with a field of the input. */
export interface FieldProblem {
  readonly field: string;
  readonly detail: string;
}

/** Refusal is an answer that is no success. RFC 9457 */
export class Refusal extends Error {
  readonly status: number;
  readonly fields: readonly FieldProblem[];

  constructor(status: number, detail: string, fields: readonly FieldProblem[] = []) {
    super(detail);
    this.name = 'Refusal';
    this.status = status;
    this.fields = fields;
  }
}

/** Questions that are asked by POST. */
const ASKING = /\/(?:check|edits|test|restores)(?:\?|$)/;

/** Unreachable says that no answer came: the box is away, or starts again. */
export class Unreachable extends Error {
  /** False = it was a question only: whether it was done does not matter. */
  readonly mayBeDone: boolean;

  constructor(method: string, url: string) {
    super('The box does not answer');
    this.name = 'Unreachable';
    this.mayBeDone = method !== 'GET' && !ASKING.test(url);
  }
}

/** Whoever signs in or out sets these. */
const signedIn = { csrfToken: '', ended: () => {} };

/** useSession gives requests the token of a session, and says what to do when the box knows the session no more. */
export function useSession(csrfToken: string, ended: () => void): void {
  Object.assign(signedIn, { csrfToken, ended });
}

/** api sends requests: `await ask(api.GET('/api/v1/status'))`. */
export const api = createClient<paths>({ baseUrl: location.origin, fetch: send });

async function send(request: Request): Promise<Response> {
  if (request.method !== 'GET') request.headers.set('x-csrf-token', signedIn.csrfToken);
  const response = await fetch(request).catch(() => null);
  if (response === null) {
    lost();
    throw new Unreachable(request.method, request.url);
  }
  isUp();
  return response;
}

/** ask gives what a request is answered with. Throws Refusal or Unreachable. */
export async function ask<T>(asked: Promise<{ data?: T; error?: unknown; response: Response }>): Promise<T> {
  const { data, error, response } = await asked;
  if (response.ok) return data as T; // of its route, by the document
  const { detail, errors } = (typeof error === 'object' && error !== null ? error : {}) as Partial<Problem>; // RFC 9457, or of a proxy
  if (response.status === 401) signedIn.ended();
  throw new Refusal(response.status, detail ?? response.statusText, errors ?? []);
}
