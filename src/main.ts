#!/usr/bin/env node
// The front door: hands the process's words to the command line and leaves with its exit status.

import { COMMAND_TABLE } from './commands.ts';
import { runCommandLine } from './terminal/command-line.ts';
import { nameProcess } from './terminal/process-name.ts';

nameProcess(COMMAND_TABLE, process);
void runCommandLine(COMMAND_TABLE, process).then((status) => process.exit(status));
