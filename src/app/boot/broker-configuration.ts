// The broker's configuration on the image: made from midge.txt, and changed by its owner on the page.
//
//   midge.txt makes what it made the last time    the file stays, with all changes of its owner
//   it begins rules for topics                     the line acl_file comes to what is there
//   it makes something else                        the new text, and the one before goes into the history of the configuration

import { systemClock } from '../../base/clock.ts';
import type { BootSettings } from '../../boot/settings.ts';
import { ACL_FILE, brokerConfiguration, CONFIGURATION } from '../../boot/system-files.ts';
import type { MachineFiles } from '../../host/machine-files.ts';
import { rememberText } from '../../operations/configuration-history.ts';
import { takeBackUnconfirmed } from '../../operations/configuration-trial.ts';
import { asOwnerNow } from '../../state/as-owner.ts';
import { MADE_CONFIGURATION, STATE } from './paths.ts';

/** Goes into the report and the log; the page says it beside the text. */
const REPLACED =
  'midge.txt asks for another configuration than at the last start: it replaced the one that was changed on the page, which is among the earlier versions there.';

/** writeConfiguration gives what is to be said: changes of the owner's were replaced; null = there were none, or they stay. What was made is noted last: a power cut loses nothing. */
export function writeConfiguration(files: MachineFiles, settings: BootSettings, owner: number): string | null {
  files.makeFolder(`${STATE}/conf.d`, { mode: 0o700, owner });
  const text = brokerConfiguration(settings, files.exists(ACL_FILE));
  const made = files.text(MADE_CONFIGURATION);
  const path = files.path(CONFIGURATION);
  if (made !== text) asOwnerNow(path, () => takeBackUnconfirmed(path)); // the broker would put it in the place of what is written here
  const before = files.text(CONFIGURATION);
  const kept = before === null ? null : keptText(before, made, { text, withoutRules: brokerConfiguration(settings, false) });
  const isReplaced = kept === null && before !== null && before !== made && before !== text;
  if (isReplaced) asOwnerNow(path, () => rememberText(files.path(STATE), { at: systemClock.now(), by: 'midge.txt', text: before }));
  files.write(CONFIGURATION, kept ?? text, { mode: 0o600, owner });
  files.write(MADE_CONFIGURATION, text, { mode: 0o600 });
  return isReplaced ? REPLACED : null;
}

/** What the file holds from now on where its owner's changes stay; null = they cannot. The page begins rules too, and then the line is there. */
function keptText(before: string, made: string | null, { text, withoutRules }: { text: string; withoutRules: string }): string | null {
  if (made === text) return before;
  if (made !== withoutRules) return null;
  if (/^[ \t]*acl_file[ \t]/m.test(before)) return before;
  const added = before.replace(/^password_file .*$/m, (line) => `${line}\nacl_file ${ACL_FILE}`);
  return added === before ? null : added;
}
