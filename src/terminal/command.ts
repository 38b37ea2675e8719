// The shape of a command: what its row of the table says about it, and what it gets when it runs.

import type { Readable, Writable } from 'node:stream';

/** Flag is one option of a command. Help, completions and "did you mean" are made from it. */
export interface Flag {
  /** Name after `--`; absent when there is only the letter. */
  readonly long?: string;
  /** Letter after `-`. */
  readonly short?: string;
  /** Word for the value in help, for example 'FILE'; absent = a switch without value. */
  readonly value?: string;
  /** One line, no full stop. */
  readonly summary: string;
  readonly repeatable?: boolean;
  /** The only values there are, for completions. */
  readonly choices?: readonly string[];
  /** What a shell should complete the value with. */
  readonly complete?: 'file' | 'directory';
}

/** RefusedFlag: `missing` is mosquitto's word for a value that is missing; absent = the flag has none. */
export interface RefusedFlag {
  readonly missing?: string;
  readonly advice: string;
}

/** Command is one row of the table. */
export interface Command {
  readonly name: string;
  /** The program of mosquitto that it stands for: a link of that name to midge runs it. Absent = none. */
  readonly mosquittoName?: string;
  /** One line for the list of commands, no full stop. */
  readonly summary: string;
  /** What stands after `midge NAME`, one string per line of usage. */
  readonly usage: readonly string[];
  readonly flags: readonly Flag[];
  /** mosquitto's flags that cannot be had here, and what to do instead; neither help nor completions speak of them. */
  readonly refusedFlags?: Readonly<Record<string, RefusedFlag>>;
  /** Paragraphs of help below the usage. */
  readonly description?: readonly string[];
  readonly examples: readonly { readonly text: string; readonly command: string }[];
  /** Operands (words that are no flags): how many at most, the words that the first can be, what a shell completes the others with. Absent = none allowed. */
  readonly operands?: { readonly most: number; readonly choices?: readonly string[]; readonly complete?: 'file' };
  /** Exit status for an unknown flag, a missing value or a surplus operand. Absent = 1. */
  readonly usageExitCode?: number;
  /** True when the command reads `argv` by itself (pub and sub, in mosquitto's order of checks). */
  readonly readsArguments?: boolean;
  /** True when the command goes on although nobody reads its output any more. */
  readonly outlivesOutput?: boolean;
  readonly load: () => Promise<CommandModule>;
}

/** CommandTable is all that a program can be told to do. */
export interface CommandTable {
  readonly commands: readonly Command[];
  /** Commands for other programs: neither help nor completions speak of them. */
  readonly hiddenCommands: readonly Command[];
  /** titleOf is the line of `--version`, for the name that the program goes by. */
  readonly titleOf: (program: string) => string;
}

/** findCommand gives the row of a command, also of a hidden one. */
export function findCommand({ commands, hiddenCommands }: CommandTable, name: string): Command | undefined {
  return [...commands, ...hiddenCommands].find((each) => each.name === name);
}

/** CommandModule is what the file of a subcommand exports. `run` gives the exit status; it may throw an OperatorError. */
export interface CommandModule {
  readonly run: (invocation: Invocation) => Promise<number>;
}

/** Invocation is one run of a command. */
export interface Invocation {
  readonly command: Command;
  readonly table: CommandTable;
  /** Words after the name of the command, untouched. */
  readonly argv: readonly string[];
  /**
   * Flags given, by long name (by letter where there is no long one), each with its values in order. A switch has one '' per use.
   * Empty when the command reads `argv` by itself.
   */
  readonly flags: ReadonlyMap<string, readonly string[]>;
  readonly operands: readonly string[];
  /** The words that the command was started by, for messages: 'midge pub', or 'mosquitto_pub' behind a link. */
  readonly program: string;
  readonly terminal: Terminal;
}

/** Terminal is the world of a command: `process` in earnest, buffers in tests. */
export interface Terminal {
  readonly stdin: Readable;
  readonly stdout: Writable & { readonly isTTY?: boolean; readonly columns?: number };
  readonly stderr: Writable & { readonly isTTY?: boolean; readonly columns?: number };
  readonly env: Readonly<Record<string, string | undefined>>;
}
