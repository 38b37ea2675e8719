// Commands about a broker and its configuration: their rows of the table.

import type { Command } from '../../terminal/command.ts';

/** BROKER_COMMANDS are about a broker and its configuration. */
export const BROKER_COMMANDS: readonly Command[] = [
  {
    name: 'serve',
    mosquittoName: 'mosquitto',
    summary: 'Run the broker',
    usage: ['[-c FILE] [-p PORT] [-v]', '--lan', '-c FILE --test-config'],
    description: [
      'Without a configuration file midge listens on ports 1883 (MQTT), 8883 (MQTT with TLS) and 9001 (WebSocket) of this machine only, and every program on this machine may connect.',
    ],
    flags: [
      { short: 'c', long: 'config-file', value: 'FILE', summary: 'configuration file (the language of mosquitto.conf)', complete: 'file' },
      { short: 'p', long: 'port', value: 'PORT', summary: 'listen on this port', repeatable: true },
      { short: 'v', long: 'verbose', summary: 'log everything, like log_type all' },
      { short: 'q', long: 'quiet', summary: 'log nothing' },
      { short: 'd', long: 'daemon', summary: 'run in the background' },
      { long: 'lan', summary: 'serve the whole network: require an account, announce by mDNS' },
      { long: 'state', value: 'DIR', summary: 'folder for certificates and accounts', complete: 'directory' },
      { long: 'tls-keylog', value: 'FILE', summary: 'append the keys of all TLS connections to a file, for wireshark', complete: 'file' },
      { long: 'test-config', summary: 'report the mistakes in the configuration, and stop' },
      { long: 'json', summary: 'report the mistakes as JSON' },
    ],
    examples: [
      { text: 'Try it on this machine', command: 'midge serve' },
      { text: 'Serve the home network, with an account made at the first start', command: 'midge serve --lan' },
      { text: 'Use a configuration file and log everything', command: 'midge serve -c /etc/midge/midge.conf -v' },
    ],
    usageExitCode: 3,
    outlivesOutput: true,
    load: () => import('../serve.ts'),
  },
  {
    name: 'check',
    summary: 'Find all mistakes in a configuration file',
    usage: ['[--json] FILE'],
    flags: [{ long: 'json', summary: 'report the mistakes as JSON' }],
    examples: [{ text: 'Report all mistakes at once, with file:line:column', command: 'midge check /etc/midge/midge.conf' }],
    operands: { most: 1, complete: 'file' },
    load: () => import('../check.ts'),
  },
  {
    name: 'config',
    summary: 'Show or change settings of the configuration file',
    usage: [
      '[-c FILE] [--origin] [--json] show',
      '[-c FILE] [--listener PORT] [--origin] [--json] get WORD',
      '[-c FILE] [--listener PORT] set WORD VALUE...',
      '[-c FILE] [--listener PORT] unset WORD',
    ],
    description: [
      'set and unset change only the line of the setting, in the file where it stands; comments and order stay. A new setting goes below its example in the main file, or into settings.conf of the include_dir. midge checks the whole configuration before it writes anything. Then the running broker takes the change over; if it cannot, midge takes the change back.',
      'Without -c, midge uses /etc/midge/midge.conf. --listener names the listener that a setting is for.',
    ],
    flags: [
      { short: 'c', long: 'config-file', value: 'FILE', summary: 'main file of the configuration', complete: 'file' },
      { long: 'listener', value: 'PORT', summary: 'port, or path, of the listener that the setting is for' },
      { long: 'origin', summary: 'print file and line before each value' },
      { long: 'json', summary: 'print the settings as JSON' },
    ],
    examples: [
      { text: 'Let phones find the broker by another name', command: "sudo midge config set mdns_name 'Living room'" },
      { text: 'Show where each setting stands', command: 'midge config show --origin' },
    ],
    operands: { most: 100, choices: ['show', 'get', 'set', 'unset'] },
    usageExitCode: 2,
    load: () => import('../config.ts'),
  },
];
