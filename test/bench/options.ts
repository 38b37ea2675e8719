// The bench's command line.

import { parseArgs } from 'node:util';
import { OperatorError } from '../../src/base/errors.ts';
import { PORT } from './brokers/other.ts';

export interface BenchOptions {
  /** Names of rows to run; null = all of the mode. */
  readonly only: readonly string[] | null;
  /** Names of brokers to run; null = all. */
  readonly brokers: readonly string[] | null;
  /** Brokers that commands start, beside those that the bench knows. */
  readonly others: readonly { readonly name: string; readonly command: string }[];
  readonly quick: boolean;
  readonly rounds: number;
  /** Seconds measured per run, and before it to warm up. */
  readonly seconds: number;
  readonly warmup: number;
  /** Path of a packed executable to measure instead of the sources, or null. */
  readonly binary: string | null;
  /** Write bench.json too. */
  readonly json: boolean;
  /** Write the tables and pictures of docs/speed.md. */
  readonly docs: boolean;
  /** Folder that the results are written to; null = dist/. */
  readonly output: string | null;
  /** Do not give broker and generator a processor core each. */
  readonly unpinned: boolean;
  /** Use the JavaScript generator even where a C compiler is. */
  readonly javascript: boolean;
  readonly help: boolean;
}

export const USAGE = `Usage: node test/bench/bench.ts [--quick] [--only ROW[,ROW...]] [--brokers NAME[,NAME...]]
         [--broker NAME='COMMAND with {port}']... [--rounds N] [--seconds S] [--binary] [--json] [--docs] [--output FOLDER] [--unpinned] [--javascript]

Measures this broker, mosquitto and stock Aedes in turn under the same loads; prints the table and writes dist/bench.md.

  --quick       six loads, two short rounds: about a minute and a half
  --only        rows to run, by name
  --brokers     brokers to run: midge, mosquitto, aedes
  --broker      one more broker: a name, and a shell command that has it listen on {port} of 127.0.0.1 and let everybody in
  --rounds N    rounds per row (7; quick: 2); the table shows the median and the range
  --seconds S   seconds measured per run (1)
  --binary      measure dist/midge-linux-<arch> instead of the sources
  --json        write dist/bench.json with every single run
  --docs        write the tables into docs/speed.md and draw its pictures
  --output      folder for bench.md and bench.json instead of dist/
  --unpinned    let the kernel place broker and generator on the cores
  --javascript  use the slower JavaScript generator, as where there is no C compiler
`;

/** parseOptions reads the arguments after the script's name. Throws OperatorError (exit status 2) for a mistake. */
export function parseOptions(args: readonly string[], rows: readonly string[], brokers: readonly string[]): BenchOptions {
  const given = readArguments(args);
  const quick = given.quick ?? false;
  const others = (given.broker ?? []).map(otherOf);
  return {
    only: names(given.only, rows, 'row'),
    brokers: names(given.brokers, [...brokers, ...others.map((other) => other.name)], 'broker'),
    others,
    quick,
    rounds: positive(given.rounds, quick ? 2 : 7, '--rounds'),
    seconds: positive(given.seconds, 1, '--seconds'),
    warmup: 0.5,
    binary: given.binary ? `dist/midge-linux-${process.arch}` : null,
    json: given.json ?? false,
    docs: given.docs ?? false,
    output: given.output ?? null,
    unpinned: given.unpinned ?? false,
    javascript: given.javascript ?? false,
    help: given.help ?? false,
  };
}

function readArguments(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        only: { type: 'string' },
        brokers: { type: 'string' },
        broker: { type: 'string', multiple: true },
        quick: { type: 'boolean' },
        rounds: { type: 'string' },
        seconds: { type: 'string' },
        binary: { type: 'boolean' },
        json: { type: 'boolean' },
        docs: { type: 'boolean' },
        output: { type: 'string' },
        unpinned: { type: 'boolean' },
        javascript: { type: 'boolean' },
        help: { type: 'boolean', short: 'h' },
      },
    }).values;
  } catch (error) {
    throw new OperatorError(`Cannot read the arguments: ${(error as Error).message} - see --help`, { exitCode: 2 }); // parseArgs throws TypeErrors
  }
}

function otherOf(text: string): { name: string; command: string } {
  const [, name, command] = /^([\w.-]+)=(.+)$/.exec(text) ?? [];
  if (name === undefined || !command?.includes(PORT))
    throw new OperatorError(`Cannot use --broker "${text}": not of the form NAME='COMMAND with ${PORT}'`, { exitCode: 2 });
  return { name, command };
}

function names(text: string | undefined, known: readonly string[], what: string): string[] | null {
  if (text === undefined) return null;
  const wanted = text.split(',').filter((name) => name !== '');
  for (const name of wanted) {
    if (!known.includes(name)) {
      throw new OperatorError(`Cannot run ${what} "${name}": not known - there are ${known.join(', ')}`, { exitCode: 2 });
    }
  }
  return wanted;
}

function positive(text: string | undefined, standard: number, name: string): number {
  if (text === undefined) return standard;
  const value = Number(text);
  if (!(value > 0 && value <= 3600))
    throw new OperatorError(`Cannot use ${name} "${text}": not a number between 0 and 3600`, { exitCode: 2 });
  return value;
}
