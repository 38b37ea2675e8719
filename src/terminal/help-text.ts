// Help texts, made from the table of commands. 80 columns; bold only on a terminal and without NO_COLOR.

import { styleText } from 'node:util';
import { flagWords } from './arguments.ts';
import type { Command, Flag, Terminal } from './command.ts';

const COLUMNS = 80;

/** Column where the text of a flag begins; a longer flag has its text on the next line. */
const TEXT_COLUMN = 30;

/** overview is the help of the whole program. */
export function overview(commands: readonly Command[], stream: Terminal['stdout']): string {
  const widest = Math.max(...commands.map((each) => each.name.length));
  const rows = commands.map((each) => `  ${bold(each.name.padEnd(widest), stream)}   ${each.summary}`);
  const links =
    'Started under the name mosquitto, mosquitto_pub, mosquitto_sub, mosquitto_rr, mosquitto_passwd, mosquitto_ctrl, mosquitto_signal or mosquitto_db_dump (a link to it), it acts as that program.';
  return `${bold('midge', stream)} - an MQTT broker appliance in one executable

Usage: midge COMMAND [OPTIONS]
       midge [-c FILE] [-p PORT] [-v]      the same as midge serve

Commands:
${rows.join('\n')}

Begin with:
  midge serve                              a broker for this machine
  midge sub -t 'greetings/#' -v            in a second shell: listen
  midge pub -t greetings/me -m hello       in a third: say something

${wrap(links, COLUMNS).join('\n')}
Use 'midge help COMMAND' for the options of a command.
`;
}

/** commandHelp is the help of one command. `program` is the name that it goes by. */
export function commandHelp(command: Command, stream: Terminal['stdout'], program = `midge ${command.name}`): string {
  const parts = [
    `${bold(program, stream)} - ${command.summary}`,
    usageRows(command, program).join('\n'),
    ...(command.description ?? []).map((text) => wrap(text, COLUMNS).join('\n')),
    ['Options:', ...[...command.flags, ...commonFlags(command)].flatMap(flagRows)].join('\n'),
  ];
  if (command.examples.length > 0) parts.push(['Examples:', ...command.examples.map(exampleRows)].join('\n'));
  return `${parts.join('\n\n')}\n`;
}

function usageRows(command: Command, program: string): string[] {
  return command.usage.flatMap((line, index) => {
    const [first = '', ...rest] = wrap(line, COLUMNS - program.length - 8);
    return [`${index === 0 ? 'Usage:' : '      '} ${program} ${first}`, ...rest.map((row) => `${' '.repeat(8 + program.length)}${row}`)];
  });
}

function commonFlags(command: Command): Flag[] {
  const takesH = command.flags.some((flag) => flag.short === 'h');
  return [{ long: 'help', ...(takesH ? {} : { short: 'h' }), summary: 'show this help' }];
}

function flagRows(flag: Flag): string[] {
  const words = flagWords(flag).join(', ');
  const head = `  ${flag.short ? '' : '    '}${words}${flag.value ? ` ${flag.value}` : ''}`;
  const indent = ' '.repeat(TEXT_COLUMN);
  const text = wrap(`${flag.summary}${flag.repeatable ? ' (may be repeated)' : ''}`, COLUMNS - TEXT_COLUMN);
  const first = head.length + 2 > TEXT_COLUMN ? [head, `${indent}${text[0]}`] : [`${head.padEnd(TEXT_COLUMN)}${text[0]}`];
  return [...first, ...text.slice(1).map((line) => `${indent}${line}`)];
}

function exampleRows({ text, command }: Command['examples'][number]): string {
  return `  ${text}:\n    ${command}`;
}

/** wrap breaks text at blanks into lines of at most `columns`. */
function wrap(text: string, columns: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    const longer = line === '' ? word : `${line} ${word}`;
    if (longer.length > columns && line !== '') {
      lines.push(line);
      line = word;
    } else {
      line = longer;
    }
  }
  return [...lines, line];
}

function bold(text: string, stream: Terminal['stdout']): string {
  return styleText('bold', text, { stream });
}
