// The one table of commands, where the programs meet: help, completions and "did you mean" are made from it.

import { ACCESS_COMMANDS } from './cli/commands/access.ts';
import { BROKER_COMMANDS } from './cli/commands/broker.ts';
import { HIDDEN_COMMANDS, MACHINE_COMMANDS } from './cli/commands/machine.ts';
import { ownCommands } from './cli/commands/own.ts';
import { RUNNING_COMMANDS } from './cli/commands/running.ts';
import { STATE_COMMANDS } from './cli/commands/state.ts';
import { titleOf } from './cli/stamp.ts';
import { CLIENT_COMMANDS } from './clients/commands.ts';
import type { CommandTable } from './terminal/command.ts';

const COMMANDS = [...BROKER_COMMANDS, ...CLIENT_COMMANDS, ...ACCESS_COMMANDS, ...RUNNING_COMMANDS, ...STATE_COMMANDS, ...MACHINE_COMMANDS];

/** COMMAND_TABLE has the commands in the order that help shows them. */
export const COMMAND_TABLE: CommandTable = {
  commands: [...COMMANDS, ...ownCommands(COMMANDS)],
  hiddenCommands: HIDDEN_COMMANDS,
  titleOf,
};
