// `midge signal`: mosquitto_signal(1), signals to running brokers by the names of what they do.

import { readdirSync, readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { OperatorError } from '../base/errors.ts';
import type { CommandTable, Invocation, Terminal } from '../terminal/command.ts';
import { chooseCommand } from '../terminal/program-name.ts';

/** SIGHUP opens the log files again too, and ends no version of either broker, as mosquitto's SIGRTMIN would. */
const SIGNALS: Readonly<Record<string, NodeJS.Signals>> = {
  'config-reload': 'SIGHUP',
  'log-rotate': 'SIGHUP',
  shutdown: 'SIGINT',
  'tree-print': 'SIGUSR2',
};

/** run sends one signal. The exit status is 1 for wrong words, and as `midge signal` also when no broker got it. */
export async function run({ flags, operands: [name], table, terminal, program }: Invocation): Promise<number> {
  const given = flags.get('p')?.at(-1);
  if (given === undefined && !flags.has('a')) throw new OperatorError('Error: One of -a or -p must be used.');
  const pid = given === undefined ? null : Number.parseInt(given, 10) || 0;
  if (pid !== null && pid < 1) throw new OperatorError('Error: Process ID must be >0.');
  if (name === undefined) throw new OperatorError('Error: No signal given.');
  const signal = SIGNALS[name];
  if (name === 'xtreport') throw new OperatorError("Error: xtreport is not supported: it is for mosquitto's developers.");
  if (signal === undefined) throw new OperatorError(`Error: Unknown signal '${name}'.`);
  const brokers = pid === null ? runningBrokers(table) : [pid];
  const sent = brokers.filter((broker) => send(broker, signal, pid !== null, terminal));
  if (program.startsWith('mosquitto')) return 0;
  if (brokers.length === 0) throw new OperatorError('Error: No broker runs.');
  return sent.length === brokers.length ? 0 : 1;
}

function send(pid: number, signal: NodeJS.Signals, isNamed: boolean, { stderr }: Terminal): boolean {
  try {
    process.kill(pid, signal);
    return true;
  } catch (error) {
    const reason = (error as NodeJS.ErrnoException).code === 'ESRCH' ? 'No such process' : 'Operation not permitted'; // kill(2) has no other
    stderr.write(isNamed ? `Error sending signal to process ${pid}: ${reason}\n` : `Unable to signal process ${pid}: ${reason}\n`);
    return false;
  }
}

/** Processes of mosquitto and of midge, but for midge's other commands: a signal would end them. */
function runningBrokers(table: CommandTable): number[] {
  const pids = readdirSync('/proc').map(Number).filter(Number.isInteger);
  return pids.filter((pid) => pid !== process.pid && isBroker(wordsOf(pid), table));
}

/** isBroker tells by the words of a process whether it is one. */
export function isBroker(words: readonly string[], table: CommandTable): boolean {
  const [program = '', ...rest] = words;
  const name = basename(program);
  if (name === 'mosquitto') return true;
  return name === 'midge' && chooseCommand(table, { argv0: program, argv: [program, program, ...rest] }).command === 'serve';
}

/** The command line of a process; none for one that has gone. */
function wordsOf(pid: number): string[] {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replace(/\0$/, '').split('\0');
  } catch {
    return [];
  }
}
