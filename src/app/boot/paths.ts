// Where things are on a machine that is set up from its boot partition.

import { STATE_NAMES } from '../../base/state-names.ts';

/** BOOT is where the boot partition is mounted, read-only. */
export const BOOT = '/boot/firmware';

/** FINDINGS is what `midge boot apply` leaves for `midge boot report`, until the power goes. */
export const FINDINGS = '/run/midge-boot/findings.json';

/** STATE is the broker's folder, PASSWORDS its accounts, AUTHORITY what devices trust, CONTROL where it is asked. */
export const STATE = '/var/lib/midge';
export const PASSWORDS = `${STATE}/${STATE_NAMES.passwordFile}`;
export const AUTHORITY = `${STATE}/${STATE_NAMES.certificates}/ca.crt`;
export const CONTROL = `${STATE}/${STATE_NAMES.controlSocket}`;

/** IWD is where the Wi-Fi's networks are, KEYS who may sign in by SSH. */
export const IWD = '/var/lib/iwd';
export const KEYS = '/var/lib/ssh/authorized_keys';

/** MEMORY is what the settings themselves are remembered in, FOLLOWED_ACCOUNTS a password file of the accounts that were followed and still stand on the boot partition. */
export const MEMORY = '/var/lib/midge-boot';
export const FOLLOWED_ACCOUNTS = `${MEMORY}/accounts`;

/** MADE_CONFIGURATION is the text that was made for the broker the last time: what its file has beyond that, the owner has changed. */
export const MADE_CONFIGURATION = `${MEMORY}/configuration`;

/** MADE_BACKUP holds the name of the backup that was made on the boot partition. */
export const MADE_BACKUP = `${MEMORY}/made-backup`;

/** Scope says what is ours: all of the image, or the broker alone on a system that has its own network and logins. */
export type Scope = 'machine and broker' | 'broker';
