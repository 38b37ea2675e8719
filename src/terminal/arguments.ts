// Flags and operands out of the words behind a command, by its row of the table.

import { closestWord } from '../base/closest-word.ts';
import { OperatorError } from '../base/errors.ts';
import type { Command, Flag, Invocation } from './command.ts';

/** flagKey is the name by which a flag is looked up: the long one, or the letter. */
export function flagKey(flag: Flag): string {
  return flag.long ?? flag.short ?? '';
}

/** flagWords are the spellings of a flag: '-p', '--port'. */
export function flagWords(flag: Flag): string[] {
  return [...(flag.short ? [`-${flag.short}`] : []), ...(flag.long ? [`--${flag.long}`] : [])];
}

/** findFlag gives the flag that a word spells, or undefined. */
export function findFlag(flags: readonly Flag[], word: string): Flag | undefined {
  return flags.find((flag) => (flag.short && word === `-${flag.short}`) || (flag.long && word === `--${flag.long}`));
}

/** asks tells whether `--help` (`-h` where the command has no such flag) or `--version` stands where a flag may stand. */
export function asks(command: Command, argv: readonly string[], what: 'help' | 'version'): boolean {
  for (let at = 0; at < argv.length; at++) {
    const word = argv[at]!;
    if (word === '--') return false;
    const flag = findFlag(command.flags, word);
    if (flag === undefined && (word === `--${what}` || (what === 'help' && word === '-h'))) return true;
    if (flag?.value) at++;
  }
  return false;
}

/**
 * readArguments sorts words into flags and operands. `--` ends the flags; `--flag=value` is `--flag value`.
 * Throws OperatorError with the command's usage status for an unknown flag, a missing or unwanted value, and a surplus operand.
 */
export function readArguments(command: Command, argv: readonly string[], program: string): Pick<Invocation, 'flags' | 'operands'> {
  const flags = new Map<string, string[]>();
  const operands: string[] = [];
  const words = [...argv];
  for (let word = words.shift(); word !== undefined; word = words.shift()) {
    if (word === '--') {
      operands.push(...words.splice(0));
    } else if (word === '-' || !word.startsWith('-')) {
      operands.push(word);
    } else {
      const [, name = word, inline] = /^(--[^=]+)=(.*)$/s.exec(word) ?? [];
      const flag = findFlag(command.flags, name);
      if (flag === undefined) throw refusedFlag(command, name, inline ?? words[0], program) ?? unknownOption(command, word, program);
      const value = flag.value ? (inline ?? words.shift()) : '';
      if (value === undefined) throw missingValue(command, flag, name, program);
      if (!flag.value && inline !== undefined) throw usageError(command, `Error: ${name} takes no value.`, program);
      const key = flagKey(flag);
      flags.set(key, [...(flags.get(key) ?? []), value]);
    }
  }
  const surplus = operands[command.operands?.most ?? 0];
  if (surplus !== undefined) throw unknownOption(command, surplus, program);
  return { flags, operands };
}

function refusedFlag(command: Command, name: string, value: string | undefined, program: string): OperatorError | null {
  const refused = command.refusedFlags?.[name];
  if (refused === undefined) return null;
  const isMissing = refused.missing !== undefined && value === undefined;
  const reason = isMissing ? `${name} argument given, but ${refused.missing}.` : `${name} is not supported: ${refused.advice}.`;
  return usageError(command, `Error: ${reason}`, program);
}

/** unknownOption is the failure for a word that no flag spells, in mosquitto's sentence, with the flag that was most likely meant. */
export function unknownOption(command: Command, word: string, program: string): OperatorError {
  const near = word.length < 3 ? null : closestWord(word, command.flags.flatMap(flagWords));
  const hint = near === null ? '' : `\nDid you mean '${near}'?`;
  return usageError(command, `Error: Unknown option '${word}'.${hint}`, program);
}

/** usageError ends a command with a message and the way to its help. */
export function usageError(command: Pick<Command, 'usageExitCode'>, message: string, program: string): OperatorError {
  return new OperatorError(`${message}\n\nUse '${program} --help' to see usage.`, { exitCode: command.usageExitCode ?? 1 });
}

function missingValue(command: Command, flag: Flag, name: string, program: string): OperatorError {
  return usageError(command, `Error: ${name} argument given, but no ${flag.value?.toLowerCase()} specified.`, program);
}
