// Commands about midge itself: their rows of the table.

import type { Command } from '../../terminal/command.ts';

const ROWS: readonly Command[] = [
  {
    name: 'completions',
    summary: 'Print completions for a shell',
    usage: ['bash | zsh | fish'],
    flags: [],
    examples: [
      { text: 'Install them in bash, for this user', command: 'midge completions bash > ~/.local/share/bash-completion/completions/midge' },
      { text: 'Install them in zsh, in a folder of $fpath', command: 'midge completions zsh > ~/.zfunc/_midge' },
      { text: 'Install them in fish', command: 'midge completions fish > ~/.config/fish/completions/midge.fish' },
    ],
    operands: { most: 1, choices: ['bash', 'zsh', 'fish'] },
    load: () => import('../completions.ts'),
  },
  {
    name: 'version',
    summary: 'Show version, commit and platform',
    usage: ['[--json]'],
    flags: [{ long: 'json', summary: 'print JSON' }],
    examples: [],
    load: () => import('../version.ts'),
  },
  {
    name: 'licences',
    summary: 'Print the licences of everything in this executable',
    usage: [''],
    flags: [],
    examples: [{ text: 'List what is in it', command: "midge licences | grep -A 1 '^=====' | grep '('" }],
    load: () => import('../licences.ts'),
  },
];

/** ownCommands are about midge itself; help offers them and all others. */
export function ownCommands(others: readonly Command[]): readonly Command[] {
  const help: Command = {
    name: 'help',
    summary: 'Show help for a command',
    usage: ['[COMMAND]'],
    flags: [],
    examples: [],
    operands: { most: 1, choices: [...others, ...ROWS].map((each) => each.name) },
    load: () => import('../help.ts'),
  };
  return [...ROWS, help];
}
