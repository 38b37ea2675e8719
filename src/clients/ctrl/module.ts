// What a module of `midge ctrl` is: a table of commands, each from words to a question for the broker, and from its answer to lines.

import type { Terminal } from '../../terminal/command.ts';

/** Json is an object of an answer. */
export type Json = Readonly<Record<string, unknown>>;

/** Question is what is published to `topic`; its answer comes to `topic/response`. */
export interface Question {
  readonly topic: string;
  readonly command: Json;
  /** Gives what to print of the data of an answer, or null where they are not as they should be. */
  readonly linesOf: (data: Json) => readonly string[] | null;
}

/** Surroundings of a command: `dataFile` is that of -f, to be changed in the place of a broker. */
export interface Surroundings {
  readonly terminal: Terminal;
  readonly program: string;
  readonly dataFile: string | null;
}

/** ControlCommand is a row. */
export interface ControlCommand {
  /** As mosquitto writes it; asked for without regard to case. */
  readonly name: string;
  /** Words behind the name, for help. */
  readonly words: string;
  /** One line, no full stop. */
  readonly summary: string;
  /** Heading of help below which it stands. */
  readonly section: string;
}

/** ControlModule is what mosquitto_ctrl calls so. */
export interface ControlModule {
  readonly name: string;
  readonly title: string;
  readonly commands: readonly ControlCommand[];
  /** Lines of help below the commands. */
  readonly notes: readonly string[];
  readonly usageOf: (name: string) => string;
  /** Tells whether the words hold a password that others must not see in `ps`. */
  readonly holdsSecret: (name: string, words: readonly string[]) => boolean;
  /** Gives the question, 'done' when no broker is needed, or null for a command that there is not. Throws InvalidWords and OperatorError. */
  readonly prepare: (name: string, words: readonly string[], surroundings: Surroundings) => Promise<Question | 'done' | null>;
}

/** InvalidWords: a command has too few words, too many, or one that it does not take. `reasons` are sentences that stand before that of libmosquitto. */
export class InvalidWords extends Error {
  readonly reasons: readonly string[];

  constructor(...reasons: readonly string[]) {
    super(reasons.join(' '));
    this.reasons = reasons;
  }
}

/** findCommand looks a row up as mosquitto does. */
export function findCommand<Row extends ControlCommand>(commands: readonly Row[], name: string): Row | undefined {
  return commands.find((each) => each.name.toLowerCase() === name.toLowerCase());
}

/** usageOf is a command with its words. */
export function usageOf(commands: readonly ControlCommand[], name: string): string {
  const found = findCommand(commands, name);
  return found === undefined ? name : `${found.name} ${found.words}`.trimEnd();
}

/** moduleHelp lists the commands of a module by their headings. */
export function moduleHelp({ name, title, commands, notes }: ControlModule, program: string): string {
  const widest = Math.max(...commands.map((each) => `${each.name} ${each.words}`.length));
  const sections = [...Map.groupBy(commands, ({ section }) => section)].map(([section, rows]) =>
    [`${section}:`, ...rows.map((row) => `  ${`${row.name} ${row.words}`.padEnd(widest)}  ${row.summary}`.trimEnd())].join('\n'),
  );
  return `${[title, `Usage: ${program} [OPTIONS] ${name} COMMAND ...`, ...sections, ...notes].join('\n\n')}\n`;
}

/** recordOf is a value as an object, or null. */
export function recordOf(value: unknown): Json | null {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Json) : null;
}

/** recordsOf gives the objects of a list, or null where there is no list. */
export function recordsOf(value: unknown): Json[] | null {
  return Array.isArray(value) ? value.map((each) => recordOf(each) ?? {}) : null;
}

/** textOf is a text to be shown: what a broker answers must not steer the terminal. Null where it is no text. */
export function textOf(value: unknown): string | null {
  return typeof value === 'string' ? value.replace(/[\p{Cc}\p{Cf}\u2028\u2029]/gu, '\uFFFD') : null;
}
