// Commands about brokers that run: ours, and others on the network: their rows of the table.

import type { Command } from '../../terminal/command.ts';
import { CONTROL_FLAGS } from '../control-flags.ts';

/** RUNNING_COMMANDS are about brokers that run: ours, and others on the network. */
export const RUNNING_COMMANDS: readonly Command[] = [
  {
    name: 'status',
    summary: 'Show how the running broker and its machine are doing',
    usage: ['[--json] [--state DIR | -c FILE]'],
    description: [
      'The exit status is 1 when something needs attention: the store, the clock, the power supply, a certificate that has expired, a reload that has failed.',
      'The numbers of clients and messages do not include the $SYS tree and the messages by which the broker tests itself for a watchdog.',
    ],
    flags: [...CONTROL_FLAGS, { long: 'json', summary: 'print JSON' }],
    examples: [{ text: 'Show the broker that runs as a service', command: 'sudo midge status' }],
    load: () => import('../status.ts'),
  },
  {
    name: 'why',
    summary: 'Show which clients the running broker refused, and why',
    usage: ['[--json] [--state DIR | -c FILE] [ADDRESS | CLIENT | USER]'],
    flags: [...CONTROL_FLAGS, { long: 'json', summary: 'print JSON' }],
    examples: [
      { text: 'List all recent refusals', command: 'sudo midge why' },
      { text: 'Find out why a phone does not connect', command: 'sudo midge why 192.168.1.23' },
    ],
    operands: { most: 1 },
    load: () => import('../why.ts'),
  },
  {
    name: 'discover',
    summary: 'Find the brokers on the network (mDNS)',
    usage: ['[--timeout SECONDS] [--json]'],
    flags: [
      { short: 't', long: 'timeout', value: 'SECONDS', summary: 'how long to listen [3]' },
      { long: 'json', summary: 'print the brokers as JSON' },
    ],
    examples: [{ text: 'List the brokers', command: 'midge discover' }],
    load: () => import('../discover.ts'),
  },
];
