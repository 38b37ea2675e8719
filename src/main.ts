#!/usr/bin/env node
// The front door: hands the process's words to the command line and leaves with its exit status.

import { runCommandLine } from './cli/command-line.ts';

void runCommandLine(process).then((status) => process.exit(status));
