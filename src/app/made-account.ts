// The account that the first start makes where the configuration names nobody: `midge serve --lan`.

import { ensureFirstAccount } from '../access/first-account.ts';
import type { Account } from '../access/options.ts';
import { writePasswordFile } from '../access/password-file.ts';
import type { Configuration } from '../config/configuration.ts';
import { asOwnerNow } from '../state/as-owner.ts';
import type { StateFolder } from '../state/state-folder.ts';

/** makeAccount gives the account with its password when it was made now; null = none is wanted, or it is there. */
export async function makeAccount(configuration: Configuration, state: StateFolder): Promise<Account | null> {
  if (!configuration.makesAccount) return null;
  state.make();
  const { path, passwordFile } = state; // root may find a folder of the broker's user
  return ensureFirstAccount(passwordFile, (file, text) => asOwnerNow(path, () => writePasswordFile(file, text)));
}

/** withMadeAccount is a configuration that reads it. */
export function withMadeAccount(configuration: Configuration, state: StateFolder): Configuration {
  if (!configuration.makesAccount) return configuration;
  return { ...configuration, makesAccount: false, access: { ...configuration.access, passwordFile: state.passwordFile } };
}
