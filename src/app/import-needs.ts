// What an import needs of the other rooms.

import { parseAclFile } from '../access/acl-file.ts';
import { parseSecurityFile } from '../access/dynamic-security/security-file.ts';
import { parsePasswordFile, writePasswordFile } from '../access/password-file.ts';
import { formatDiagnostic, loadConfiguration, treatLines } from '../config/config.ts';
import type { ConfigurationRemark, ImportNeeds } from '../import/needs.ts';
import { asOwner, asOwnerNow } from '../state/as-owner.ts';
import { fillStore, tryFilling } from '../store/fill-store.ts';

/** IMPORT_NEEDS are those of the program. */
export const IMPORT_NEEDS: ImportNeeds = {
  configuration: { treatLines, remarksOn },
  access: { parsePasswordFile, parseAclFile, parseSecurityFile, writePasswordFile },
  store: { tryFilling, fillStore },
  asOwner,
  asOwnerNow,
};

function remarksOn(file: string): readonly ConfigurationRemark[] {
  const { diagnostics } = asOwnerNow(file, () => loadConfiguration({ file, port: null, verbose: false, lan: false }));
  return diagnostics.map((diagnostic) => ({ severity: diagnostic.severity, line: diagnostic.line, text: formatDiagnostic(diagnostic) }));
}
