// Writes midge(1) from the table of commands, in the language of man(7).

import { flagWords } from '../../src/terminal/arguments.ts';
import type { Command, CommandTable, Flag } from '../../src/terminal/command.ts';
import type { Stamp } from '../bundle.ts';

/** manualPage gives the page of all commands. */
export function manualPage({ commands }: CommandTable, { version, date }: Pick<Stamp, 'version' | 'date'>): string {
  return [
    `.TH MIDGE 1 "${date.slice(0, 10)}" "midge ${version}" "User Commands"`,
    '.SH NAME',
    'midge \\- MQTT broker for a home, with its clients and tools',
    '.SH SYNOPSIS',
    '.B midge',
    '.I COMMAND',
    '[\\fIOPTIONS\\fR]',
    '.SH COMMANDS',
    ...commands.flatMap(section),
    '.SH FILES',
    ...entry('/etc/midge/midge.conf', 'the configuration, in the language of mosquitto.conf(5)'),
    ...entry('/var/lib/midge', 'accounts, certificates, sessions and messages'),
    '.SH SEE ALSO',
    '.BR mosquitto.conf (5)',
    '',
  ].join('\n');
}

function section({ name, summary, usage, description = [], flags, examples }: Command): string[] {
  return [
    `.SS midge ${name}`,
    plain(`${summary}.`),
    ...usage.flatMap((line) => ['.PP', `.B midge ${name}`, plain(line)]),
    ...description.flatMap((text) => ['.PP', plain(text)]),
    ...flags.flatMap((flag) => entry(headOf(flag), flag.summary)),
    ...examples.flatMap(({ text, command }) => ['.PP', plain(`${text}:`), '.PP', '.nf', plain(command), '.fi']),
  ];
}

function headOf(flag: Flag): string {
  return `${flagWords(flag).join(', ')}${flag.value ? ` ${flag.value}` : ''}`;
}

function entry(head: string, text: string): string[] {
  return ['.TP', `.B ${plain(head)}`, plain(text)];
}

/** A line of text: what roff would take for its own is spelled out. groff_char(7) */
function plain(text: string): string {
  const spelled = text.replaceAll('\\', '\\e').replaceAll('-', '\\-').replaceAll("'", '\\(aq').replaceAll('"', '\\(dq');
  return spelled.replace(/^\./, '\\&.');
}
