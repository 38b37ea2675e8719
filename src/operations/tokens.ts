// Bearer tokens: what a program signs in to the REST interface with.

import { z } from 'zod';
import type { MadeToken, OperationNeeds, TokenKeeper } from './needs.ts';
import { OperationFailure, operation } from './operation.ts';
import { lesserRight, RIGHTS } from './right.ts';
import { iso, TIME } from './time.ts';

const NAME = z
  .string()
  .min(1)
  .max(100)
  .regex(/^[\p{L}\p{N}][\p{L}\p{N} ._-]*$/u, 'must begin with a letter or digit; then blanks and . _ - may follow')
  .describe('what it is for');

const RIGHT = z.enum(RIGHTS).describe('monitoring = counts and metrics only');

const TOKEN = z.object({
  name: NAME,
  right: RIGHT,
  created: TIME,
  ends: TIME.nullable().describe('null = never'),
  account: z.string().nullable().describe('that made it, and with which it ends; null = it was made on the machine itself'),
  holds: z
    .enum(RIGHTS)
    .nullable()
    .describe("what it may do now: no more than its account; null = nothing, because the account has no role or can't sign in"),
});

/** TOKENS lists them. */
export const TOKENS = operation({
  name: 'tokens',
  kind: 'query',
  right: 'admin',
  summary: 'The Bearer tokens of programs, without the secrets, which nobody can read again.',
  input: z.strictObject({}),
  output: z.array(TOKEN),
  run: (needs) =>
    keeperOf(needs)
      .list()
      .map((token) => show(needs, token)),
});

/** ADD_TOKEN makes one. */
export const ADD_TOKEN = operation({
  name: 'add token',
  kind: 'command',
  right: 'admin',
  summary: 'Make a Bearer token of the account that asks; its secret is told only this once.',
  input: z.strictObject({
    name: NAME,
    right: RIGHT.default('monitoring'),
    days: z.number().int().min(1).max(36_500).nullish().describe('until it ends; none = it does not'),
  }),
  output: TOKEN.extend({ token: z.string() }),
  run: (needs, { name, right, days }, { username, tokenOf }) => {
    const { token, ...made } = keeperOf(needs).add({ name, right, days: days ?? null, account: username ?? tokenOf ?? null });
    return { ...show(needs, made), token };
  },
});

/** REMOVE_TOKEN ends one. */
export const REMOVE_TOKEN = operation({
  name: 'remove token',
  kind: 'command',
  right: 'admin',
  summary: 'End a Bearer token at once.',
  input: z.strictObject({ name: z.string() }),
  output: z.object({}),
  run: (needs, { name }) => {
    if (!keeperOf(needs).remove(name)) throw new OperationFailure('not found', `Cannot remove token "${name}": there is none of this name`);
    return {};
  },
});

function show(needs: OperationNeeds, { name, right, created, ends, account }: MadeToken) {
  const role = account === null ? right : needs.access.canSignIn(account) ? (needs.roles?.all.get(account) ?? null) : null;
  const holds = role === null ? null : lesserRight(right, role);
  return { name, right, created: iso(created), ends: ends === null ? null : iso(ends), account, holds };
}

function keeperOf({ tokens }: OperationNeeds): TokenKeeper {
  if (tokens === null)
    throw new OperationFailure('not possible', 'Cannot keep tokens: no listener has "protocol http", or its files cannot be read');
  return tokens;
}
