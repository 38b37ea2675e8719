// `midge token`: the Bearer tokens of programs for the REST interface of the running broker.

import { OperatorError } from '../base/errors.ts';
import { visibleJson, visibleText } from '../logging/line.ts';
import type { Invocation } from '../terminal/command.ts';
import { writeTable } from '../terminal/table.ts';
import { askBroker, tell } from './control-client.ts';

interface Token {
  readonly name: string;
  readonly right: string;
  readonly created: string;
  readonly ends: string | null;
  /** Null = it was made on this machine. */
  readonly account: string | null;
  /** Null = nothing. */
  readonly holds: string | null;
}

/** run does what its first operand says. */
export async function run(invocation: Invocation): Promise<number> {
  const [action = '', name, tooMany] = invocation.operands;
  if (tooMany === undefined) {
    if (action === 'list' && name === undefined) return listTokens(invocation);
    if (action === 'add' && name !== undefined) return addToken(name, invocation);
    if (action === 'remove' && name !== undefined) return removeToken(name, invocation);
  }
  const { program } = invocation;
  throw new OperatorError(`Error: Use '${program} add NAME', '${program} list' or '${program} remove NAME'.`, { exitCode: 2 });
}

/** The token stands alone on the standard output, for a script. */
async function addToken(name: string, invocation: Invocation): Promise<number> {
  const { flags, terminal } = invocation;
  const right = flags.get('right')?.at(-1) ?? 'monitoring';
  const days = flags.get('days')?.at(-1);
  const words = { name, right, ...(days === undefined ? {} : { days: Number(days) }) };
  const { token, ...made } = (await askBroker(invocation, 'add token', words)) as Token & { readonly token: string }; // the row's output
  terminal.stdout.write(`${token}\n`);
  const end = made.ends === null ? 'until you remove it' : `until ${made.ends}`;
  tell(() => terminal.stderr.write(`Its right is ${made.right}, ${end}. It belongs to this machine, not to an account.\n`));
  terminal.stderr.write('Nobody can read this token again: keep it where the program finds it.\n');
  return 0;
}

async function listTokens(invocation: Invocation): Promise<number> {
  const { flags, terminal } = invocation;
  const tokens = (await askBroker(invocation, 'tokens')) as readonly Token[]; // the row's output
  if (flags.has('json')) terminal.stdout.write(`${visibleJson(tokens)}\n`);
  else if (tokens.length === 0) terminal.stdout.write('There are no tokens.\n');
  else {
    const rows = tokens.map((each) => [each.name, rightOf(each), each.account ?? '-', each.created, each.ends ?? 'never'].map(visibleText));
    tell(() => writeTable(terminal, [['NAME', 'RIGHT', 'ACCOUNT', 'MADE', 'ENDS'], ...rows]));
  }
  return 0;
}

/** What it was made for, and what is left of that. */
function rightOf({ right, holds }: Token): string {
  return holds === right ? right : `${right} (now ${holds ?? 'none'})`;
}

async function removeToken(name: string, invocation: Invocation): Promise<number> {
  await askBroker(invocation, 'remove token', { name });
  return 0;
}
