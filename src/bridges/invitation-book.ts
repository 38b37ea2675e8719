// The invitations to bridges that this box has given, and when each was accepted: a file of the state folder.
//
//   {"name": "eva", "invited": 1700000000000, "accepted": null, "topics": [{"filter": "family/#", "direction": "both"}]}     one line each

import { replaceSecret } from '../base/durable-file.ts';
import { reasonOf } from '../base/errors.ts';
import type { Logger } from '../base/logger.ts';
import { readNamedTextIfThere } from '../base/named-file.ts';
import type { BridgeTopic } from './options.ts';

/** Invitations at once; the oldest makes room. */
const MOST = 1000;

/** GivenInvitation is one of them; times are in milliseconds since 1970. */
export interface GivenInvitation {
  /** Of the account that it made, too. */
  readonly name: string;
  readonly invited: number;
  /** When the account signed in for the first time; null = not yet. */
  readonly accepted: number | null;
  /** Seen from here. */
  readonly topics: readonly { readonly filter: string; readonly direction: BridgeTopic['direction'] }[];
}

/** InvitationBook writes the file whole whenever something changes; without one it lives as long as the process. */
export class InvitationBook {
  readonly #path: string | null;
  readonly #log: Logger;
  readonly #now: () => number;
  /** By name, the oldest first. */
  #invitations: ReadonlyMap<string, GivenInvitation> = new Map();

  /** `now` is in milliseconds since 1970. */
  constructor(path: string | null, log: Logger, now: () => number) {
    this.#path = path;
    this.#log = log;
    this.#now = now;
  }

  /** read takes up what the file holds: no bridge depends on it, and a damaged line is left out. */
  read(): void {
    try {
      const text = this.#path === null ? null : readNamedTextIfThere(this.#path);
      const found = (text ?? '').split('\n').flatMap((line) => readLine(line) ?? []);
      this.#invitations = new Map(found.map((each) => [each.name, each]));
    } catch (error) {
      this.#log.log('warning', `Warning: Cannot read the invitations to bridges "${this.#path}": ${reasonOf(error)}.`);
    }
  }

  list(): readonly GivenInvitation[] {
    return [...this.#invitations.values()];
  }

  add(name: string, topics: GivenInvitation['topics']): void {
    const others = this.list().filter((each) => each.name !== name);
    this.#write([...others, { name, invited: this.#now(), accepted: null, topics }].slice(-MOST));
  }

  /** noteSignIn is told of each client that comes in with a user name. */
  noteSignIn(username: string): void {
    const invitation = this.#invitations.get(username);
    if (invitation === undefined || invitation.accepted !== null) return;
    const accepted = this.#now();
    this.#write(this.list().map((each) => (each === invitation ? { ...each, accepted } : each)));
  }

  /** remove forgets one whose account has gone. */
  remove(name: string): void {
    if (this.#invitations.has(name)) this.#write(this.list().filter((each) => each.name !== name));
  }

  #write(invitations: readonly GivenInvitation[]): void {
    this.#invitations = new Map(invitations.map((each) => [each.name, each]));
    try {
      if (this.#path !== null) replaceSecret(this.#path, invitations.map((each) => `${JSON.stringify(each)}\n`).join(''));
    } catch (error) {
      const until = 'they are known until the broker stops';
      this.#log.log('warning', `Warning: Cannot write the invitations to bridges "${this.#path}": ${reasonOf(error)} - ${until}.`);
    }
  }
}

function readLine(line: string): GivenInvitation | null {
  try {
    const { name, invited, accepted, topics } = JSON.parse(line);
    const isTime = (value: unknown) => Number.isSafeInteger(value);
    const isSound = typeof name === 'string' && isTime(invited) && (accepted === null || isTime(accepted)) && Array.isArray(topics);
    return isSound && topics.every(isTopic) ? { name, invited, accepted, topics } : null;
  } catch {
    return null;
  }
}

function isTopic(topic: unknown): boolean {
  const { filter, direction } = (topic ?? {}) as Record<string, unknown>; // looked at in the next line
  return typeof filter === 'string' && ['in', 'out', 'both'].includes(direction as string);
}
