// `midge completions SHELL`: scripts for bash, zsh and fish, made from the table of commands.

import { OperatorError } from '../base/errors.ts';
import { flagWords } from '../terminal/arguments.ts';
import type { Command, Flag, Invocation } from '../terminal/command.ts';

const SCRIPTS: Readonly<Record<string, (commands: readonly Command[]) => string>> = { bash: bashScript, zsh: zshScript, fish: fishScript };

/** run prints the script of the shell that is named. Throws OperatorError for a shell that we have none for. */
export async function run({ operands: [shell], table, terminal }: Invocation): Promise<number> {
  const script = shell === undefined ? undefined : SCRIPTS[shell];
  if (script === undefined) {
    throw new OperatorError(
      `Cannot print completions for "${shell ?? ''}": there are some for bash, zsh and fish - try: midge completions bash`,
    );
  }
  terminal.stdout.write(script(table.commands));
  return 0;
}

/** bashScript: a value is completed by the flag before it, all else by the command. */
function bashScript(commands: readonly Command[]): string {
  return `# bash completion for midge
_midge() {
  local word=\${COMP_WORDS[COMP_CWORD]} before=\${COMP_WORDS[COMP_CWORD-1]} command=\${COMP_WORDS[1]}
  COMPREPLY=()
  if ((COMP_CWORD == 1)); then
    COMPREPLY=($(compgen -W '${commands.map((each) => each.name).join(' ')}' -- "$word"))
    return
  fi
  case $command:$before in
${commands.flatMap(bashValues).join('\n')}
  esac
  case $command:$word in
${commands.flatMap(bashWords).join('\n')}
  esac
}
complete -F _midge midge
`;
}

function bashValues(command: Command): string[] {
  return command.flags
    .filter((flag) => flag.value)
    .map((flag) => {
      const pattern = flagWords(flag).map((word) => `${command.name}:${word}`);
      return `    ${pattern.join('|')}) ${bashReply(flag)}return ;;`;
    });
}

function bashWords(command: Command): string[] {
  const flags = [...command.flags.flatMap(flagWords), '--help'];
  const rows = [`    ${command.name}:-*) ${bashReply({ choices: flags })};;`];
  if (command.operands) rows.push(`    ${command.name}:*) ${bashOperand(command.operands)};;`);
  return rows;
}

function bashOperand({ choices, complete }: Completable): string {
  if (!choices || !complete) return choices ? `((COMP_CWORD > 2)) || { ${bashReply({ choices })}}` : bashReply({ complete });
  return `if ((COMP_CWORD == 2)); then ${bashReply({ choices })}else ${bashReply({ complete })}fi `;
}

function bashReply({ choices, complete }: Completable): string {
  if (choices) return `COMPREPLY=($(compgen -W '${choices.join(' ')}' -- "$word")); `;
  if (complete) return `compopt -o filenames 2>/dev/null; COMPREPLY=($(compgen -${complete === 'file' ? 'f' : 'd'} -- "$word")); `;
  return '';
}

function zshScript(commands: readonly Command[]): string {
  return `#compdef midge
_midge() {
  local -a commands
  commands=(
${commands.map((each) => `    ${quote(`${each.name}:${each.summary}`)}`).join('\n')}
  )
  if (( CURRENT == 2 )); then
    _describe command commands
    return
  fi
  local command=$words[2]
  shift words
  (( CURRENT-- ))
  case $command in
${commands.map(zshCommand).join('\n')}
  esac
}
if [ "$funcstack[1]" = _midge ]; then _midge "$@"; else compdef _midge midge; fi
`;
}

function zshCommand(command: Command): string {
  const rows = [...command.flags, { long: 'help', summary: 'show help' }].map(zshFlag);
  const { choices, complete } = command.operands ?? {};
  if (choices) rows.push(quote(`1:operand:${zshAction({ choices })}`));
  if (command.operands && (complete || !choices)) rows.push(quote(`*:operand:${zshAction({ complete })}`));
  return `    ${command.name}) _arguments -S \\\n${rows.map((row) => `      ${row}`).join(' \\\n')} ;;`;
}

function zshFlag(flag: Flag): string {
  const text = flag.summary.replace(/[[\]:\\]/g, '\\$&');
  const value = flag.value ? `:${flag.value}:${zshAction(flag)}` : '';
  const words = flagWords(flag);
  const others = flag.repeatable ? '*' : words.length > 1 ? `(${words.join(' ')})` : '';
  const spellings = words.length > 1 ? `{${words.join(',')}}` : words[0];
  return `${others === '' ? '' : quote(others)}${spellings}${quote(`[${text}]${value}`)}`;
}

function zshAction({ choices, complete }: Completable): string {
  if (choices) return `(${choices.join(' ')})`;
  return complete ? (complete === 'file' ? '_files' : '_files -/') : ' ';
}

function fishScript(commands: readonly Command[]): string {
  const names = commands.map((each) => `complete -c midge -n __fish_use_subcommand -a ${each.name} -d ${quote(each.summary)}`);
  return `# fish completion for midge\ncomplete -c midge -f\n${[...names, ...commands.flatMap(fishCommand)].join('\n')}\n`;
}

function fishCommand(command: Command): string[] {
  const start = `complete -c midge -n '__fish_seen_subcommand_from ${command.name}'`;
  const flags = [...command.flags, { long: 'help', summary: 'show help' }].map((flag: Flag) => {
    const names = `${flag.short ? ` -s ${flag.short}` : ''}${flag.long ? ` -l ${flag.long}` : ''}`;
    return `${start}${names}${flag.value ? ` ${fishValue(flag)}` : ''} -d ${quote(flag.summary)}`;
  });
  return command.operands ? [...flags, `${start} ${fishValue(command.operands).replace(/^-[xr] ?/, '')}`] : flags;
}

function fishValue({ choices, complete }: Completable): string {
  if (choices && complete) return `-F -a ${quote(choices.join(' '))}`;
  if (choices) return `-x -a ${quote(choices.join(' '))}`;
  if (complete) return complete === 'file' ? '-r -F' : "-x -a '(__fish_complete_directories)'";
  return '-x';
}

interface Completable {
  readonly choices?: Flag['choices'] | undefined;
  readonly complete?: Flag['complete'] | undefined;
}

/** quote makes one word for all three shells. */
function quote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
