// The ACL files that are in force: one for all listeners, or one for each (`per_listener_settings true`).

import { AclAuthorizer } from './acl.ts';
import { readAclFile } from './acl-file.ts';
import type { ExplainedAuthorizer } from './decision.ts';
import { ListenerAuthorizer } from './listener-access.ts';
import type { AccessOptions } from './options.ts';

/** FileRules are what ACL files say. */
export interface FileRules {
  /** Null = there is no file for any listener. */
  readonly authorizer: ExplainedAuthorizer | null;
  /** aclOf gives the file of a listener, or null. */
  readonly aclOf: (listener: string) => AclAuthorizer | null;
}

/** readFileRules reads all files now; `without` decides where each listener has its own and one has none. Throws OperatorError with all the mistakes of one. */
export function readFileRules(
  { aclFile, listeners }: Pick<AccessOptions, 'aclFile' | 'listeners'>,
  without: ExplainedAuthorizer,
): FileRules {
  const read = new Map<string, AclAuthorizer>();
  const acl = (path: string | null): AclAuthorizer | null => {
    if (path === null) return null;
    const made = read.get(path) ?? new AclAuthorizer(readAclFile(path)); // a file that several listeners have is read once
    read.set(path, made);
    return made;
  };
  if (listeners === null) {
    const authorizer = acl(aclFile);
    return { authorizer, aclOf: () => authorizer };
  }
  const files = new Map(Array.from(listeners, ([name, own]) => [name, acl(own.aclFile)]));
  return {
    authorizer: new ListenerAuthorizer(new Map(Array.from(files, ([name, file]) => [name, file ?? without]))),
    aclOf: (listener) => files.get(listener) ?? null,
  };
}
