// The topics that midge.txt gives to accounts, put into the broker's ACL file. Once there is one, an account may do only what its lines say:
// so the accounts that are there when the file is made may go on as before, and new ones of midge.txt may do all until a line says otherwise.

import { parseAclFile } from '../../access/acl-file.ts';
import { addRule, type RuleLine, removeUserRules } from '../../access/acl-file-edit.ts';
import { firstRules } from '../../access/first-rules.ts';
import { usersOf } from '../../access/set-accounts.ts';
import type { BootSettings, TopicGrant } from '../../boot/settings.ts';
import { ACL_FILE } from '../../boot/system-files.ts';
import type { MachineFiles } from '../../host/machine-files.ts';
import { PASSWORDS } from './paths.ts';

/** writeRules writes what settings ask for; `made` are accounts that were not there before this start. An account that midge.txt does not speak of keeps its rules. */
export function writeRules(
  files: MachineFiles,
  { topics }: BootSettings,
  { made, owner }: { made: readonly string[]; owner: number },
): void {
  const before = files.textToChange(ACL_FILE);
  if (before === null && topics.length === 0) return;
  const limited = new Set(topics.map(({ user }) => user));
  const isFree = (user: string) => !limited.has(user);
  let text = before ?? firstRules({ users: usersOf(files.text(PASSWORDS) ?? '').filter(isFree), hasGuests: false });
  const { users: ruled } = parseAclFile(text, ACL_FILE).acl;
  for (const user of made.filter((each) => isFree(each) && !ruled.has(each)))
    text = addGrant(text, { user, filters: ['#'], isReadOnly: false });
  for (const user of limited) text = removeUserRules(text, user);
  for (const grant of topics) text = addGrant(text, grant);
  files.write(ACL_FILE, text, { mode: 0o600, owner });
}

/** `#` does not stand for the broker's own topics [MQTT-4.7.2-1]: whoever may use all may read those too. */
function addGrant(text: string, { user, filters, isReadOnly }: TopicGrant): string {
  const access = isReadOnly ? 'read' : 'readwrite';
  const rules: RuleLine[] = filters.map((filter) => ({ kind: 'topic', access, filter }));
  if (filters.includes('#')) rules.push({ kind: 'topic', access: 'read', filter: '$SYS/#' });
  return rules.reduce((before, rule) => addRule(before, user, rule), text);
}
