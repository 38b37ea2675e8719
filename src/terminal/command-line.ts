// From the words of a process to an exit status: which command, its flags, and what its failures look like.

import { closestWord } from '../base/closest-word.ts';
import { OperatorError } from '../base/errors.ts';
import { asks, readArguments } from './arguments.ts';
import { type Command, type CommandTable, findCommand, type Invocation, type Terminal } from './command.ts';
import { chooseCommand, type ProcessNames } from './program-name.ts';

/** Exit status of a program whose reader went away, as shells report SIGPIPE. */
const BROKEN_PIPE = 141;

/** runCommandLine runs one command of the table to its end and gives the exit status. It never throws. */
export async function runCommandLine(table: CommandTable, process: Terminal & ProcessNames): Promise<number> {
  const terminal: Terminal = process;
  try {
    const { command: name, program, argv } = chooseCommand(table, process);
    const command = findCommand(table, name);
    if (command === undefined) return refuse(name, table, terminal);
    const status = await raceBrokenPipe(runCommand(table, command, { program, argv, terminal }), command, terminal);
    await flush(terminal);
    return status;
  } catch (error) {
    return report(error, terminal);
  }
}

async function runCommand(
  table: CommandTable,
  command: Command,
  start: Pick<Invocation, 'program' | 'argv' | 'terminal'>,
): Promise<number> {
  const { program, argv, terminal } = start;
  if (asks(command, argv, 'help')) {
    const { commandHelp } = await import('./help-text.ts');
    const title = program.startsWith('mosquitto') ? `${table.titleOf(program)}\n\n` : '';
    terminal.stdout.write(title + commandHelp(command, terminal.stdout, program));
    return askedStatus(program, 'help');
  }
  if (asks(command, argv, 'version')) {
    terminal.stdout.write(`${table.titleOf(program)}\n`);
    return askedStatus(program, 'version');
  }
  const { flags, operands } = command.readsArguments ? { flags: new Map(), operands: [] } : readArguments(command, argv, program);
  const { run } = await command.load();
  return run({ ...start, table, command, flags, operands });
}

/** askedStatus: mosquitto's tools end with 1 when they are asked for help or version, and mosquitto after its help with 3; some scripts count on it. */
function askedStatus(program: string, what: 'help' | 'version'): number {
  if (program === 'mosquitto' && what === 'help') return 3;
  return program.startsWith('mosquitto_') ? 1 : 0;
}

function refuse(name: string, { commands }: CommandTable, terminal: Terminal): number {
  const near = closestWord(
    name,
    commands.map((each) => each.name),
  );
  const hint = near === null ? '' : `Did you mean '${near}'?\n`;
  terminal.stderr.write(`Error: Unknown command '${name}'.\n${hint}\nUse 'midge help' to see the commands.\n`);
  return 1;
}

/** raceBrokenPipe ends a command when nobody reads its output any more; the broker goes on without. */
function raceBrokenPipe(running: Promise<number>, command: Command, terminal: Terminal): Promise<number> {
  return new Promise((resolve, reject) => {
    for (const stream of [terminal.stdout, terminal.stderr]) {
      stream.on('error', (error: NodeJS.ErrnoException) => {
        if (command.outlivesOutput) return;
        if (error.code === 'EPIPE') resolve(BROKEN_PIPE);
        else reject(error);
      });
    }
    running.then(resolve, reject);
  });
}

async function flush({ stdout, stderr }: Terminal): Promise<void> {
  for (const stream of [stdout, stderr]) {
    if (stream.destroyed || !stream.writable) continue;
    await new Promise<void>((resolve) => stream.write('', () => resolve()));
  }
}

/** report says what went wrong: an operator's mistake as it is, anything else as ours. */
function report(error: unknown, terminal: Terminal): number {
  if (error instanceof OperatorError) {
    terminal.stderr.write(`${error.message}\n`);
    return error.exitCode;
  }
  const cause = error instanceof Error ? error : new Error(String(error));
  const text = terminal.env['MIDGE_DEBUG'] ? cause.stack : `${cause.message} (set MIDGE_DEBUG=1 to see where)`;
  terminal.stderr.write(`Internal error: ${text}\n`);
  return 1;
}
