// Which command is meant: by the name that the program was started under, or by its first word.
//
// One executable, several names: a link `mosquitto_pub -> midge` acts as `midge pub`. In the packed executable process.argv[1] is the
// executable itself, with links followed; the name that the shell used stands in process.argv0. Run from the sources argv0 is `node`, and
// argv[1] is the script or the link to it, links not followed. So both are looked at.

import { basename } from 'node:path';
import type { CommandTable } from './command.ts';

/** ProcessNames is the part of `process` that tells how it was started. */
export interface ProcessNames {
  readonly argv0: string;
  readonly argv: readonly string[];
}

/** ChosenCommand: `program` is what messages call it, `argv` the words behind it. */
export interface ChosenCommand {
  readonly command: string;
  readonly program: string;
  readonly argv: readonly string[];
}

/** chooseCommand gives the command; its name may be unknown. Without any word it is `help`; with flags only, `serve`. */
export function chooseCommand({ commands }: CommandTable, { argv0, argv }: ProcessNames): ChosenCommand {
  const words = argv.slice(2);
  for (const path of [argv0, argv[1] ?? '']) {
    const program = basename(path);
    const command = commands.find((each) => each.mosquittoName === program);
    if (command !== undefined) return { command: command.name, program, argv: words };
  }
  const [first, ...rest] = words;
  if (first === undefined || first === '--help' || first === '-h') return { command: 'help', program: 'midge help', argv: rest };
  if (first === '--version' || first === '-V') return { command: 'version', program: 'midge version', argv: rest };
  if (first.startsWith('-')) return { command: 'serve', program: 'midge', argv: words };
  return { command: first, program: `midge ${first}`, argv: rest };
}
