// The one table of subcommands: main.ts, help, completions and "did you mean" read it. A new subcommand is one row here and one file.

import type { Command } from './command.ts';

/** COMMANDS in the order that help shows them. */
export const COMMANDS: readonly Command[] = [
  {
    name: 'serve',
    summary: 'Run the broker',
    usage: ['[-c FILE] [-p PORT] [-v]', '--lan', '-c FILE --test-config'],
    description: [
      'Without a configuration file it listens on this machine only: 1883 (MQTT), 8883 (MQTT with TLS), 8083 (WebSocket), anybody here may connect.',
    ],
    flags: [
      { short: 'c', long: 'config-file', value: 'FILE', summary: 'configuration file (the language of mosquitto.conf)', complete: 'file' },
      { short: 'p', long: 'port', value: 'PORT', summary: 'listen on this port' },
      { short: 'v', long: 'verbose', summary: 'log everything, as log_type all does' },
      { short: 'q', long: 'quiet', summary: 'log nothing' },
      { short: 'd', long: 'daemon', summary: 'go to the background' },
      { long: 'lan', summary: 'serve the whole network, announced by mDNS, with an account' },
      { long: 'test-config', summary: 'read the configuration, say what is wrong with it, and stop' },
    ],
    examples: [
      { text: 'Try it on this machine', command: 'midge serve' },
      { text: 'For the home network, with an account that is made at first start', command: 'midge serve --lan' },
      { text: 'With a configuration file, everything logged', command: 'midge serve -c /etc/midge/midge.conf -v' },
    ],
    usageExitCode: 3,
    load: () => import('./serve.ts'),
  },
  {
    name: 'check',
    summary: 'Find all mistakes in a configuration file',
    usage: ['[--json] FILE'],
    flags: [{ long: 'json', summary: 'diagnostics as JSON, for machines' }],
    examples: [{ text: 'All mistakes at once, with file:line:column', command: 'midge check /etc/midge/midge.conf' }],
    operands: { most: 1, complete: 'file' },
    load: () => import('./check.ts'),
  },
];
