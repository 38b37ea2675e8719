// Which account has which role: a file in the state folder, one `role:name` per line.
//
// The password file is mosquitto's and has no place for it. The configuration is root's, where the broker runs as a user of its own: a role
// that a person gives on a page, or takes by the set-up code, could not be written there.

import { replaceSecret } from '../base/durable-file.ts';
import { OperatorError, reasonOf } from '../base/errors.ts';
import { readNamedTextIfThere } from '../base/named-file.ts';
import { RIGHTS, type Right } from '../operations/right.ts';

/** Role is what an account may do here. */
export type Role = Right;

/** Roles are read when they are made, and written whole whenever one changes. */
export class Roles {
  readonly #path: string | null;
  #roles: ReadonlyMap<string, Role>;

  /** `path` null = they live as long as the process. Throws OperatorError when the file can't be read or is damaged: with fewer roles than were given anybody could claim the box. */
  constructor(path: string | null) {
    this.#path = path;
    this.#roles = path === null ? new Map() : readRoles(path);
  }

  /** of gives the role of an account; null = it has none, and may not sign in here. */
  of(username: string): Role | null {
    return this.#roles.get(username) ?? null;
  }

  /** hasAdmin is false as long as nobody has claimed the box. */
  get hasAdmin(): boolean {
    return [...this.#roles.values()].includes('admin');
  }

  /** all are the accounts with their roles. */
  get all(): ReadonlyMap<string, Role> {
    return this.#roles;
  }

  /** set gives an account a role, or takes it (null). Throws OperatorError when that can't be written, and then nothing has changed. */
  set(username: string, role: Role | null): void {
    const next = new Map(this.#roles);
    if (role === null) next.delete(username);
    else next.set(username, role);
    if (this.#path !== null) writeRoles(this.#path, next);
    this.#roles = next;
  }
}

function readRoles(path: string): ReadonlyMap<string, Role> {
  let text: string | null;
  try {
    text = readNamedTextIfThere(path);
  } catch (error) {
    throw new OperatorError(`Cannot read roles "${path}": ${reasonOf(error)}`, { cause: error });
  }
  const lines = (text ?? '').split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return new Map(lines.map((line) => entryOf(line, path)));
}

function entryOf(line: string, path: string): [string, Role] {
  const colon = line.indexOf(':');
  const role = RIGHTS.find((each) => each === line.slice(0, colon));
  const username = line.slice(colon + 1);
  if (role === undefined || username === '')
    throw new OperatorError(`Cannot read roles "${path}": a line is not ROLE:NAME with one of ${RIGHTS.join(', ')} - mend or remove it`);
  return [username, role];
}

function writeRoles(path: string, roles: ReadonlyMap<string, Role>): void {
  const lines = Array.from(roles, ([username, role]) => `${role}:${username}\n`).join('');
  try {
    replaceSecret(path, `# Who may sign in to the REST interface, and as what.\n${lines}`);
  } catch (error) {
    throw new OperatorError(`Cannot write roles "${path}": ${reasonOf(error)}`, { cause: error });
  }
}
