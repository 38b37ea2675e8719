// Where a restore that was asked for over a door may write outside the state folder.

import { dirname, resolve } from 'node:path';

/** restoreFolders are the folder of the configuration, and the state folder; a database elsewhere stays where it is. */
export function restoreFolders(configuration: string | null, state: { readonly path: string; readonly database: string }) {
  return {
    configurationFolders: [...(configuration === null ? [] : [dirname(resolve(configuration))]), state.path],
    allowed: [state.database],
  };
}
