// `midge help`: the list of commands, or the help of one.

import { closestWord } from '../base/closest-word.ts';
import { OperatorError } from '../base/errors.ts';
import { type CommandTable, findCommand, type Invocation } from '../terminal/command.ts';
import { commandHelp, overview } from '../terminal/help-text.ts';

/** run prints the list of commands, or the help of one: `midge help pub`. */
export async function run({ operands: [name], table, terminal }: Invocation): Promise<number> {
  if (name === undefined) {
    terminal.stdout.write(overview(table.commands, terminal.stdout));
    return 0;
  }
  const command = findCommand(table, name);
  if (command === undefined) throw unknownTopic(name, table);
  terminal.stdout.write(commandHelp(command, terminal.stdout));
  return 0;
}

function unknownTopic(name: string, { commands }: CommandTable): OperatorError {
  const near = closestWord(
    name,
    commands.map((each) => each.name),
  );
  return new OperatorError(`Cannot show help for "${name}": there is no such command${near ? ` - did you mean "${near}"` : ''}`);
}
