// The one table of subcommands: main.ts, help, completions and "did you mean" read it. A new subcommand is one row here and one file.

import { PUB_FLAGS, SUB_FLAGS } from './client-flags.ts';
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
      { long: 'state', value: 'DIR', summary: 'folder for certificates and accounts', complete: 'directory' },
      { long: 'test-config', summary: 'read the configuration, say what is wrong with it, and stop' },
      { long: 'json', summary: 'what is wrong with it as JSON, for machines' },
    ],
    examples: [
      { text: 'Try it on this machine', command: 'midge serve' },
      { text: 'For the home network, with an account that is made at first start', command: 'midge serve --lan' },
      { text: 'With a configuration file, everything logged', command: 'midge serve -c /etc/midge/midge.conf -v' },
    ],
    usageExitCode: 3,
    outlivesOutput: true,
    load: () => import('./serve.ts'),
  },
  {
    name: 'pub',
    summary: 'Publish messages (as mosquitto_pub)',
    usage: ['[-h HOST] [-p PORT] -t TOPIC {-m TEXT | -f FILE | -l | -n | -s}', '-L URL {-m TEXT | -f FILE | -l | -n | -s}'],
    description: [
      'The exit status is 0, the reason code of a refusal, or the number that mosquitto_pub gives. Flags that are always wanted may stand in ~/.config/mosquitto_pub, one a line.',
    ],
    flags: PUB_FLAGS,
    examples: [
      { text: 'One message', command: 'midge pub -t kitchen/light -m on' },
      {
        text: 'A value that the broker keeps, over TLS',
        command: 'midge pub -h midge.local --cafile ca.crt -t porch/temperature -m 21.5 -r -q 1',
      },
      { text: 'One message per line of a program', command: 'vmstat 5 | midge pub -t host/vmstat -l' },
      { text: 'Over a WebSocket', command: 'midge pub -L ws://midge.local:8083/kitchen/light -m off' },
    ],
    readsArguments: true,
    load: () => import('./pub.ts'),
  },
  {
    name: 'sub',
    summary: 'Subscribe and print messages (as mosquitto_sub)',
    usage: ['[-h HOST] [-p PORT] -t FILTER ... [-v | -F FORMAT]', '-L URL'],
    description: [
      'The exit status is 0, 27 when -W ran out, the reason code of a refusal, or the number that mosquitto_sub gives. Flags that are always wanted may stand in ~/.config/mosquitto_sub, one a line.',
    ],
    flags: SUB_FLAGS,
    examples: [
      { text: 'Everything, with topics', command: "midge sub -t '#' -v" },
      { text: 'One value, waiting ten seconds at most', command: 'midge sub -t porch/temperature -C 1 -W 10' },
      { text: 'Time, topic and payload', command: "midge sub -t 'porch/#' -F '@H:@M:@S  %-30t  %p'" },
      { text: 'One JSON object per message', command: "midge sub -t 'porch/#' -F %j" },
      { text: 'Delete all retained messages below a topic', command: "midge sub -t 'old/#' --remove-retained --retained-only -W 2" },
    ],
    readsArguments: true,
    load: () => import('./sub.ts'),
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
  {
    name: 'discover',
    summary: 'Find the brokers of the network (mDNS)',
    usage: ['[--timeout SECONDS] [--json]'],
    flags: [
      { short: 't', long: 'timeout', value: 'SECONDS', summary: 'how long to listen [3]' },
      { long: 'json', summary: 'the brokers as JSON, for machines' },
    ],
    examples: [{ text: 'Who is there', command: 'midge discover' }],
    load: () => import('./discover.ts'),
  },
  {
    name: 'completions',
    summary: 'Print completions for a shell',
    usage: ['bash | zsh | fish'],
    flags: [],
    examples: [
      { text: 'bash, for this user', command: 'midge completions bash > ~/.local/share/bash-completion/completions/midge' },
      { text: 'zsh, for a folder of $fpath', command: 'midge completions zsh > ~/.zfunc/_midge' },
      { text: 'fish', command: 'midge completions fish > ~/.config/fish/completions/midge.fish' },
    ],
    operands: { most: 1, choices: ['bash', 'zsh', 'fish'] },
    load: () => import('./completions.ts'),
  },
  {
    name: 'version',
    summary: 'Tell version, commit and platform',
    usage: ['[--json]'],
    flags: [{ long: 'json', summary: 'the same as JSON' }],
    examples: [],
    load: () => import('./version.ts'),
  },
  {
    name: 'help',
    summary: 'Show help for a command',
    usage: ['[COMMAND]'],
    flags: [],
    examples: [],
    operands: { most: 1, choices: ['serve', 'pub', 'sub', 'check', 'discover', 'completions', 'version'] },
    load: () => import('./help.ts'),
  },
];
