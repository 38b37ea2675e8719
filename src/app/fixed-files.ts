// Says at the start which files that a person edits cannot be changed over REST, because this user may not write them: who tries would be told only then.

import type { Logger } from '../base/logger.ts';
import { rewriteFault } from '../base/rewrite-file.ts';
import { nameOf } from '../base/system-users.ts';
import type { Configuration } from '../config/configuration.ts';

/** warnOfFixedFiles looks at the configuration, and at the password and ACL files that it names. */
export function warnOfFixedFiles({ file, access }: Configuration, log: Logger): void {
  const pairs = access.listeners === null ? [access] : [...access.listeners.values()];
  const files = new Set([file, ...pairs.flatMap(({ passwordFile, aclFile }) => [passwordFile, aclFile])]);
  const user = nameOf(process.geteuid?.() ?? 0);
  for (const path of files) {
    const fault = path === null ? null : rewriteFault(path);
    if (fault !== null)
      log.log(
        'warning',
        `Warning: "${path}" cannot be changed over REST: ${fault} - give it and its folder to user "${user}", or change it as root.`,
      );
  }
}
