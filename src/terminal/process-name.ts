// The name of the process, for `ps`, `top`, `pidof` and the journal: Node calls its main thread "MainThread".

import { writeFileSync } from 'node:fs';
import type { CommandTable } from './command.ts';
import { chooseCommand, type ProcessNames } from './program-name.ts';

const NAME = '/proc/self/comm';

/** nameProcess calls this process as it was started: midge, or mosquitto_pub. proc_pid_comm(5); its command line stays. Where there is no such file, Node's name stays too. */
export function nameProcess(table: CommandTable, names: ProcessNames): void {
  const { program } = chooseCommand(table, names);
  try {
    writeFileSync(NAME, program.split(' ')[0] ?? program);
  } catch {
    // a system without /proc has no such names either
  }
}
