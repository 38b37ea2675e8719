// The flags of commands that ask a running broker.

import type { Flag } from '../terminal/command.ts';

/** CONTROL_FLAGS say which broker is meant. */
export const CONTROL_FLAGS: readonly Flag[] = [
  { long: 'state', value: 'DIR', summary: 'state folder of the broker', complete: 'directory' },
  {
    short: 'c',
    long: 'config-file',
    value: 'FILE',
    summary: 'configuration file of the broker, which may name the folder',
    complete: 'file',
  },
];
