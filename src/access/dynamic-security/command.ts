// What the commands of dynamic security are made of: fields that are read with mosquitto's errors, and what a command may do.

import { NO_PRIORITY, type SecurityModel, withinLimits } from './model.ts';

/** MOST_COMMANDS of one message are carried out: more are an answer of megabytes. */
export const MOST_COMMANDS = 1000;

/** CommandError is the text of an answer, by mosquitto's wording. */
export class CommandError extends Error {}

/** Work is what a command gets: it changes the model, which is a copy that is thrown away when the command fails. */
export interface Work {
  readonly model: SecurityModel;
  readonly fields: Fields;
  /** User names of clients that are disconnected afterwards; null = those without one. */
  readonly kicked: Set<string | null>;
  /** Remote addresses of the connections of a user. */
  readonly addressesOf: (username: string) => readonly string[];
}

/** Data is the answer of a command beside its name. */
export type Data = Readonly<Record<string, unknown>>;

/** Command is a row. */
export interface Command {
  /** As mosquitto writes it; asked for without regard to case. */
  readonly name: string;
  /** It changes the model when it does not fail. */
  readonly changes: boolean;
  /** Fields that the log shows. */
  readonly logged: readonly string[];
  /** Gives the data of the answer, or nothing. Throws CommandError. */
  readonly run: (work: Work) => unknown;
}

/** What a name is called in "NAME not valid UTF-8" and "NAME not found". */
const NAMES = {
  username: { text: 'Username', thing: 'Client' },
  rolename: { text: 'Role name', thing: 'Role' },
  groupname: { text: 'Group name', thing: 'Group' },
  topic: { text: 'Topic', thing: 'Topic' },
} as const;
type NameWord = keyof typeof NAMES;

/** Fields reads those of one command. */
export class Fields {
  readonly #values: Data;

  constructor(values: Data) {
    this.#values = values;
  }

  /** name is a text that must be there; '' is refused where the name makes something new. */
  name(word: NameWord, isNew = false): string {
    const value = this.#values[word];
    if (typeof value !== 'string') throw new CommandError(`Invalid/missing ${word}`);
    if (isNew && value === '') throw new CommandError(`Empty ${word}`);
    if (!isText(value)) throw new CommandError(`${NAMES[word].text} not valid UTF-8`);
    return value;
  }

  /** found is what a map has by the name in a field. */
  found<Value>(word: 'username' | 'rolename' | 'groupname', map: ReadonlyMap<string, Value>, otherwise?: string): Value {
    const value = map.get(this.name(word));
    if (value === undefined) throw new CommandError(otherwise ?? `${NAMES[word].thing} not found`);
    return value;
  }

  /** text may be missing: null. `label` is its name in the error. */
  text(word: string, label = word): string | null {
    const value = this.#values[word];
    if (value === undefined) return null;
    if (typeof value !== 'string') throw new CommandError(`Invalid/missing ${label}`);
    return value;
  }

  clientId(): string | null {
    const value = this.text('clientid', 'client ID');
    if (value !== null && !isText(value)) throw new CommandError('Client ID not valid UTF-8');
    return value;
  }

  /** flag gives what is there, or null; another type counts as missing, as in mosquitto. */
  flag(word: string): boolean | null {
    const value = this.#values[word];
    return typeof value === 'boolean' ? value : null;
  }

  number(word: string, otherwise: number): number {
    const value = this.#values[word];
    return typeof value === 'number' ? Math.trunc(value) : otherwise;
  }

  priority(otherwise = NO_PRIORITY): number {
    const value = this.#values['priority'];
    if (value !== undefined && typeof value !== 'number') throw new CommandError('Invalid/missing priority');
    return withinLimits(this.number('priority', otherwise));
  }

  /** list gives what is in an array, or null where there is none. Entries that are no objects have no fields. */
  list(word: string): Fields[] | null {
    const value = this.#values[word];
    return Array.isArray(value) ? value.map((each) => new Fields(recordOf(each) ?? {})) : null;
  }

  has(word: string): boolean {
    return this.#values[word] !== undefined;
  }

  /** shown gives fields for the log. */
  shown(words: readonly string[]): string {
    const parts = words.flatMap((word) => {
      const value = this.#values[word];
      if (value === undefined || typeof value === 'object') return [];
      return [`${word}=${word === 'password' ? '******' : String(value)}`];
    });
    return parts.map((part) => ` | ${part.replaceAll(/[\p{Cc}]/gu, '?')}`).join('');
  }
}

/** Request is one entry of a command list; a Data is the answer to one that is none. */
export interface Request {
  /** As it was sent: answers repeat it. */
  readonly name: string;
  readonly given: Data;
  /** What the answer repeats, too. */
  readonly correlation: Data;
}

/** readRequest takes an entry apart, or gives the answer with its mistake. */
export function readRequest(value: unknown): Request | { readonly mistake: Data } {
  const given = recordOf(value);
  if (given === null) return { mistake: { command: 'Unknown command', error: 'Command not an object' } };
  const { command: name, correlationData } = given;
  if (typeof name !== 'string') return { mistake: { command: 'Unknown command', error: 'Missing command' } };
  if (correlationData === undefined) return { name, given, correlation: {} };
  if (typeof correlationData !== 'string') return { mistake: { command: name, error: 'Invalid correlationData data type.' } };
  return { name, given, correlation: { correlationData } };
}

/** recordOf is a value as an object, or null. */
export function recordOf(value: unknown): Data | null {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Data) : null;
}

/** page is the part of a list that `count` and `offset` ask for. */
export function page<Value>(fields: Fields, list: readonly Value[]): readonly Value[] {
  const [count, offset] = [fields.number('count', -1), Math.max(0, fields.number('offset', 0))];
  return list.slice(offset, count < 0 ? undefined : offset + Math.max(1, count)); // mosquitto gives one for a count of 0
}

function isText(value: string): boolean {
  return value.isWellFormed() && !value.includes('\0');
}
