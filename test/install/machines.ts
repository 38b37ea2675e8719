// Machines for plans of an installation.

import type { Machine } from '../../src/install/plan.ts';

/** BARE has nothing of midge. */
export const BARE: Machine = {
  program: '/home/pi/midge',
  executable: 'absent',
  oldExecutable: 'absent',
  oldUnit: null,
  hasUser: false,
  configuration: 'absent',
  hasRootsConfiguration: false,
  hasOldReleaseKeys: false,
  hasRootsState: false,
  passwords: 'absent',
  unit: null,
  upgradeService: null,
  upgradePath: null,
  isActive: false,
  mosquitto: 'absent',
  freeNames: ['mosquitto_pub', 'mosquitto_sub'],
  linkedNames: [],
};

/** INSTALLED has all of this version, and it runs. */
export const INSTALLED: Machine = {
  ...BARE,
  executable: 'same',
  hasUser: true,
  configuration: 'own',
  passwords: 'has users',
  unit: '[Service]\n',
  upgradeService: '[Service]\nType=oneshot\n',
  upgradePath: '[Path]\n',
  isActive: true,
};
