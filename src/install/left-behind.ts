// What a failed installation leaves on the machine, in words.

import { type Machine, PLACES, USER } from './plan.ts';

/** leftBehind compares the machine before and after, and says what is new and how to go on; pure. */
export function leftBehind(before: Machine, after: Machine): string {
  if (after.oldExecutable === 'way back')
    return `${PLACES.oldExecutable} is kept, the version that was healthy last. Run the same command again: it goes on, or goes back to that version.`;
  const left = [
    ...(!before.hasUser && after.hasUser ? [`user ${USER}`] : []),
    ...(before.configuration === 'absent' && after.configuration !== 'absent' ? [PLACES.configurationFolder] : []),
    ...(before.passwords === 'absent' && after.passwords !== 'absent' ? [PLACES.state] : []),
    ...(before.executable === 'absent' && after.executable !== 'absent' ? [PLACES.executable] : []),
    ...(before.unit === null && after.unit !== null ? [PLACES.unit] : []),
  ];
  if (left.length === 0) return 'Nothing new is left on this machine.';
  const program = after.executable === 'absent' ? after.program : 'midge';
  return `These are left, so that you can look at what is wrong: ${left.join(', ')}. To remove them and all that is kept: sudo ${program} uninstall --purge`;
}
