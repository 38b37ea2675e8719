// The Bearer tokens: their names, rights and ends, who made each, and its SHA-256, in a file of the state folder. A token has 256 random
// bits, so that its hash needs no salt and no slowness; whoever reads the file can sign in with none of them.
//
//   {"name": "prometheus", "right": "monitoring", "hash": "...", "created": 1700000000000, "ends": null, "account": "jane"}    one line each
//
// A line without an account is a token that was made on the machine itself. A token of an account ends with it for good: it does not come
// back when another account gets the name.

import { createHash, randomBytes } from 'node:crypto';
import { z } from 'zod';
import { replaceSecret } from '../base/durable-file.ts';
import { OperatorError, reasonOf } from '../base/errors.ts';
import { readNamedTextIfThere } from '../base/named-file.ts';
import type { MadeToken, NewToken, TokenKeeper } from '../operations/needs.ts';
import { OperationFailure } from '../operations/operation.ts';
import { RIGHTS } from '../operations/right.ts';
import type { TokenGrant, Tokens } from './ports.ts';

/** So that people and scanners of secrets know one when they see it. */
const PREFIX = 'midge_';

/** Tokens at once. */
const MOST = 1000;

const LINE = z.strictObject({
  name: z.string().min(1),
  right: z.enum(RIGHTS),
  hash: z.string().length(43),
  created: z.number(),
  ends: z.number().nullable(),
  account: z.string().min(1).optional(),
});

type Line = z.infer<typeof LINE>;

/** TokenFile reads the file when it is made, and writes it whole whenever a token comes or goes. */
export class TokenFile implements Tokens, TokenKeeper {
  readonly #path: string;
  readonly #now: () => number;
  /** By hash. */
  #lines: ReadonlyMap<string, Line>;

  /** `now` is in milliseconds since 1970. Throws OperatorError when the file can't be read or is damaged. */
  constructor(path: string, now: () => number) {
    this.#path = path;
    this.#now = now;
    this.#lines = byHash(readLines(path));
  }

  find(token: string): TokenGrant | null {
    const line = this.#lines.get(hashOf(token));
    if (line === undefined || (line.ends !== null && line.ends <= this.#now())) return null;
    return { name: line.name, right: line.right, account: line.account ?? null };
  }

  list(): readonly MadeToken[] {
    return Array.from(this.#lines.values(), ({ hash: _, account = null, ...line }) => ({ ...line, account }));
  }

  add({ name, right, days, account }: NewToken): MadeToken & { readonly token: string } {
    const lines = [...this.#lines.values()];
    if (lines.some((line) => line.name === name))
      throw new OperationFailure('conflict', `Cannot add token "${name}": there is one of this name`);
    if (lines.length >= MOST) throw new OperationFailure('not possible', `Cannot add token "${name}": there are ${MOST} - remove some`);
    const token = PREFIX + randomBytes(32).toString('base64url');
    const created = this.#now();
    const ends = days === null ? null : created + days * 86_400_000;
    const line = { name, right, hash: hashOf(token), created, ends };
    this.#write([...lines, account === null ? line : { ...line, account }]);
    return { token, name, right, created, ends, account };
  }

  remove(name: string): boolean {
    const lines = [...this.#lines.values()];
    const left = lines.filter((line) => line.name !== name);
    if (left.length < lines.length) this.#write(left);
    return left.length < lines.length;
  }

  /** keepAccounts ends the tokens of accounts that are not there any more, and gives their names. Throws OperatorError when that can't be written: then they have ended until the next start, which ends them again. */
  keepAccounts(isThere: (account: string) => boolean): readonly string[] {
    const lines = [...this.#lines.values()];
    const left = lines.filter(({ account }) => account === undefined || isThere(account));
    if (left.length === lines.length) return [];
    this.#lines = byHash(left);
    this.#write(left);
    return lines.filter((line) => !left.includes(line)).map(({ name }) => name);
  }

  #write(lines: readonly Line[]): void {
    try {
      replaceSecret(this.#path, lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
    } catch (error) {
      throw new OperatorError(`Cannot write tokens "${this.#path}": ${reasonOf(error)}`, { cause: error });
    }
    this.#lines = byHash(lines);
  }
}

function byHash(lines: readonly Line[]): ReadonlyMap<string, Line> {
  return new Map(lines.map((line) => [line.hash, line]));
}

function readLines(path: string): readonly Line[] {
  try {
    const lines = (readNamedTextIfThere(path) ?? '').split('\n');
    return lines.filter((line) => line !== '').map((line) => LINE.parse(JSON.parse(line)));
  } catch (error) {
    const reason =
      error instanceof SyntaxError || error instanceof z.ZodError ? 'a line of it is damaged - mend or remove it' : reasonOf(error);
    throw new OperatorError(`Cannot read tokens "${path}": ${reason}`, { cause: error });
  }
}

function hashOf(token: string): string {
  return createHash('sha256').update(token).digest('base64url');
}
