// The rows of pub, sub, rr and ctrl in the table of commands.

import type { Command } from '../terminal/command.ts';
import { CTRL_FLAGS, PUB_FLAGS, REFUSED_FLAGS, RR_FLAGS, SUB_FLAGS } from './flags.ts';

/** CLIENT_COMMANDS publish, subscribe and request, as mosquitto's clients do. */
export const CLIENT_COMMANDS: readonly Command[] = [
  {
    name: 'pub',
    mosquittoName: 'mosquitto_pub',
    summary: 'Publish messages (like mosquitto_pub)',
    usage: ['[-h HOST] [-p PORT] -t TOPIC {-m TEXT | -f FILE | -l | -n | -s}', '-L URL {-m TEXT | -f FILE | -l | -n | -s}'],
    description: [
      'The exit status is 0 for success, the reason code when the broker refuses, otherwise the number that mosquitto_pub gives. midge also reads flags from ~/.config/mosquitto_pub, one per line.',
    ],
    flags: PUB_FLAGS,
    refusedFlags: REFUSED_FLAGS,
    examples: [
      { text: 'Publish one message', command: 'midge pub -t kitchen/light -m on' },
      {
        text: 'Publish a value that the broker keeps, over TLS',
        command: 'midge pub -h midge.local --cafile ca.crt -t porch/temperature -m 21.5 -r -q 1',
      },
      { text: 'Publish each line that a program prints', command: 'vmstat 5 | midge pub -t host/vmstat -l' },
      { text: 'Publish over a WebSocket', command: 'midge pub -L ws://midge.local:9001/kitchen/light -m off' },
    ],
    readsArguments: true,
    load: () => import('../clients/pub.ts'),
  },
  {
    name: 'sub',
    mosquittoName: 'mosquitto_sub',
    summary: 'Subscribe and print messages (like mosquitto_sub)',
    usage: ['[-h HOST] [-p PORT] -t FILTER ... [-v | -F FORMAT]', '-L URL'],
    description: [
      'The exit status is 0 for success, 27 when the time of -W is over, the reason code when the broker refuses, otherwise the number that mosquitto_sub gives. midge also reads flags from ~/.config/mosquitto_sub, one per line.',
    ],
    flags: SUB_FLAGS,
    refusedFlags: REFUSED_FLAGS,
    examples: [
      { text: 'Print all messages with their topics', command: "midge sub -t '#' -v" },
      { text: 'Print one value, and wait ten seconds at most', command: 'midge sub -t porch/temperature -C 1 -W 10' },
      { text: 'Print time, topic and payload', command: "midge sub -t 'porch/#' -F '@H:@M:@S  %-30t  %p'" },
      { text: 'Print one JSON object per message', command: "midge sub -t 'porch/#' -F %j" },
      { text: 'Delete all retained messages below a topic', command: "midge sub -t 'old/#' --remove-retained --retained-only -W 2" },
    ],
    readsArguments: true,
    load: () => import('../clients/sub.ts'),
  },
  {
    name: 'rr',
    mosquittoName: 'mosquitto_rr',
    summary: 'Send a request and print the response (like mosquitto_rr)',
    usage: [
      '[-h HOST] [-p PORT] -t TOPIC -e TOPIC {-m TEXT | -f FILE | -n | -s} [-W SECONDS]',
      '-L URL -e TOPIC {-m TEXT | -f FILE | -n | -s}',
    ],
    description: [
      'With MQTT 5 the request carries the topic of -e to the responder; with -V 311 the responder must know the topic already. The exit status is 0 for success, 27 when the time of -W is over, the reason code when the broker refuses, otherwise the number that mosquitto_rr gives. midge also reads flags from ~/.config/mosquitto_rr, one per line.',
    ],
    flags: RR_FLAGS,
    refusedFlags: REFUSED_FLAGS,
    examples: [
      { text: 'Ask a device, and wait five seconds at most', command: 'midge rr -t cmnd/plug/STATUS -e stat/plug/STATUS -m 0 -W 5' },
    ],
    readsArguments: true,
    load: () => import('../clients/rr.ts'),
  },
  {
    name: 'ctrl',
    mosquittoName: 'mosquitto_ctrl',
    summary: 'Manage the accounts of a running broker (like mosquitto_ctrl)',
    usage: [
      '[-h HOST] [-p PORT] [-u ADMIN] dynsec COMMAND ...',
      '[-h HOST] [-p PORT] [-u ADMIN] broker {listListeners | listPlugins}',
      'dynsec init FILE ADMIN [PASSWORD]',
      '-f FILE dynsec setClientPassword USER [PASSWORD]',
      '{dynsec | broker} help',
    ],
    description: [
      'midge ctrl speaks to this broker, to another midge and to mosquitto. Its module dynsec changes dynamic security, and the change is in force at once. Options stand before the module. midge asks for passwords that no word gives, and does not show them.',
      'The exit status is 0 for success and 1 when the broker refuses. It is 3 for wrong words, 10 for an unknown module, 13 for an unknown command, 14 and 15 when there is no connection. Under the name mosquitto_ctrl it is 0 also when the broker refuses. midge also reads flags from ~/.config/mosquitto_ctrl, one per line.',
    ],
    flags: CTRL_FLAGS,
    refusedFlags: REFUSED_FLAGS,
    examples: [
      {
        text: 'Make a file of dynamic security with its first administrator',
        command: 'midge ctrl dynsec init dynamic-security.json admin',
      },
      {
        text: 'Let a sensor publish below porch/',
        command: 'midge ctrl -u admin dynsec addRoleACL sensor publishClientSend porch/# allow',
      },
      { text: 'Show what a client has', command: 'midge ctrl -u admin dynsec getClient porch-sensor' },
      { text: 'List the listeners of another broker', command: 'midge ctrl -h midge.local --cafile ca.crt -u admin broker listListeners' },
    ],
    operands: { most: 9, choices: ['dynsec', 'broker'] },
    readsArguments: true,
    load: () => import('../clients/ctrl.ts'),
  },
];
