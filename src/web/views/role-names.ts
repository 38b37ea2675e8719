// The roles of the page in one word each.

import type { Key } from '../i18n.ts';
import type { Right } from '../visit.ts';

/** ROLE_NAMES in the order of what they may. */
export const ROLE_NAMES: Readonly<Record<Right, Key>> = {
  monitoring: 'people.roleMonitoring',
  viewer: 'people.roleViewer',
  operator: 'people.roleOperator',
  admin: 'people.roleAdmin',
};
