// Brings a restore to its end that a power cut has interrupted: in the state folder, and what was to be put beside it.

import { asOwnerNow } from './as-owner.ts';
import type { DatabaseTools } from './needs.ts';
import { finishFiles, readList } from './placed-files.ts';
import type { StateFolder } from './state-folder.ts';
import { mendSwap, unfinishedSwaps } from './state-swap.ts';

/** mendRestore says what it did, and what another user has to do; null = there was nothing. No broker may use the folder. */
export function mendRestore(state: StateFolder, moveAside: DatabaseTools['moveAside']): string | null {
  const said = asOwnerNow(state.path, () => mendSwap(state));
  const waiting = asOwnerNow(state.path, () => unfinishedSwaps(state)).flatMap((swap) => {
    const { paths, isBegun } = asOwnerNow(state.path, () => ({ paths: readList(swap.list), isBegun: swap.isBegun }));
    const left = finishFiles(paths, swap.stamp, isBegun, moveAside);
    if (isBegun && left.length > 0) return left;
    asOwnerNow(state.path, () => swap.end());
    return [];
  });
  if (waiting.length === 0) return said;
  const where = waiting.map((path) => `"${path}"`).join(', ');
  return `A restore was cut off: what it brings for ${where} waits beside it - run 'sudo midge restore --finish --state ${state.path}'.`;
}
