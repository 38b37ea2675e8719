// Remembers which users have signed in from which addresses: they are not held for the wrong logins of others, and are checked first.
//
// In a file of the state folder, so that a restart in the middle of an attack locks nobody out. It holds keyed digests, no names and no
// addresses; without it, or when it is damaged, the memory begins anew. A home whose devices keep their addresses never writes it again.
//
//   midge known logins 1 <key>
//   <digest>                                          the latest last

import { createHmac, randomBytes } from 'node:crypto';
import { closeSync, constants, fstatSync, openSync, readFileSync } from 'node:fs';
import { replaceSecret } from '../base/durable-file.ts';
import { reasonOf } from '../base/errors.ts';
import type { Logger } from '../base/logger.ts';

/** Some 100 bytes each; what signed in longest ago makes room. */
const MAX_LOGINS = 10_000;

/** A change is written this much later, with all that come meanwhile: 240 KB at most. */
const WRITE_AFTER_MS = 600_000;

const KEY_BYTES = 32;
const DIGEST_BYTES = 16;
const HEADER = /^midge known logins 1 ([\w-]{43})$/;
const DIGEST = /^[\w-]{22}$/;
const MAX_FILE_BYTES = 1_048_576;

/** KnownLogins outlives reloads. */
export class KnownLogins {
  readonly #path: string | null;
  readonly #log: Logger;
  #key = randomBytes(KEY_BYTES);
  /** Digests, the latest last. */
  readonly #logins = new Set<string>();
  #timer: NodeJS.Timeout | null = null;

  /** Reads the file at once; `path` null = nothing outlives the process. */
  constructor(path: string | null, log: Logger) {
    this.#path = path;
    this.#log = log;
    if (path !== null) this.#load(path);
  }

  has(address: string, username: string): boolean {
    return this.#logins.size > 0 && this.#logins.has(this.#digest(address, username));
  }

  add(address: string, username: string): void {
    const digest = this.#digest(address, username);
    const isNew = !this.#logins.delete(digest);
    this.#logins.add(digest);
    const [oldest] = this.#logins;
    if (this.#logins.size > MAX_LOGINS && oldest !== undefined) this.#logins.delete(oldest);
    if (isNew && this.#path !== null) this.#timer ??= setTimeout(() => this.save(), WRITE_AFTER_MS).unref();
  }

  /** save writes what has changed: before the end too. */
  save(): void {
    if (this.#timer === null || this.#path === null) return;
    clearTimeout(this.#timer);
    this.#timer = null;
    const lines = [`midge known logins 1 ${this.#key.toString('base64url')}`, ...this.#logins];
    try {
      replaceSecret(this.#path, `${lines.join('\n')}\n`);
    } catch (error) {
      this.#log.log(
        'warning',
        `Warning: cannot write "${this.#path}": ${reasonOf(error)}. The next start will not know who has signed in.`,
      );
    }
  }

  #load(path: string): void {
    try {
      const [first = '', ...lines] = readOwnFile(path).split('\n');
      const key = HEADER.exec(first)?.[1];
      if (key === undefined) throw new Error('it does not begin as such a file does');
      this.#key = Buffer.from(key, 'base64url');
      for (const line of lines.slice(0, MAX_LOGINS)) if (DIGEST.test(line)) this.#logins.add(line);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return; // errors of node:fs have a code
      this.#log.log(
        'warning',
        `Warning: cannot read "${path}": ${reasonOf(error)}. midge does not know which users have signed in before.`,
      );
    }
  }

  #digest(address: string, username: string): string {
    return createHmac('sha256', this.#key).update(`${address}\0${username}`).digest().toString('base64url', 0, DIGEST_BYTES);
  }
}

/** A link, a pipe or a huge file in its place is not read. */
function readOwnFile(path: string): string {
  const file = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    const facts = fstatSync(file);
    if (!facts.isFile() || facts.size > MAX_FILE_BYTES) throw new Error('it is no file of ours');
    return readFileSync(file, 'utf8');
  } finally {
    closeSync(file);
  }
}
