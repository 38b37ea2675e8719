// A reason taken apart for programs that say it in another language: which one of its cause it is, and the values in its sentence.

import type { RefusalReason } from '../base/refusal-reason.ts';

/** Values stand in a sentence by their names. */
export type Values = Readonly<Record<string, string | number>>;

type WhatOf<Reason> = Reason extends { readonly problem: infer Problem }
  ? Problem extends { readonly what: infer What }
    ? What
    : Problem
  : Reason extends { readonly what: infer What }
    ? What
    : Reason extends { readonly spoken: infer Spoken }
      ? Spoken
      : Reason extends { readonly limit: infer Limit }
        ? Limit
        : '';
type CodeOf<Reason> = Reason extends { readonly cause: infer Cause extends string } ? `${Cause}: ${WhatOf<Reason> & string}` : never;

/** ReasonCode is `cause: what` of a reason, which programs have words for. */
export type ReasonCode = CodeOf<RefusalReason> | 'duel: one place' | 'duel: two places' | 'flapping: ';

/** Fields of a reason that sort it, or hold what does. */
const SORTING: readonly string[] = ['cause', 'what', 'problem', 'spoken', 'limit'];

/** whatOf tells reasons of one cause apart, such as 'server name' of a TLS handshake; '' = there is only one. */
export function whatOf(reason: RefusalReason): string {
  if ('problem' in reason) return typeof reason.problem === 'string' ? reason.problem : reason.problem.what;
  if ('what' in reason) return reason.what;
  if ('spoken' in reason) return reason.spoken;
  return 'limit' in reason ? reason.limit : '';
}

/** valuesOf gives what stands in the sentence; dates as YYYY-MM-DD. What is not known is not there. */
export function valuesOf(reason: RefusalReason): Values {
  const problem = 'problem' in reason && typeof reason.problem === 'object' ? reason.problem : {};
  const found = Object.entries({ ...reason, ...problem }).flatMap(([name, value]: [string, unknown]) => {
    if (SORTING.includes(name)) return [];
    if (value instanceof Date) return [[name, value.toISOString().slice(0, 10)]];
    return typeof value === 'string' || typeof value === 'number' ? [[name, value]] : [];
  });
  return Object.fromEntries(found);
}
