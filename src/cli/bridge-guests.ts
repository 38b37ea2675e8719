// `midge bridge invitations`: the boxes that were invited, and how they are doing.

import { visibleJson, visibleText } from '../logging/line.ts';
import type { Guest } from '../operations/bridge-guests.ts';
import type { Invocation } from '../terminal/command.ts';
import { writeTable } from '../terminal/table.ts';
import { askBroker, tell } from './control-client.ts';

/** listInvitations prints a line for each invitation whose account is there, the oldest first. */
export async function listInvitations(invocation: Invocation): Promise<number> {
  const { flags, terminal } = invocation;
  const guests = (await askBroker(invocation, 'bridge invitations')) as readonly Guest[]; // the row's output
  return tell(() => {
    if (flags.has('json')) terminal.stdout.write(`${visibleJson(guests)}\n`);
    else if (guests.length === 0) terminal.stdout.write('No other box was invited.\n');
    else {
      const rows = guests.map((guest) => [guest.name, stateOf(guest), topicsOf(guest), guest.invited, guest.accepted ?? 'not yet']);
      writeTable(terminal, [['NAME', 'STATE', 'TOPICS', 'INVITED', 'ACCEPTED'], ...rows.map((row) => row.map(visibleText))]);
    }
    return 0;
  });
}

function stateOf({ connected, since, address }: Guest): string {
  const from = since === null ? '' : ` since ${since}`;
  return connected ? `connected from ${address}${from}` : `not connected${from}`;
}

function topicsOf({ topics }: Guest): string {
  return topics.map(({ filter, direction }) => `${filter} ${direction}`).join(', ');
}
