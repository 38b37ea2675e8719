// The machine itself as the stage of an installation.

import { machineStage, type Stage } from '../install/execute.ts';
import { asOwnerNow, foreignOwner } from '../state/as-owner.ts';

/** MACHINE is for root only. */
export const MACHINE: Stage = machineStage((folder, action) => {
  const isForeign = foreignOwner(folder) !== null;
  asOwnerNow(folder, () => action(isForeign));
});
